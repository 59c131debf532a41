"""The fast path of Asterisk's readers: rows in which nothing is out of the ordinary, as nearly all
are. It gives what the plain path (`asterisk.read_leg`) gives, or leaves the row to it; a test
compares the two.
"""

from operator import itemgetter

from domain.cdr.asterisk_words import DISPOSITIONS, EMPTY, NO_TIME, Layout
from domain.cdr.record import (
    LONGEST_ID,
    Disposition,
    Leg,
    check_timing,
    endpoint_of,
    hash_of_text,
)
from domain.cdr.times import SECONDS, LocalTimes
from domain.msisdn import normal_form
from domain.remembered import Remembered

REMEMBERED = 65_536  # texts of each kind: a file may hold more numbers than memory does
ANSWERED = int(Disposition.ANSWERED)
_ENDS = {word: int(disposition) for word, disposition in DISPOSITIONS.items()}


class Unusual(LookupError):
    """The plain path has to look at the row."""


class UsualRows:
    """Legs of the usual rows of one layout that has unique ids."""

    def __init__(self, layout: Layout, times: LocalTimes) -> None:
        account, src, dst, context, channel, start, uniqueid, linkedid = layout
        self._pick = itemgetter(
            *(account, src, dst, context, channel, channel + 1),
            *range(start, start + 6),
            *(uniqueid, uniqueid if linkedid is None else linkedid),
        )
        self._minutes = Remembered(times.even_minute, REMEMBERED)
        self._numbers = Remembered(_number, REMEMBERED)
        self._words = Remembered(_tidy, REMEMBERED)
        self._counters = Remembered(_counter, REMEMBERED)

    def leg(self, row: list[str]) -> Leg:
        """The leg of a row. `LookupError` (a text that is no key here, too) and `ValueError`: the
        plain path has to look.
        """
        (
            account, src, dst, context, channel, device,
            start, answer, end, duration, billsec, word,
            uniqueid, linkedid,
        ) = self._pick(row)  # fmt: skip
        disposition = _ENDS[word]
        minutes = self._minutes
        started_at = minutes[start[:16]] + SECONDS[start[16:]]
        ended_at = minutes[end[:16]] + SECONDS[end[16:]]
        if disposition == ANSWERED and device:
            answered_at = minutes[answer[:16]] + SECONDS[answer[16:]]
        elif disposition != ANSWERED and answer in NO_TIME:
            answered_at = None
        else:
            raise Unusual
        counters = self._counters
        duration_s, billable_s = counters[duration], counters[billsec]
        answered_at, ended_at, duration_s, billable_s = check_timing(
            started_at, answered_at, ended_at, duration_s, billable_s, disposition
        )
        a_number, b_number = self._numbers[src], self._numbers[dst]
        uid = linkedid or uniqueid
        told = (channel, device, uid)
        if (
            channel[-2:] == ";2"
            or not uid
            or len(uid) + len(a_number) + len(b_number) > LONGEST_ID
            or told != (channel.strip(), device.strip(), uid.strip())
            or not EMPTY.isdisjoint(told)
        ):
            raise Unusual
        return Leg(
            started_at,
            answered_at,
            ended_at,
            src,
            dst,
            a_number,
            b_number,
            duration_s,
            billable_s,
            disposition,
            uid,
            hash_of_text(f"{started_at}|{b_number}|{device}|{disposition}|{billable_s}"),
            self._words[account],
            self._words[context],
            endpoint_of(channel),
            endpoint_of(device),
        )


def _tidy(text: str) -> str:
    if text != text.strip() or text in EMPTY:
        raise Unusual
    return text


def _number(text: str) -> str:
    return normal_form(_tidy(text))


def _counter(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Unusual
    return int(text)
