"""Files made for orders: made once, fetched for some days, then removed."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from flask import current_app

from domain.orders import PAPER_KINDS, UNMAILED_KINDS, OrderState
from models import Artefact, Client, Order, User
from services import audit, claims, clock, faults, mailer, reports, space, storage
from services.audit import AuditEventKind
from services.claims import Claim
from services.transactions import write_tx

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OpenFile:
    """A file that may be fetched now."""

    artefact: Artefact
    path: Path


def folder() -> Path:
    """Where artefacts and frozen messages lie, one folder per order."""
    return current_app.config["CABINET"].artefact_dir


def is_whole(artefact: Artefact) -> bool:
    """Whether the file is there, unchanged."""
    path = folder() / artefact.path
    if not path.is_file():
        return False
    if storage.sha256_of(path) != artefact.sha256:
        log.error("artefact %s is not the file that was made", artefact.id)
        return False
    return True


def make(claim: Claim) -> Artefact:
    """The file of a claimed order: the one an earlier attempt left whole, else made now."""
    order = claim.order()
    made = find(order)
    if made is not None and made.removed_at is None and is_whole(made):
        return made
    space.check_quota(order.client_id)
    made_at = order.made_at or clock.now()
    with write_tx():
        claims.move(claim, OrderState.RENDERING, made_at=made_at, done=0)
        faults.reach("order.beginning")
    faults.reach("order.rendering")
    progress = claims.Progress(claim)
    try:
        naming = partial(claims.holding, claim)  # no worker that lost its lease replaces a file
        rendered = reports.render(order, made_at=made_at, progress=progress, naming=naming)
    finally:
        progress.close()
    return _record(claim, rendered)


def _record(claim: Claim, rendered: reports.Rendered) -> Artefact:
    now = clock.now()
    values = {
        "path": rendered.path,
        "display_name": rendered.display_name,
        "media_type": rendered.media_type,
        "size": rendered.size,
        "sha256": rendered.sha256,
        "summary": rendered.summary,
        "made_at": now,
        "expires_at": now + timedelta(days=current_app.config["CABINET"].ARTEFACT_DAYS),
        "removed_at": None,
    }
    with write_tx():
        claims.move(
            claim,
            OrderState.RENDERED,
            rows=rendered.rows,
            done=rendered.rows,
            total=rendered.rows,
            lease_until=now + claims.lease(),
            heartbeat_at=now,
        )
        artefact, created = Artefact.get_or_create(order=claim.order_id, ordinal=1, defaults=values)
        if not created:
            Artefact.update(values).where(Artefact.id == artefact.id).execute()
        faults.reach("order.recording")
    faults.reach("order.rendered")
    return Artefact.get_by_id(artefact.id)


def offer(claim: Claim) -> None:
    """Close an order that is not mailed: its file is made, and waits to be fetched."""
    with write_tx():
        claims.move(
            claim,
            OrderState.AVAILABLE,
            closed_at=clock.now(),
            reason="",
            detail="",
            **claims.NOBODYS,
        )
        faults.reach("order.offering")
    faults.reach("order.available")


def find(order: Order) -> Artefact | None:
    """The file made for `order`, be it still there or not."""
    return Artefact.get_or_none(Artefact.order == order, Artefact.ordinal == 1)


def find_open(order: Order, client: Client, *, now: datetime) -> OpenFile | None:
    """The file of `order` while it can be fetched by its client's users; None otherwise.

    What is too large for a letter, is not mailed at all, or is a paper made for the cabinet, can
    always be fetched. What was cancelled cannot, whenever its file was made.
    """
    artefact = _find_offered(order, client)
    if artefact is None or _is_over(artefact, now):
        return None
    path = folder() / artefact.path
    return OpenFile(artefact, path) if path.is_file() else None


def ended_at(order: Order, client: Client, *, now: datetime) -> datetime | None:
    """When the time of a file ended that could be fetched; None when it has not, or never was."""
    artefact = _find_offered(order, client)
    return artefact.expires_at if artefact is not None and _is_over(artefact, now) else None


def _find_offered(order: Order, client: Client) -> Artefact | None:
    artefact = None if order.state == OrderState.CANCELLED else find(order)
    is_for_cabinet = order.kind in UNMAILED_KINDS | PAPER_KINDS
    if artefact is None or not (is_for_cabinet or may_be_fetched(artefact, client)):
        return None
    return artefact


def _is_over(artefact: Artefact, now: datetime) -> bool:
    return artefact.removed_at is not None or artefact.expires_at <= now


def may_be_fetched(artefact: Artefact, client: Client) -> bool:
    """Whether the client's policy lets this file out of the cabinet at all."""
    config = current_app.config["CABINET"]
    return client.may_download or not mailer.fits_a_letter(artefact, config)


def note_download(found: OpenFile, order: Order, *, user: User, ip: str, now: datetime) -> None:
    """Write down who fetched a file."""
    with write_tx():
        audit.record(
            AuditEventKind.FILE_DOWNLOADED,
            now=now,
            user=user,
            client=order.client_id,
            subject=f"artefact:{found.artefact.id}",
            ip=ip,
        )


def remove_expired(*, now: datetime) -> int:
    """Remove files whose time is over; not of an order that is being carried out again."""
    closed = Order.across_clients(Order.id).where(Order.closed_at.is_null(is_null=False))
    is_over = (
        Artefact.removed_at.is_null() & (Artefact.expires_at <= now) & Artefact.order.in_(closed)
    )
    removed = 0
    for artefact in list(Artefact.select().where(is_over).limit(500)):
        with write_tx():
            if Artefact.update(removed_at=now).where(Artefact.id == artefact.id, is_over).execute():
                (folder() / artefact.path).unlink(missing_ok=True)
                faults.reach("reconcile.file_removed")
                removed += 1
    return removed
