"""A browser without JavaScript that checks the manners of every page it fetches."""

from contextvars import Context

from bs4 import BeautifulSoup
from flask import url_for
from itsdangerous import URLSafeTimedSerializer

from services import clock, sessions

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
LABELLED = "input:not([type=hidden]):not([type=submit]):not([type=button]), select, textarea"


class Browser:
    """Opens pages by endpoint: `get` and `post` return the parsed page, or the bare response when
    there is none (a redirect, a refusal, a file). `response` is always the last answer.
    """

    def __init__(self, app, user=None):
        self.app = app
        self.client = app.test_client()
        self.user = user
        self.response = None
        self._token = None
        if user is not None:
            self.sign_in(user)

    def sign_in(self, user):
        """Take the place of somebody who has signed in, without the work of the password."""
        config = self.app.config["CABINET"]
        row, token = sessions.start(
            user, ip="127.0.0.1", user_agent="tests", now=clock.now(), hours=config.SESSION_HOURS
        )
        name = self.app.session_interface.cookies.name
        self.client.set_cookie(name, token, path=self.app.session_interface.cookies.path)
        serializer = URLSafeTimedSerializer(self.app.secret_key, salt="wtf-csrf-token")
        self._token = serializer.dumps(row.data["csrf_token"])
        self.user = user

    def url(self, endpoint, **values):
        """Address of an endpoint; an address stays as it is."""
        if endpoint.startswith("/"):
            return endpoint
        return Context().run(self._url, endpoint, values)

    def _url(self, endpoint, values):
        with self.app.test_request_context():
            return url_for(endpoint, **values)

    def get(self, endpoint, *, htmx=False, status=200, headers=(), **values):
        return self._open("GET", endpoint, htmx, status, None, headers, values)

    def post(self, endpoint, data=None, *, htmx=False, status=303, headers=(), **values):
        """Send a form with the token that stands in it; `csrf_token` in `data` replaces it."""
        data = {"csrf_token": self.token(), **(data or {})}
        return self._open("POST", endpoint, htmx, status, data, headers, values)

    def follow(self, *, status=200):
        """Go where the last answer points to."""
        return self.get(self.response.location, status=status)

    def token(self):
        """The CSRF token of this browser's forms."""
        if self._token is None:
            self.get("auth.login")
        return self._token

    def _open(self, method, endpoint, htmx, status, data, headers, values):
        url = self.url(endpoint, **values)
        # A context of its own: nothing of one request may be seen by the next.
        self.response = response = Context().run(
            self.client.open,
            url,
            method=method,
            data=data,
            headers={**(HTMX if htmx else {}), **dict(headers)},
            buffered=True,  # files are closed at once
        )
        where = f"{method} {url}"
        assert response.status_code == status, (where, response.status, response.location)
        check_headers(response, where)
        if response.mimetype != "text/html" or 300 <= status < 400 or not response.text:
            return response
        page = BeautifulSoup(response.text, "html.parser")
        check_manners(page, where, fragment=htmx)
        self._remember_token(page)
        return page if status < 400 or status == 422 else response

    def _remember_token(self, page):
        if field := page.select_one("input[name=csrf_token]"):
            self._token = field["value"]


def check_headers(response, where):
    """Nothing dynamic is kept by a cache, and every answer carries its protection."""
    assert "Content-Security-Policy" in response.headers, where
    assert response.headers["X-Content-Type-Options"] == "nosniff", where
    if "/static/" not in where:
        assert "no-store" in response.headers["Cache-Control"], where
        assert {"HX-Request", "HX-Request-Type", "Cookie"} <= set(response.vary), where


def check_manners(page, where, *, fragment=False):
    """What every page owes its reader."""
    assert bool(page.select_one("html")) is not fragment, f"{where}: htmx gets a fragment"
    heads = len(page.select("h1"))
    assert heads <= 1 if fragment else heads == 1, f"{where}: {heads} h1"
    if heads:
        assert page.title, f"{where}: no title"
        assert page.title.text.strip(), f"{where}: empty title"
    ids = [tag["id"] for tag in page.select("[id]")]
    assert len(ids) == len(set(ids)), f"{where}: repeated ids: {ids}"
    assert not page.select("form:not([action])"), f"{where}: a form without action"
    assert not page.select("form:not([method])"), f"{where}: a form without method"
    assert not page.select("a:not([href])"), f"{where}: a link without href"
    assert not page.select("style, script:not([src]), base, object, embed"), f"{where}: inline"
    for tag in page.find_all(has_script_or_style):
        raise AssertionError(f"{where}: inline script or style: {tag}")
    for field in page.select(LABELLED):
        assert is_labelled(page, field), f"{where}: no label for {field}"
    for form in page.select("form[method=post]"):
        assert form.select_one("input[name=csrf_token]"), f"{where}: a form without token"


def has_script_or_style(tag):
    """Whether a tag carries what the page policy forbids, whoever wrote it there."""
    return any(
        name == "style" or name.startswith(("on", "hx-on")) or "javascript:" in str(value)
        for name, value in tag.attrs.items()
    )


def is_labelled(page, field):
    """Whether a control has a name: a label's, or its own."""
    if field.get("aria-label") or field.get("aria-labelledby"):
        return True
    if field.find_parent("label"):
        return True
    return bool(field.get("id") and page.select_one(f'label[for="{field["id"]}"]'))
