"""The headers of every answer: each route in each outcome, static files, downloads; over https."""

from pathlib import Path

import pytest
from flask import abort, redirect, send_file

from blueprints.mailbox import MESSAGE_POLICY
from commands.routes import describe
from tests.apps import another_app
from tests.page import HTMX, Browser
from tests.security import world

STATIC = Path(__file__).parent.parent.parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-src 'none'; frame-ancestors 'none'"
)
EXACT = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": None,
}
OVER_HTTPS = EXACT | {
    "Content-Security-Policy": POLICY.removesuffix("'none'") + "'self' https://intranet.by",
    "X-Frame-Options": None,
    "Strict-Transport-Security": "max-age=31536000",
}
# The try-out mailbox shows letters as they are, style and all: in a frame that may do nothing.
OTHERWISE = {
    "mailbox.message": {
        "Content-Security-Policy": POLICY.replace("frame-src 'none'", "frame-src 'self'")
    },
    "mailbox.html": {
        "Content-Security-Policy": MESSAGE_POLICY,
        "X-Frame-Options": "SAMEORIGIN",
    },
    "mailbox.file": {"Content-Security-Policy": "sandbox"},
    "mailbox.source": {"Content-Security-Policy": "sandbox"},
}
REFUSALS = (400, 401, 403, 404, 405, 410, 413, 422, 429, 503)


def outcomes():
    """What a view may do, by name: (status, what is put in its place)."""
    yield "page", 200, lambda **_: "<p>a page</p>"
    yield "file", 200, lambda **_: send_file(STATIC / "icon.svg", as_attachment=True)
    yield "redirect", 303, lambda **_: redirect("/", code=303)
    yield "slash", 308, lambda **_: redirect("/orders/", code=308)
    for status in REFUSALS:
        yield f"refusal {status}", status, lambda status=status, **_: abort(status)
    yield "crash", 500, lambda **_: 1 / 0


def missing(response, expected):
    """Headers that are not exactly as they should be."""
    got = {name: response.headers.get(name) for name in expected}
    return {name: got[name] for name in expected if got[name] != expected[name]}


def is_kept_nowhere(response):
    """Whether no cache keeps the answer, and one that does all the same parts it by reader."""
    caching = response.headers.get("Cache-Control", "")
    return "no-store" in caching and {"hx-request", "cookie"} <= set(response.vary.as_set())


@pytest.fixture
def small_world(app, base):
    yield world.build(app)
    world.clear(app)


def in_place_of(view, outcome):
    """`outcome` with the marks of `view`: who may come in, what a poll is."""

    def stands_in(**values):
        return outcome(**values)

    stands_in.__dict__.update(view.__dict__)
    return stands_in


def ask(browser, address, method, headers):
    token = {"csrf_token": browser.token()} if method == "POST" else None
    return browser.client.open(address, method=method, headers=headers, data=token, buffered=True)


def some(n, every):
    """Every fourth of the outcomes, others for each of four neighbours."""
    return every[n % 4 :: 4]


def test_every_route_has_them_whatever_its_view_does(app, small_world, monkeypatch, length):
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", 0)  # crashes are answered
    browsers = {who: small_world.browser(who) for who in ("client", "operator", "nobody")}
    missed, seen, every = [], set(), list(outcomes())
    for n, row in enumerate(describe(app)):
        who = {"client": "client", "operator": "operator", "public": "nobody"}[row["scope"]]
        address, view = small_world.address(row["rule"]), app.view_functions[row["endpoint"]]
        for name, status, outcome in length(short=some(n, every), long=every):
            monkeypatch.setitem(app.view_functions, row["endpoint"], in_place_of(view, outcome))
            response = ask(browsers[who], address, row["methods"][0], {})
            assert response.status_code == status, (row, name)
            seen.add((row["scope"], name))
            bad = missing(response, EXACT)
            if row["endpoint"] != "static" or status >= 400:
                bad |= {} if is_kept_nowhere(response) else {"Cache-Control": response.headers}
            missed += [(row["rule"], name, bad)] if bad else []
        monkeypatch.setitem(app.view_functions, row["endpoint"], view)
    assert not missed
    assert len(seen) == 3 * len(every)


def test_only_letters_in_their_frame_may_bring_a_style_along():
    allowed = [name for name, headers in OTHERWISE.items() if "unsafe-" in str(headers)]
    assert allowed == ["mailbox.html"]
    assert "unsafe-" not in POLICY
    assert MESSAGE_POLICY.startswith("sandbox allow-popups")
    assert "script" not in MESSAGE_POLICY


def test_every_route_has_them_as_it_is(app, small_world):
    """Whoever asks, as a page and for htmx: what the views themselves answer."""
    classes = set()
    for who in ("client", "operator", "nobody"):
        browser = small_world.browser(who)
        for row in describe(app):
            for method in row["methods"]:
                for headers in ({}, HTMX):
                    address = small_world.address(row["rule"])
                    response = ask(browser, address, method, headers)
                    expected = EXACT | OTHERWISE.get(row["endpoint"], {})
                    if response.status_code != 200:
                        expected = EXACT
                    assert not missing(response, expected), (who, row, method, response.status)
                    if row["endpoint"] != "static":
                        assert is_kept_nowhere(response), (who, row, method)
                    classes.add(response.status_code // 100)
    assert classes >= {2, 3, 4}


def test_downloads_have_them(app, small_world):
    browser = small_world.browser("client")
    response = browser.get("orders.file", key=small_world.order.key)
    assert response.data == world.FILE
    assert not missing(response, EXACT)
    assert is_kept_nowhere(response)
    operator = small_world.browser("operator")
    for endpoint, address in (
        ("operator.imports.rejects", f"/operator/imports/{small_world.run.id}/rejects.csv"),
        ("mailbox.file", f"/mailbox/{small_world.letter}/files/2"),
        ("mailbox.source", f"/mailbox/{small_world.letter}/source"),
    ):
        response = operator.get(address)
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert not missing(response, EXACT | OTHERWISE.get(endpoint, {})), address
        assert is_kept_nowhere(response), address


def test_static_files_have_them_whole_in_part_unchanged_and_missing(app, anonymous):
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    assert files
    for path in files:
        address = f"/static/{path.relative_to(STATIC)}"
        whole = anonymous.client.get(address)
        for response, status in (
            (whole, 200),
            (anonymous.client.head(address), 200),
            (anonymous.client.get(address, headers={"If-None-Match": whole.headers["ETag"]}), 304),
            (anonymous.client.get(address, headers={"Range": "bytes=0-9"}), 206),
            (anonymous.client.get(address, headers={"Range": "bytes=9999999-"}), 416),
            (anonymous.client.get(f"{address}x"), 404),
            (anonymous.client.post(address), 405),
        ):
            assert response.status_code == status, address
            assert not missing(response, EXACT), (address, status)
            response.close()
    for address in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/vendor"):
        response = anonymous.client.get(address)
        assert response.status_code == 404, address
        assert not missing(response, EXACT), address


def test_what_no_route_answers_has_them(app, anonymous):
    for response, status in (
        (anonymous.client.get("/no/such/page"), 404),
        (anonymous.client.get("/orders"), 308),
        (anonymous.client.delete("/bills/"), 405),
        (anonymous.client.open("/login", method="PATCH"), 405),
        (anonymous.client.options("/login"), 200),
        (anonymous.client.get("/login", headers={"Host": "evil.example"}), 400),
        (anonymous.client.get("/login?next=%00"), 400),
    ):
        assert response.status_code == status, response.request.path
        assert not missing(response, EXACT), (response.request.path, status)
        assert is_kept_nowhere(response), (response.request.path, status)


def test_over_https_in_a_frame_they_are_those_of_the_settings(tmp_path):
    settings = {"PUBLIC_URL": "https://cab.by", "FRAME_ANCESTORS": "'self' https://intranet.by"}
    with another_app(tmp_path, **settings) as app:
        small = world.build(app)
        for who in ("client", "operator", "nobody"):
            browser = Browser(app, {"client": small.user, "operator": small.operator}.get(who))
            for row in describe(app):
                if "GET" in row["methods"] and not row["endpoint"].startswith("mailbox."):
                    response = browser.client.get(
                        small.address(row["rule"]), base_url="https://cab.by", buffered=True
                    )
                    assert not missing(response, OVER_HTTPS), (who, row)
