"""Which numbers of a file are our side: devices of the exchange that call, or are called, under
their own name and are no trunk.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from domain.cdr.record import Leg
from domain.msisdn import normalise

TRUNK_CONTEXTS = ("from-trunk", "from-pstn", "from-did", "from-sip-external", "from-zaptel")
CANDIDATES = 5  # numbers of each side shown to who has to choose
SEVERAL = 3  # different numbers under one device before it can be a trunk


def discover(legs: Iterable[Leg]) -> list[str]:
    """Normal forms of the numbers of our side, sorted.

    A trunk is a device that carries calls of several numbers other than its own, more of them
    than of its own, or most of whose calls come in from a context named for that.
    """
    own: defaultdict[str, int] = defaultdict(int)
    others: defaultdict[str, int] = defaultdict(int)
    carried: defaultdict[str, set[str]] = defaultdict(set)
    calls: Counter[str] = Counter()
    from_outside: Counter[str] = Counter()
    for leg in legs:
        calls[leg.a_endpoint] += 1
        from_outside[leg.a_endpoint] += leg.context.startswith(TRUNK_CONTEXTS)
        for endpoint, raw in ((leg.a_endpoint, leg.a_raw), (leg.b_endpoint, leg.b_raw)):
            if not endpoint:
                continue
            if endpoint == raw:
                own[endpoint] += 1
            else:
                others[endpoint] += 1
                if len(carried[endpoint]) < SEVERAL:
                    carried[endpoint].add(raw)
    trunks = {name for name, count in from_outside.items() if 2 * count > calls[name]}
    trunks |= {
        endpoint
        for endpoint, numbers in carried.items()
        if len(numbers) >= SEVERAL and others[endpoint] >= own[endpoint]
    }
    return sorted({normalise(endpoint) for endpoint in own.keys() - trunks})


class Candidates(NamedTuple):
    """The most frequent numbers of each side, in normal form, with the count of their legs."""

    names_devices: bool  # whether the file tells by which device a call came and went
    callers: list[tuple[str, int]]
    called: list[tuple[str, int]]


def find_candidates(legs: Iterable[Leg]) -> Candidates:
    """What our side may be, where `discover` cannot tell."""
    callers: Counter[str] = Counter()
    called: Counter[str] = Counter()
    names_devices = False
    for leg in legs:
        callers[leg.a_number] += 1
        called[leg.b_number] += 1
        names_devices |= bool(leg.a_endpoint or leg.b_endpoint)
    return Candidates(names_devices, *map(_most_frequent, (callers, called)))


def _most_frequent(numbers: Counter[str]) -> list[tuple[str, int]]:
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    return [item for item in ordered if item[0]][:CANDIDATES]
