"""Applications with settings of their own, beside the one that most tests share."""

from contextlib import contextmanager

from app import create_app
from config import Config
from models import db
from services import database
from tests import databases


@contextmanager
def another_app(tmp_path, **settings):
    """An application with other settings, on a database of its own."""
    before = db.obj
    try:
        settings = {"DATABASE_URL": databases.new_url(), "TESTING": True, **settings}
        app = create_app(Config(DATA_DIR=str(tmp_path), **settings))
        app.testing = True
        with db.connection_context():
            database.upgrade()
            yield app
    finally:
        db.initialize(before)
