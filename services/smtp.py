"""One message, one recipient, one conversation with the mail server: our own, on top of
Flask-Mail's connection. What becomes of the answers is decided in `services/ledger.py`.

Flask-Mail alone has no timeouts, checks no certificate, keeps silent about a refused recipient,
and takes a connection lost on QUIT, after the message was accepted, for a failure.
"""

import logging
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import flask_mail
from flask import current_app

from config import Config
from domain.formats import mask_emails
from services import faults
from services.mailer import address_of, envelope_address

log = logging.getLogger(__name__)

GOODBYE_S = 1
UNREACHABLE = "mail_unreachable"
REFUSED = "mail_refused"
ADDRESS_REFUSED = "mail_address_refused"
TOO_LARGE = "mail_too_large"
SIGN_IN_REFUSED = "mail_rejected_sign_in"
INSECURE = "mail_insecure"
# No letter at all goes out until somebody has mended it: said in the log, not only at the order.
ALARMS = {
    INSECURE: "the connection to the mail server is not safe",
    SIGN_IN_REFUSED: "the mail server did not accept our sign-in",
}


class MailRefused(Exception):
    """The message did not go out. `code` is a key of `texts.FAILURES`; `reply` is the server's
    word or the system's, for the operator; `permanent`: trying again will not help.
    """

    def __init__(self, code: str, reply: str, *, permanent: bool) -> None:
        super().__init__(f"{code}: {reply}")
        self.code = code
        self.reply = reply
        self.permanent = permanent


class DeliveryUnknown(Exception):
    """The whole message was sent and no answer came: the server may have taken it or not."""


def submit(message_path: Path, *, recipient: str, before_data: Callable[[], None]) -> str:
    """Send the bytes of a frozen message as they are; return the server's reply to them.

    `before_data` is called when nothing but the message itself is left to send; what it raises
    ends the conversation and is passed on. Raises `MailRefused`, `DeliveryUnknown`, and `OSError`
    when the file cannot be read.
    """
    content = (current_app.config["CABINET"].artefact_dir / message_path).read_bytes()
    return send(content, recipient=recipient, before_data=before_data)


def send(content: bytes, *, recipient: str, before_data: Callable[[], None]) -> str:
    """The same with the message itself."""
    config: Config = current_app.config["CABINET"]
    sender = address_of(config.MAIL_FROM).addr_spec
    try:
        with Connection(config) as connection:
            return connection.submit(content, sender, envelope_address(recipient), before_data)
    except MailRefused as refusal:
        if refusal.code in ALARMS:
            log.error("%s: %s", ALARMS[refusal.code], mask_emails(refusal.reply))  # noqa: TRY400
        raise


class _Watched:
    """Notes when the last byte of a message has left us: from then on the outcome is open."""

    dot_sent = False

    def send(self, s: str | bytes) -> None:
        super().send(s)  # type: ignore[misc]
        if isinstance(s, bytes) and s.endswith(b"\r\n.\r\n"):
            self.dot_sent = True
            faults.reach("order.data_sent")


class _Host(_Watched, smtplib.SMTP):
    """A plain connection, or one that STARTTLS will secure."""


class _TlsHost(_Watched, smtplib.SMTP_SSL):
    """A connection secured from its first byte."""


class Connection(flask_mail.Connection):
    """A conversation with the configured server. Every wait in it ends after `MAIL_TIMEOUT_S`."""

    host: _Host | _TlsHost

    def __init__(self, config: Config) -> None:
        super().__init__(_state(config))
        self._config = config

    def __enter__(self) -> Self:
        self.host = self.configure_host()
        return self

    def __exit__(self, *_: object) -> None:
        """Say goodbye, without waiting long: the fate of the message is known by now, and the
        ledger must learn it.
        """
        with suppress(smtplib.SMTPException, OSError):
            if self.host.sock is not None:
                self.host.sock.settimeout(GOODBYE_S)
                self.host.quit()
        self.host.close()

    def configure_host(self) -> _Host | _TlsHost:
        """Connect, secure the connection as configured and sign in."""
        with _told_apart():
            host = self._connect()
        try:
            with _told_apart():
                self._prepare(host)
        except BaseException:
            host.close()
            raise
        return host

    def _connect(self) -> _Host | _TlsHost:
        config = self._config
        options = {
            "host": config.mail_server,
            "port": config.mail_port,
            "local_hostname": _own_name(config),
            "timeout": config.MAIL_TIMEOUT_S,
        }
        if self.mail.use_ssl:
            return _TlsHost(**options, context=_tls_context(config))
        return _Host(**options)

    def _prepare(self, host: _Host | _TlsHost) -> None:
        if self.mail.use_tls:
            _start_tls(host, self._config)
        host.ehlo_or_helo_if_needed()
        if self.mail.username:
            _sign_in(host, self.mail.username, self.mail.password or "")

    def submit(
        self, content: bytes, sender: str, recipient: str, before_data: Callable[[], None]
    ) -> str:
        """MAIL, RCPT, DATA with one recipient; the reply to DATA when it is 250."""
        with _told_apart():
            _check(self.host.mail(sender, self._mail_options(content, sender, recipient)))
            _check(self.host.rcpt(recipient), refused=ADDRESS_REFUSED)
        before_data()
        with _told_apart(self.host):
            code, reply = self.host.data(content)
            if 400 <= code < 600:
                _refuse(code, reply)
        if code != 250:  # not an answer that RFC 5321 knows
            raise DeliveryUnknown(_words(code, reply))
        return _words(code, reply)

    def _mail_options(self, content: bytes, sender: str, recipient: str) -> list[str]:
        offers = self.host.has_extn
        options = [f"size={len(content)}"] if offers("size") else []
        if not content.isascii() and offers("8bitmime"):
            options.append("BODY=8BITMIME")
        if not (sender + recipient).isascii():
            if not offers("smtputf8"):
                raise MailRefused(
                    ADDRESS_REFUSED, "the server takes no addresses beyond ASCII", permanent=True
                )
            options.append("SMTPUTF8")
        return options


def _state(config: Config) -> flask_mail._Mail:
    settings = {
        "MAIL_SERVER": config.mail_server,
        "MAIL_PORT": config.mail_port,
        "MAIL_USERNAME": config.MAIL_USERNAME,
        "MAIL_PASSWORD": config.MAIL_PASSWORD,
        "MAIL_USE_TLS": config.MAIL_TLS == "starttls",
        "MAIL_USE_SSL": config.MAIL_TLS == "tls",
    }
    return flask_mail.Mail().init_mail(settings)


def _tls_context(config: Config) -> ssl.SSLContext:
    """Certificates are checked, which smtplib by itself does not do."""
    context = ssl.create_default_context()
    if config.MAIL_CA_FILE:
        try:
            context.load_verify_locations(config.MAIL_CA_FILE)
        except OSError as error:
            words = f"CABINET_MAIL_CA_FILE: {error}"
            raise MailRefused(INSECURE, words, permanent=False) from error
    return context


def _own_name(config: Config) -> str:
    """What we call ourselves to the server; smtplib would ask a name server, and wait for it."""
    host = urlsplit(config.public_url).hostname or "localhost"
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


def _start_tls(host: _Host | _TlsHost, config: Config) -> None:
    """Raise `MailRefused` unless the rest of the conversation is secured."""
    host.ehlo_or_helo_if_needed()
    try:
        host.starttls(context=_tls_context(config))
    except (smtplib.SMTPNotSupportedError, smtplib.SMTPResponseException) as error:
        raise MailRefused(INSECURE, str(error), permanent=False) from error


def _sign_in(host: _Host | _TlsHost, username: str, password: str) -> None:
    try:
        host.login(username, password)
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPAuthenticationError as error:
        reply = _words(error.smtp_code, error.smtp_error)
        raise MailRefused(SIGN_IN_REFUSED, reply, permanent=False) from error
    except smtplib.SMTPException as error:  # the server offers no way of signing in that we know
        raise MailRefused(SIGN_IN_REFUSED, str(error), permanent=False) from error


def _check(answer: tuple[int, bytes], refused: str = REFUSED) -> None:
    code, reply = answer
    if code // 100 != 2:
        _refuse(code, reply, refused)


def _refuse(code: int, reply: bytes, refused: str = REFUSED) -> None:
    """Raise what an answer means. Only 5xx is final, and not where an operator can mend it."""
    words = _words(code, reply)
    if code == 421 or not 400 <= code < 600:
        raise MailRefused(UNREACHABLE, words, permanent=False)
    if code < 500:
        raise MailRefused(REFUSED, words, permanent=False)
    if code == 530:  # "authentication required"
        raise MailRefused(SIGN_IN_REFUSED, words, permanent=False)
    if code == 552 and refused == REFUSED:
        raise MailRefused(TOO_LARGE, words, permanent=True)
    raise MailRefused(refused, words, permanent=True)


@contextmanager
def _told_apart(host: _Host | _TlsHost | None = None) -> Iterator[None]:
    """Turn errors of the connection into `MailRefused`; after the last byte of a message, into
    `DeliveryUnknown`.
    """
    try:
        yield
    except smtplib.SMTPDataError as error:  # DATA itself was refused, nothing was sent
        _refuse(error.smtp_code, error.smtp_error)
    except (OSError, smtplib.SMTPException) as error:
        if host is not None and host.dot_sent:
            raise DeliveryUnknown(str(error)) from error
        code = INSECURE if isinstance(error, ssl.SSLError) else UNREACHABLE
        raise MailRefused(code, str(error) or type(error).__name__, permanent=False) from error


def _words(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {' '.join(text.split())}"
