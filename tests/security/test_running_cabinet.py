"""Signing in, sessions and limits at a cabinet of real processes, as somebody with a script and two
hundred addresses meets it. Times and memory are printed: figures, not conditions.
"""

import http.client
import re
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.run.conftest import ROOT, Cabinet

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
PASSWORD = "korova-na-lugu-2026"
_addresses = count(1)


class Site:
    """A cabinet behind a proxy of our own, whose clock is set from here."""

    def __init__(self, folder):
        self.clock = folder / "clock"
        self.ahead_s = 0
        self.hands()
        self.cabinet = Cabinet(
            folder / "var",
            DEMO_PASSWORD=PASSWORD,
            PROXY_COUNT=1,
            TESTING=1,
            CLOCK=f"@{self.clock}",
            ORDERS_PER_HOUR=3,
            SESSION_HOURS=8,
        )

    def hands(self, *, minutes=0.0):
        """Move the clock of all processes, and never back."""
        self.ahead_s += minutes * 60
        beside = self.clock.with_suffix(".new")
        beside.write_text(f"+{self.ahead_s}")
        beside.replace(self.clock)

    def flask(self, *arguments, typed=""):
        """What a command of the administrator's prints."""
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "flask", *arguments],
            cwd=ROOT, env=self.cabinet.env, input=typed, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    def count(self, sql, *values):
        return self.cabinet.query(sql, *values)[0]

    def web_pids(self):
        return self.cabinet.pids("granian") or self.cabinet.pids("app:create_app")


class Visitor:
    """A script: one address, its own cookies, no redirects followed."""

    def __init__(self, site, ip=None):
        n = next(_addresses)
        self.ip = ip or f"10.{n // 65536}.{n // 256 % 256}.{n % 256}"
        self.port, self.cookies, self.headers = site.cabinet.port, {}, {}

    def ask(self, path, form=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        sent = {"X-Forwarded-For": self.ip, **{k.replace("_", "-"): v for k, v in headers.items()}}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        body = None
        if form is not None:
            body = urlencode(form, doseq=True)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("GET" if form is None else "POST", path, body, sent)
        answer = connection.getresponse()
        self.text = answer.read().decode("utf-8", "replace")
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        for line in answer.msg.get_all("Set-Cookie") or ():
            for name, cookie in SimpleCookie(line).items():
                if cookie.value:
                    self.cookies[name] = cookie.value
                else:
                    self.cookies.pop(name, None)
        connection.close()
        return answer.status

    def token(self):
        return re.search(r'name="csrf_token"[^>]*value="([^"]+)', self.text)[1]

    def sign_in(self, login="demo", password=PASSWORD):
        if "csrf_token" not in getattr(self, "text", ""):
            self.ask("/login")
        form = {"login": login, "password": password, "csrf_token": self.token()}
        return self.ask("/login", form)

    def copy(self, site):
        other = Visitor(site)
        other.cookies = dict(self.cookies)
        return other


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("auth"))
    made.cabinet.start()
    yield made
    made.cabinet.stop()
    made.cabinet.clear()


@pytest.fixture
def demo(site):
    """Somebody signed in; earlier failures are past."""
    site.hands(minutes=61)
    visitor = Visitor(site)
    assert visitor.sign_in() == 303
    return visitor


def say(*figures, sep=" "):
    print(*figures, sep=sep)  # noqa: T201 - figures are what this is for


def order(visitor):
    """Walk to the last click and return its status."""
    visitor.ask("/bills/call-detail/")
    day = re.findall(r'name="(?:start|end)"[^>]*value="([^"]+)"', visitor.text)
    form = {
        "csrf_token": visitor.token(), "start": day[0], "end": day[1], "direction": "both",
        "file_format": "csv",
    }  # fmt: skip
    assert visitor.ask("/bills/call-detail/", form) == 303
    step = visitor.headers["location"]
    assert visitor.ask(step) == 200
    tick = re.search(r'name="tick"[^>]*value="(\d+)"', visitor.text)[1]
    form = {"csrf_token": visitor.token(), "go": "submit", "shown": tick, "tick": tick, "typed": ""}
    return visitor.ask(step, form)


def test_the_limit_of_orders_outlives_a_restart(site):
    """The first one here: a cabinet whose clock is ahead sees no living worker when it starts."""
    demo = Visitor(site)
    assert demo.sign_in() == 303
    assert [order(demo) for _ in range(3)] == [303] * 3
    before = site.count("SELECT COUNT(*) FROM customer_order")
    assert order(demo) == 429
    site.cabinet.stop()
    site.cabinet.start()
    assert order(demo) == 429
    assert 0 < int(demo.headers["retry-after"]) <= 3600
    assert site.count("SELECT COUNT(*) FROM customer_order") == before
    site.hands(minutes=29)
    assert demo.ask("/") == 200
    site.hands(minutes=29)
    assert demo.ask("/") == 200
    site.hands(minutes=3)
    assert order(demo) == 303


def test_a_thousand_guesses_from_two_hundred_addresses(site, demo):
    home = demo.ip
    began = site.count("SELECT COUNT(*) FROM audit_event WHERE event = 'sign_in_refused'")
    strangers = [Visitor(site) for _ in range(200)]
    started = time.monotonic()

    def guess(n):
        return strangers[n % 200].sign_in(password=f"guess-{n}")

    with ThreadPoolExecutor(20) as pool:
        first = list(pool.map(lambda visitor: visitor.ask("/login"), strangers))
        assert set(first) == {200}
        statuses = [status for part in range(5) for status in pool.map(
            guess, range(part * 200, part * 200 + 200))]  # fmt: skip
    took_s = time.monotonic() - started
    looked_at = (
        site.count("SELECT COUNT(*) FROM audit_event WHERE event = 'sign_in_refused'") - began
    )
    say(f"1000 guesses in {took_s:.0f} s: {looked_at} verified, {statuses.count(429)} told to wait")
    assert statuses.count(422) == looked_at == 5
    assert statuses.count(429) == 995
    assert Visitor(site, home).sign_in() == 303, "from an address they know, at once"
    assert Visitor(site).sign_in() == 429
    site.hands(minutes=15.1)
    assert Visitor(site).sign_in() == 303, "from anywhere, a quarter of an hour later"


def test_no_pause_tells_whether_there_is_such_a_login(site):
    took = {"demo": [], "nobody-at-all": []}
    answers = {}
    for n in range(210):
        if n % 2 == 0:
            site.hands(minutes=16)
        for login, times in took.items():
            visitor = Visitor(site)
            visitor.ask("/login")
            began = time.perf_counter()
            assert visitor.sign_in(login, "wrong") == 422
            times.append(time.perf_counter() - began)
            text = re.sub(r'(csrf_token"[^>]*value=")[^"]+', r"\1", visitor.text)
            answers[login] = text.replace(login, "LOGIN")
    assert answers["demo"] == answers["nobody-at-all"]
    there, absent = (statistics.median(times[10:]) * 1000 for times in took.values())
    say(f"wrong password: login there {there:.1f} ms, absent {absent:.1f} ms,"
        f" {100 * (there - absent) / absent:+.1f} %")  # fmt: skip


def rss_mb(pids, field):
    total = 0
    for pid in pids:
        found = re.search(rf"{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        total += int(found[1]) if found else 0
    return total / 1024


def test_fifty_sign_ins_at_once_fit_into_memory(site):
    site.hands(minutes=61)
    assert Visitor(site).sign_in() == 303
    pids = site.web_pids()
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
    before = rss_mb(pids, "VmRSS")
    visitors = [Visitor(site, "10.99.0.1") for _ in range(50)]
    assert visitors[0].sign_in() == 303, "an office: one address, known from now on"
    for visitor in visitors[1:]:
        visitor.ask("/login")

    def timed(visitor):
        began = time.perf_counter()
        return visitor.sign_in(), time.perf_counter() - began

    with ThreadPoolExecutor(49) as pool:
        results = list(pool.map(timed, visitors[1:]))
    peak = rss_mb(pids, "VmHWM")
    times = sorted(took for _status, took in results)
    p95 = times[int(len(times) * 0.95)]
    say(f"50 sign-ins at once: {before:.0f} MB before, {peak:.0f} MB at most, p95 {p95:.2f} s")
    assert [status for status, _took in results] == [303] * 49
    assert peak - before <= 150


def test_a_captured_cookie_is_worth_nothing_by_any_way_a_session_ends(site):
    ends = {
        "sign-out": lambda visitor: visitor.ask("/logout", {"csrf_token": visitor.token()}),
        "all sessions ended": lambda _visitor: site.flask("user", "sign-out", "demo"),
        "disabled": lambda _visitor: site.flask("user", "change", "demo", "--disable"),
        "a new password": lambda _visitor: site.flask("user", "password", "demo"),
    }
    for name, end in ends.items():
        visitor = Visitor(site)
        assert visitor.sign_in() == 303
        assert visitor.ask("/") == 200
        copied = visitor.copy(site)
        assert copied.ask("/") == 200
        end(visitor)
        for path in ("/", "/orders/", "/bills/call-detail/", "/session/stay"):
            for headers in ({}, {"HX_Request": "true"}):
                assert copied.ask(path, **headers) == 401, (name, path)
        assert copied.ask("/", Accept="text/html") == 303, name
        if name == "disabled":
            assert Visitor(site).sign_in() == 422
            site.flask("user", "change", "demo", "--enable")
    site.flask("user", "password", "demo", "--password-stdin", typed=f"{PASSWORD}\n")


def test_polling_keeps_nobody_signed_in(site, demo):
    for _ in range(5):
        site.hands(minutes=5)
        assert demo.ask("/session", HX_Request="true", HX_Request_Type="partial") == 200
    site.hands(minutes=5.1)
    assert demo.ask("/session", HX_Request="true", HX_Request_Type="partial") == 401
    again = Visitor(site)
    assert again.sign_in() == 303
    for _ in range(23):
        site.hands(minutes=20)
        assert again.ask("/") == 200
    site.hands(minutes=20)
    assert again.ask("/") == 401, "eight hours are over"


RAW = [
    b"GET http://evil.example/orders HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n",
    b"GET /orders HTTP/1.1\r\nHost: evil.example\r\n",
    b"GET /orders HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nHost: evil.example\r\n",
    b"GET /orders HTTP/1.1\r\nHost: evil.example\r\nHost: 127.0.0.1:%d\r\n",
    b"GET /orders HTTP/1.1\r\nHost: 127.0.0.1:%d@evil.example\r\n",
    b"GET /orders HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-Forwarded-Host: evil.example\r\n",
    b"GET /orders HTTP/1.0\r\n",
    b"GET /orders HTTP/1.1\r\n",
    b"GET //evil.example/orders HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n",
    b"GET /\\evil.example/orders HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n",
    b"GET /orders HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX_Forwarded_Host: evil.example\r\n",
    b"GET /orders HTTP/1.1\r\nHost : evil.example\r\nHost: 127.0.0.1:%d\r\n",
    b"GET /orders HTTP/1.1\r\nHost:\tevil.example\r\n",
    b"GET /orders HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n X: y\r\n",
]


def test_no_request_line_or_host_leads_elsewhere(site):
    seen = {}
    port = str(site.cabinet.port).encode()
    for head in (each.replace(b"%d", port) for each in RAW):
        with socket.create_connection(("127.0.0.1", site.cabinet.port), timeout=30) as line:
            line.sendall(head + b"Connection: close\r\n\r\n")
            answer = b""
            while part := line.recv(65536):
                answer += part
        status = int(answer.split(b" ", 2)[1]) if answer else 0
        where = re.search(rb"(?i)\r\nlocation: ([^\r]+)", answer)
        seen[head] = (status, where and where[1])
        assert where is None or (where[1].startswith(b"/") and where[1][:2] != b"//"), seen
        assert status in {0, 400, 303, 308, 404}, seen
    say(*(f"{head!r}: {told}" for head, told in seen.items()), sep="\n")
    for secret in ("/orders/", "/account/"):
        assert Visitor(site).ask(secret) == 303
