"""The menu: sections in the source document's order, and their registration."""

from flask import Flask

from config import Config

SECTIONS = ()


def init_app(app: Flask, config: Config) -> None:
    """Register every section and what all pages share."""
    for section in SECTIONS:
        app.register_blueprint(section.bp)
