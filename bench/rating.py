"""Prices of calls: a plain tariff of 5 700 prefixes beside the bare search of the longest prefix;
packages and hours for comparison.

How to read it: processor time, calls a second on one core. The floor looks the prefix up in a
dictionary, longest first, and multiplies nothing. «repeating»: a client's calls go to the same
numbers again and again; «all different»: no number twice.
"""

import random
import time
from collections.abc import Callable, Sequence
from datetime import date

from bench.measuring import print_table
from domain.rating.calendar import Calendar
from domain.rating.flat import FlatPricer
from domain.rating.tariff import Package, Rate, Step, Version, Window
from domain.rating.usage import Rater, Usage
from services import clock

PREFIXES, CALLS = 5_700, 300_000
EVENING = Window(frozenset(range(7)), 18 * 3600, 24 * 3600, (Step(0, 300_000),))
Calls = Sequence[tuple[str, int]]


def main() -> None:
    """Print the table."""
    numbers = random.Random(1)  # noqa: S311 - the same numbers every time
    prefixes = make_prefixes(numbers)
    rates = tuple(Rate(prefix, (Step(0, 1000 * n, 60, 60),)) for n, prefix in enumerate(prefixes))
    rows = []
    for name, peers in (("repeating", 30_000), ("all different", CALLS)):
        known = [numbers.choice(prefixes) + f"{numbers.randrange(10**7):07}" for _ in range(peers)]
        calls = [(numbers.choice(known), numbers.randrange(1, 900)) for _ in range(CALLS)]
        floor = best(bare(prefixes), calls)
        for what, price in ways(rates):
            took = best(price, calls)
            rows.append([name, what, f"{CALLS / took:,.0f}", f"{took / floor:.2f}"])
        rows.append([name, "floor: longest prefix", f"{CALLS / floor:,.0f}", "1"])
    print_table("Prices of calls", ["numbers", "tariff", "calls/s", "× floor"], rows)


def make_prefixes(numbers: random.Random) -> list[str]:
    """As in a carrier's deck: most lie under a shorter one."""
    found = {str(n) for n in range(1, 10)} | {str(n) for n in range(200, 1000)}
    parents = sorted(found)
    while len(found) < PREFIXES:
        found.add(numbers.choice(parents) + str(numbers.randrange(10 ** numbers.randrange(1, 6))))
    return sorted(found)


def ways(rates: tuple[Rate, ...]) -> list[tuple[str, Callable[[Calls], None]]]:
    """Each kind of tariff, and how its calls are priced."""
    flat = FlatPricer(Version("flat", date(2026, 1, 1), rates))
    calendar = Calendar(clock.zone())
    hours = tuple(Rate(rate.prefix, rate.steps, windows=(EVENING,)) for rate in rates)
    package = Package("m", 600_000, is_shared=True)
    by_hour = Rater(Version("hours", date(2026, 1, 1), hours), calendar)
    packed = Rater(Version("packages", date(2026, 1, 1), rates, (package,)), calendar)

    def flatly(calls: Calls) -> None:
        for number, seconds in calls:
            flat.price(number, seconds)

    def hourly(calls: Calls) -> None:
        for number, seconds in calls:
            by_hour.price(number, seconds, started_at=1_773_158_400)

    def with_packages(calls: Calls) -> None:
        usage = Usage()
        for number, seconds in calls:
            packed.price(number, seconds, usage=usage)

    return [("flat", flatly), ("packages", with_packages), ("by the hour", hourly)]


def bare(prefixes: Sequence[str]) -> Callable[[Calls], None]:
    """The longest prefix, and nothing else."""
    known = {prefix: n for n, prefix in enumerate(prefixes)}
    lengths = sorted({len(prefix) for prefix in prefixes}, reverse=True)

    def search(calls: Calls) -> None:
        for number, _seconds in calls:
            for length in lengths:
                if number[:length] in known:
                    break

    return search


def best(work: Callable[[Calls], None], calls: Calls, turns: int = 3) -> float:
    """Processor seconds of the cheapest of some turns."""
    took = []
    for _ in range(turns):
        began = time.process_time()
        work(calls)
        took.append(time.process_time() - began)
    return min(took)


if __name__ == "__main__":
    main()
