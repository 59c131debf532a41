"""Looks at every statement of the tests' own process on SQLite, and notes two mistakes that only
show under load: a transaction that began DEFERRED and writes (it fails where others wait), and a
write of the product outside `write_tx`.
"""

import sys
from pathlib import Path

from peewee import SqliteDatabase

from services.transactions import write_tx

ROOT = Path(__file__).parent.parent
PRODUCT = tuple(f"{ROOT / name}/" for name in ("services", "jobs", "blueprints", "commands"))
OTHERS = tuple(f"{ROOT / name}/" for name in ("tests", "migrations", "bench"))
# Which transaction these write in is the matter of whoever calls them.
CALLED_INSIDE = {("bulk.py", ""), ("usage.py", ""), ("audit.py", "record"), ("claims.py", "move")}
OWN_WAYS = {"database.py", "moving.py"}  # migrations; a transaction on another database
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")
WRITE_TX = write_tx.__wrapped__.__code__

mistakes: list[str] = []


class Watched:
    """The transactions that are open on one connection: (name, begun by `write_tx`)."""

    def __init__(self):
        self.open: list[tuple[str, bool]] = []
        self.is_deferred = False

    def see(self, sql):
        verb, _, rest = sql.lstrip().partition(" ")
        verb = verb.upper().rstrip(";")
        if verb in WRITES:
            self.check(sql)
        elif verb == "BEGIN":
            self.is_deferred = "IMMEDIATE" not in rest.upper()
            self.open = [("", is_within(WRITE_TX))]
        elif verb == "SAVEPOINT":
            self.open.append((rest.strip(" ;"), is_within(WRITE_TX)))
        elif verb == "RELEASE" or (verb == "ROLLBACK" and rest):
            self.close(rest.split()[-1].strip(";"))
        elif verb in ("COMMIT", "ROLLBACK", "END"):
            self.open, self.is_deferred = [], False

    def close(self, name):
        names = [each for each, _ in self.open]
        if name in names:
            del self.open[names.index(name) :]

    def check(self, sql):
        if self.is_deferred:
            mistakes.append(f"in a transaction that began DEFERRED: {sql[:200]}")
        if not any(by_write_tx for _, by_write_tx in self.open):
            where = writer()
            if where:
                mistakes.append(f"outside write_tx, by {where}: {sql[:200]}")


def is_within(code):
    """Whether a function is at work, so near that it is the one that begins a transaction."""
    frame = sys._getframe(2)  # past ourselves
    for _ in range(15):
        if frame is None:
            return False
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False


def writer():
    """The place in the product that writes; None when it is a test that does."""
    frame = sys._getframe(3)  # past ourselves
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(OTHERS):
            return None
        if name.startswith(PRODUCT):
            file = Path(name).name
            if file in OWN_WAYS:
                return None
            if not CALLED_INSIDE & {(file, ""), (file, frame.f_code.co_name)}:
                return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return None


def watch_all():
    """From now on, every connection to SQLite that Peewee opens."""
    connect = SqliteDatabase._connect

    def watched(self):
        connection = connect(self)
        connection.set_trace_callback(Watched().see)
        # What nobody ordered comes the other way round, as PostgreSQL may give it on any day.
        connection.execute("PRAGMA reverse_unordered_selects = ON")
        return connection

    SqliteDatabase._connect = watched


def take_mistakes():
    """What was noted since the last call."""
    found = list(mistakes)
    mistakes.clear()
    return found
