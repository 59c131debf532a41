"""Words of «Обратная связь»: subjects, states, and how a thread is called."""

from datetime import date

from domain.feedback import Subject, ThreadState
from domain.formats import format_date, format_money
from services.instalment_list import Told
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


def early_repayment_text(told: Told, today: date) -> str:
    """What a client writes to pay a plan before its time; "" when nothing is left to do so."""
    if not told.early:
        return ""
    text = gettext(
        "Please let us pay the instalments of contract {contract} ({goods}) before their time. "
        "The sum on {day}: {sum} BYN."
    )
    plan, sum_ = told.plan, format_money(told.early)
    return text.format(
        contract=plan.contract_no, goods=plan.goods, day=format_date(today), sum=sum_
    )


def state_text(state: str) -> str:
    """Where a thread stands, for the client."""
    return gettext(STATE_WORDS[ThreadState(state)])


def operators_state_text(state: str) -> str:
    """Where a thread stands, for the operator."""
    return gettext(OPERATOR_WORDS[ThreadState(state)])


def state_tone(state: str) -> str:
    """Class of the tag that shows a state; the word says it too."""
    return STATE_TONES.get(ThreadState(state), "")
