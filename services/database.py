"""Opening the database and bringing its tables up to date. The only place that knows which
database it is.
"""

from pathlib import Path

from peewee import Database, PostgresqlDatabase, SqliteDatabase
from playhouse.db_url import parse
from playhouse.migrations import Runner

from config import Config
from models import CLUSTERED_MODELS, db

MIGRATIONS = Path(__file__).parent.parent / "migrations"
BUSY_TIMEOUT_S = 30  # SQLite's busy handler is unfair: single waits of 5 s were measured


def open_database(config: Config) -> Database:
    """Bind the models to the configured database. Connects nothing: each process does that for
    itself.
    """
    url = config.database_url
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = SqliteDatabase(
            str(path),
            lock_type="IMMEDIATE",  # a deferred BEGIN that writes later fails under load
            timeout=BUSY_TIMEOUT_S,
            pragmas={
                "foreign_keys": 1,
                "synchronous": "full",
                "cache_size": -65536,
                "mmap_size": 0,
            },
        )
    else:
        values = {key: value for key, value in parse(url).items() if value is not None}
        database = PostgresqlDatabase(values.pop("database"), prefer_psycopg3=True, **values)
    for model in CLUSTERED_MODELS:
        model._meta.without_rowid = isinstance(database, SqliteDatabase)
    db.initialize(database)
    return database


def upgrade() -> list[str]:
    """Run the migrations that have not run yet and return their names. Safe to repeat, and after a
    kill.
    """
    if isinstance(db.obj, SqliteDatabase):
        db.execute_sql(
            "PRAGMA journal_mode=WAL"
        )  # kept in the file; per connection it would need a lock
    return [str(name) for name in Runner(db.obj, str(MIGRATIONS)).up()]


def is_up_to_date() -> bool:
    """Whether every migration has run."""
    return all(migration.applied for migration in Runner(db.obj, str(MIGRATIONS)).status())
