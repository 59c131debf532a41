"""Causes of release as dispositions: ITU-T Q.850 numbers of exchanges and SIP reply codes."""

from domain.cdr.record import Disposition

_Q850 = {
    0: Disposition.CANCELLED,
    16: Disposition.CANCELLED,  # normal clearing before an answer: the caller gave up
    17: Disposition.BUSY,
    18: Disposition.NO_ANSWER,
    19: Disposition.NO_ANSWER,
    21: Disposition.BUSY,  # rejected
    31: Disposition.CANCELLED,
    102: Disposition.NO_ANSWER,  # a timer ran out
}
_SIP = {
    408: Disposition.NO_ANSWER,
    480: Disposition.NO_ANSWER,
    486: Disposition.BUSY,
    487: Disposition.CANCELLED,
    600: Disposition.BUSY,
    603: Disposition.BUSY,
}


def unanswered_by_q850(cause: int) -> Disposition:
    """What became of a call that nobody took, by its cause of release."""
    return _Q850.get(cause, Disposition.FAILED)


def by_sip(code: int) -> Disposition:
    """What a final reply to an INVITE means."""
    return Disposition.ANSWERED if 200 <= code < 300 else _SIP.get(code, Disposition.FAILED)
