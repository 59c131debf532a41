"""The ledger of mail: each message is written down before it is sent and after.

A message whose process died in between is `unknown`: nobody can tell whether the server took it.
By `MAIL_UNKNOWN` it is sent again, the same bytes under the same Message-ID and flagged, or the
order is held for the operator. It always is once as many copies as `UNKNOWN_COPIES` may be out.
"""

import logging
from datetime import datetime, timedelta
from functools import partial

from flask import current_app

from domain.formats import mask_emails
from domain.orders import MailState, OrderState
from models import Artefact, Mail, Order
from services import artefacts, claims, clock, faults, mailer, smtp, storage
from services.claims import Claim, OrderHeld
from services.smtp import DeliveryUnknown, MailRefused
from services.transactions import write_tx

log = logging.getLogger(__name__)

UNKNOWN_COPIES = 3  # a server that never answers would get one with each attempt


def deliver(claim: Claim, artefact: Artefact) -> None:
    """Send the file of a claimed order to the address it was ordered for, and close the order.

    A lost lease passes up: the row stays as it is for the one who has the lease.
    """
    mail = _find_or_freeze(claim, artefact)
    if mail.state == MailState.SENDING:
        _note_unknown(mail)
    if mail.state in (MailState.UNKNOWN, MailState.SENDING) and _holds_unknown(mail):
        _hold(claim)
    _mark_sending(claim, mail)
    try:
        reply = smtp.submit(
            artefacts.folder() / mail.path,
            recipient=mail.recipient,
            before_data=lambda: _renew_at_last(claim),
        )
    except MailRefused as refusal:
        _note_refusal(claim, mail, refusal)
        raise
    except DeliveryUnknown:
        _note_unknown(mail)
        if _holds_unknown(mail):
            _hold(claim)
        raise
    faults.reach("order.acknowledged")
    _close_as_sent(claim, mail, reply)


def _renew_at_last(claim: Claim) -> None:
    """The last look at the lease: behind it the message goes, whoever holds the order."""
    claims.renew(claim)
    faults.reach("order.before_data")


def _find_or_freeze(claim: Claim, artefact: Artefact) -> Mail:
    """The message of the order, frozen; a lost file is frozen anew under its old Message-ID."""
    order = claim.order()
    mail = Mail.get_or_none(Mail.order == order, Mail.ordinal == 1)
    if mail is not None and _is_whole(mail):
        return mail
    try:
        naming = partial(claims.holding, claim)
        frozen = mailer.compose(order, artefact, ordinal=1, now=clock.now(), naming=naming)
    except ValueError as error:  # an address that cannot be: no second try will mend it
        raise MailRefused("mail_address_refused", str(error), permanent=True) from error
    values = {
        "recipient": frozen.recipient,
        "path": frozen.path,
        "size": frozen.size,
        "sha256": frozen.sha256,
    }
    with write_tx():
        claims.move(claim, OrderState.RENDERED)
        if mail is None:
            mail = Mail.create(
                order=order, message_id=frozen.message_id, created_at=clock.now(), **values
            )
        else:
            Mail.update(values).where(Mail.id == mail.id).execute()
        faults.reach("order.freezing")
    faults.reach("order.frozen")
    return Mail.get_by_id(mail.id)


def may_have_gone(order: Order) -> bool:
    """Whether a letter of the order is at the mail server, or nobody knows."""
    gone = Mail.state.in_((MailState.SENDING, MailState.SENT, MailState.UNKNOWN))
    return Mail.select().where(Mail.order == order, gone).exists()


def _is_whole(mail: Mail) -> bool:
    path = artefacts.folder() / mail.path
    return path.is_file() and storage.sha256_of(path) == mail.sha256


def _holds_unknown(mail: Mail) -> bool:
    if current_app.config["CABINET"].MAIL_UNKNOWN == "hold":
        return True
    return Mail.get_by_id(mail.id).unknown_count >= UNKNOWN_COPIES


def _note_unknown(mail: Mail) -> None:
    log.warning("mail %s: it is not known whether it went out", mail.message_id)
    with write_tx():
        Mail.update(state=MailState.UNKNOWN, unknown_count=Mail.unknown_count + 1).where(
            Mail.id == mail.id, Mail.state != MailState.SENT
        ).execute()
        faults.reach("order.noting_unknown")
    faults.reach("order.noted_unknown")


def _note_refusal(claim: Claim, mail: Mail, refusal: MailRefused) -> None:
    """Only for the holder of the lease: another one may be at sending the same message by now, and
    what it has noted must not be taken back.
    """
    state = MailState.FAILED if refusal.permanent else MailState.READY
    with write_tx():
        claims.move(claim, OrderState.SENDING)
        Mail.update(state=state, smtp_reply=mask_emails(refusal.reply)).where(
            Mail.id == mail.id
        ).execute()
        faults.reach("order.noting_refusal")
    faults.reach("order.noted_refusal")


def _hold(claim: Claim) -> None:
    with write_tx():
        claims.move(
            claim,
            OrderState.UNCONFIRMED,
            reason="mail_unconfirmed",
            **claims.NOBODYS,
        )
        faults.reach("order.holding")
    faults.reach("order.held")
    raise OrderHeld(f"order {claim.order_id}")


def _mark_sending(claim: Claim, mail: Mail) -> None:
    with write_tx():
        claims.move(claim, OrderState.SENDING)
        Mail.update(state=MailState.SENDING, attempts=Mail.attempts + 1).where(
            Mail.id == mail.id
        ).execute()
        faults.reach("order.marking")
    faults.reach("order.sending")


def _close_as_sent(claim: Claim, mail: Mail, reply: str) -> None:
    now = clock.now()
    with write_tx():
        Mail.update(state=MailState.SENT, sent_at=now, smtp_reply=mask_emails(reply)[:200]).where(
            Mail.id == mail.id
        ).execute()
        claims.move(
            claim,
            OrderState.SENT,
            closed_at=now,
            reason="",
            detail="",
            **claims.NOBODYS,
        )
        faults.reach("order.closing")
    faults.reach("order.sent")


def remove_sent(*, now: datetime) -> int:
    """Remove frozen messages some days after they went out, or were given up with their order; the
    ledger keeps the rest. An order that is tried again later has its message frozen anew.
    """
    oldest = now - timedelta(days=current_app.config["CABINET"].ARTEFACT_DAYS)
    is_sent = (Mail.state == MailState.SENT) & (Mail.sent_at <= oldest)
    given_up = Order.across_clients(Order.id).where(
        Order.state.in_((OrderState.FAILED, OrderState.CANCELLED)), Order.closed_at <= oldest
    )
    is_over = (Mail.path != "") & (is_sent | Mail.order.in_(given_up))
    removed = 0
    for mail in list(Mail.select().where(is_over).limit(500)):
        with write_tx():
            if Mail.update(path="").where(Mail.id == mail.id, is_over).execute():
                (artefacts.folder() / mail.path).unlink(missing_ok=True)
                faults.reach("reconcile.letter_removed")
                removed += 1
    return removed


def release_for_retry(order: Order) -> None:
    """Let the message of a failed or held order be sent again."""
    Mail.update(state=MailState.READY).where(
        Mail.order == order, Mail.state.in_((MailState.FAILED, MailState.UNKNOWN))
    ).execute()
