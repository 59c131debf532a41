"""The try-out mailbox: what the cabinet has mailed, instead of a real mailbox. Not in production.

Shown to the machine it runs on and to the operator's people; for everybody else there is none.
"""

import ipaddress
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

from flask import Blueprint, Response, abort, current_app, g, make_response, request, send_file

from blueprints import security
from blueprints.guards import public
from blueprints.web import render_section
from config import Config
from domain.roles import Role
from services import access, clock, mailbox

bp = Blueprint("mailbox", __name__, url_prefix="/mailbox")
MESSAGES_SHOWN = 50
# What a message may do in the reader's browser: look like itself. Mail carries its style within.
MESSAGE_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';"
    " style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


@bp.get("/")
@public
def messages() -> Response:
    """The newest messages; `?before=<number>` goes on from there."""
    before = request.args.get("before", type=int)
    shown = mailbox.newest(_folder_or_404(), limit=MESSAGES_SHOWN + 1, before=before)
    more = len(shown) > MESSAGES_SHOWN
    shown = shown[:MESSAGES_SHOWN]
    older = shown[-1].number if more else None
    return render_section("mailbox/messages.html", messages=shown, older=older)


@bp.get("/<int:number>")
@public
def message(number: int) -> Response:
    """One message: its headers, text, HTML in a frame of its own, and what is attached."""
    summary, parts = _message_or_404(number)
    texts = [mailbox.text_of(part) for part in parts if _is_body(part, "text/plain")]
    response = render_section(
        "mailbox/message.html",
        message=summary,
        texts=texts,
        html_parts=[n for n, part in enumerate(parts) if _is_body(part, "text/html")],
        files=[
            (n, part.get_filename() or f"{number}-{n}", len(_bytes(part)))
            for n, part in enumerate(parts)
            if _is_file(part)
        ],
    )
    return _with_frames(response)


@bp.get("/<int:number>/html/<int:part>")
@public
def html(number: int, part: int) -> Response:
    """An HTML part, shut off from everything around it."""
    found = _part_or_404(number, part)
    if not _is_body(found, "text/html"):
        abort(404)
    response = make_response(mailbox.text_of(found))
    response.headers["Content-Security-Policy"] = MESSAGE_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@bp.get("/<int:number>/files/<int:part>")
@public
def file(number: int, part: int) -> Response:
    """A part to download, under the name it was sent with."""
    found = _part_or_404(number, part)
    return _download(_bytes(found), found.get_filename() or f"{number}-{part}")


@bp.get("/<int:number>/source")
@public
def source(number: int) -> Response:
    """The message as it came, to download."""
    folder = _folder_or_404()
    _message_or_404(number)
    path = mailbox.path_of(folder, number)
    return _download(path.read_bytes(), path.name)


def _folder_or_404() -> Path:
    """Where the messages are, for those who may see them."""
    config: Config = current_app.config["CABINET"]
    if not config.uses_mailbox:
        abort(404)
    if not (_is_operator() or _is_this_machine(config)):
        if g.user is not None:
            ip = request.remote_addr or ""
            access.note_role_refusal(g.user, request.endpoint or "", ip=ip, now=clock.now())
        abort(404)
    return config.data_dir / "mail"


def _is_operator() -> bool:
    return g.user is not None and Role(g.user.role).is_operator


def _is_this_machine(config: Config) -> bool:
    """Whether the request comes from loopback itself and not through a proxy standing there."""
    if not config.PROXY_COUNT and (
        "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    ):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _message_or_404(number: int) -> tuple[mailbox.Kept, list[EmailMessage]]:
    found = mailbox.find(_folder_or_404(), number)
    if found is None:
        abort(404)
    return found[0], mailbox.leaves(found[1])


def _part_or_404(number: int, part: int) -> EmailMessage:
    parts = _message_or_404(number)[1]
    if part >= len(parts):
        abort(404)
    return parts[part]


def _is_file(part: EmailMessage) -> bool:
    return part.is_attachment() or part.get_content_type() not in {"text/plain", "text/html"}


def _is_body(part: EmailMessage, content_type: str) -> bool:
    return not _is_file(part) and part.get_content_type() == content_type


def _bytes(part: EmailMessage) -> bytes:
    return part.get_payload(decode=True) or b""


def _download(content: bytes, name: str) -> Response:
    """A file to keep and never to show: what is in it comes from outside."""
    response = send_file(
        BytesIO(content),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=name,
    )
    response.headers["Content-Security-Policy"] = "sandbox"
    return response


def _with_frames(response: Response) -> Response:
    """Let the page frame our own addresses: the HTML of a message stands in a frame."""
    policy = security.protecting_headers(current_app.config["CABINET"])["Content-Security-Policy"]
    response.headers["Content-Security-Policy"] = policy.replace(
        "frame-src 'none'", "frame-src 'self'"
    )
    return response
