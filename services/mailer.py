"""Letters. Those about finished orders are composed once and frozen as bytes in a file; notices
are composed alike as often as they are tried. Sending is `services/smtp.py`, what was sent is
written down by `services/ledger.py` and `services/notice_sending.py`.
"""

import base64
import hashlib
import unicodedata
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import flask_mail
from flask import current_app

from config import Config
from domain.formats import format_date, format_duration, format_integer, format_moment, format_size
from domain.orders import INVOICE_KINDS, Direction, FileFormat, OrderKind
from models import Artefact, Notice, Order
from services import (
    call_detail_words,
    charge_reports,
    clock,
    faults,
    invoice_reports,
    reports,
    statement_reports,
    storage,
)
from texts import gettext, language

# In a message the file is base64: 4 characters for 3 bytes, and a line end after each 76.
ENCODED_PER_BYTE = 4 / 3 * 78 / 76


@dataclass(frozen=True)
class Frozen:
    """A message ready to be sent, any number of times. `path` is relative to `artefact_dir`."""

    message_id: str
    recipient: str
    path: str
    size: int
    sha256: str


class LetterPolicy(EmailPolicy):
    """The policy for SMTP, with words that are not ASCII encoded by `email.header`.

    The present policy loses a space where a line is broken between two of them (Python 3.11).
    """

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name == "Subject":
            text = _encoded(name, str(value))
        elif name == "From" and not value.addresses[0].display_name.isascii():
            address = value.addresses[0]
            text = f"{_encoded(name, address.display_name)}\r\n <{address.addr_spec}>"
        else:
            return super().fold_binary(name, value)
        return f"{name}: {text}\r\n".encode()


def _encoded(name: str, text: str) -> str:
    """`text` as encoded words, in lines of a header called `name`; ASCII as it is."""
    charset = "us-ascii" if text.isascii() else "utf-8"
    return Header(text, charset, header_name=name).encode(linesep="\r\n")


class Letter(flask_mail.Message):
    """Flask-Mail's message, its bytes made by the standard library's present `EmailMessage`.

    That one writes file names by RFC 2231 and takes no line ends in headers; the bodies go as
    base64, so that any server passes the message on unchanged.
    """

    boundary = ""  # between the parts; one that is made up differs each time

    def _message(
        self, data_of: Callable[[flask_mail.Attachment], bytes] = lambda each: each.data
    ) -> EmailMessage:
        recipient = self.recipients[0]
        message = EmailMessage(LetterPolicy(linesep="\r\n", utf8=not recipient.isascii()))
        message["From"] = address_of(str(self.sender))
        message["To"] = _address("", recipient)
        message["Subject"] = self.subject
        for name, value in (self.extra_headers or {}).items():
            message[name] = value
        message["Message-ID"] = self.msgId
        message.set_content(self.body, cte="base64")
        message.add_alternative(self.html, subtype="html", cte="base64")
        for each in self.attachments:
            main, sub = each.content_type.split(";")[0].split("/")
            message.add_attachment(data_of(each), main, sub, filename=each.filename)
        if self.boundary:
            message.set_boundary(self.boundary)
        return message

    def as_bytes(self) -> bytes:
        """The whole message. The files are put in as the last step: `EmailMessage` looks through
        their base64 line by line, several times, and takes ten times as long.
        """
        content = self._message(_stand_in).as_bytes()
        for each in self.attachments:
            stand_in = base64.b64encode(_stand_in(each)) + b"\r\n"
            body = base64.encodebytes(each.data).replace(b"\n", b"\r\n")
            before, found, after = content.rpartition(stand_in)
            if not found:
                raise RuntimeError("the place of a file in a letter was lost")
            content = before + body + after
        return content


def _stand_in(attachment: flask_mail.Attachment) -> bytes:
    """A few bytes that stand for a file while its letter is written: its digest, which nothing
    else in the letter can be.
    """
    return hashlib.sha256(attachment.data).digest()


def compose(
    order: Order,
    artefact: Artefact,
    *,
    ordinal: int,
    now: datetime,
    naming: storage.Naming = nullcontext,
) -> Frozen:
    """Write the letter with the file of `order` (or a link to it, when it is too large) for good.

    The same order and `ordinal` have the same Message-ID however often this is called. The file
    takes its name inside of `naming()`. Raises
    `ValueError` for a value that would break a header, before anything is written, and `OSError`.
    """
    config: Config = current_app.config["CABINET"]
    is_attached = fits_a_letter(artefact, config)
    with language(order.language):
        words = _words(order, artefact, config, is_attached=is_attached)
        letter = _write(order.kind, order.email, words, now=now)
    letter.msgId = message_id(order, ordinal, config)
    _check_headers(letter, artefact.display_name)
    if is_attached:
        data = (config.artefact_dir / artefact.path).read_bytes()
        letter.attach(artefact.display_name, artefact.media_type, data)
    return _freeze(letter, f"{order.key}/mail-{ordinal}.eml", config, naming)


def compose_notice(notice: Notice, *, link: str) -> bytes:
    """The letter of `notice`, the same bytes each time. Raises `ValueError` as `compose` does."""
    config: Config = current_app.config["CABINET"]
    words = {
        "link": link,
        "operator": config.OPERATOR_NAME,
        "cabinet_url": f"{config.public_url}/",
        "zone": str(clock.zone()),
        **notice.words,
    }
    with language(notice.language):
        letter = _write(notice.kind, notice.recipient, words, now=notice.created_at)
    letter.msgId = notice.message_id
    letter.boundary = f"=={notice.key}=="
    _check_headers(letter, "")
    return letter.as_bytes()


def _write(kind: str, address: str, words: dict[str, Any], *, now: datetime) -> Letter:
    return Letter(
        subject=_template(kind, "subject.txt", words).strip(),
        recipients=[envelope_address(address)],
        body=_template(kind, "body.txt", words),
        html=_template(kind, "body.html", words),
        sender=current_app.config["CABINET"].MAIL_FROM,
        extra_headers={"Date": format_datetime(now), "Auto-Submitted": "auto-generated"},
    )


def fits_a_letter(artefact: Artefact, config: Config) -> bool:
    """Whether the file goes as an attachment; a larger one is fetched by a link."""
    return artefact.size * ENCODED_PER_BYTE <= config.MAIL_ATTACHMENT_LIMIT_MB * 1024 * 1024


def message_id(order: Order, ordinal: int, config: Config) -> str:
    """The Message-ID of an order's letter: a second copy is recognised by it."""
    host = urlsplit(config.public_url).hostname or "localhost"
    return f"<o{order.key}.{ordinal}@{host}>"


def address_of(text: str) -> Address:
    """`Name <name@example.by>` or a bare address; raises `ValueError` for anything else."""
    name, address = parseaddr(check_header(text))
    return _address(name, envelope_address(address))


def _address(name: str, spec: str) -> Address:
    try:
        return Address(name, addr_spec=spec)
    except HeaderParseError as error:
        raise ValueError("not an e-mail address") from error


def envelope_address(address: str) -> str:
    """`address` as SMTP commands carry it: its domain in ASCII. Raises `ValueError`."""
    name, at, domain = check_header(address).strip().rpartition("@")
    if not (name and at and domain) or any(sign in '<>, "' for sign in name + domain):
        raise ValueError("not an e-mail address")
    return f"{name}@{domain.encode('idna').decode()}"


def check_header(value: str) -> str:
    """`value`, unless it holds a line end or another control character: then `ValueError`."""
    if any(unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in value):
        raise ValueError("a control character in a header")
    return value


def _check_headers(letter: Letter, file_name: str) -> None:
    headers = letter.extra_headers or {}
    for value in (letter.subject, letter.msgId, file_name, *headers, *headers.values()):
        check_header(value)
    if any(sign in letter.msgId[1:-1] for sign in "<> "):
        raise ValueError("not a Message-ID")


def _freeze(letter: Letter, relative: str, config: Config, naming: storage.Naming) -> Frozen:
    path = config.artefact_dir / relative
    content = letter.as_bytes()
    with storage.atomic_file(path, naming) as temporary:
        Path(temporary).write_bytes(content)
        faults.reach("order.letter_written")
    faults.reach("order.letter_named")
    return Frozen(
        message_id=letter.msgId,
        recipient=letter.recipients[0],
        path=relative,
        size=len(content),
        sha256=storage.sha256_of(path),
    )


def _template(kind: str, name: str, words: dict[str, Any]) -> str:
    """Without the context of pages: a letter has no request, no user and no menu."""
    template = current_app.jinja_env.get_template(f"mail/{kind}/{name}")
    return template.render(_=gettext, **words)


def _words(
    order: Order, artefact: Artefact, config: Config, *, is_attached: bool
) -> dict[str, Any]:
    """What letters of all kinds tell, and what this kind tells beside it."""
    if order.kind in INVOICE_KINDS:
        own = invoice_reports.letter_words(order, artefact.summary)
    elif order.kind == OrderKind.CHARGES:
        own = charge_reports.letter_words(order, artefact.summary)
    elif order.kind == OrderKind.STATEMENT:
        own = statement_reports.letter_words(artefact.summary)
    else:
        own = _call_detail_words(order, artefact.summary)
    return {
        "number": order.number,
        "made_at": format_moment(clock.local(order.made_at or artefact.made_at)),
        "zone": str(clock.zone()),
        "file_name": artefact.display_name,
        "file_size": format_size(artefact.size),
        "link": None if is_attached else f"{config.public_url}/orders/{order.key}",
        "until": format_moment(clock.local(artefact.expires_at)),
        "operator": config.OPERATOR_NAME,
        "cabinet_url": f"{config.public_url}/",
        **own,
    }


def _call_detail_words(order: Order, summary: dict[str, Any]) -> dict[str, Any]:
    period = reports.period_of(order)
    by_direction = summary.get("by_direction", {})
    return {
        "start": format_date(period.start),
        "end": format_date(period.end),
        "direction": call_detail_words.direction_text(Direction(order.params["direction"])),
        "calls": summary.get("calls"),
        "sums": [
            _sums(call_detail_words.direction_text(direction), by_direction[direction])
            for direction in (Direction.OUT, Direction.IN)
            if direction in by_direction
        ],
        "costs": call_detail_words.cost_words(
            summary.get("cost") if summary.get("calls") else None
        ),
        "hides_peers": summary.get("hides_peers", False),
        "form": _form_text(FileFormat(order.params["format"]), summary),
    }


def _form_text(file_format: FileFormat, summary: dict[str, Any]) -> str:
    """What the file is; of a CSV, which has no sums in it, also how to tell that it is whole."""
    if file_format is FileFormat.PDF:
        return gettext("PDF document: the sums, then a table of all calls.")
    if file_format is FileFormat.XLSX:
        return gettext("Excel workbook: a sheet with the sums and a sheet with every call.")
    if not summary.get("calls"):
        return gettext("CSV table: the names of the columns, and no rows under them.")
    return gettext(
        "CSV table: a row for each call, {rows} in all; control sum (billable seconds): "
        "{control_sum}. The sums are in this letter."
    ).format(
        rows=format_integer(summary["calls"]), control_sum=format_integer(summary["control_sum"])
    )


def _sums(title: str, sums: dict[str, int]) -> dict[str, str]:
    return {
        "title": title,
        "calls": format_integer(sums["calls"]),
        "answered": format_integer(sums["answered"]),
        "duration": format_duration(sums["duration_s"]),
        "billable": format_duration(sums["billable_s"]),
    }
