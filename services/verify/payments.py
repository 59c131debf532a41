"""Invariants of money on its way."""

from collections.abc import Iterator

from models_billing import Payment
from models_feedback import FeedbackThread
from models_payments import ToldPayment
from services.verify.registry import check


@check
def told_payments_are_those_that_came() -> Iterator[str]:
    """A payment that a client told of stands with one of the same client and sum, and with a thread
    of that client.
    """
    rows = (
        ToldPayment.across_clients(ToldPayment, Payment, FeedbackThread)
        .left_outer_join(Payment)
        .switch(ToldPayment)
        .join(FeedbackThread)
    )
    for row in rows:
        if row.thread.client_id != row.client_id:
            yield f"told payment {row.id}: its thread is another client's"
        came = row.payment
        if came and (came.client_id, came.amount) != (row.client_id, row.amount):
            yield f"told payment {row.id}: payment {came.id} is another client's, or another sum"
        if bool(came) != bool(row.arrived_at):
            yield f"told payment {row.id}: found without a day, or a day without being found"
