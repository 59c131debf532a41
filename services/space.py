"""Room for files: on the disk, and for one client's. Looked at before an order is taken, and before
its file is made.
"""

import shutil

from flask import current_app
from peewee import fn

from config import Config
from domain.errors import FilesTakeTooMuch, NoSpaceLeft
from models import Artefact, Client, Order
from services import clock

MB = 1 << 20


def check_disk() -> None:
    """Raise `NoSpaceLeft` when the disk of the data dir is fuller than the settings allow: the
    orders taken so far need the rest.
    """
    config: Config = current_app.config["CABINET"]
    if not config.min_free_percent:
        return
    disk = shutil.disk_usage(config.data_dir)
    if disk.free * 100 < disk.total * config.min_free_percent:
        raise NoSpaceLeft


def check_quota(client: Client | int) -> None:
    """Raise `FilesTakeTooMuch` when the files kept for a client fill what it may have."""
    limit_mb = current_app.config["CABINET"].ARTEFACT_QUOTA_MB
    if not limit_mb:
        return
    kept = Artefact.select(fn.SUM(Artefact.size), fn.MIN(Artefact.expires_at)).where(
        Artefact.order.in_(Order.of_company(client, Order.id)), Artefact.removed_at.is_null()
    )
    size, first_ends = kept.tuples().get()
    if (size or 0) >= limit_mb * MB:
        raise FilesTakeTooMuch(limit=limit_mb, until=clock.local(first_ends).date())
