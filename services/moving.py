"""All data from the present database into another, empty one: between SQLite and PostgreSQL, in
both directions. Files of the data dir (`art/`, `uploads/`) are not touched: they stay.

One transaction on the target: all of it, or nothing. Run again after a failure, it starts anew.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import islice
from typing import Any

from peewee import AutoField, Database, Model, PeeweeException, SqliteDatabase, sort_models

from models import Call, db
from models_all import ALL_MODELS
from services import bulk, call_months, database, verify
from services.transactions import read_tx

CHUNK = 5_000  # rows read and written at a time

Counts = dict[str, int]  # rows by table


class CannotCopy(Exception):
    """The data stay where they are; the message is one sentence that says why."""


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """The database to copy into, connected. Raises `CannotCopy` when it cannot be reached, and for
    whatever it refuses meanwhile.
    """
    target = database.make_database(url)
    try:
        with target.connection_context():
            yield target
    except PeeweeException as error:
        raise CannotCopy(str(error).strip().splitlines()[0]) from error


def copy_all(
    target: Database, *, now: datetime, on_table: Callable[[str, int], None] = lambda *_: None
) -> Counts:
    """Make the tables of `target` (connected), fill them from the present database, and count.

    Nothing may write to the present database meanwhile. Raises `CannotCopy` when a table of the
    target has rows, when a value cannot be kept there, or rows are missing after: then the target
    holds empty tables.
    """
    source = db.obj
    _check_tables(source)
    database.upgrade(target)
    _refuse_rows(target)
    with read_tx(), bound_to(target), target.atomic():
        counts = {}
        if isinstance(target, SqliteDatabase):
            target.execute_sql("PRAGMA defer_foreign_keys = 1")  # a row may name one that follows
        for model in sort_models(ALL_MODELS):
            name = model._meta.table_name
            counts[name] = _copy_table(source, target, model, now)
            on_table(name, counts[name])
        _set_sequences(target)
        _check_counts(target, counts)
    _gather_statistics(target)
    return counts


def breaches_in(target: Database) -> list[verify.Breach]:
    """What `flask verify` says of the target."""
    with bound_to(target):
        return verify.run()


@contextmanager
def bound_to(target: Database) -> Iterator[None]:
    """Have the models, and whatever asks `db`, talk to `target`."""
    source = db.obj
    db.initialize(target)
    try:
        yield
    finally:
        db.initialize(source)


def _check_tables(source: Database) -> None:
    """No table may be forgotten."""
    known = {model._meta.table_name for model in ALL_MODELS} | {"schema_migration"}
    months = {name for name in source.get_tables() if name.startswith("call_")}
    unknown = set(source.get_tables()) - known - months
    if unknown:
        raise CannotCopy(f"{min(unknown)} is not a table of the cabinet: it would be left behind")


def _refuse_rows(target: Database) -> None:
    for model in ALL_MODELS:
        name = model._meta.table_name
        if target.execute_sql(f"SELECT 1 FROM {bulk.table_of(model)} LIMIT 1").fetchone():  # noqa: S608 - names of our own
            raise CannotCopy(f"the table {name} there has rows: copy into an empty database")


def _copy_table(source: Database, target: Database, model: type[Model], now: datetime) -> int:
    """Rows in the order of the key, chunk by chunk; returns how many there were."""
    columns = [field.column_name for field in model._meta.sorted_fields]
    quoted = [f'"{column}"' for column in columns]
    fit = _for_sqlite if isinstance(target, SqliteDatabase) else _for_postgresql
    started = columns.index("started_at") if model is Call else None
    key = ", ".join(f'"{field.column_name}"' for field in model._meta.get_primary_keys())
    statement = f"SELECT {', '.join(quoted)} FROM {bulk.table_of(model)} ORDER BY {key}"  # noqa: S608 - names of our own
    rows = _read(source, statement)
    count = 0
    while chunk := list(islice(rows, CHUNK)):
        if started is not None:
            call_months.make_for({row[started] for row in chunk}, now=now)
        bulk.insert_rows(target, model, quoted, map(fit, chunk))
        count += len(chunk)
    return count


def _read(source: Database, statement: str) -> Iterator[Sequence[Any]]:
    """Rows as they come: memory does not grow with them."""
    if isinstance(source, SqliteDatabase):
        yield from source.execute_sql(statement)
        return
    with source.connection().cursor(name="moving") as cursor:
        cursor.itersize = CHUNK
        cursor.execute(statement)
        yield from cursor


def _for_sqlite(row: Sequence[Any]) -> list[Any]:
    """Moments as Peewee writes them there: text with a space between day and time."""
    return [str(value) if isinstance(value, date) else value for value in row]


def _for_postgresql(row: Sequence[Any]) -> Sequence[Any]:
    """COPY takes texts for moments and 0 and 1 for booleans, but no NUL in a text."""
    for value in row:
        if isinstance(value, str) and "\0" in value:
            raise CannotCopy(f"PostgreSQL keeps no NUL in a text: {value[:80]!r}")
    return row


def _set_sequences(target: Database) -> None:
    """Let the next row get the next number. SQLite sees it by itself."""
    if isinstance(target, SqliteDatabase):
        return
    for model in ALL_MODELS:
        if isinstance(model._meta.primary_key, AutoField):
            table, column = bulk.table_of(model), model._meta.primary_key.column_name
            target.execute_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), max({column}))"  # noqa: S608 - names of our own
                f" FROM {table} HAVING max({column}) IS NOT NULL"
            )


def _check_counts(target: Database, counts: Counts) -> None:
    for model in ALL_MODELS:
        name = model._meta.table_name
        (there,) = target.execute_sql(f"SELECT count(*) FROM {bulk.table_of(model)}").fetchone()  # noqa: S608 - names of our own
        if there != counts[name]:
            raise CannotCopy(f"{name}: {counts[name]} rows were read and {there} are there")


def _gather_statistics(target: Database) -> None:
    """For PostgreSQL's planner, which would have them later, but never of calls as a whole."""
    if not isinstance(target, SqliteDatabase):
        target.execute_sql("ANALYZE")
