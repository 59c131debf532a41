"""A whole cabinet of real processes to be hurt: mail goes to a server that misbehaves on demand,
the clock can be moved and kill points told while everything runs.
"""

import json
import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from email import message_from_bytes
from pathlib import Path

from config import Config
from tests.chaos.lives import loaded
from tests.run.conftest import Cabinet
from tests.run.person import Person

PASSWORD = "chaos-tests-2026"
OVER = {"sent", "failed", "cancelled", "unconfirmed"}


class Site(Cabinet):
    """Two workers, no limits for who orders, a reconciler that looks every second."""

    def __init__(self, folder, sink=None, **settings):
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.sink = sink
        self._clock, self._point = folder / "clock", folder / "point"
        self.move_clock(0)
        self._point.write_text("", encoding="ascii")
        ours = {
            "TESTING": 1,
            "CLOCK": f"@{self._clock}",
            "CRASH_AT": f"@{self._point}",
            "DEMO_PASSWORD": PASSWORD,
            "WORKERS": 2,
            "RECONCILE_EVERY_S": 1,
            "ORDERS_PER_HOUR": 0,
            "OPEN_ORDERS": 0,
        }
        if sink is not None:
            ours |= {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": sink.port}
        super().__init__(folder / "var", **{**ours, **settings})

    def start(self):
        """Start it, with a demo much smaller than a person would see: it is there in a moment."""
        with loaded(Config.from_env(self.env)):
            return super().start()

    # --- Faults

    def move_clock(self, ahead_s):
        """How far ahead of the true time all its processes are; who has signed in may have to do
        so again.
        """
        beside = self._clock.with_suffix(".new")
        beside.write_text(f"+{ahead_s}", encoding="ascii")
        beside.replace(self._clock)

    def tell(self, point):
        """Die (or `stop …`) at this kill point, once, from now on; "" for nowhere."""
        shutil.rmtree(self.data_dir / "faults", ignore_errors=True)
        beside = self._point.with_suffix(".new")
        beside.write_text(point, encoding="ascii")
        beside.replace(self._point)

    def part(self, words):
        """The processes of one part, like "flask worker", without their children."""
        children = children_of(self.process.pid)
        return [pid for _, pid in children if words in command_of(pid)]

    def horses(self):
        """Children of workers that are at a job, by their parent."""
        return dict(children_of(*self.part("flask worker")))

    def wait_for_horse(self, within_s=30, states="RSDT"):
        """(parent, horse) of a worker at a job, as soon as there is one in one of these states:
        with "T" one that a kill point has stopped.
        """
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for parent, horse in self.horses().items():
                if state_of(horse) in set(states):
                    return parent, horse
            time.sleep(0.005)
        raise AssertionError(f"no worker was at a job for {within_s} s")

    # --- People

    def person(self, login="demo"):
        """Somebody who has signed in."""
        someone = Person(f"http://127.0.0.1:{self.port}")
        someone.sign_in(login, PASSWORD)
        return someone

    def place(self, person, file_format="csv"):
        """Walk through the wizard for one number; the order's key."""
        person.open("/bills/call-detail/")
        person.press("Далее", file_format=file_format)
        tick = person.page.select_one("input[name=tick]")["value"]
        person.press("Сформировать детализацию", tick=[tick])
        assert "будет выслана на адрес" in person.page.text
        return person.url.rpartition("/")[2]

    def place_many(self, number, formats=("csv", "xlsx", "pdf"), people=3, pause_s=0.0):
        """So many orders by some people at once; their keys."""

        def walk(mine):
            someone = self.person()
            keys = []
            for n in mine:
                keys.append(self.place(someone, formats[n % len(formats)]))
                time.sleep(pause_s)
            return keys

        shares = [range(n, number, people) for n in range(people)]
        with ThreadPoolExecutor(people) as pool:
            return [key for keys in pool.map(walk, shares) for key in keys]

    # --- What has become of it

    def states(self):
        """How many orders are in which state."""
        return Counter(self.rows("SELECT state, count(*) FROM customer_order GROUP BY state"))

    def wait_until_over(self, number, within_s=120):
        """Wait until there are so many orders and all are over; the seconds it took."""
        began = time.monotonic()
        while time.monotonic() - began < within_s:
            states = self.states()
            if sum(states.values()) >= number and set(states) <= OVER:
                return time.monotonic() - began
            time.sleep(0.1)
        raise AssertionError(f"after {within_s} s the orders are {dict(self.states())}")

    def rows(self, sql, *values):
        """All rows of a query, as pairs for a dict."""
        return dict(self.ask(sql, *values))

    def letters(self):
        """How often the mail server took each Message-ID."""
        return message_ids(self.sink.accepted)

    def verify(self):
        """Close a run: every invariant holds."""
        process = self.flask("verify", "--json")
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output
        told = next(line for line in output.splitlines() if line.startswith("{"))
        assert json.loads(told) == {"ok": True, "breaches": []}


def message_ids(taken):
    """How often each Message-ID is among messages of the sink."""
    return Counter(message_from_bytes(each.content)["Message-ID"] for each in taken)


def children_of(*parents):
    """The living children of processes, as (parent, child)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = _read(entry.name, "stat").rpartition(")")[2].split()
                if int(fields[1]) in parents and fields[0] not in {"Z", "X"}:
                    found.append((int(fields[1]), int(entry.name)))
    return sorted(found)


def command_of(pid):
    """How a process was started; empty when it is gone."""
    try:
        return _read(pid, "cmdline").replace("\0", " ")
    except OSError:
        return ""


def is_alive(pid):
    """Whether a process is there and not a zombie."""
    return state_of(pid) not in {"", "Z", "X"}


def state_of(pid):
    """R, S, D, T (stopped), Z; empty when it is gone."""
    try:
        return _read(pid, "stat").rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _read(pid, name):
    return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace")
