"""`POST /lang`: another language, from the frame of any page; one comes back to that page."""

from urllib.parse import parse_qs

from flask import Blueprint, abort, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from blueprints.guards import check_button, login_url, needs_no_factor, public
from blueprints.paths import can_be_fetched, local_path, own_referrer
from blueprints.spoken import CHOSEN
from domain.languages import LANGUAGES
from services import clock, language_choice
from services.audit import By

bp = Blueprint("languages", __name__)


@bp.post("/lang")
@public
@needs_no_factor
def choose() -> Response:
    """Keep it with the user, or in the visitor's cookie until somebody signs in."""
    check_button()
    code = request.form.get("language", "")
    if code not in LANGUAGES:
        abort(422)
    if g.user is None:
        session[CHOSEN] = code
    else:
        by = By(now=clock.now(), user=g.user, ip=request.remote_addr or "")
        language_choice.choose(g.user, code, by=by)
    return redirect(_page_before(), code=303)


def _page_before() -> str:
    """The page that the button stood on, if the browser names it and it can be shown again."""
    if (named := own_referrer()) is None:
        return url_for("home.show")
    inside = named.path.removeprefix(request.script_root)
    if named.path == url_for("auth.login"):
        return _login_with(named.query)
    target = local_path(named.path + (f"?{named.query}" if named.query else ""))
    return target if target and can_be_fetched(inside) else url_for("home.show")


def _login_with(query: str) -> str:
    return login_url(parse_qs(query).get("next", [None])[0])
