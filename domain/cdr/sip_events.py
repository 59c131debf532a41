"""Accounting events of SIP proxies as legs and halves: INVITE and BYE of one dialog are a call."""

from typing import NamedTuple

from domain.cdr.causes import by_sip
from domain.cdr.legs import check_room, leg_of
from domain.cdr.pairing import OpenHalves
from domain.cdr.record import Disposition, Half, Leg, Nonsense, Skip, Timing, stable_hash

METHODS = frozenset(
    {
        *("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY"),
        *("PUBLISH", "INFO", "REFER", "MESSAGE", "UPDATE"),
    }
)


class SipEvent(NamedTuple):
    """One line of a proxy's accounting."""

    line: int  # from 1
    method: str
    tags: tuple[str, str]  # of caller and callee; a BYE of the callee has them the other way round
    call_id: str
    code: str
    at: int  # UTC epoch seconds
    a_raw: str
    b_raw: str
    account: str = ""


def read_event(event: SipEvent, halves: OpenHalves) -> Leg | Half | Skip:
    """What one event is, given those before it; raises `Nonsense`.

    Calls are made of INVITE (its final reply) and BYE; events of other methods are passed over:
    ACK comes with the answer, CANCEL with its INVITE's 487.
    """
    if event.method not in METHODS:
        raise Nonsense("unknown method")
    if event.method not in {"INVITE", "BYE"}:
        return Skip(event.line)
    if not event.call_id:
        raise Nonsense("no Call-ID")
    check_room(event.call_id, event.a_raw, event.b_raw)  # halves are kept, too
    leg = stable_hash(event.call_id, *sorted(event.tags))
    if event.method == "BYE":
        return halves.meet(Half(event.line, event.call_id, leg, event.at, is_answer=False))
    if not (event.code.isascii() and event.code.isdigit() and len(event.code) == 3):
        raise Nonsense("no SIP reply code")
    if not (event.a_raw and event.b_raw):
        raise Nonsense("no number of caller or called")
    disposition = by_sip(int(event.code))
    if disposition != Disposition.ANSWERED:
        return _unanswered(event, disposition)
    half = Half(
        event.line,
        event.call_id,
        leg,
        event.at,
        is_answer=True,
        a_raw=event.a_raw,
        b_raw=event.b_raw,
        account=event.account,
    )
    return halves.meet(half)


def _unanswered(event: SipEvent, disposition: Disposition) -> Leg:
    return leg_of(
        uid=event.call_id,
        leg=stable_hash(event.call_id, *sorted(event.tags), event.code, event.at),
        started_at=event.at,
        timing=Timing(None, event.at, 0, 0),
        disposition=disposition,
        a_raw=event.a_raw,
        b_raw=event.b_raw,
        account=event.account,
    )


def user_of(address: str) -> str:
    """The user of a SIP address, or the text itself.

    >>> [user_of(a) for a in ("sip:101@pbx.by;user=phone", "<tel:+375171234567>", "1001")]
    ['101', '+375171234567', '1001']
    """
    address = address.strip().rpartition("<")[2].rstrip(">")
    for scheme in ("sip:", "sips:", "tel:"):
        if address.lower().startswith(scheme):
            return address[len(scheme) :].partition("@")[0].partition(";")[0]
    return address
