"""Requests that are not what they say: forged hosts and addresses, foreign pages' forms, methods
nobody offers, and ways off the cabinet.
"""

from collections import deque
from contextvars import Context
from urllib.parse import urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup

from commands.routes import describe
from domain.roles import Role
from models import AuditEvent, SignInFailure
from services import passwords
from tests import factories
from tests.apps import another_app
from tests.blueprints.auth.test_login import FOREIGN
from tests.page import HTMX, Browser
from tests.security import forms
from tests.security.tables import BUSINESS, dump

PASSWORD = "korova-na-lugu"
OURS = "http://localhost"
PAGES_AT_MOST = 400
METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "GETX")

# --- Hosts and addresses --------------------------------------------------------------------------

EVIL = "evil.example"
SPOOFS = [
    {"Host": EVIL},
    {"Host": f"{EVIL}:80"},
    {"Host": f"cab.by.{EVIL}"},
    {"Host": f"cab.by@{EVIL}"},
    {"Host": f"{EVIL}#cab.by"},
    {"Host": "cab.by:evil"},
    {"Host": f"cab.by/{EVIL}"},
    {"Host": ""},
    {"Host": "[::1]:99999"},
    {"X-Forwarded-Host": EVIL},
    {"X-Forwarded-Host": f"cab.by, {EVIL}"},
    {"X-Forwarded-Host": f"{EVIL}, cab.by"},
    {"X-Host": EVIL, "X-Original-Host": EVIL},
    {"X-Forwarded-Server": EVIL, "X-HTTP-Host-Override": EVIL},
    {"Forwarded": f"for=203.0.113.9;host={EVIL};proto=https"},
    {"X-Forwarded-Proto": "javascript"},
    {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "8443"},
    {"X-Forwarded-Prefix": f"//{EVIL}"},
    {"X-Script-Name": f"//{EVIL}", "X-Forwarded-Path": f"//{EVIL}"},
    {"X-Original-URL": f"//{EVIL}/", "X-Rewrite-URL": f"//{EVIL}/"},
    {"X-Forwarded-For": "203.0.113.9"},
    {"X-Forwarded-For": "203.0.113.9, 203.0.113.10"},
    {"X-Real-IP": "203.0.113.9", "X-Client-IP": "203.0.113.9", "True-Client-IP": "203.0.113.9"},
    {"CF-Connecting-IP": "203.0.113.9", "X-Cluster-Client-IP": "203.0.113.9"},
]
ASKED = [
    ("GET", "/bills/?a=1"),
    ("GET", "/orders"),
    ("GET", "/login?next=/bills/"),
    ("GET", "/nowhere"),
    ("POST", "/bills/call-detail/"),
]


@pytest.fixture(params=[0, 1], ids=["no proxy", "behind a proxy"])
def cabinet(request, tmp_path):
    """A cabinet on a public address of its own, and what the proxy in front of it says."""
    with another_app(tmp_path, PUBLIC_URL="https://cab.by", PROXY_COUNT=request.param) as app:
        factories.make_user(login="ivanov", password=PASSWORD)
        said = {"X-Forwarded-Proto": "https"} if request.param else {}
        yield app, said


def knock(app, method, path, headers, **more):
    """A request as the socket's other end `192.0.2.1` sends it."""
    return Context().run(
        app.test_client().open,
        path,
        method=method,
        headers={"Host": "cab.by", **headers},
        environ_overrides={"REMOTE_ADDR": "192.0.2.1"},
        buffered=True,
        **more,
    )


def test_a_forged_host_is_refused_or_means_nothing(cabinet):
    app, said = cabinet
    for method, path in ASKED:
        for kind in ({}, HTMX) if method == "GET" else ({},):
            plain = knock(app, method, path, {**said, **kind})
            for spoof in SPOOFS:
                forged = knock(app, method, path, {**said, **kind, **spoof})
                assert EVIL not in forged.text + str(forged.headers), (spoof, path)
                if forged.status_code == 400:
                    assert "Location" not in forged.headers
                    continue
                assert forged.status_code == plain.status_code, (spoof, path)
                for name in ("Location", "HX-Redirect"):
                    assert forged.headers.get(name) == plain.headers.get(name), (spoof, path)


def test_no_header_becomes_the_address_that_is_counted_and_written_down(cabinet, monkeypatch):
    """Behind a proxy the last address it names is the client's; what came before it is hearsay."""
    app, said = cabinet
    monkeypatch.setattr(passwords, "is_right", lambda *_: False)  # it is not what is tested
    truth = "198.51.100.7" if said else "192.0.2.1"
    for spoof in SPOOFS:
        if "Host" in spoof:
            continue
        headers = {**said, **spoof, "Origin": "https://cab.by", "Referer": "https://cab.by/login"}
        if said:  # a proxy appends to what it was sent
            told = spoof.get("X-Forwarded-For", "")
            headers["X-Forwarded-For"] = f"{told}, {truth}".removeprefix(", ")
        browser = Browser(app)
        page = browser.client.get("/login", base_url="https://cab.by").text
        token = BeautifulSoup(page, "html.parser").select_one("input[name=csrf_token]")["value"]
        SignInFailure.delete().execute()
        data = {"login": "ivanov", "password": "wrong", "csrf_token": token}
        response = browser.client.post(
            "/login",
            data=data,
            headers=headers,
            base_url="https://cab.by",
            environ_overrides={"REMOTE_ADDR": "192.0.2.1"},
        )
        if response.status_code == 400:
            assert "X-Forwarded-Host" in spoof
            continue
        assert response.status_code == 422, (spoof, response.status)
        assert [row.ip for row in SignInFailure.select()] == [truth], spoof
    assert {event.ip for event in AuditEvent.select()} == {truth}


# --- Ways off the cabinet -------------------------------------------------------------------------


@pytest.fixture
def user(client_row):
    return factories.make_user(client_row, login="ivanov", password=PASSWORD)


@pytest.mark.parametrize("door", ["htmx", "signed in already", "signed in, htmx"])
def test_no_next_leads_off_the_cabinet(app, user, door, monkeypatch):
    """The form itself is tried in the tests of the sign-in; here is every other way through."""
    monkeypatch.setattr(passwords, "is_right", lambda *_: True)  # it is not what is tested
    for target in FOREIGN:
        if door == "htmx":
            browser = Browser(app)
            data = {"login": "ivanov", "password": PASSWORD, "csrf_token": browser.token()}
            response = browser.client.post(
                "/login", query_string={"next": target}, data=data, headers=HTMX
            )
        else:
            headers = HTMX if door.endswith("htmx") else {}
            browser = Browser(app, user)
            response = browser.client.get("/login", query_string={"next": target}, headers=headers)
        assert response.status_code in {204, 303}, target
        leads = response.headers.get("HX-Redirect") or response.headers["Location"]
        assert leads == "/", target
        assert urljoin(f"{OURS}/login", leads) == f"{OURS}/"


@pytest.mark.parametrize("name", ["Referer", "HX-Current-URL", "Origin"])
def test_no_header_leads_off_the_cabinet(app, base, name):
    order = factories.make_order(state="failed")
    operator = factories.make_user(role=Role.OPERATOR_ADMINISTRATOR)
    for who in (None, operator):
        browser = Browser(app, who)
        for target in FOREIGN:
            if not target.isprintable() or not target.isascii():
                continue  # no header can carry it
            response = browser.client.post(
                f"/operator/orders/{order.key}/retry",
                data={"csrf_token": browser.token()},
                headers={name: target},
            )
            assert response.status_code in {303, 403}, target
            leads = urljoin(f"{OURS}/operator/", response.headers.get("Location", "/"))
            assert urlsplit(leads).netloc == "localhost", target
            assert EVIL not in leads, target


# --- Looking changes nothing, and what is not offered does nothing --------------------------------


@pytest.fixture
def full(app, base):
    with forms.full_world(app) as made:
        yield made


def look(browser, address, method):
    response = Context().run(browser.client.open, address, method=method, buffered=True)
    assert response.status_code < 500, (method, address)
    return response


def crawl(browser, start):
    """Every address that links lead to, as a robot follows them; return the addresses seen."""
    queue, seen = deque([start]), {start}
    while queue:
        address = queue.popleft()
        response = look(browser, address, "GET")
        found = [response.location] if response.location else []
        if response.mimetype == "text/html":
            page = BeautifulSoup(response.text, "html.parser")
            for name in ("href", "src", "hx-get", "action"):
                found += [tag[name] for tag in page.select(f"[{name}]")]
        for link in found:
            target = urlsplit(urljoin(OURS + address, link))
            path = target.path + (f"?{target.query}" if target.query else "")
            if target.netloc == "localhost" and "/static/" not in path and path not in seen:
                assert len(seen) < PAGES_AT_MOST, sorted(seen)
                seen.add(path)
                queue.append(path)
    return seen


def test_a_robot_that_follows_every_link_twice_changes_nothing(app, full, length):
    for who, start in ((full.user, "/"), (full.operator, "/operator/"), (None, "/")):
        browser = Browser(app, who)
        before = dump(BUSINESS)
        seen = crawl(browser, start)
        assert dump(BUSINESS) == before
        for n, address in enumerate(sorted(seen)):
            for method in length(short=("GET", "HEAD")[n % 2 :][:1], long=("GET", "HEAD")):
                look(browser, address, method)
        assert dump(BUSINESS) == before
        assert who is None or len(seen) > 10


def test_methods_that_nobody_offers_do_nothing(app, full, length):
    before = dump(BUSINESS)
    for who in (full.user, full.operator, None):
        browser = Browser(app, who)
        for n, row in enumerate(describe(app)):
            address = full.address(row["rule"])
            for method in length(short=METHODS[n % len(METHODS) :][:1], long=METHODS):
                response = Context().run(
                    browser.client.open,
                    address,
                    method=method,
                    data={"csrf_token": browser.token(), "_method": "POST"},
                    headers={"X-HTTP-Method-Override": "POST"},
                    buffered=True,
                )
                allowed = {200} if method == "OPTIONS" else {405}
                assert response.status_code in allowed | {303, 401, 403, 404, 405}, (method, row)
    assert dump(BUSINESS) == before
