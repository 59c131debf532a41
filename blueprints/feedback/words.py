"""Words of «Обратная связь»: subjects, states, and how a thread is called."""

from domain.feedback import Subject, ThreadState
from texts import N_, gettext

SUBJECT_WORDS = {
    Subject.BILLS: N_("Bills"),
    Subject.CALL_DETAIL: N_("Call details"),
    Subject.PAYMENTS: N_("Payments"),
    Subject.INSTALMENTS: N_("About instalments"),
    Subject.SIP: N_("SIP, quality of calls"),
    Subject.ACCESS: N_("Access"),
    Subject.CALL_CENTRE: N_("Call centre"),
    Subject.OTHER: N_("Something else"),
}
STATE_WORDS = {
    ThreadState.NEW: N_("New one"),
    ThreadState.IN_WORK: N_("In work"),
    ThreadState.AWAITS_CLIENT: N_("Awaits you"),
    ThreadState.SOLVED: N_("Solved request"),
    ThreadState.CLOSED: N_("Closed request"),
}
STATE_TONES = {ThreadState.AWAITS_CLIENT: "warn", ThreadState.SOLVED: "ok"}
# As the operator sees them.
OPERATOR_WORDS = {**STATE_WORDS, ThreadState.AWAITS_CLIENT: N_("Awaits the client")}


def subject_text(subject: str) -> str:
    """«Тема» in words."""
    return gettext(SUBJECT_WORDS[Subject(subject)])


def state_text(state: str) -> str:
    """Where a thread stands, for the client."""
    return gettext(STATE_WORDS[ThreadState(state)])


def operators_state_text(state: str) -> str:
    """Where a thread stands, for the operator."""
    return gettext(OPERATOR_WORDS[ThreadState(state)])


def state_tone(state: str) -> str:
    """Class of the tag that shows a state; the word says it too."""
    return STATE_TONES.get(ThreadState(state), "")
