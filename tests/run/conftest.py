"""A whole cabinet of real processes, on a data dir and ports of its own."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import databases

ROOT = Path(__file__).parent.parent.parent
WAIT_S = 90  # generous: other work may keep the machine busy


# Ports below those that the system gives to whoever asks for any; every eighth is for one of the
# processes that run tests beside each other.
PORTS = range(10_500 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]), 20_000, 8)
MAILBOX_ABOVE = 10_000


def free_port():
    """A port nobody listens on, and neither does anybody where its mailbox would be."""
    while True:
        port = random.choice(PORTS)  # noqa: S311 - nobody's secret
        if all(is_free(each) for each in (port, port + MAILBOX_ABOVE)):
            return port


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_for(condition, what):
    """Wait until `condition()` gives something true, and return it."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {WAIT_S} s for {what}")


class Cabinet:
    """What `bin/run` starts once it has its packages."""

    def __init__(self, data_dir, **settings):
        self.data_dir = Path(data_dir)
        self.port = settings.pop("PORT", None) or free_port()
        ours = {"DATA_DIR": data_dir, "PORT": self.port, "WORKERS": 1, **settings}
        ours.setdefault("DATABASE_URL", databases.new_url())
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("CABINET_")}
        self.env = {**inherited, **{f"CABINET_{name}": str(value) for name, value in ours.items()}}
        self.process = None

    def flask(self, *arguments):
        """Start a `flask` command with this cabinet's environment."""
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "flask", *arguments],
            cwd=ROOT,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def start(self):
        """Start everything and wait until it says that it is ready."""
        self.process = self.flask("serve")
        self.output = ""
        for line in self.process.stdout:
            self.output += line
            if "Ctrl-C stops it" in line:
                return self
        raise AssertionError(f"it ended: {self.output}")

    def stop(self, number=signal.SIGTERM):
        """Signal it once and return its exit status."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=WAIT_S)
        self.output += rest
        return self.process.returncode

    def refusal(self):
        """What it says when it cannot start: (exit status, lines)."""
        process = self.flask("serve")
        output, _ = process.communicate(timeout=WAIT_S)
        return process.returncode, output.strip().splitlines()

    def query(self, sql, *values):
        """The first row of a query on this cabinet's database; `?` stands for a value."""
        rows = self.ask(sql, *values)
        return rows[0] if rows else None

    def ask(self, sql, *values):
        """All rows of a query."""
        return databases.ask(self.env["CABINET_DATABASE_URL"], self.data_dir, sql, *values)

    def change(self, sql, *rows):
        """Run a statement on this cabinet's database, for each of `rows`; `?` is a value."""
        databases.change(self.env["CABINET_DATABASE_URL"], self.data_dir, sql, *rows)

    def pids(self, words=""):
        """Processes of this cabinet whose command line has `words`: its data dir tells them."""
        mark = f"CABINET_DATA_DIR={self.data_dir}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    environ = (entry / "environ").read_bytes().split(b"\0")
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                except (OSError, UnicodeDecodeError):
                    continue
                ours = mark in environ or str(self.data_dir) in command  # Valkey renames itself
                if ours and words in command:
                    found.append(int(entry.name))
        return sorted(found)

    def clear(self):
        """Whatever a failed test has left running."""
        if self.process is None:
            return  # it was only asked, and the data dir may be another cabinet's
        self.process.kill()
        self.process.communicate()
        self.kill(*self.pids())

    def kill(self, *pids, number=signal.SIGKILL):
        """Signal those that still live: some may just have ended by themselves."""
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


@pytest.fixture
def make_cabinet(tmp_path):
    """Build cabinets; all that runs is ended after the test."""
    made = []

    def make(data_dir=None, **settings):
        made.append(Cabinet(data_dir or tmp_path / "var", **settings))
        return made[-1]

    yield make
    for cabinet in made:
        cabinet.clear()


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One cabinet for the tests of a module that only look at it or kill its parts."""
    cabinet = Cabinet(tmp_path_factory.mktemp("run") / "var")
    yield cabinet.start()
    cabinet.clear()
