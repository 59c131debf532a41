"""Headers, hosts, the proxy and the prefix; pages for what went wrong."""

import logging
import re
import secrets

import pytest
from bs4 import BeautifulSoup
from flask import abort

from blueprints import errors
from blueprints.guards import public
from blueprints.security import PathPrefix, protecting_headers, trusted_hosts
from config import Config
from services.log import masked
from tests import factories
from tests.apps import another_app
from tests.page import Browser

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-src 'none'; frame-ancestors 'none'"
)


def test_the_policy_is_the_one_that_was_measured(anonymous):
    anonymous.get("auth.login")
    headers = anonymous.response.headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Frame-Options"] == "DENY"
    assert "Strict-Transport-Security" not in headers


def test_named_pages_may_frame_us_and_https_is_kept_to():
    headers = protecting_headers(
        Config(PUBLIC_URL="https://cab.by", FRAME_ANCESTORS="'self' https://intranet.by")
    )
    policy = headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors 'self' https://intranet.by")
    assert "X-Frame-Options" not in headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_static_files_with_their_hash_are_kept_by_the_browser(anonymous):
    page = anonymous.get("auth.login")
    address = page.select_one("link[rel=stylesheet]")["href"]
    assert re.search(r"\?v=[0-9a-f]{12}$", address)
    anonymous.get(address)
    assert "immutable" in anonymous.response.headers["Cache-Control"]
    assert anonymous.response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "evil.example#localhost",
        "localhost@evil.example",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "",
        "localhost:99999999",
        "local host",
    ],
)
def test_a_request_for_another_host_is_refused(anonymous, host):
    for path in ("/login", "/bills/", "/static/cabinet.css", "/nowhere"):
        response = anonymous.client.get(path, headers={"Host": host})
        assert response.status_code == 400, path
        assert response.text == "По такому имени кабинет не отвечает. Проверьте адрес."
        assert "Location" not in response.headers


def test_forwarded_headers_mean_nothing_without_a_proxy(anonymous):
    forged = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "//evil.example",
        "X-Forwarded-For": "10.9.9.9",
        "Forwarded": "host=evil.example",
    }
    anonymous.get("/bills/", status=303, headers=forged)
    assert anonymous.response.location == "/login?next=/bills/"
    anonymous.get("/orders", status=308, headers=forged)
    assert anonymous.response.location == "/orders/"


def test_the_names_we_answer_to_come_from_the_public_address():
    assert trusted_hosts(Config(PUBLIC_URL="https://Cab.by:8443/x"))[0] == "cab.by"
    assert trusted_hosts(Config(TRUSTED_HOSTS="a.by, .b.by")) == ["a.by", ".b.by"]


@pytest.mark.parametrize("path", ["/cabinet/bills/", "/bills/"])
def test_below_a_prefix_every_address_carries_it(tmp_path, path):
    """The proxy may strip the prefix or not."""
    with another_app(tmp_path, PUBLIC_URL="https://cab.by/cabinet") as app:
        browser = Browser(app)
        response = browser.client.get(path)
        assert response.location == "/cabinet/login?next=/cabinet/bills/"
        page = browser.get(path.replace("bills/", "login") + "?next=/cabinet/bills/")
        assert page.select_one("main form")["action"] == "/cabinet/login?next=/cabinet/bills/"
        for tag in page.select("[href], [src]"):
            address = tag.get("href") or tag["src"]
            assert address.startswith(("/cabinet/", "#")), address
        cookie = browser.response.headers["Set-Cookie"]
        assert cookie.startswith("__Secure-cab-visitor=")
        assert "Path=/cabinet;" in cookie


def test_the_prefix_alone_is_the_home_page(tmp_path):
    with another_app(tmp_path, PUBLIC_URL="https://cab.by/cabinet") as app:
        browser = Browser(app)
        for path in ("/cabinet", "/cabinet/", "/"):
            assert browser.client.get(path).location.startswith("/cabinet/login"), path
        assert browser.client.get("/cabinet/orders").location == "/cabinet/orders/"


def test_next_outside_the_prefix_is_not_followed(tmp_path):
    with another_app(tmp_path, PUBLIC_URL="https://cab.by/cabinet") as app:
        factories.make_user(login="ivanov", password="korova-na-lugu")
        browser = Browser(app)
        data = {"login": "ivanov", "password": "korova-na-lugu"}
        token = browser.get("/cabinet/login").select_one("input[name=csrf_token]")["value"]
        for target in ("/other", "/cabinet/../other", "/cabinet/%2e%2e/other", "/cabinetx"):
            response = browser.client.post(
                "/cabinet/login",
                query_string={"next": target},
                data={**data, "csrf_token": token},
                base_url="https://cab.by",
            )
            assert response.location in {"/cabinet/", None}, target


def test_the_prefix_cannot_be_mistaken_for_a_longer_word():
    seen = {}
    wrapped = PathPrefix(lambda environ, _start: seen.update(environ) or [], "/cabinet")
    for path, inside in [("/cabinetry/x", "/cabinetry/x"), ("/cabinet/x", "/x"), ("/x", "/x")]:
        wrapped({"PATH_INFO": path, "SCRIPT_NAME": "/forged"}, None)
        assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("/cabinet", inside)


def test_behind_a_proxy_the_last_address_counts(tmp_path):
    with another_app(tmp_path, PUBLIC_URL="https://cab.by", PROXY_COUNT=1) as app:
        from flask import request  # noqa: PLC0415 - for the probe alone

        @app.get("/probe")
        @public
        def probe():
            return f"{request.remote_addr} {request.url_root}"

        response = app.test_client().get(
            "/probe",
            headers={
                "X-Forwarded-For": "1.2.3.4, 192.0.2.7",
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "cab.by",
            },
        )
        assert response.text == "192.0.2.7 https://cab.by/"
        forged = {"X-Forwarded-Host": "evil.example"}
        assert app.test_client().get("/probe", headers=forged).status_code == 400


def test_a_form_over_https_needs_no_proxy_headers(tmp_path):
    """TLS ends at the proxy, and nobody told us: the public address is what we go by."""
    with another_app(tmp_path, PUBLIC_URL="https://cab.by") as app:
        factories.make_user(login="ivanov", password="korova-na-lugu")
        client = app.test_client()
        page = client.get("/login", base_url="https://cab.by").text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)', page).group(1)
        response = client.post(
            "/login",
            data={"login": "ivanov", "password": "korova-na-lugu", "csrf_token": token},
            headers={"Origin": "https://cab.by", "Sec-Fetch-Site": "same-origin"},
            base_url="https://cab.by",
        )
        assert response.status_code == 303
        assert "__Host-cab=" in response.headers["Set-Cookie"]


CODED = {400, 403, 413, 429, 500, 503}  # refusals with a code that also stands in the log


def test_every_refusal_has_a_page_and_a_fragment_with_a_way_back(tmp_path, caplog):
    with another_app(tmp_path) as app:
        app.config["PROPAGATE_EXCEPTIONS"] = False

        @app.get("/refuse/<int:status>")
        @public
        def refuse(status):
            abort(status)

        browser = Browser(app)
        for status in (400, 403, 404, 405, 410, 413, 418, 422, 429, 500, 503):
            for htmx in (False, True):
                caplog.clear()
                browser.get(f"/refuse/{status}", status=status, htmx=htmx)
                text = browser.response.text
                main = BeautifulSoup(text, "html.parser")
                assert re.fullmatch("[А-Яа-я ,-]+", main.select_one("h1").text), status
                assert re.fullmatch("[А-Яа-я0-9 ,.:-]+", main.select_one("h1 + p").text), status
                assert main.select_one('p a[href="/"]').text == "На главную"
                assert not re.search("Traceback|werkzeug|[Ee]xception|File &", text)
                codes = re.findall(r"Код ошибки: ([0-9a-f]{8})<", text)
                assert len(codes) == (status in CODED), status
                for code in codes:
                    assert browser.response.headers["X-Error-Code"] == code
                    assert caplog.text.count(code) == 1


def test_no_code_of_an_error_is_masked_as_a_phone_number_in_the_log(monkeypatch):
    monkeypatch.setattr(secrets, "token_hex", lambda _: "12345678")
    for _ in range(50):
        line = f"refusal {(code := errors._new_code())}: 400 at login"
        assert re.fullmatch("[0-9a-f]{8}", code)
        assert masked(line) == line


def test_a_body_that_is_too_large_is_refused(signed_in):
    data = {"typed": "x" * (2 * 1024 * 1024 + 1)}
    signed_in.post("/bills/call-detail/", data, status=413)
    assert "2 МБ" in signed_in.response.text


def test_our_own_mistake_shows_a_code_that_stands_in_the_log(tmp_path, caplog):
    with another_app(tmp_path) as app:
        app.config["PROPAGATE_EXCEPTIONS"] = False

        @app.get("/crash")
        @public
        def crash():
            raise RuntimeError("the secret of the house")

        browser = Browser(app)
        with caplog.at_level(logging.ERROR):
            browser.get("/crash", status=500)
        code = re.search(r"Код ошибки: ([0-9a-f]{8})", browser.response.text).group(1)
        assert code in caplog.text
        assert "the secret of the house" in caplog.text
        assert "the secret of the house" not in browser.response.text
        assert "Traceback" not in browser.response.text


def test_a_crash_is_still_answered_when_no_page_can_be_drawn(tmp_path, caplog, monkeypatch):
    with another_app(tmp_path) as app:
        app.config["PROPAGATE_EXCEPTIONS"] = False
        app.jinja_env.globals["menu"] = None
        app.jinja_env.globals["static_url"] = None

        @app.get("/crash")
        @public
        def crash():
            raise RuntimeError("the secret of the house")

        response = app.test_client().get("/crash")
        assert response.status_code == 500
        assert response.mimetype == "text/plain"
        assert "secret" not in response.text


@pytest.mark.parametrize(
    "address",
    [
        "/orders/a%00b",
        "/bills/call-detail/%00/subscribers",
        "/orders/?page=%00",
        "/orders/?page=1&page=%00",
    ],
)
def test_a_nul_in_an_address_is_refused(browser, address):
    browser.get(address, status=400)


def test_a_nul_in_a_form_is_refused(anonymous):
    for login in ("de\0mo", ["demo", "de\0mo"]):
        anonymous.post("auth.login", {"login": login, "password": "x"}, status=400)
