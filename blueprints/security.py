"""What protects every answer: headers, trusted hosts, the proxy in front and the path prefix.

Who may see a page is decided in `guards.py`.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, request
from werkzeug.datastructures import MultiDict
from werkzeug.middleware.proxy_fix import ProxyFix

from blueprints.draining import Draining
from config import Config

View = TypeVar("View", bound=Callable[..., Any])
MAX_BODY = 2 * 1024 * 1024  # bytes: the longest typed list of numbers, with room
LOOPBACK = ("localhost", "127.0.0.1")
VARY = ("HX-Request-Type", "HX-Request", "HX-History-Restore-Request", "Cookie")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-src 'none'; frame-ancestors {ancestors}"
)
HSTS_S = 365 * 24 * 3600


class PathPrefix:
    """WSGI: the application stands below `prefix`, whether the proxy in front strips it or not.

    The prefix comes from the public address and never from a header, so nobody can forge it.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(self._prefix + "/"):
            path = path[len(self._prefix) :]
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = self._prefix, path or "/"
        return self._app(environ, start_response)


def trusted_hosts(config: Config) -> list[str]:
    """Names by which we may be called; a request for another one is refused."""
    if config.TRUSTED_HOSTS:
        return [name.strip() for name in config.TRUSTED_HOSTS.split(",") if name.strip()]
    return [urlsplit(config.public_url).hostname or "localhost", *LOOPBACK]


def protecting_headers(config: Config) -> dict[str, str]:
    """Headers of every answer, static files included."""
    ancestors = config.FRAME_ANCESTORS.strip() or "'none'"
    headers = {
        "Content-Security-Policy": POLICY.format(ancestors=ancestors),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if ancestors == "'none'":
        headers["X-Frame-Options"] = "DENY"
    if config.is_https:
        headers["Strict-Transport-Security"] = f"max-age={HSTS_S}"
    return headers


def _make_finish(config: Config) -> Callable[[Response], Response]:
    headers = protecting_headers(config)

    def finish(response: Response) -> Response:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if request.endpoint != "static" or response.status_code >= 400:
            if "no-store" not in response.headers.get("Cache-Control", ""):
                response.headers["Cache-Control"] = "no-store"
            response.vary.update(VARY)
        _keep_on_path(response)
        return response

    return finish


def _keep_on_path(response: Response) -> None:
    """Name the path only where the router redirects: it does not know the scheme people come by."""
    target = urlsplit(response.location or "")
    if target.netloc and target.netloc == request.environ.get("HTTP_HOST"):
        response.location = target._replace(scheme="", netloc="").geturl()


def refuse_nul() -> None:
    """No text that a person types or a page sends has a NUL in it, and PostgreSQL keeps none.

    A view marked `receives_files` asks for this itself, when it has let its request be larger.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if "\0" in request.path:
        abort(400)
    check_no_nul(request.args)
    if not getattr(view, "receives_files", False):
        check_no_nul(request.form)


def receives_files(view: View) -> View:
    """Mark a view that takes files: nobody reads its request before it is known who sent it."""
    view.receives_files = True  # type: ignore[attr-defined]
    return view


def check_no_nul(fields: MultiDict[str, str]) -> None:
    """Answer 400 when there is a NUL in a text; a field may come more than once."""
    if any("\0" in text for texts in fields.listvalues() for text in texts):
        abort(400)


def init_app(app: Flask, config: Config) -> None:
    """Set limits, put the headers on, and stand the application behind its proxy."""
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        TRUSTED_HOSTS=trusted_hosts(config),
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its session
    )
    app.after_request(_make_finish(config))
    app.wsgi_app = Draining(app.wsgi_app)  # type: ignore[method-assign]
    if config.path_prefix:
        app.wsgi_app = PathPrefix(app.wsgi_app, config.path_prefix)  # type: ignore[method-assign]
    if config.PROXY_COUNT:
        count = config.PROXY_COUNT
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )
