"""The demo's calls as an Asterisk would write them, in two dialects, with what goes wrong in real
files. None of the defects changes what is true.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from random import Random

from domain.demo import weights
from domain.demo.calls import DemoLeg
from domain.msisdn import is_full

CSV, CUSTOM = "asterisk-csv", "asterisk-custom"
_NAMES = ("Иванов И.И.", "Отдел сбыта; склад", "Петров, бухгалтерия", 'Кафе "У моста"', "reception")
_NONSENSE = ("negative", "reversed", "unreadable", "cut_off")


def write(
    legs: Iterable[DemoLeg], dialect: str, zone: tzinfo, rng: Random, *, worn: bool = False
) -> bytes:
    """The bytes of a file. A `worn` one went through somebody's editor: CR LF, Windows-1251 or
    BOM.
    """
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n" if worn else "\n")
    for leg in legs:
        row = _row(_Shown(leg, zone, rng), dialect)
        writer.writerow(row)
        if rng.random() < weights.DEFECTS["twice"]:
            writer.writerow(row)
        if rng.random() < weights.REJECTED:
            writer.writerow(_spoil(row, dialect, rng))
        if rng.random() < weights.NOBODYS:
            writer.writerow(_row(_Shown(_between_strangers(leg, rng), zone, rng), dialect))
    if worn and dialect == CUSTOM:
        return text.getvalue().encode("cp1251")
    return text.getvalue().encode("utf-8-sig" if worn else "utf-8")


class _Shown:
    """A record as this file shows it: its stamps, its numbers, one defect at most."""

    def __init__(self, leg: DemoLeg, zone: tzinfo, rng: Random) -> None:
        self.leg = leg
        started, answered, ended = leg.started, leg.answered, leg.ended
        defect = _draw(weights.DEFECTS, rng)
        if defect == "answer_before_start" and answered == started:
            answered -= 1
        elif defect == "end_off_by_one":
            ended += 1
        elif defect == "no_answer_stamp":
            answered = None
        empty = "NULL" if defect == "null_text" else ""
        self.userfield = empty
        self.start, self.end = (_stamp(moment, zone) for moment in (started, ended))
        self.answer = empty if answered is None else _stamp(answered, zone)
        self.src, self.dst = _written(leg.src, rng), _written(leg.dst, rng)
        self.clid = f'"{rng.choice(_NAMES)}" <{self.src}>'
        self.lastdata = f"{leg.dstchannel.rpartition('-')[0]}/{self.dst},60,tT"


def _row(shown: _Shown, dialect: str) -> list[str | int]:
    leg = shown.leg
    numbers = [shown.src, shown.dst, leg.context]
    middle = [leg.channel, leg.dstchannel, "Dial", shown.lastdata, shown.start, shown.answer]
    middle += [shown.end, leg.ended - leg.started, leg.billsec, leg.disposition, "DOCUMENTATION"]
    if dialect == CUSTOM:
        tail = [leg.account_no, leg.uid, shown.userfield, leg.sequence]
        return [shown.clid, *numbers, *middle, *tail]
    tail = [leg.uid, shown.userfield, "", leg.uid, leg.sequence]
    return [leg.account_no, *numbers, shown.clid, *middle, *tail]


def _spoil(row: list, dialect: str, rng: Random) -> list:
    """A record that makes no sense, made of one that does."""
    row = list(row)
    start = 9 if dialect == CSV else 8
    how = rng.choice(_NONSENSE)
    if how == "negative":
        row[start + 4] = -1
    elif how == "reversed":
        row[start + 1], row[start + 2] = "", "2001-01-01 00:00:00"
    elif how == "unreadable":
        row[start] = "вчера"
    else:
        row = row[:7]
    return row


def _between_strangers(leg: DemoLeg, rng: Random) -> DemoLeg:
    """A call that passed through without a number of ours."""
    one, two = (f"37517{rng.randrange(6_000_000, 8_000_000)}" for _ in range(2))
    return leg._replace(uid=f"{leg.uid}9", src=one, dst=two, account_no="")


def _written(number: str, rng: Random) -> str:
    """One of the ways in which exchanges and phones write a number."""
    if is_full(number):
        forms = (number, number, number, f"+{number}", f"80{number[3:]}", f"0{number[3:]}")
        return rng.choice((*forms, f"00{number}", f"810{number}"))
    if number.isdigit() and len(number) >= 10 and not number.startswith("88"):
        return rng.choice((number, f"+{number}", f"810{number}", f"00{number}"))
    return number


def _stamp(moment: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(moment, zone):%Y-%m-%d %H:%M:%S}"


def _draw(shares: dict[str, float], rng: Random) -> str:
    draw = rng.random()
    for name, share in shares.items():
        draw -= share
        if draw < 0:
            return name
    return ""


def late_dropped(legs: Iterable[DemoLeg], since: int, rng: Random) -> Iterator[DemoLeg]:
    """`legs` without some of those that began at `since` or later: they come with the next file."""
    return (leg for leg in legs if leg.started < since or rng.random() >= weights.LATE)
