"""Child processes: started, watched, started again when they die, stopped together. Linux.

Knows nothing of the cabinet; `commands/serve.py` says which parts there are. Every part runs in a
session of its own, so that a Ctrl-C at the terminal reaches the supervisor alone and each part is
signalled once, and so that all it has started can be found by that session.
"""

import ctypes
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

STOP_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
STOP_WITHIN_S = 13  # then what is left is killed
LATER_STAGE_S = 3  # what the parts of a later stage get at least
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0  # the longest is what orders wait for
HEALTHY_AFTER_S = 60  # a part that lived so long starts with a short pause again
LOG_LIMIT = 10 * 1024 * 1024  # bytes; one older file is kept
TICK_S = 1.0
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Part:
    """A process to keep running. Parts of a low stage are stopped first."""

    name: str
    command: tuple[str, ...]
    stage: int = 0
    pass_fds: tuple[int, ...] = ()
    process: subprocess.Popen | None = None
    started_at: float = 0.0  # monotonic
    failures: int = 0
    start_at: float = 0.0  # monotonic: when a dead part is started again

    @property
    def is_running(self) -> bool:
        """Whether its process has been started and not yet been seen dead."""
        return self.process is not None and self.process.returncode is None


class Supervisor:
    """Keeps parts running until it is asked to stop. One per process: it takes over the signals."""

    def __init__(
        self, log_dir: Path, *, cwd: Path, env: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self.parts: list[Part] = []
        self._log_dir, self._cwd, self._env, self._say = log_dir, cwd, dict(env), say
        log_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Blocked signals wait for `sigtimedwait`: no handler can interrupt anything half done, and
        # a second Ctrl-C stays waiting.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS | {signal.SIGCHLD})
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans come to us and leave no zombie
        self._watched = {signal.SIGCHLD, *STOP_SIGNALS}
        if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:  # started by nohup
            self._watched.discard(signal.SIGHUP)

    def log_of(self, part: Part) -> Path:
        """Where a part's output goes."""
        return self._log_dir / f"{part.name}.log"

    def start(self, part: Part) -> None:
        """Start a part and watch it from now on."""
        if part not in self.parts:
            self.parts.append(part)
        self._rotate(part)
        parent = os.getpid()
        with self.log_of(part).open("ab") as log:
            part.process = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                part.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                env=self._env,
                start_new_session=True,
                pass_fds=part.pass_fds,
                preexec_fn=lambda: _in_child(parent),  # noqa: PLW1509 - no thread of ours holds a lock
            )
        part.started_at = time.monotonic()

    def wait(self, seconds: float = TICK_S) -> bool:
        """Look after the parts for up to `seconds`; False when asked to stop."""
        until = time.monotonic() + seconds
        while True:
            left = max(0.0, min([until, *self._restarts()]) - time.monotonic())
            got = signal.sigtimedwait(self._watched, left)
            if got and got.si_signo in STOP_SIGNALS:
                return False
            self._collect()
            for part in self.parts:
                if not part.is_running and part.start_at <= time.monotonic():
                    self.start(part)
                self._rotate(part)
            if time.monotonic() >= until:
                return True

    def stop(self) -> None:
        """Ask every part once to end, stage by stage; kill what has not ended in time."""
        deadline = time.monotonic() + STOP_WITHIN_S
        for stage in sorted({part.stage for part in self.parts}):
            parts = [part for part in self.parts if part.stage == stage and part.is_running]
            for part in parts:
                part.process.send_signal(signal.SIGTERM)
            until = max(deadline, time.monotonic() + LATER_STAGE_S)
            while any(part.is_running for part in parts) and time.monotonic() < until:
                signal.sigtimedwait({signal.SIGCHLD}, 0.2)
                self._reap()
            for part in parts:
                if part.is_running:
                    self._say(f"{part.name} did not stop in time and was killed")
                kill_session(part.process.pid)
        for part in self.parts:
            if part.process is not None:
                part.process.wait()
        self._reap()

    def _restarts(self) -> list[float]:
        return [part.start_at for part in self.parts if not part.is_running]

    def _reap(self) -> list[Part]:
        """Take in dead children, orphans too; return the parts among them."""
        dead = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return dead
            if pid == 0:
                return dead
            for part in self.parts:
                if part.is_running and part.process.pid == pid:
                    part.process.returncode = os.waitstatus_to_exitcode(status)
                    dead.append(part)

    def _collect(self) -> None:
        for part in self._reap():
            kill_session(part.process.pid)  # what it left behind would hold its port or its work
            now = time.monotonic()
            if now - part.started_at >= HEALTHY_AFTER_S:
                part.failures = 0
            pause = min(FIRST_PAUSE_S * 2**part.failures, LONGEST_PAUSE_S)
            part.failures += 1
            part.start_at = now + pause
            code = part.process.returncode
            how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            self._say(
                f"{part.name} {how} and is started again in {pause:g} s; see {self.log_of(part)}"
            )

    def _rotate(self, part: Part) -> None:
        """Keep a log bounded. Parts append, so the file can be emptied under them."""
        path = self.log_of(part)
        try:
            if path.stat().st_size < LOG_LIMIT:
                return
            path.with_suffix(".log.1").write_bytes(path.read_bytes())
            os.truncate(path, 0)
        except OSError:
            return  # not there yet, or the disk is full: no reason to stop


def _in_child(parent: int) -> None:
    """Between fork and exec: end with the supervisor, however it ends, and hear all signals."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before the call
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def session_members(leader: int) -> list[int]:
    """Living processes of the session that `leader` began."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == leader:
                    members.append(int(entry.name))
            except (ProcessLookupError, PermissionError):
                continue
    return members


def kill_session(leader: int) -> None:
    """Kill whatever is left of the session that `leader` began."""
    for pid in session_members(leader):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def hold_lock(path: Path) -> IO[bytes] | None:
    """Lock `path` for as long as the returned file is open here or in a child; None when it is
    taken.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = path.open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
