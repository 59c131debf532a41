"""Migrations lead an empty base to the tables of models.py, and can be run again."""

import pytest
from playhouse.schema_diff import diff_models

from models import Subscriber, db
from models_all import ALL_MODELS
from services import database
from tests import databases
from tests.factories import make_subscriber


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


def test_calls_lie_by_month_where_that_can_be(base):
    clause = "SELECT partstrat FROM pg_partitioned_table WHERE partrelid = to_regclass('\"call\"')"
    if databases.kind == "postgresql":
        assert db.execute_sql(clause).fetchall() in ([("r",)], [(b"r",)])
    else:
        (sql,) = db.execute_sql("SELECT sql FROM sqlite_master WHERE name = 'call'").fetchone()
        assert sql.endswith("WITHOUT ROWID")


def test_texts_have_one_order_and_no_length(base, client_row):
    """A server's locale could put «a» before «B», and leave out the plus."""
    numbers = ["b", "+9", "B", "10", "9", "а", "Я", "_", "ё", "a" * 300]
    for number in numbers:
        make_subscriber(client_row, number=number)
    found = Subscriber.of(client_row).order_by(Subscriber.number)
    assert [row.number for row in found] == sorted(numbers)
    if databases.kind == "postgresql":  # the tests' server may compare bytes by itself
        query = (
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND (data_type = 'character varying'"
            " OR data_type = 'text' AND collation_name IS DISTINCT FROM 'C')"
        )
        assert db.execute_sql(query).fetchall() == []


@pytest.mark.parametrize("url", ["mysql://x/y", "cabinet.db", "postgres:x"])
def test_an_address_of_no_database_is_one_sentence(url):
    with pytest.raises(database.ConfigError, match="A database is"):
        database.make_database(url)
