"""What lies among the files of orders and belongs to nobody: of workers that were killed, or that
lost their lease. Files whose time is over are `artefacts.py` and `ledger.py`.
"""

import os
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from models import Artefact, Mail, Order
from services import artefacts

KEPT_FOR = timedelta(days=1)  # longer than any job may take
LOOK_EVERY = timedelta(hours=1)


def remove(*, now: datetime) -> int:
    """Remove what is a day old and in no row, and folders left empty; return how many. Looks once
    an hour: there may be many files.
    """
    if not is_time(".looked", now=now):
        return 0
    oldest = (now - KEPT_FOR).timestamp()
    needed = _needed(now)
    removed = 0
    for order in [path for path in artefacts.folder().iterdir() if path.is_dir()]:
        if order.name in needed:
            continue
        for path in order.iterdir():
            if f"{order.name}/{path.name}" not in needed and _is_older(path, oldest):
                path.unlink(missing_ok=True)
                removed += 1
        if _is_older(order, oldest):
            with suppress(OSError):  # it is not empty
                order.rmdir()
    return removed


def is_time(name: str, *, now: datetime) -> bool:
    """Whether it is an hour since a folder of many files was looked through; `name` says which."""
    stamp = artefacts.folder() / name
    try:
        if abs(now.timestamp() - stamp.stat().st_mtime) < LOOK_EVERY.total_seconds():
            return False
    except FileNotFoundError:
        stamp.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        stamp.touch()
    os.utime(stamp, (now.timestamp(), now.timestamp()))
    return True


def _needed(now: datetime) -> set[str]:
    """Paths that rows name, and folders of orders that somebody is at work on."""
    kept = Artefact.select(Artefact.path).where(Artefact.removed_at.is_null()).tuples()
    letters = Mail.select(Mail.path).where(Mail.path != "").tuples()
    at_work = Order.across_clients(Order.key).where(Order.lease_until >= now).tuples()
    return {name for query in (at_work, kept, letters) for (name,) in query}


def _is_older(path: Path, moment: float) -> bool:
    return path.stat().st_mtime < moment
