"""Invariants of «Обратная связь»: threads, what was said in them, and the files sent along."""

from collections.abc import Iterator

from peewee import JOIN, fn

from domain.feedback import Side
from models import Order, Subscriber
from models_billing import Invoice
from models_feedback import FeedbackFile, FeedbackMessage, FeedbackThread
from services import feedback_files
from services.verify.registry import check


@check
def a_thread_is_about_something_of_its_client() -> Iterator[str]:
    """The order, bill or number it names is the client's own."""
    for model, column in (
        (Order, FeedbackThread.order),
        (Invoice, FeedbackThread.invoice),
        (Subscriber, FeedbackThread.subscriber),
    ):
        foreign = (
            FeedbackThread.across_clients(FeedbackThread.id)
            .join(model, on=(column == model.id))
            .where(model.client != FeedbackThread.client)
        )
        for thread in foreign:
            yield f"thread {thread.id} is about a row of {model._meta.table_name} of another client"


@check
def a_thread_begins_with_its_clients_words() -> Iterator[str]:
    """The first message is the client's, and the moments of a thread follow from its messages."""
    first = FeedbackMessage.alias()
    begins = first.select(fn.MIN(first.id)).where(first.thread == FeedbackThread.id)
    threads = FeedbackThread.across_clients(FeedbackThread.id, FeedbackMessage.side).join(
        FeedbackMessage, JOIN.LEFT_OUTER, on=(FeedbackMessage.id == begins)
    )
    for thread_id, side in threads.tuples():
        if side != Side.CLIENT:
            yield f"thread {thread_id} does not begin with words of its client"


@check
def a_file_lies_where_its_message_says() -> Iterator[str]:
    """Each file sent along is there, of its size, and belongs to a message of its thread."""
    rows = FeedbackFile.select(FeedbackFile, FeedbackMessage).join(
        FeedbackMessage, on=(FeedbackFile.message == FeedbackMessage.id)
    )
    for file in rows.iterator():
        if file.message.thread_id != file.thread_id:
            yield f"feedback file {file.id} belongs to a message of another thread"
        path = feedback_files.path_of(file)
        if not path.is_file() or path.stat().st_size != file.size:
            yield f"feedback file {file.id} is not there as it was sent"
