"""Migrations lead an empty base to the tables of models.py, and can be run again."""

from playhouse.schema_diff import diff_models

from models import ALL_MODELS, db
from services import database


def tables():
    """Columns and indexes of every table, to compare by."""
    return {
        name: (db.get_columns(name), sorted(index.name for index in db.get_indexes(name)))
        for name in db.get_tables()
    }


def test_migrations_make_the_tables_of_the_models(base):
    difference = diff_models(db.obj, list(ALL_MODELS))
    assert not difference, difference


def test_running_migrations_again_changes_nothing(app):
    with db.connection_context():
        before = tables()
        assert before.keys() >= {model._meta.table_name for model in ALL_MODELS}
        assert not database.upgrade()
        assert tables() == before
        assert database.is_up_to_date()
