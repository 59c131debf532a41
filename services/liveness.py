"""Which process holds a lease, and whether it still lives: a dead one's order need not wait."""

import ctypes
import os
import signal
from functools import cache
from pathlib import Path

_PR_SET_PDEATHSIG = 1


@cache
def _machine() -> str:
    """This boot of this machine, and the container within it: pids mean something only there."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"


def _started(pid: int) -> str | None:
    """When process `pid` started, in ticks since boot: tells reused pids. None: there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} else fields[19]


def own_mark() -> str:
    """A mark by which `is_dead` knows this process; empty where there is no /proc."""
    try:
        return f"{_machine()}:{os.getpid()}:{_started(os.getpid())}"
    except OSError:
        return ""


def is_dead(mark: str) -> bool:
    """True when the process of `mark` ran on this machine and is gone; False when in doubt."""
    machine, _, rest = mark.rpartition(":")[0].rpartition(":")
    started = mark.rpartition(":")[2]
    try:
        same_machine = bool(mark) and machine == _machine()
    except OSError:
        return False
    return same_machine and rest.isdigit() and _started(int(rest)) != started


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent dies, so that no orphan goes on alone."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the call
        os.kill(os.getpid(), signal.SIGKILL)
