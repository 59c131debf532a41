"""Behind a real nginx, below /cab/ as the README sets it up: nothing leads outside the prefix.

The first server passes the path on, the second takes the prefix away: both ways are in use. The
last is an intranet's, of another origin and the same site, with a page that frames the cabinet.
"""

import re
import shutil
import subprocess
from collections import Counter
from contextlib import suppress
from email import message_from_bytes, policy
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Error, expect, sync_playwright

from tests.browser.conftest import find_chromium
from tests.run.conftest import Cabinet, free_port, wait_for
from tests.run.person import fields

PREFIX, PASSWORD = "/cab", "proxy-tests-2026"
CONF = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Remote-User "";
    server {{
        listen 127.0.0.1:{port};
        location = /cab {{ return 301 /cab/; }}
        location /cab/ {{ proxy_pass http://127.0.0.1:{cabinet}; }}
    }}
    server {{
        listen 127.0.0.1:{stripping};
        location /cab/ {{ proxy_pass http://127.0.0.1:{cabinet}/; }}
    }}
    server {{
        listen 127.0.0.1:{naming};
        proxy_set_header Host 127.0.0.1:{port};
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Remote-User demo;
        location /cab/ {{ proxy_pass http://127.0.0.1:{cabinet}; }}
    }}
    server {{
        listen 127.0.0.1:{portal};
        default_type text/html;
        location = /portal {{ return 200 '<!doctype html><title>Portal</title>
            <iframe title="Cabinet" width="1000" height="700" src="{framed}"></iframe>'; }}
        location = /favicon.ico {{ return 204; }}
    }}
}}
"""
# Where an answer can lead to, beside the pages themselves.
LEADING = ("Location", "Content-Location", "Refresh", "Link", "HX-Redirect", "HX-Location")
LEADING += ("HX-Push-Url", "HX-Replace-Url")
ADDRESSES = ("href", "src", "action", "formaction", "poster", "data", "cite", "manifest")
ADDRESSES += tuple(f"hx-{verb}" for verb in ("get", "post", "put", "patch", "delete", "action"))
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture(scope="module")
def ports():
    return {name: free_port() for name in ("port", "stripping", "naming", "portal")}


@pytest.fixture(scope="module")
def cabinet(tmp_path_factory, ports):
    if not shutil.which("nginx"):
        pytest.skip("no nginx: apt-get install nginx-light")
    made = Cabinet(
        tmp_path_factory.mktemp("proxied") / "var",
        PUBLIC_URL=f"http://127.0.0.1:{ports['port']}{PREFIX}",
        PROXY_COUNT=1,
        TRUSTED_HEADER="X-Remote-User",
        TRUSTED_PROXIES="127.0.0.1",
        FRAME_ANCESTORS=f"'self' http://127.0.0.1:{ports['portal']}",
        DEMO_PASSWORD=PASSWORD,
        MAIL_ATTACHMENT_LIMIT_MB=0,  # the file is fetched: its letter is but a link
    ).start()
    yield made
    made.stop()
    made.clear()


@pytest.fixture(scope="module")
def nginx(tmp_path_factory, ports, cabinet):
    """The proxy in front of `cabinet`; gives the ports of its two servers."""
    folder = tmp_path_factory.mktemp("nginx")
    conf = folder / "nginx.conf"
    framed = f"http://127.0.0.1:{ports['port']}{PREFIX}/?embed=1"
    values = {"folder": folder, "cabinet": cabinet.port, "framed": framed, **ports}
    conf.write_text(CONF.format(**values), encoding="ascii")
    command = ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(conf)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603
    wait_for((folder / "pid").exists, "nginx")
    yield ports
    process.terminate()
    process.wait(timeout=20)


def shape(path):
    """An address without what tells one page from its like: keys, numbers, values."""
    place, _, query = path.partition("?")
    if place.startswith(f"{PREFIX}/static/"):
        return place
    place = re.sub(r"/[^/]*[0-9A-Z][^/]*", "/*", place.removeprefix(PREFIX))
    return place, *sorted(pair.split("=")[0] for pair in query.split("&"))


class Walker:
    """Walks through the proxy and notes every address that does not stay below the prefix."""

    def __init__(self, port, per_shape=1):
        self.per_shape, self.shapes = per_shape, Counter()
        self.origin, self.port = f"http://127.0.0.1:{port}", port
        self.cookies, self.strays, self.seen, self.count = {}, [], set(), 0

    def ask(self, path, data=None, headers=None):
        """One request; (status, where it leads, parsed page or None)."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if data is not None:
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin}
        body = None if data is None else urlencode(data)
        connection.request(
            "GET" if data is None else "POST", path, body, {**sent, **(headers or {})}
        )
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self._check_headers(path, answer)
        if answer.headers.get_content_type() != "text/html":
            return answer.status, answer.headers["Location"], None
        page = BeautifulSoup(content, "html.parser")
        self._check_page(path, page)
        return answer.status, answer.headers["Location"], page

    def _check_headers(self, path, answer):
        for name in LEADING:
            for value in answer.headers.get_all(name, ()):
                self._check(path, name, value)
        for value in answer.headers.get_all("Set-Cookie", ()):
            for name, cookie in SimpleCookie(value).items():
                if cookie["path"] != PREFIX or cookie["domain"]:
                    self.strays.append((path, "Set-Cookie", value))
                self.cookies[name] = cookie.value

    def _check_page(self, path, page):
        for tag in page.select("*"):
            for name in ADDRESSES:
                if tag.has_attr(name):
                    self._check(path, f"{tag.name} {name}", tag[name])
        for tag in page.select("[srcset], [style], meta[http-equiv]"):
            self.strays.append((path, tag.name, "this test does not read it"))

    def _check(self, path, what, value):
        self.count += 1
        parts = urlsplit(urljoin(self.origin + path, value))
        is_ours = f"{parts.scheme}://{parts.netloc}" == self.origin
        if not (is_ours and parts.path.startswith(PREFIX + "/")) and not value.startswith("#"):
            self.strays.append((path, what, value))

    def crawl(self, *starts):
        """Follow every link below the prefix, each once, as a page and as htmx asks for it; of
        pages that differ by a key, a number or an answer alone, `per_shape`.
        """
        waiting = list(starts)
        while waiting:
            path = waiting.pop()
            if path in self.seen or self.shapes[shape(path)] == self.per_shape:
                continue
            self.seen.add(path)
            self.shapes[shape(path)] += 1
            for headers in ({}, HTMX):
                status, location, page = self.ask(path, headers=headers)
                assert status < 500 or "readyz" in path, (path, status)
                leads = [location] if location else []
                leads += [a["href"] for a in page.select("a[href], link[href]")] if page else []
                leads += [tag["src"] for tag in page.select("[src]")] if page else []
                for lead in leads:
                    parts = urlsplit(urljoin(self.origin + path, lead))
                    waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))

    def send(self, path, button, **answers):
        """Press a button of the page at `path`; the address it leads to."""
        _, _, page = self.ask(path)
        pressed = next(b for b in page.select("button") if b.text.strip() == button)
        form = pressed.find_parent("form")
        data = [pair for pair in fields(form) if pair[0] not in answers]
        data += answers.items()
        if pressed.get("name"):
            data.append((pressed["name"], pressed["value"]))
        status, location, _ = self.ask(urljoin(path, form["action"]), data)
        assert status == 303, (path, button, status)
        return location

    def sign_in(self, login):
        assert self.send(f"{PREFIX}/login", "Войти", login=login, password=PASSWORD) == f"{PREFIX}/"

    def order(self):
        """Order a call detail of the first number; the order's address."""
        step_2 = self.send(f"{PREFIX}/bills/call-detail/", "Далее")
        _, _, page = self.ask(step_2)
        tick = page.select_one("input[name=tick]")["value"]
        return self.send(step_2, "Сформировать детализацию", tick=tick)


@pytest.fixture(params=["port", "stripping"], ids=["path passed on", "prefix taken away"])
def walker(nginx, request, length):
    return Walker(nginx[request.param], length(short=2, long=1_000_000))


def test_a_visitor_is_kept_below_the_prefix(walker):
    walker.crawl(f"{PREFIX}/login", f"{PREFIX}/bills/", f"{PREFIX}/orders", f"{PREFIX}/nowhere")
    for path in ("/orders/", "/bills/call-detail/", "/operator/", "/nowhere"):
        walker.ask(PREFIX + path, headers=HTMX)
        walker.ask(PREFIX + path, data={})
    assert not walker.strays
    assert walker.count > 20


@pytest.mark.parametrize("login", ["demo", "operator"])
def test_all_that_one_can_click_is_below_the_prefix(walker, cabinet, login):
    walker.sign_in(login)
    if login == "demo":
        order = walker.order()
        wait_for(lambda: "Отправлен" in walker.ask(order)[2].text, "the letter")
        walker.crawl(f"{order}/status", f"{order}/cancel", f"{PREFIX}/operator/")
        walker.send(order, "Заказать такую же")
    walker.crawl(f"{PREFIX}/", f"{PREFIX}/nowhere")
    assert walker.send(f"{PREFIX}/nowhere", "Выход") == f"{PREFIX}/login"
    assert not walker.strays
    assert len(walker.seen) > 15
    assert all(path.startswith(PREFIX + "/") for path in walker.seen)


def test_whom_the_proxy_names_is_in_and_nobody_else(nginx):
    """What a browser sends under that name, or one that looks like it, does not arrive."""
    forged = {"X-Remote-User": "operator", "X_Remote_User": "operator", "X-Forwarded-For": "::1"}
    for port in ("port", "stripping"):
        status, _, page = Walker(nginx[port]).ask(f"{PREFIX}/login", headers=forged)
        assert (status, page.h1.text) == (200, "Вход"), port
    walker = Walker(nginx["naming"])
    assert walker.ask(f"{PREFIX}/login", headers=forged)[:2] == (303, f"{PREFIX}/")
    page = walker.ask(f"{PREFIX}/?embed=1", headers=forged)[2]
    assert page.select_one("#ctx .company")
    assert not page.select("footer")
    assert page.select_one("nav#menu").find("a", string="Счета")


@pytest.fixture(params=[True, pytest.param(False, marks=pytest.mark.long)], ids=["js", "no-js"])
def portal(nginx, request):
    """A page of the intranet in Chromium, with the cabinet in its frame; whether scripts run."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        context = browser.new_context(java_script_enabled=request.param, locale="ru-RU")
        context.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{nginx['portal']}/portal")
        yield page, request.param
        browser.close()


def test_in_a_frame_of_the_intranet_everything_works(nginx, portal):
    portal, has_scripts = portal
    asked, complaints = [], []
    portal.on("request", lambda each: asked.append(each.url))
    portal.on("console", lambda each: complaints.append(each.text) if is_bad(each) else None)
    frame = portal.frame_locator("iframe")
    frame.get_by_label("Логин").fill("demo")
    frame.get_by_label("Пароль").fill(PASSWORD)
    frame.get_by_role("button", name="Войти").click()
    menu, heading = frame.locator("#menu"), frame.get_by_role("heading", level=1)
    expect(heading).to_have_text("ООО «Ромашка»")
    expect(frame.locator("footer")).to_have_count(0)
    frame.locator("#menu summary").click()
    menu.get_by_role("link", name="Платежи", exact=True).click()
    expect(heading).to_have_text("Платежи")
    if has_scripts:
        expect(heading).to_be_focused()
    portal.evaluate("history.back()")  # the driver's own way waits for another document
    expect(heading).to_have_text("ООО «Ромашка»")
    frame.locator("#menu summary").click()
    menu.get_by_role("link", name="Детализация на E-mail", exact=True).click()
    frame.get_by_role("button", name="Далее").click()
    frame.locator("input[name=tick]").first.check()
    frame.get_by_role("button", name="Сформировать детализацию").click()
    expect(heading).to_contain_text("Заказ №")
    wait_for(lambda: is_sent(frame), "the letter")
    with portal.expect_download() as download:
        frame.locator("#card a[download]").click()
    assert download.value.path().stat().st_size > 1000
    expect(heading).to_contain_text("Заказ №")
    origin = f"http://127.0.0.1:{nginx['port']}"
    assert [url for url in asked if not url.startswith(f"{origin}{PREFIX}/")] == []
    assert not complaints
    assert_back_ends_where_it_began(portal)


def is_sent(frame):
    """Whether the order has gone out: the card looks by itself, or by the link without scripts."""
    if "Отправлен" in frame.locator("#card h2").inner_text():
        return frame.locator("#card a[download]").count()
    refresh = frame.get_by_role("link", name="Обновить состояние")
    if refresh.count():
        with suppress(Error):  # the card has just looked by itself, and the link is gone
            refresh.click(timeout=2_000)
    return False


def is_bad(message):
    """Whether the browser complains. Where it gives no focus to what is in a frame, htmx does."""
    return message.type in ("error", "warning") and "Blocked autofocusing" not in message.text


def assert_back_ends_where_it_began(portal):
    """One step after another within the frame, to its first page, and then out of it."""
    seen = []
    for _ in range(20):
        with portal.expect_event("framenavigated") as moved, suppress(Error):
            portal.evaluate("history.back()")  # which may end where it was said
        if moved.value == portal.main_frame:
            break
        seen.append(moved.value.url.partition(PREFIX)[2])
    assert portal.url == "about:blank", seen
    assert len(seen) >= 3, seen
    assert seen[-1].startswith(("/login", "/?embed=1")), seen


def test_links_in_letters_are_below_the_prefix(nginx, cabinet):
    walker = Walker(nginx["port"])
    walker.sign_in("demo")
    order = walker.order()
    wait_for(lambda: "Отправлен" in walker.ask(order)[2].text, "the letter")
    found = set()
    for path in (cabinet.data_dir / "mail").glob("*.eml"):
        for part in message_from_bytes(path.read_bytes(), policy=policy.default).walk():
            if part.get_content_maintype() == "text":
                text = part.get_content()
                found.update(re.findall(r"https?://[^\s<>\"]+", text))
    assert f"{walker.origin}{order}" in found
    assert all(link.startswith(f"{walker.origin}{PREFIX}/") for link in found), found


@pytest.mark.parametrize(
    ("markup", "strays"),
    [
        ('<a href="/bills/">', 1),
        ('<form action="https://elsewhere.example/cab/">', 1),
        ('<button hx-post="../../bills/">', 1),
        ('<img src="//elsewhere.example/x.png">', 1),
        ('<a href="/cabinet/">', 1),
        ('<a href="/cab/bills/"><a href="#q"><a href="../bills/">', 0),
    ],
)
def test_the_walker_sees_what_leads_outside(markup, strays):
    walker = Walker(1)
    walker._check_page("/cab/orders/", BeautifulSoup(markup, "html.parser"))
    assert len(walker.strays) == strays
