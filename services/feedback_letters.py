"""The letter that tells a client of an answer in «Обратная связь»: that there is one, and where it
can be read. Neither its words nor anybody's name are in it.
"""

from datetime import datetime

from domain.languages import language
from models_feedback import FeedbackThread
from services import delivery, language_choice, notices
from services.notices import Link

ANSWERED = "feedback_answer"


def subject_of(thread: FeedbackThread) -> str:
    """How letters name the thread they are about."""
    return f"feedback_thread:{thread.id}"


def tell_of_answer(thread: FeedbackThread, *, now: datetime) -> None:
    """Inside `write_tx`: to whoever opened the thread, or to their company."""
    with language(language_choice.of_user(thread.user)):
        notices.post(
            ANSWERED,
            address_of(thread, now=now),
            {"number": thread.number},
            client=thread.client,
            subject=subject_of(thread),
            link=Link(f"/feedback/{thread.key}"),
            now=now,
        )


def address_of(thread: FeedbackThread, *, now: datetime) -> str:
    """The author's own confirmed address; without one, that of the company's call details. Whoever
    may not sign in any more is not written to.
    """
    own = thread.user.email if thread.user.is_active else ""
    return own or delivery.detail_email(thread.client, now=now)
