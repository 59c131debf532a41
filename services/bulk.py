"""Many rows into a table at once, past the ORM: `executemany` on SQLite, COPY on PostgreSQL. Called
inside a write transaction. Values are what the tables hold, not what fields make of it. Errors are
Peewee's, as elsewhere.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from peewee import Database, Model, SqliteDatabase, __exception_wrapper__


def insert_rows(
    database: Database,
    model: type[Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    ignore_conflicts: bool = False,
) -> None:
    """Insert `rows` with values of `columns`. With `ignore_conflicts` a row whose key is there is
    passed over, without it that is an error.
    """
    if isinstance(database, SqliteDatabase):
        insert_plainly(database, model, columns, rows, ignore_conflicts=ignore_conflicts)
        return
    table, names = table_of(model), ", ".join(columns)
    with __exception_wrapper__, database.connection().cursor() as cursor:
        if not ignore_conflicts:
            _copy(cursor, f"{table} ({names})", rows)
            return
        cursor.execute(
            f"CREATE TEMPORARY TABLE incoming ON COMMIT DROP AS SELECT {names} FROM {table} LIMIT 0"  # noqa: S608 - names of our own
        )
        _copy(cursor, f"incoming ({names})", rows)
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming ON CONFLICT DO NOTHING"  # noqa: S608 - names of our own
        )
        cursor.execute("DROP TABLE incoming")


def insert_plainly(
    database: Database,
    model: type[Model],
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    ignore_conflicts: bool = False,
) -> None:
    """The same by one prepared statement for each row: the fast path of SQLite."""
    marks = ", ".join("?" * len(columns))
    conflict = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    run_many(
        database,
        f"INSERT INTO {table_of(model)} ({', '.join(columns)}) VALUES ({marks}){conflict}",  # noqa: S608 - names of our own
        rows,
    )


def run_many(database: Database, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """One statement for many rows, on the connection itself; `?` stands for a value."""
    with __exception_wrapper__:
        if isinstance(database, SqliteDatabase):
            database.connection().executemany(statement, rows)
        else:
            with database.connection().cursor() as cursor:
                cursor.executemany(statement.replace("?", "%s"), rows)


def table_of(model: type[Model]) -> str:
    """The name of its table, quoted."""
    return f'"{model._meta.table_name}"'


def _copy(cursor: Any, target: str, rows: Iterable[Sequence[Any]]) -> None:
    with cursor.copy(f"COPY {target} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
