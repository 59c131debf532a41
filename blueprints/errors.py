"""Pages for what went wrong: a sentence, a way back, a code that stands in the log, and never a
trace.
"""

import logging
import secrets
from collections.abc import Iterable

from flask import Flask, Response, g, make_response, request
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    SecurityError,
)

from blueprints.filters import role_text
from blueprints.guards import RoleMissing
from blueprints.scoped import PageOfCompany
from blueprints.web import render_section
from domain.errors import CompanyWide, NoSpaceLeft
from services import access, clock
from services.transactions import DiskFull
from texts import ERRORS, N_, gettext

log = logging.getLogger(__name__)
TITLES = {
    400: N_("The request was not understood"),
    403: N_("No access"),
    404: N_("Page not found"),
    405: N_("This address does not answer to that"),
    410: N_("No longer available"),
    413: N_("Too much data"),
    422: N_("The form was not accepted"),
    429: N_("Too many attempts"),
    500: N_("An error happened on the server"),
    503: N_("The cabinet cannot do that now"),
}
SENTENCES = {
    400: N_("Check the address or go to the home page."),
    403: N_("You cannot open this page."),
    404: N_("There is no such page, or it is not yours to see."),
    405: N_("Go back and use the buttons of the page."),
    410: N_("It was kept for a limited time. Order it again."),
    413: N_("Send less at once: the limit is 2 MB."),
    422: N_("Go back, check the data and send it again."),
    429: N_("Try again a little later."),
    500: N_("Try again later. If it happens again, tell the operator the code of the error."),
    503: N_("Try again later. If it happens again, tell the operator the code of the error."),
}
# Refusals that somebody may ask the operator about. Not 404: a code would make a page of another
# client's key differ from one that does not exist.
TOLD_APART = frozenset({400, 403, 413, 429})
CODE_HEADER = "X-Error-Code"  # for cabinet.js: htmx leaves the page of an error unshown
FULL_DISK_RETRY_S = 600
UNKNOWN_HOST = N_("The cabinet is not called by this name. Check the address.")


def show_error(error: HTTPException) -> Response:
    """The page or fragment for a refusal, with the headers it came with."""
    if isinstance(error, SecurityError):
        return _bare(gettext(UNKNOWN_HOST), 400)
    status = error.code or 500
    if status == 404:
        _note_foreign_key()
    code = _note_refusal(status)
    roles = sorted(map(role_text, error.roles)) if isinstance(error, RoleMissing) else []
    more = error.more if isinstance(error, PageOfCompany) else ""
    response = _page(status, _sentence(error, status), code, roles, more=more)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def show_crash(error: InternalServerError) -> Response:
    """The page for our own mistake. The code shown stands in the log beside the trace."""
    if isinstance(error.original_exception, DiskFull):  # found out while the answer was on its way
        return show_full_disk(error.original_exception)
    code = _new_code()
    log.error("error %s at %s", code, request.endpoint, exc_info=error.original_exception)
    try:
        return _page(500, gettext(SENTENCES[500]), code)
    except Exception:
        log.exception("error %s: no page could be drawn for it", code)
        return _bare(f"{gettext(TITLES[500])}: {code}", 500)


def show_full_disk(_error: DiskFull) -> Response:
    """The page for a write there was no room for. What is stored can still be read."""
    response = _page(503, gettext(ERRORS[NoSpaceLeft.code]), _note_refusal(503))
    response.headers["Retry-After"] = str(FULL_DISK_RETRY_S)
    return response


def show_company_wide(_error: CompanyWide) -> Response:
    """A page that turned out to be about the company as a whole."""
    return show_error(PageOfCompany())


def _page(
    status: int, sentence: str, code: str, roles: Iterable[str] = (), *, more: str = ""
) -> Response:
    title = gettext(TITLES.get(status, TITLES[400 if status < 500 else 500]))
    response = render_section(
        "errors/error.html",
        status,
        title=title,
        sentence=sentence,
        more=more,
        roles=roles,
        error_id=code,
    )
    if code:
        response.headers[CODE_HEADER] = code
    return response


def _note_refusal(status: int) -> str:
    """Write a refusal down under a code and return it; "" for those nobody asks about."""
    if status not in TOLD_APART and status < 500:
        return ""
    code = _new_code()
    log.warning("refusal %s: %s at %s", code, status, request.endpoint)
    return code


def _new_code() -> str:
    """Eight hexadecimal digits, two of them letters: seven decimal ones in a row would be masked
    in the log as a phone number, and the code could not be found there.
    """
    code = list(secrets.token_hex(4))
    code[0], code[4] = secrets.choice("abcdef"), secrets.choice("abcdef")
    return "".join(code)


def _sentence(error: HTTPException, status: int) -> str:
    text = getattr(error, "text", "")  # our own refusals bring a sentence along
    return text or gettext(SENTENCES.get(status, SENTENCES[400 if status < 500 else 500]))


def _bare(text: str, status: int) -> Response:
    response = make_response(text, status)
    response.mimetype = "text/plain"
    return response


def _note_foreign_key() -> None:
    """Write down that a key of another client was asked for; the answer does not tell."""
    keys = set(map(str, (request.view_args or {}).values()))
    if g.get("user") is not None:
        access.note_foreign_keys(g.user, keys, ip=request.remote_addr or "", now=clock.now())


def init_app(app: Flask) -> None:
    """Answer for every refusal and for what nobody foresaw."""
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(InternalServerError, show_crash)
    app.register_error_handler(DiskFull, show_full_disk)
    app.register_error_handler(CompanyWide, show_company_wide)
