"""The calls of one client on one day, and the truth about them.

The truth is written down while a call is made, so that it owes nothing to the reading of files.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from random import Random
from typing import NamedTuple

from domain.demo import weights
from domain.demo.population import DemoClient, Sizes


class DemoLeg(NamedTuple):
    """One record of the exchange. Times are UTC epoch seconds, numbers in normal form."""

    uid: str
    sequence: int
    account_no: str
    started: int
    answered: int | None
    ended: int
    src: str
    dst: str
    channel: str
    dstchannel: str
    disposition: str
    context: str

    @property
    def billsec(self) -> int:
        """Talk in seconds."""
        return 0 if self.answered is None else self.ended - self.answered


class Truth(NamedTuple):
    """A row that a report must have."""

    call_id: str
    account: str
    number: str
    direction: str  # out, in
    peer: str
    started: int
    billable_s: int


class DemoCall(NamedTuple):
    """A call with its records and rows."""

    legs: Sequence[DemoLeg]
    truth: Sequence[Truth]

    @property
    def ended(self) -> int:
        """When the last of its records was written."""
        return max(leg.ended for leg in self.legs)


class World:
    """Everybody's numbers, and the calls they make."""

    def __init__(self, clients: Sequence[DemoClient], sizes: Sizes, zone: tzinfo) -> None:
        self.clients, self.sizes, self.zone = clients, sizes, zone
        self._owner = {n.number: client.account_no for client in clients for n in client.numbers}
        self._everybody = sorted(self._owner)

    def calls(self, client: DemoClient, day: date) -> Iterator[DemoCall]:
        """The calls that `client` began or got from outside on `day`: the same for a seed."""
        rng = Random(f"{self.sizes.seed}:{client.account_no}:{day}")  # noqa: S311 - made-up data
        midnight = datetime.combine(day, time(), self.zone).timestamp()
        for ordinal in range(self._count(client, day, rng)):
            hour = rng.choices(range(24), weights.HOURS)[0]
            start = int(midnight) + hour * 3600 + rng.randrange(3600)
            yield self._call(client, start, ordinal, rng)
        last_of_month = (day + timedelta(days=1)).day == 1
        over_midnight = rng.random() < min(0.1, self._expected(client, day) / 20)
        if over_midnight or (client.index == 0 and last_of_month and self.sizes.calls):
            late = int(midnight) + 86400 - rng.randrange(30, 600)
            yield self._call(client, late, 9_999, rng, at_least_s=900)

    def _expected(self, client: DemoClient, day: date) -> float:
        share = weights.day_weight(day) / weights.WEEKS_IN_TWO_MONTHS
        return self.sizes.calls * client.share * share

    def _count(self, client: DemoClient, day: date, rng: Random) -> int:
        expected = self._expected(client, day)
        return max(0, int(expected + rng.gauss(0, 0.5) * math.sqrt(expected) + rng.random()))

    def _call(
        self, client: DemoClient, start: int, ordinal: int, rng: Random, at_least_s: int = 0
    ) -> DemoCall:
        kind = rng.choices(("out", "in", "on_net"), (weights.OUT, weights.IN, weights.ON_NET))[0]
        numbers, cumulative = client.callers
        own = rng.choices(numbers, cum_weights=cumulative)[0]
        if kind == "on_net":
            other = rng.choice(self._everybody)
            kind, other = ("out", _stranger(rng)) if other == own else (kind, other)
        else:
            other = "anonymous" if self._hides(kind, rng) else _stranger(rng)
        src, dst = (other, own) if kind == "in" else (own, other)
        maker = _CallMaker(client, f"{start}.{ordinal * 10_000 + client.index}", kind, rng)
        talk_s = max(at_least_s, _talk_s(kind, rng))
        if at_least_s or rng.random() < weights.ANSWERED[kind]:
            legs = maker.answered(src, dst, start, talk_s, _stranger(rng))
        else:
            legs = [maker.unanswered(src, dst, start)]
        return DemoCall(legs, list(self._truth(legs)))

    @staticmethod
    def _hides(kind: str, rng: Random) -> bool:
        return kind == "in" and rng.random() < weights.ANONYMOUS

    def _truth(self, legs: Sequence[DemoLeg]) -> Iterator[Truth]:
        """One row per own number and side. Only the records of a parallel call talk at once, and
        there the first lasts longest.
        """
        first = legs[0]
        parallel = len(legs) > 1 and first.answered is not None and first.ended > legs[1].started
        billable_s = first.billsec if parallel else sum(leg.billsec for leg in legs)
        if first.src in self._owner:
            account = self._owner[first.src]
            yield Truth(first.uid, account, first.src, "out", first.dst, first.started, billable_s)
        if first.dst in self._owner:
            account = self._owner[first.dst]
            seconds = billable_s
            if len(legs) > 1 and legs[1].dst != first.dst:
                seconds = first.billsec  # passed on: the rest was another's
            yield Truth(first.uid, account, first.dst, "in", first.src, first.started, seconds)


class _CallMaker:
    """Makes the records of one call."""

    def __init__(self, client: DemoClient, uid: str, kind: str, rng: Random) -> None:
        self._client, self._uid, self._kind, self._rng = client, uid, kind, rng
        self._legs = 0

    def answered(self, src: str, dst: str, start: int, talk_s: int, third: str) -> list[DemoLeg]:
        """A call that was answered: one record, or one of the kinds of several."""
        draw = self._rng.random()
        if draw < weights.FAIL_OVER and self._kind == "out":
            failed = self._leg(src, dst, start, None, start + self._rng.randrange(1, 6), "FAILED")
            return [failed, self._talk(src, dst, failed.ended + 1, talk_s)]
        first = self._talk(src, dst, start, talk_s)
        draw -= weights.FAIL_OVER
        if 0 <= draw < weights.TRANSFER and self._kind == "out":
            return [first, self._talk(src, third, first.ended, self._rng.randrange(5, 300))]
        draw -= weights.TRANSFER
        if 0 <= draw < weights.PARALLEL and talk_s > 20:
            inner = self._leg(src, dst, start, first.answered + 2, first.ended - 3, "ANSWERED")
            return [first, inner]
        return [first]

    def unanswered(self, src: str, dst: str, start: int) -> DemoLeg:
        """A call that nobody took."""
        words = weights.UNANSWERED
        word = self._rng.choices(list(words), list(words.values()))[0]
        ring_s = self._ring_s() if word in {"NO ANSWER", "CANCEL"} else self._rng.randrange(4)
        return self._leg(src, dst, start, None, start + ring_s, word)

    def _talk(self, src: str, dst: str, start: int, talk_s: int) -> DemoLeg:
        at_once = self._rng.random() < weights.RING_NONE
        answered = start + (0 if at_once else self._ring_s())
        return self._leg(src, dst, start, answered, answered + talk_s, "ANSWERED")

    def _ring_s(self) -> int:
        ring_s = self._rng.lognormvariate(math.log(weights.RING_MEDIAN_S), weights.RING_SIGMA)
        return min(weights.RING_LONGEST_S, 1 + int(ring_s))

    def _leg(
        self, src: str, dst: str, start: int, answered: int | None, ended: int, word: str
    ) -> DemoLeg:
        self._legs += 1
        channel, dstchannel = (
            f"SIP/{src}-{self._rng.randrange(1 << 32):08x}",
            f"SIP/carrier{self._legs}-{self._rng.randrange(1 << 32):08x}",
        )
        if self._kind == "in":
            channel, dstchannel = dstchannel, f"SIP/{dst}-{self._rng.randrange(1 << 32):08x}"
        context = "from-trunk" if self._kind == "in" else "from-internal"
        return DemoLeg(
            self._uid,
            self._legs,
            self._client.account_no,
            start,
            answered,
            ended,
            src,
            dst,
            channel,
            dstchannel,
            word,
            context,
        )


def _talk_s(kind: str, rng: Random) -> int:
    """Seconds of talk: log-logistic with a spike of very short ones."""
    draw = rng.random()
    if draw < weights.SHORT_TALK:
        return rng.randrange(1, 6)
    if draw > 1 - weights.SESSION_CAP:
        return 7200
    median, shape = weights.TALK[kind]
    u = min(max(rng.random(), 1e-9), 1 - 1e-9)
    return min(weights.TALK_LONGEST_S, max(1, round(median * (u / (1 - u)) ** (1 / shape))))


def _stranger(rng: Random) -> str:
    """A number that is nobody's of the demo: after the code it begins with 6 or 7."""
    kind = _pick(weights.DESTINATIONS, rng)
    if kind == "service":
        return rng.choice(weights.SERVICE_NUMBERS)
    if kind == "abroad":
        prefix, digits = _pick(weights.ABROAD, rng)
        return f"{prefix}{rng.randrange(10 ** (digits - 1), 10**digits)}"
    if kind == "mobile":
        code = _pick(weights.MOBILE_CODES, rng)
    else:
        code = "17" if kind == "area" else _pick(weights.AREA_CODES, rng)
    return f"375{code}{rng.randrange(6_000_000, 8_000_000)}"


def _pick(table: dict, rng: Random):
    return rng.choices(list(table), list(table.values()))[0]
