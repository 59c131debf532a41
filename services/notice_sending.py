"""Sending the letters of `notices.py`: claimed by a lease, written down before and after, as
`ledger.py` does it for orders.

The row is the truth, the queue only hints at it. No letter goes twice unless nobody can know
whether it went: then the row is flagged, and the copy is the same bytes under one Message-ID.
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app

from domain.formats import mask_emails
from domain.orders import MailState
from models import Notice
from services import claims, clock, faults, letter_links, liveness, mailer, queue, smtp
from services.claims import NOBODYS, LeaseLost
from services.ledger import UNKNOWN_COPIES
from services.smtp import DeliveryUnknown, MailRefused
from services.transactions import write_tx

log = logging.getLogger(__name__)

MOST_AT_ONCE = 20  # sent by one job
OPEN_STATES = (MailState.READY, MailState.SENDING, MailState.UNKNOWN)
FAILED, UNCONFIRMED, TOO_LATE = "letter_failed", "mail_unconfirmed", "letter_too_late"


@dataclass(frozen=True)
class Claim:
    """One attempt at one letter; `token` opens its row for writing."""

    notice_id: int
    token: str

    def row(self) -> Notice:
        """The letter as it is now."""
        return Notice.across_clients().where(Notice.id == self.notice_id).get()

    def write(self, **values: object) -> None:
        """Change the row; `LeaseLost` when somebody else has it."""
        held = (Notice.id == self.notice_id) & (Notice.lease_token == self.token)
        if not Notice.update(values).where(held).execute():
            raise LeaseLost(f"notice {self.notice_id}")


def due(now: datetime):
    """Condition: its time has come, and nobody holds it."""
    free = Notice.lease_until.is_null() | (Notice.lease_until < now)
    return (Notice.next_try_at <= now) & Notice.state.in_(OPEN_STATES) & free


def send_due(*, most: int = MOST_AT_ONCE) -> int:
    """Try letters that are due, the oldest first; return how many were tried."""
    for tried in range(most):
        claim = _claim_next(now=clock.now())
        if claim is None:
            return tried
        try:
            _carry(claim)
        except LeaseLost as reason:
            log.warning("%s: lost", reason)
    return most


def hint_due(*, now: datetime) -> int:
    """Wake a worker when letters are due and nothing else is going to."""
    if not Notice.across_clients(Notice.id).where(due(now)).exists() or queue.waiting() != 0:
        return 0
    return int(queue.hint_notices())


def release_dead(*, now: datetime) -> int:
    """Free the letters whose worker is known to be gone; return how many."""
    held = Notice.across_clients().where(Notice.lease_until >= now)
    released = 0
    for notice in [row for row in held if liveness.is_dead(row.lease_owner)]:
        with write_tx():
            released += (
                Notice.update(lease_until=now - timedelta(seconds=1), lease_owner="")
                .where(Notice.id == notice.id, Notice.lease_token == notice.lease_token)
                .execute()
            )
            faults.reach("notice.releasing")
        faults.reach("notice.released")
    return released


def _claim_next(*, now: datetime) -> Claim | None:
    candidates = Notice.across_clients(Notice.id).where(due(now)).order_by(Notice.next_try_at)
    for notice in list(candidates.limit(5)):
        token = secrets.token_hex(16)
        with write_tx():
            taken = (
                Notice.update(
                    lease_token=token,
                    lease_owner=liveness.own_mark(),
                    lease_until=now + claims.lease(),
                    attempts=Notice.attempts + 1,
                )
                .where(Notice.id == notice.id, due(now))
                .execute()
            )
            faults.reach("notice.claiming")
        faults.reach("notice.claimed")
        if taken:
            return Claim(notice.id, token)
    return None


def _carry(claim: Claim) -> None:
    """One attempt, from its beginning to its end in the row."""
    notice = claim.row()
    if notice.state == MailState.SENDING:  # whoever was at it is gone
        _note_unknown(claim)
        notice = claim.row()
    if notice.state == MailState.UNKNOWN and _holds_unknown(notice):
        _end(claim, MailState.UNKNOWN, UNCONFIRMED)
    elif notice.attempts > current_app.config["CABINET"].MAX_ATTEMPTS:
        _end(claim, MailState.FAILED, notice.reason or FAILED)
    elif notice.expires_at is not None and notice.expires_at <= clock.now():
        _end(claim, MailState.FAILED, TOO_LATE)
    else:
        _try(claim, notice)


def _try(claim: Claim, notice: Notice) -> None:
    try:
        content = mailer.compose_notice(notice, link=_address_of(notice))
        reply = smtp.send(
            content, recipient=notice.recipient, before_data=lambda: _mark_sending(claim)
        )
    except LeaseLost:
        raise
    except MailRefused as refusal:
        _note_refusal(claim, refusal.code, refusal.reply, is_final=refusal.permanent)
    except ValueError:  # an address that cannot be: no second try will mend it
        _note_refusal(claim, smtp.ADDRESS_REFUSED, "", is_final=True)
    except DeliveryUnknown:
        _note_unknown(claim)
        _wait_or_hold(claim)
    except Exception:  # the time of the job may be over, and the letter on its way
        log.exception("notice %s", claim.notice_id)
        if claim.row().state == MailState.SENDING:
            _note_unknown(claim)
            _wait_or_hold(claim)
        else:
            _note_refusal(claim, FAILED, "", is_final=False)
    else:
        faults.reach("notice.acknowledged")
        _close_as_sent(claim, reply)


def _address_of(notice: Notice) -> str:
    token = letter_links.token_of(notice.link_seed) if notice.link_seed else ""
    return f"{current_app.config['CABINET'].public_url}{notice.link_path}{token}"


def _mark_sending(claim: Claim) -> None:
    """The last look at the lease: behind it the message goes, whoever holds the letter."""
    with write_tx():
        claim.write(state=MailState.SENDING, lease_until=clock.now() + claims.lease())
        faults.reach("notice.marking")
    faults.reach("notice.sending")


def _close_as_sent(claim: Claim, reply: str) -> None:
    with write_tx():
        claim.write(
            state=MailState.SENT,
            sent_at=clock.now(),
            next_try_at=None,
            reason="",
            smtp_reply=mask_emails(reply)[:200],
            **NOBODYS,
        )
        faults.reach("notice.closing")
    faults.reach("notice.sent")


def _note_unknown(claim: Claim) -> None:
    log.warning("notice %s: it is not known whether it went out", claim.notice_id)
    with write_tx():
        claim.write(state=MailState.UNKNOWN, unknown_count=Notice.unknown_count + 1)
        faults.reach("notice.noting_unknown")
    faults.reach("notice.noted_unknown")


def _holds_unknown(notice: Notice) -> bool:
    """By `MAIL_UNKNOWN`, and once as many copies as may be out."""
    hold = current_app.config["CABINET"].MAIL_UNKNOWN == "hold"
    return hold or notice.unknown_count >= UNKNOWN_COPIES


def _wait_or_hold(claim: Claim) -> None:
    notice = claim.row()
    if _holds_unknown(notice):
        _end(claim, MailState.UNKNOWN, UNCONFIRMED)
    else:
        _wait(claim, MailState.UNKNOWN, UNCONFIRMED, notice.attempts)


def _note_refusal(claim: Claim, code: str, reply: str, *, is_final: bool) -> None:
    notice, words = claim.row(), mask_emails(reply)[:200]
    if is_final or notice.attempts >= current_app.config["CABINET"].MAX_ATTEMPTS:
        _end(claim, MailState.FAILED, code, smtp_reply=words)
    else:
        _wait(claim, MailState.READY, code, notice.attempts, smtp_reply=words)


def _wait(claim: Claim, state: MailState, reason: str, attempts: int, **values: object) -> None:
    next_try_at = clock.now() + claims.pause_after(attempts)
    _give_back(claim, state=state, reason=reason, next_try_at=next_try_at, **values)


def _end(claim: Claim, state: MailState, reason: str, **values: object) -> None:
    log.error("notice %s does not go out: %s", claim.notice_id, reason)
    _give_back(claim, state=state, reason=reason, next_try_at=None, **values)


def _give_back(claim: Claim, **values: object) -> None:
    with write_tx():
        claim.write(**values, **NOBODYS)
        faults.reach("notice.giving_back")
    faults.reach("notice.given_back")
