"""Who may see what: one check before every request. What is not opened here is closed.

A view without a mark is for every role of a client and for nobody of the operator. Rows are looked
up through the client, so that a stranger's key is one that does not exist.
"""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, NoReturn, TypeVar

from flask import (
    Flask,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask import session as visit
from flask_wtf.csrf import generate_csrf
from werkzeug.exceptions import Forbidden, SecurityError
from werkzeug.wrappers import Response as AnyResponse

from blueprints import embedding, intranet, onlooking, scoped, sessions, spoken
from blueprints.forms import EmptyForm, check_button  # noqa: F401 - guards of buttons
from blueprints.paths import RowNumber, full_path, local_path, own_origins, page_of_form
from domain.roles import CLIENT_ROLES, Role
from models import UserSession, tenant_guard
from services import access, clock, connections, second_factor, sign_in
from texts import N_, gettext

View = TypeVar("View", bound=Callable[..., Any])
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SEND_AGAIN = N_("Your session has ended. Sign in in a new tab and send again.")
FOREIGN_ORIGIN = N_(
    "The request came from a page that is not ours. Open the cabinet and repeat the action."
)
PLAIN = "text/plain; charset=utf-8"
POLL_ENDED = N_("Your session has ended. Sign in to go on.")


class RoleMissing(Forbidden):
    """The page is for other roles; `roles` are those who may see it."""

    def __init__(self, roles: frozenset[Role]) -> None:
        super().__init__()
        self.roles = roles


class ForeignOrigin(Forbidden):
    """A form that was sent from somebody else's page."""

    @property
    def text(self) -> str:
        """The sentence for the page."""
        return gettext(FOREIGN_ORIGIN)


def public(view: View) -> View:
    """Open a view to everybody, signed in or not."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def allow(*roles: Role) -> Callable[[View], View]:
    """Open a view to these roles and no other."""

    def mark(view: View) -> View:
        view.allowed_roles = frozenset(roles)  # type: ignore[attr-defined]
        return view

    return mark


def does_not_prolong(view: View) -> View:
    """Mark a view that the page asks by itself: it does not keep the session alive."""
    view.does_not_prolong = True  # type: ignore[attr-defined]
    return view


def is_public(view: Callable[..., Any] | None, endpoint: str = "") -> bool:
    """Whether anybody may see the view. Static files are public."""
    return endpoint.rpartition(".")[2] == "static" or getattr(view, "is_public", False)


def roles_of(view: Callable[..., Any] | None) -> frozenset[Role]:
    """The roles that may see a view that is not public."""
    return getattr(view, "allowed_roles", CLIENT_ROLES)


def check_request() -> AnyResponse | None:
    """Before everything: who is it, whose rows may be read, and may they be here at all."""
    g.user = g.client = g.scope = None
    _enter()
    spoken.begin()
    if isinstance(request.routing_exception, SecurityError):
        return None  # a strange Host: answered with 400, and nothing may be built from it
    view = current_app.view_functions.get(request.endpoint or "")
    if is_public(None, request.endpoint or ""):
        return None
    if request.method not in SAFE_METHODS and not is_own_origin():
        raise ForeignOrigin
    polls = getattr(view, "does_not_prolong", False)
    row = sessions.recognise(current_app.config["CABINET"], prolong=not polls)
    if row is not None and intranet.is_over(row.user.login):
        sign_out_unnamed(row)
        row = None
    if row is not None:
        g.user, g.client = row.user, row.user.client
        spoken.go_on_as(row.user)
    embedding.remember()  # on the way to the sign-in too
    if view is None or is_public(view):
        return None  # no such page, or one for all
    if g.user is None:
        return _send_to_login(polls=polls)
    if not getattr(view, "needs_no_factor", False) and _lacks_factor():
        return _send_to_set_up()
    return _check_role(view)


def sign_out_unnamed(row: UserSession) -> None:
    """End a session that the intranet's proxy opened and does not vouch for any more."""
    sign_in.sign_out(row, ip=request.remote_addr or "", now=clock.now())
    visit.end()


def needs_no_factor(view: View) -> View:
    """Mark a view for people who have still to set up the second factor that they must have."""
    view.needs_no_factor = True  # type: ignore[attr-defined]
    return view


def _lacks_factor() -> bool:
    return second_factor.is_required(g.user) and not second_factor.has(g.user)


def _send_to_set_up() -> AnyResponse:
    """Every page leads to the second factor until it is set up."""
    target = url_for("auth.factor.show")
    if request.headers.get("HX-Request") == "true":
        return make_response("", 204, {"HX-Redirect": target})
    return redirect(target, code=303)


def _check_role(view: Callable[..., Any]) -> AnyResponse | None:
    role = Role(g.user.role)
    if role in roles_of(view):
        return _check_scope(view)
    if onlooking.enter(view, roles_of(view)):
        return None
    if role.is_operator and request.path == "/" and request.method in SAFE_METHODS:
        return redirect(url_for("operator.show"), code=303)
    return refuse_role(roles_of(view))


def refuse_role(roles: Iterable[Role]) -> NoReturn:
    """Write down that the page, or what it would give of this row, is for other roles; 403."""
    ip = request.remote_addr or ""
    access.note_role_refusal(g.user, request.endpoint or "", ip=ip, now=clock.now())
    raise RoleMissing(frozenset(roles))


def _check_scope(view: Callable[..., Any]) -> None:
    """From here on only what the user may see is seen."""
    try:
        scoped.enter(view, roles_of(view))
    except scoped.PageOfCompany:
        ip = request.remote_addr or ""
        access.note_role_refusal(g.user, request.endpoint or "", ip=ip, now=clock.now())
        raise


def _send_to_login(*, polls: bool) -> AnyResponse:
    """A plain request is led to the sign-in; htmx is told so in its own way: no sign-in page lands
    inside another one, and nothing typed is lost. A program that comes with the cookie of a session
    that is over gets 401 and no page: only browsers ask for `text/html`.
    """
    is_safe = request.method in SAFE_METHODS
    if request.headers.get("HX-Request") != "true":
        if sessions.presented() and "text/html" not in request.headers.get("Accept", ""):
            return make_response(gettext(POLL_ENDED), 401, {"Content-Type": PLAIN})
        target = full_path() if is_safe else page_of_form()
        return redirect(login_url(target), code=303)
    text = POLL_ENDED if polls else SEND_AGAIN
    response = signed_out_fragment(gettext(text))
    if is_safe and not polls:
        response.headers["HX-Redirect"] = login_url(full_path())
    return response


def signed_out_fragment(text: str) -> Response:
    """A short 401 for htmx, with a way to the sign-in."""
    return make_response(render_template("errors/_signed_out.html", text=text), 401)


def login_url(target: str | None) -> str:
    """Address of the sign-in page that leads to `target` afterwards."""
    target = local_path(target or "")
    return url_for("auth.login", next=target) if target else url_for("auth.login")


def is_own_origin() -> bool:
    """Whether an unsafe request comes from one of our own pages, as far as the browser tells.

    Scripts send neither header: then the token in the form decides alone.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin in own_origins()


def _enter() -> None:
    g.request_scope = ExitStack()
    # Tests look into the database between requests, fork, and take its files away.
    g.request_scope.enter_context(connections.for_request(keep=not current_app.testing))
    g.request_scope.enter_context(tenant_guard())


def leave(_error: BaseException | None = None) -> None:
    """After everything: end what this request has opened."""
    if (scope := g.pop("request_scope", None)) is not None:
        scope.close()


def init_app(app: Flask) -> None:
    """Put the check before every request. Before any rule is added."""
    app.url_map.converters["int"] = RowNumber
    app.before_request(check_request)
    app.jinja_env.globals["csrf_token"] = generate_csrf
    app.teardown_request(leave)
