"""Handing work to RQ. The orders table is the truth; what is queued here is only a hint to look at
it.
"""

from flask import Flask

from config import Config


def init_app(app: Flask, config: Config) -> None:
    """Prepare the connection; connects nothing yet."""
