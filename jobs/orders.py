"""The job that carries orders: claim, file, then mail, or the file kept to be fetched."""

from rq.timeouts import JobTimeoutException

from domain.orders import UNMAILED_KINDS
from services import artefacts, awaited_invoices, claims, clock, ledger, notice_sending, scopes
from services.smtp import DeliveryUnknown


def carry(order_id: int) -> None:  # noqa: ARG001 - the id says why we were woken, not what to take
    """Carry the most urgent due order as far as it goes. Safe to repeat, and to be killed anywhere.

    The hint is only a wake-up: which order is taken decides `claims.claim_next`, so that a client
    with many orders does not keep the others waiting. A notice that is due goes first, so that
    they need no place of their own in a long queue.
    """
    notice_sending.send_due(most=1)
    claim = claims.claim_next(now=clock.now())
    if claim is None:
        return
    with claims.attempt(claim) as order:
        if not ledger.may_have_gone(order):
            scopes.check_order(order)
        awaited_invoices.find_document(claim)
        try:
            artefact = artefacts.make(claim)
        except JobTimeoutException as error:
            raise claims.WorkTookTooLong from error
        if claim.order().kind in UNMAILED_KINDS:
            artefacts.offer(claim)
            return
        try:
            ledger.deliver(claim, artefact)
        except JobTimeoutException as error:  # the letter may have gone
            raise DeliveryUnknown("the time of the job was over") from error
