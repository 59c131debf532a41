"""What a thread is about, told for its page: with names and numbers in place of rows."""

from dataclasses import dataclass
from typing import TypeVar

from models import Order, Subscriber, TenantModel
from models_billing import Invoice
from models_feedback import FeedbackThread
from services import invoice_list, order_subjects
from services.feedback_about import About
from services.order_subjects import Subject

Row = TypeVar("Row", bound=TenantModel)


@dataclass(frozen=True)
class Told:
    """The order, bill, number or call; what a thread is not about is none."""

    order: Order | None = None
    order_subject: Subject | None = None
    invoice: Invoice | None = None
    invoice_number: str = ""
    subscriber_id: int | None = None
    number: str = ""
    call: tuple[int, int] | None = None  # when it began, and its seq

    def __bool__(self) -> bool:
        return bool(self.order or self.invoice or self.subscriber_id)


def of_about(about: About) -> Told:
    """For the form of a new thread."""
    return Told(
        order=about.order,
        order_subject=order_subjects.of_order(about.order) if about.order else None,
        invoice=about.invoice,
        invoice_number=invoice_list.number_of(about.invoice) if about.invoice else "",
        subscriber_id=about.subscriber.id if about.subscriber else None,
        number=about.subscriber.number if about.subscriber else "",
        call=about.call,
    )


def of_thread(thread: FeedbackThread) -> Told:
    """For a thread's page, the client's or the operator's."""
    has_call = thread.call_started_at is not None and thread.call_seq is not None
    return of_about(
        About(
            order=_own(Order, thread.order_id, thread),
            invoice=_own(Invoice, thread.invoice_id, thread),
            subscriber=_own(Subscriber, thread.subscriber_id, thread),
            call=(thread.call_started_at, thread.call_seq) if has_call else None,
        )
    )


def _own(model: type[Row], row_id: int | None, thread: FeedbackThread) -> Row | None:
    """The row, which is the client's own."""
    if row_id is None:
        return None
    return model.of(thread.client_id).where(model.id == row_id).first()
