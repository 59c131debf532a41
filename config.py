"""Settings: one frozen object, read from the environment once, at start. Every key stands in
`.env.example`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from domain.billing.delivery import DeliveryMethod
from domain.billing.requisites import is_bic, is_iban
from domain.closed_days import ClosedDays

PREFIX = "CABINET_"
LEASE_MARGIN_S = 30  # from the last look at the lease to the server's answer, beside its timeouts
CRASH_AT = re.compile(r"(?:stop )?[a-z_.]+(?::[1-9]\d*)?|@.+|")
ANCESTOR = re.compile(r"'self'|'none'|https?://(?:(?:\*\.)?[\w.-]+|\[[0-9a-f:]+\])(?::\d+)?")
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
OTHERS_HEADERS = {"host", "cookie", "origin", "user-agent", "accept", "x-forwarded-for"}
# Requisites of the demo's operator, whom nobody is to take for a real one: no bank has this code.
DEMO_OPERATOR = {
    "OPERATOR_UNP": "192000012",
    "OPERATOR_ADDRESS": "220000, г. Минск, ул. Примерная, д. 1, тел. +375 17 000-00-00",
    "OPERATOR_BANK": "ОАО «Демобанк», г. Минск",
    "OPERATOR_IBAN": "BY93DEMO30120000000000001234",
    "OPERATOR_BIC": "DEMOBY2X",
}
AS_CLOSED_DAYS = "same"  # of an item: closed on the days of CLOSED_DAYS
RANGES = {
    "PORT": (1, 65_535),
    "MAIL_PORT": (0, 65_535),
    "WORKERS": (0, 256),
    "MAIL_TIMEOUT_S": (0, 600),
    "MAIL_ATTACHMENT_LIMIT_MB": (0, 100),
    "CALL_DETAIL_DELAY_HOURS": (-1, 8_760),
    "CALL_DETAIL_MONTHS_BACK": (0, 1_200),
    "INVOICE_LINK_MONTHS": (0, 120),
    "INVOICE_DUE_DAY": (1, 28),
    "INVOICE_WAIT_DAYS": (1, 365),
    "DELIVERY_HOLD_HOURS": (0, 720),
    "DELIVERY_CONFIRM_HOURS": (1, 720),
    "DELIVERY_CHANGES_PER_DAY": (0, 1_000),
    "ORDERS_PER_HOUR": (0, 1_000_000),
    "OPEN_ORDERS": (0, 1_000_000),
    "ARTEFACT_DAYS": (1, 3_650),
    "ARTEFACT_QUOTA_MB": (0, 1_000_000_000),
    "MIN_FREE_PERCENT": (-1, 99),
    "PDF_ROWS": (1, 1_000_000),
    "UPLOAD_MB": (0, 100_000),
    "STATEMENT_MB": (0, 100),
    "FEEDBACK_PER_HOUR": (0, 1_000_000),
    "FEEDBACK_FILES": (0, 20),
    "FEEDBACK_FILE_MB": (1, 100),
    "FEEDBACK_QUOTA_MB": (0, 1_000_000_000),
    "DRAFT_HOURS": (1, 720),
    "RECONCILE_EVERY_S": (1, 3_600),
    "JOB_TIMEOUT_S": (10, 86_400),
    "MAX_ATTEMPTS": (1, 100),
    "SESSION_IDLE_MINUTES": (1, 1_440),
    "SESSION_HOURS": (1, 720),
    "PASSWORD_RESET_MINUTES": (5, 1_440),
    "INVITATION_DAYS": (1, 90),
    "NOTICE_DAYS": (1, 3_650),
    "AUDIT_DAYS": (180, 36_500),  # addresses of half a year are known to be somebody's own
    "INVITATIONS_PER_DAY": (0, 10_000),
    "PROXY_COUNT": (0, 10),
}


class ConfigError(click.ClickException, ValueError):
    """A setting that cannot be used; the message is one sentence for the person who set it.

    Every `flask` command shows it as such and ends with status 1.
    """


@dataclass(frozen=True, kw_only=True)
class Config:
    """What a person can set, `CABINET_<NAME>` in the environment. Units stand in the names."""

    HOST: str = "127.0.0.1"
    PORT: int = 8000
    PUBLIC_URL: str = ""  # empty: http://HOST:PORT
    DATA_DIR: str = "./var"
    DATABASE_URL: str = ""  # empty: SQLite in the data dir
    REDIS_URL: str = ""  # empty: the embedded server's unix socket in the data dir
    WORKERS: int = 0  # 0: one per core

    MAIL_SERVER: str = ""  # empty: the try-out mailbox
    MAIL_PORT: int = 0  # 0: the port of the try-out mailbox, else 25
    MAIL_USERNAME: str = ""
    MAIL_PASSWORD: str = ""
    MAIL_TLS: str = "none"  # none, starttls, tls
    MAIL_CA_FILE: str = ""  # certificates to trust beside the system's
    MAIL_FROM: str = "cabinet@localhost"
    MAIL_TIMEOUT_S: int = 20
    MAIL_ATTACHMENT_LIMIT_MB: int = 15  # encoded; above it the mail carries a link
    MAIL_UNKNOWN: str = (
        "resend"  # resend or hold: what to do when nobody knows whether a mail went out
    )

    DEMO: bool = True
    DEMO_PASSWORD: str = ""  # empty: made up at the first run
    TESTING: bool = False
    CLOCK: str = ""  # read by services/clock.py; needs TESTING
    CRASH_AT: str = ""  # a kill point of services/faults.py; needs TESTING
    OPERATOR_NAME: str = "Оператор связи"
    OPERATOR_UNP: str = ""  # requisites, as they stand on invoices
    OPERATOR_ADDRESS: str = ""
    OPERATOR_BANK: str = ""
    OPERATOR_IBAN: str = ""
    OPERATOR_BIC: str = ""
    INVOICE_SERIES: str = ""  # before the number of an invoice, when there are several
    INVOICE_DUE_DAY: int = 25  # of the month after the one that is paid
    TIME_ZONE: str = "Europe/Minsk"
    BROWSER_LANGUAGE: bool = False  # whether the browser's language counts before one is chosen
    CALL_DETAIL_DELAY_HOURS: int = -1  # -1: 24, in the demo 0
    CALL_DETAIL_MONTHS_BACK: int = 1
    INVOICE_LINK_MONTHS: int = 2
    INVOICE_WAIT_DAYS: int = 30  # how long an order waits for an invoice that is not formed yet
    CLOSED_DAYS: str = "1-3"  # of each month; empty: never
    CLOSED_DAYS_EMAIL_BILL: str = "same"  # same: as CLOSED_DAYS
    CLOSED_DAYS_DOWNLOAD_BILL: str = "same"
    CLOSED_DAYS_DELIVERY: str = ""
    CLOSED_DAYS_CALL_DETAIL: str = ""
    CLOSED_DAYS_CHARGES: str = ""
    DELIVERY_METHODS: str = "email,pickup"  # by comma: what clients may choose; post and edi too
    DELIVERY_HOLD_HOURS: int = 24  # from the confirmation of a change until it takes effect
    DELIVERY_CONFIRM_HOURS: int = 24  # how long the link in the letter to a new address works
    DELIVERY_CHANGES_PER_DAY: int = 5  # that one client may ask for; 0: no limit
    ORDERS_PER_HOUR: int = 20
    OPEN_ORDERS: int = 50
    ARTEFACT_DAYS: int = 7
    ARTEFACT_QUOTA_MB: int = 10240  # kept for one client at a time; 0: no limit
    MIN_FREE_PERCENT: int = -1  # -1: 10, in the demo 0, which is no check
    PDF_ROWS: int = 20000
    DRAFT_HOURS: int = 24
    UPLOAD_MB: int = 200  # files of call records sent by the operator's people, in one request
    STATEMENT_MB: int = 5  # a bank's statement sent by the operator's people
    FEEDBACK_PER_HOUR: int = 20  # messages of one user; 0: no limit
    FEEDBACK_FILES: int = 5  # with one message
    FEEDBACK_FILE_MB: int = 10
    FEEDBACK_QUOTA_MB: int = 1024  # files of all threads of one client; 0: no limit

    LEASE_S: int = 120
    RECONCILE_EVERY_S: int = 5
    JOB_TIMEOUT_S: int = 3600
    MAX_ATTEMPTS: int = 12

    SESSION_IDLE_MINUTES: int = 30
    SESSION_HOURS: int = 8
    PASSWORD_RESET_MINUTES: int = 30  # how long the link in the letter works
    INVITATION_DAYS: int = 7
    NOTICE_DAYS: int = 90  # how long letters without an order are kept once they are over
    AUDIT_DAYS: int = 1095  # how long the audit trail is kept
    INVITATIONS_PER_DAY: int = 20  # letters to new addresses that one client may send; 0: no limit
    SECOND_FACTOR: str = ""  # none, operator or all: who must have one; empty: operator; demo: none
    TRUSTED_HOSTS: str = ""  # by comma; empty: the host of PUBLIC_URL and loopback
    TRUSTED_HEADER: str = ""  # in which the intranet's proxy names who is there; empty: none
    TRUSTED_PROXIES: str = ""  # by comma: addresses and networks that header is believed from
    FRAME_ANCESTORS: str = ""  # by space; empty: 'none'
    PROXY_COUNT: int = 0  # trusted reverse proxies in front of us
    EMBED: bool = False  # cookies for a cross-site iframe: SameSite=None, Partitioned

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ, **overrides: object) -> "Config":
        """Read the settings; raise `ConfigError` with one sentence for a value that cannot be
        used.
        """
        values: dict[str, object] = {}
        for field in fields(cls):
            text = env.get(PREFIX + field.name)
            if text is not None and (text != "" or field.type is str):
                values[field.name] = _convert(field.name, field.type, text)
        told = {**values, **overrides}
        if told.get("DEMO", cls.DEMO) and not any(told.get(name) for name in DEMO_OPERATOR):
            told.update(DEMO_OPERATOR)
        return cls(**told)

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.TIME_ZONE)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ConfigError(
                f"CABINET_TIME_ZONE: no time zone named {self.TIME_ZONE!r}"
            ) from error
        for name, allowed in (
            ("MAIL_TLS", ("none", "starttls", "tls")),
            ("MAIL_UNKNOWN", ("resend", "hold")),
            ("SECOND_FACTOR", ("", "none", "operator", "all")),
        ):
            if getattr(self, name) not in allowed:
                raise ConfigError(
                    f"CABINET_{name}: one of {', '.join(allowed)}, not {getattr(self, name)!r}"
                )
        for name, (least, most) in RANGES.items():
            if not least <= getattr(self, name) <= most:
                raise ConfigError(
                    f"CABINET_{name}: from {least} to {most}, not {getattr(self, name)}"
                )
        if self.LEASE_S < 3 * self.MAIL_TIMEOUT_S + LEASE_MARGIN_S:
            raise ConfigError(
                "CABINET_LEASE_S: at least three times CABINET_MAIL_TIMEOUT_S and "
                f"{LEASE_MARGIN_S} s, or two workers could send one letter; not {self.LEASE_S}"
            )
        self._check_test_hooks()
        self._check_requisites()
        self._check_delivery_methods()
        self._check_closed_days()
        self._check_embedding()
        self._check_trusted_header()
        if ":" in self.HOST and not self.PUBLIC_URL:  # Werkzeug trusts no name of that form
            raise ConfigError(
                f"CABINET_HOST={self.HOST}: with an IPv6 address CABINET_PUBLIC_URL says by which "
                "name people come, like http://cabinet.example:8000"
            )
        if self.PUBLIC_URL and not _is_address(self.PUBLIC_URL):
            raise ConfigError(
                f"CABINET_PUBLIC_URL: an http or https address, not {self.PUBLIC_URL!r}"
            )

    def _check_test_hooks(self) -> None:
        if (self.CLOCK or self.CRASH_AT) and not self.TESTING:
            raise ConfigError(
                "CABINET_CLOCK and CABINET_CRASH_AT are for tests: they need CABINET_TESTING=1"
            )
        if not CRASH_AT.fullmatch(self.CRASH_AT):
            raise ConfigError(
                f"CABINET_CRASH_AT: a point like order.sending:2, not {self.CRASH_AT!r}"
            )

    def _check_embedding(self) -> None:
        for origin in self.FRAME_ANCESTORS.split():
            if not ANCESTOR.fullmatch(origin):
                raise ConfigError(
                    "CABINET_FRAME_ANCESTORS: addresses like https://intranet.example, parted by "
                    f"space, not {origin!r}"
                )

    def _check_trusted_header(self) -> None:
        name = self.TRUSTED_HEADER
        if name and (not HEADER.fullmatch(name) or name.lower() in OTHERS_HEADERS):
            raise ConfigError(
                f"CABINET_TRUSTED_HEADER: a name of its own like X-Remote-User, not {name!r}"
            )
        try:
            networks = self.trusted_proxies
        except ValueError as error:
            raise ConfigError(f"CABINET_TRUSTED_PROXIES: {error}") from error
        if any(not network.prefixlen for network in networks):
            raise ConfigError("CABINET_TRUSTED_PROXIES: not all addresses there are")
        if name and not networks:
            raise ConfigError(
                "CABINET_TRUSTED_HEADER: name in CABINET_TRUSTED_PROXIES whom it is believed from"
            )

    @property
    def trusted_proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Whom the trusted header is believed from."""
        return tuple(ip_network(text.strip()) for text in self.TRUSTED_PROXIES.split(",") if text)

    def _check_closed_days(self) -> None:
        for name in (field.name for field in fields(self)):
            if not name.startswith("CLOSED_DAYS"):
                continue
            text = getattr(self, name)
            if text == AS_CLOSED_DAYS and name != "CLOSED_DAYS":
                continue
            try:
                ClosedDays.parse(text)
            except ValueError as error:
                raise ConfigError(
                    f"CABINET_{name}: days of the month like 1-3 or 1-3,28-31; {error}"
                ) from error

    def closed_days(self, item: str) -> ClosedDays:
        """When an item of «Счета» takes no orders; its name is that of its setting's end."""
        own = getattr(self, f"CLOSED_DAYS_{item.upper()}")
        return ClosedDays.parse(self.CLOSED_DAYS if own == AS_CLOSED_DAYS else own)

    def _check_requisites(self) -> None:
        for name, text, is_right in (
            ("OPERATOR_IBAN", self.OPERATOR_IBAN, is_iban),
            ("OPERATOR_BIC", self.OPERATOR_BIC, is_bic),
        ):
            if text and not is_right(text):
                raise ConfigError(f"CABINET_{name}: {text!r} cannot be")

    def _check_delivery_methods(self) -> None:
        known = [method.value for method in DeliveryMethod]
        names = self.DELIVERY_METHODS.split(",")
        if not set(names) <= set(known):
            raise ConfigError(
                f"CABINET_DELIVERY_METHODS: some of {','.join(known)}, not "
                f"{self.DELIVERY_METHODS!r}"
            )

    @property
    def delivery_methods(self) -> tuple[DeliveryMethod, ...]:
        """How clients may have their invoices delivered, in the order in which they are offered."""
        return tuple(DeliveryMethod(name) for name in self.DELIVERY_METHODS.split(","))

    @property
    def data_dir(self) -> Path:
        """The one folder that is written to."""
        return Path(self.DATA_DIR).resolve()

    @property
    def artefact_dir(self) -> Path:
        """Files made for orders and their frozen messages, a folder per order's key."""
        return self.data_dir / "art"

    @property
    def upload_dir(self) -> Path:
        """Files of call records sent through the browser, a folder per import."""
        return self.data_dir / "uploads"

    @property
    def feedback_dir(self) -> Path:
        """Files sent along with messages of feedback, by names that nobody chose."""
        return self.data_dir / "feedback"

    @property
    def zone(self) -> ZoneInfo:
        """The operator's time zone."""
        return ZoneInfo(self.TIME_ZONE)

    @property
    def public_url(self) -> str:
        """Address of the cabinet as its users know it, without a slash at the end."""
        return (self.PUBLIC_URL or f"http://{self.HOST}:{self.PORT}").rstrip("/")

    @property
    def path_prefix(self) -> str:
        """Path of the public address: "" or "/cabinet"."""
        return urlsplit(self.public_url).path.rstrip("/")

    @property
    def is_https(self) -> bool:
        """Whether users come by https: decides on Secure cookies."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def database_url(self) -> str:
        """SQLite in the data dir unless set."""
        return self.DATABASE_URL or f"sqlite:///{self.data_dir / 'cabinet.db'}"

    @property
    def valkey_socket(self) -> Path:
        """Unix socket of the embedded Valkey."""
        return self.data_dir / "valkey" / "valkey.sock"

    @property
    def redis_url(self) -> str:
        """The embedded server's socket unless set."""
        return self.REDIS_URL or f"unix://{self.valkey_socket}"

    @property
    def uses_mailbox(self) -> bool:
        """Whether mail goes to the try-out mailbox instead of a real server."""
        return not self.MAIL_SERVER and self.DEMO

    @property
    def mail_port(self) -> int:
        """Port of the mail server. The try-out mailbox's is 10000 from the web server's, so that
        cabinets on neighbouring ports run side by side.
        """
        mailbox_port = self.PORT + 10_000 if self.PORT < 55_000 else self.PORT - 10_000
        return self.MAIL_PORT or (mailbox_port if self.uses_mailbox else 25)

    @property
    def mail_server(self) -> str:
        """Host of the mail server."""
        return self.MAIL_SERVER or "127.0.0.1"

    @property
    def call_detail_delay_hours(self) -> int:
        """«по истечении суток»: 24 unless set, none in the demo."""
        if self.CALL_DETAIL_DELAY_HOURS >= 0:
            return self.CALL_DETAIL_DELAY_HOURS
        return 0 if self.DEMO else 24

    @property
    def second_factor(self) -> str:
        """Who must have a second factor: none, operator or all."""
        return self.SECOND_FACTOR or ("none" if self.DEMO else "operator")

    @property
    def min_free_percent(self) -> int:
        """How much of the disk must be free for an order to be taken; 0: whatever there is."""
        if self.MIN_FREE_PERCENT >= 0:
            return self.MIN_FREE_PERCENT
        return 0 if self.DEMO else 10


def _is_address(url: str) -> bool:
    """Whether pages can stand below `url`: a scheme, a host, a port that is one, no query."""
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0  # which raises for what is no port
    except ValueError:
        return False
    return is_whole and parts.scheme in {"http", "https"} and not (parts.query or parts.fragment)


def _convert(name: str, kind: type, text: str) -> object:
    if kind is bool:
        if text.lower() not in {"0", "1", "true", "false", "yes", "no", "on", "off"}:
            raise ConfigError(f"{PREFIX}{name}: 0 or 1, not {text!r}")
        return text.lower() in {"1", "true", "yes", "on"}
    if kind is int:
        try:
            return int(text)
        except ValueError as error:
            raise ConfigError(f"{PREFIX}{name}: a whole number, not {text!r}") from error
    return text
