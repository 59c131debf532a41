"""What benchmarks share: the choice of the database, the cost of a piece of work, the table.

Work is measured in a process of its own, so that its peak of memory is its own. On a busy machine
look at processor time and at ratios of one run, not at seconds on the clock.
"""

import argparse
import gc
import multiprocessing
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests import databases


class Cost(NamedTuple):
    """What a piece of work took."""

    wall_s: float
    cpu_s: float  # user and system, of this process; a PostgreSQL server's is not in it
    peak_mb: float  # resident memory at its highest, all that was imported included
    result: Any = None


def options(description: str | None) -> argparse.ArgumentParser:
    """A parser with the choice of the database; `chosen` reads it."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=databases.KINDS, default="sqlite")
    return parser


def chosen(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options given, with the database chosen for all that follows."""
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends what was started, too
    databases.choose(given.database)
    return given


def cost_of(work: Callable[..., Any], *arguments: Any) -> Cost:
    """Do `work` in a new process and tell what it took there. Both must be picklable."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, arguments))


def _measured(work: Callable[..., Any], arguments: Sequence[Any]) -> Cost:
    """Runs in the child. `work` may be a generator function: what comes before its first `yield`
    is preparation and is not counted.
    """
    prepared = work(*arguments) if _is_generator(work) else None
    if prepared is not None:
        next(prepared)
    gc.collect()
    cpu, began = cpu_seconds(), time.perf_counter()
    result = work(*arguments) if prepared is None else next(prepared, None)
    return Cost(time.perf_counter() - began, cpu_seconds() - cpu, peak_mb(), result)


def _is_generator(work: Callable[..., Any]) -> bool:
    return bool(work.__code__.co_flags & 0x20)


def cpu_seconds() -> float:
    """Processor time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_mb(pid: int | str = "self") -> float:
    """The highest resident memory of a process so far, in megabytes (2**20 bytes)."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def print_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows of texts in columns as wide as they need: a table of Markdown."""
    lines = [list(heads), *map(list, rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    print(f"\n{title}\n")
    for number, line in enumerate(lines):
        cells = [
            text.rjust(width) if number and n else text.ljust(width)
            for n, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        print(f"| {' | '.join(cells)} |")
        if not number:
            print(f"|{'|'.join('-' * (width + 2) for width in widths)}|", flush=True)
