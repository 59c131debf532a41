"""`flask.session`: a database row for who has signed in, a signed cookie for who has not.

A visitor who has not signed in costs no write: the second cookie carries the CSRF secret, messages,
the language and the way to the second step of signing in, and nothing else. Who may see what is
decided in `guards.py`.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response, g, session
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.datastructures import CallbackDict

from config import Config
from models import UserSession
from services import clock
from services import sessions as kept

EMBEDDED = "embed"  # of the browser and not of who is signed in: blueprints/embedding.py
ANONYMOUS_KEYS = frozenset(
    {
        *("csrf_token", "_flashes", "language", "left_in", "second_step"),
        *("by_header", "stays_out", EMBEDDED),
    }
)
ANONYMOUS_DAYS = 31


@dataclass(frozen=True)
class Cookies:
    """Names and attributes of both cookies, as the public address asks for them."""

    name: str
    anonymous_name: str
    path: str
    secure: bool
    same_site: str
    partitioned: bool

    @classmethod
    def of(cls, config: Config) -> "Cookies":
        """`__Host-` at the root of an https host, `__Secure-` below a path, plain for http."""
        port = urlsplit(config.public_url).port  # browsers mix up the cookies of ports of one host
        name = f"cab-{port}" if port else "cab"
        prefix = ("__Secure-" if config.path_prefix else "__Host-") if config.is_https else ""
        embed = config.EMBED and config.is_https  # browsers take SameSite=None with Secure only
        return cls(
            name=prefix + name,
            anonymous_name=f"{prefix}{name}-visitor",
            path=config.path_prefix or "/",
            secure=config.is_https,
            same_site="None" if embed else "Lax",
            partitioned=embed,
        )

    def write(self, response: Response, name: str, value: str) -> None:
        """Set a cookie that lasts as long as the browser is open."""
        response.set_cookie(name, value, **self._attributes())

    def delete(self, response: Response, name: str) -> None:
        """Take a cookie away."""
        response.delete_cookie(name, **self._attributes())

    def _attributes(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "secure": self.secure,
            "httponly": True,
            "samesite": self.same_site,
            "partitioned": self.partitioned,
        }


class Visit(CallbackDict, SessionMixin):
    """What is remembered of a browser between requests. `row` is set once it has signed in."""

    def __init__(self, values: dict[str, Any], token: str) -> None:
        super().__init__(values, on_update=_mark)
        self.modified = False
        self.presented = token  # what the cookie said; proves nothing yet
        self.row: UserSession | None = None
        self.new_token = ""  # to be written into the cookie
        self.has_ended = False

    def resume(self, row: UserSession) -> None:
        """Go on with a session that was found in the database."""
        self.clear()
        self.update(row.data)
        self.row = row
        self.modified = False

    def begin(self, row: UserSession, token: str) -> None:
        """Become a session that has just been started: nothing of the visitor's is kept but the
        frame that the page stands in.
        """
        is_embedded = EMBEDDED in self
        self.resume(row)
        if is_embedded:
            self[EMBEDDED] = True
        self.new_token, self.has_ended = token, False
        g.pop("csrf_token", None)  # Flask-WTF keeps the visitor's for the rest of the request

    def renew(self, token: str) -> None:
        """Go on with the same session under another id."""
        self.new_token = token

    def end(self) -> None:
        """Become a visitor who has not signed in."""
        is_embedded = EMBEDDED in self
        self.clear()
        if is_embedded:
            self[EMBEDDED] = True
        self.row, self.new_token, self.has_ended = None, "", True
        g.pop("csrf_token", None)


def _mark(visit: Visit) -> None:
    visit.modified = True


class CabinetSessions(SessionInterface):
    """Reads and writes the two cookies. The database is asked by `recognise` only."""

    def __init__(self, config: Config) -> None:
        self.cookies = Cookies.of(config)

    def open_session(self, app: Flask, request: Request) -> Visit:
        """What the cookies say. Asks nobody: static files and health checks pass here too."""
        text = request.cookies.get(self.cookies.anonymous_name, "")
        try:
            values = self._serializer(app).loads(text, max_age=ANONYMOUS_DAYS * 86_400)
        except BadSignature:
            values = {}
        return Visit(_anonymous(values), request.cookies.get(self.cookies.name, ""))

    def save_session(self, app: Flask, session: Visit, response: Response) -> None:  # type: ignore[override]
        """Write what has changed: the row, or the visitor's cookie."""
        if session.new_token:
            self.cookies.write(response, self.cookies.name, session.new_token)
            self.cookies.delete(response, self.cookies.anonymous_name)
        if session.has_ended:
            self.cookies.delete(response, self.cookies.name)
        if not session.modified:
            return
        if session.row is not None:
            kept.save_data(session.row, dict(session))
        elif values := _anonymous(session):
            text = self._serializer(app).dumps(values)
            self.cookies.write(response, self.cookies.anonymous_name, text)
        else:
            self.cookies.delete(response, self.cookies.anonymous_name)

    def _serializer(self, app: Flask) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(str(app.secret_key), salt="visitor")


def _anonymous(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in ANONYMOUS_KEYS}


def presented() -> bool:
    """Whether the request came with a session's cookie, alive or not."""
    return bool(session.presented)  # type: ignore[attr-defined]


def recognise(config: Config, *, prolong: bool) -> UserSession | None:
    """Find the session behind the request's cookie; `prolong` lets this request count against the
    idle limit.
    """
    visit: Visit = session._get_current_object()  # type: ignore[attr-defined]
    if not visit.presented:
        return None
    now = clock.now()
    idle = timedelta(minutes=config.SESSION_IDLE_MINUTES)
    row = kept.find(visit.presented, now=now, idle=idle)
    if row is not None:
        if prolong:
            kept.touch(row, now=now)
        visit.resume(row)
    return row


def init_app(app: Flask, config: Config) -> None:
    """Put our sessions in place of Flask's cookie, which stays valid after signing out."""
    app.session_interface = CabinetSessions(config)
