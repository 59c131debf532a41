"""Tables. Row-level facts and named queries only: no rules, no mail, no formatting."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

from peewee import (
    OP,
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    DatabaseProxy,
    DateField,
    DateTimeField,
    Expression,
    Field,
    ForeignKeyField,
    IntegerField,
    Model,
    ModelSelect,
    SmallIntegerField,
    TextField,
)

from domain.imports import ImportState
from domain.orders import OPEN_STATES, MailState, OrderState
from domain.roles import Role

db = DatabaseProxy()


class UtcDateTimeField(DateTimeField):
    """Aware UTC in Python, naive UTC in the table (SQLite and PostgreSQL alike)."""

    def db_value(self, value: datetime | None) -> Any:
        if value is not None:
            if value.tzinfo is None:
                raise ValueError("naive datetime")
            value = value.astimezone(UTC).replace(tzinfo=None)
        return super().db_value(value)

    def python_value(self, value: Any) -> datetime | None:
        value = super().python_value(value)
        return value and value.replace(tzinfo=UTC)


class JsonField(TextField):
    """Any JSON value, kept as text."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)


class BaseModel(Model):
    """What all tables share."""

    class Meta:
        database = db
        legacy_table_names = False


class UnscopedQuery(RuntimeError):
    """A client's table was asked without saying whose rows, while answering a web request."""


_guarded: ContextVar[bool] = ContextVar("tenant_guard", default=False)


@contextmanager
def tenant_guard() -> Iterator[None]:
    """While inside, tables of clients are readable through `of(client)` or `across_clients()`
    only, and what belongs to their rows only by naming those rows.
    """
    token = _guarded.set(True)
    try:
        yield
    finally:
        _guarded.reset(token)


class Scope(Protocol):
    """What of a company its user may see: `services/scopes.py`."""

    def narrow(self, model: type[Model], query: ModelSelect) -> ModelSelect:
        """`query` over rows of `model` that are the company's, without what is not to be seen."""


_scope: ContextVar[Scope | None] = ContextVar("scope", default=None)


@contextmanager
def seen_through(scope: Scope | None) -> Iterator[None]:
    """While inside, `of(client)` gives what `scope` lets through; None: the whole company."""
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


def scope_in_force() -> Scope | None:
    """What of a company is seen now; None: all of it."""
    return _scope.get()


class TenantModel(BaseModel):
    """A table whose rows belong to a client: `of(client)` is the way in."""

    @classmethod
    def select(cls, *fields: Any) -> ModelSelect:
        if _guarded.get():
            raise UnscopedQuery(
                f"{cls.__name__}: use of(client), or across_clients() where that is meant"
            )
        return super().select(*fields)

    @classmethod
    def of(cls, client: "Client | int", *fields: Any) -> ModelSelect:
        """Rows of one client, as far as the scope that is in force lets them be seen."""
        query, scope = cls.of_company(client, *fields), scope_in_force()
        return query if scope is None else scope.narrow(cls, query)

    @classmethod
    def of_company(cls, client: "Client | int", *fields: Any) -> ModelSelect:
        """All rows of one client: for what is counted for the company, and shown to nobody."""
        return cls.across_clients(*fields).where(cls.client == client)

    @classmethod
    def across_clients(cls, *fields: Any) -> ModelSelect:
        """Rows of all clients: for the operator's pages, jobs and sign-in."""
        token = _guarded.set(False)
        try:
            return cls.select(*fields)
        finally:
            _guarded.reset(token)


class PartSelect(ModelSelect):
    """A query of a `TenantPart`, checked when it is turned into SQL: in a subquery too."""

    def __sql__(self, ctx: Any) -> Any:
        if _guarded.get() and not _names(self._where, self.model.owner()):
            raise UnscopedQuery(f"{self.model.__name__}: say whose rows in the WHERE")
        return super().__sql__(ctx)


def _names(condition: Any, owner: Field) -> bool:
    """Whether a WHERE lets through nothing but rows of named owners."""
    if not isinstance(condition, Expression):
        return False
    if condition.op == OP.AND:
        return _names(condition.lhs, owner) or _names(condition.rhs, owner)
    return condition.lhs is owner and condition.op in (OP.EQ, OP.IN)


class TenantPart(BaseModel):
    """A table whose rows belong to a row of a client's: `OWNER` names the column that says to
    which. Who names the owner has found it through its client before.
    """

    OWNER: ClassVar[str]

    @classmethod
    def owner(cls) -> Field:
        """The column that says whose a row is."""
        return cls._meta.fields[cls.OWNER]

    @classmethod
    def select(cls, *fields: Any) -> ModelSelect:
        return PartSelect(cls, fields or cls._meta.sorted_fields, is_default=not fields)


# --- Clients, users, subscribers ------------------------------------------------------------------


class Client(BaseModel):
    """A company served by the operator."""

    name = CharField()
    unp = CharField()  # УНП: nine digits
    account_no = CharField(unique=True)  # лицевой счёт
    contract_no = CharField(default="")
    contract_date = DateField(null=True)
    address = CharField(default="")
    bank = CharField(default="")  # of its account: bank's name, number without spaces, bank's code
    iban = CharField(default="")
    bic = CharField(default="")
    invoice_email = CharField()  # as it was added; what holds since: services/delivery.py
    detail_email = CharField()  # the address named in the connection application
    may_download = BooleanField(default=False)  # policy: files can be fetched in the cabinet too
    hide_incoming_peers = BooleanField(default=False)  # policy: reports show callers in part only
    language = CharField(default="")  # domain.languages, of letters to the company; "": ru
    created_at = UtcDateTimeField()


class Subscriber(TenantModel):
    """A number of a client: «SIP-соединение» (a trunk) or one of its «SIP-номер»s."""

    client = ForeignKeyField(Client, backref="subscribers", on_delete="RESTRICT")
    number = CharField()  # 375 and nine digits, or a short extension
    full_name = CharField(default="")
    name_folded = CharField(default="", index=True)  # casefolded, ё → е: SQLite folds ASCII only
    plan = CharField(default="SIP-номер")
    connection = ForeignKeyField("self", null=True, backref="numbers", on_delete="SET NULL")
    status = CharField(default="active")  # domain.subscribers.SubscriberStatus
    status_reason = CharField(default="")
    valid_from = UtcDateTimeField(null=True)  # null: always been
    valid_to = UtcDateTimeField(null=True)  # null: still is; half-open

    class Meta:
        indexes = (
            (("client", "number"), True),
            (("number",), False),
            (("client", "valid_to", "valid_from"), False),  # counts the numbers of a period
        )


class User(TenantModel):
    """A person who signs in. Without a client: one of the operator's own people."""

    login = CharField(unique=True)
    password_hash = CharField()
    role = CharField(choices=[(role.value, role.value) for role in Role])
    client = ForeignKeyField(Client, null=True, backref="users", on_delete="RESTRICT")
    full_name = CharField(default="")
    email = CharField(default="")  # confirmed by a letter; "": none is known
    is_active = BooleanField(default=True)
    language = CharField(default="")  # domain.languages; "": not chosen yet
    created_at = UtcDateTimeField()
    last_sign_in_at = UtcDateTimeField(null=True)

    class Meta:
        table_name = "cabinet_user"  # "user" is a word of PostgreSQL's own


class UserSession(BaseModel):
    """A signed-in browser. The cookie holds the token, this row only its hash."""

    token_hash = CharField(unique=True)
    user = ForeignKeyField(User, backref="sessions", on_delete="CASCADE")
    data = JsonField(default=dict)  # CSRF secret, messages, chosen SIP subscriber
    ip = CharField(default="")
    user_agent = CharField(default="")
    created_at = UtcDateTimeField()
    last_seen_at = UtcDateTimeField()
    expires_at = UtcDateTimeField(index=True)  # absolute; the idle limit runs from last_seen_at


class SignInFailure(BaseModel):
    """A wrong password, counted by account and by address; kept for the length of the window."""

    account_hash = CharField()
    ip = CharField()
    at = UtcDateTimeField(index=True)

    class Meta:
        indexes = ((("account_hash", "at"), False), (("ip", "at"), False))


class AuditEvent(BaseModel):
    """Who did what, when and from where. Only ever added to, and swept after `AUDIT_DAYS`."""

    at = UtcDateTimeField(index=True)
    event = CharField()  # services.audit.AuditEventKind
    user = ForeignKeyField(User, null=True, on_delete="SET NULL")
    client = ForeignKeyField(Client, null=True, on_delete="SET NULL")
    subject = CharField(default="")  # "order:17"
    ip = CharField(default="")
    detail = JsonField(default=dict)

    class Meta:
        indexes = ((("client", "at"), False),)


# --- Call records ---------------------------------------------------------------------------------


class Exchange(BaseModel):
    """A source of call records. With a client: that client's own exchange, whose short extensions
    are theirs.
    """

    name = CharField(unique=True)
    client = ForeignKeyField(Client, null=True, on_delete="RESTRICT")


class ImportRun(BaseModel):
    """One file of call records, by command or by upload, with its honest counts.

    An uploaded file waits in `uploads/<upload_key>`; its row is the truth that the queue hints at.
    """

    exchange = ForeignKeyField(Exchange, on_delete="RESTRICT")
    client = ForeignKeyField(Client, null=True, on_delete="RESTRICT")
    file_name = CharField()
    file_sha256 = CharField(index=True)
    format = CharField()
    zone = CharField()
    options = CharField(default="")  # digest of what else the reading depends on: dates, a map
    state = CharField(default=ImportState.RUNNING)
    user = ForeignKeyField(User, null=True, on_delete="SET NULL")  # who uploaded it
    upload_key = CharField(default="")  # "": not uploaded, or removed when its time was over
    dates = CharField(default="")  # domain.cdr.dates.DateOrder, of an uploaded file
    force_zone = BooleanField(default=False)  # somebody said that the zone is right all the same
    zone_error_s = IntegerField(default=0)  # by how much the times lie after the calls' ids
    size = BigIntegerField(default=0)  # bytes of the uploaded file, and how many are read
    bytes_read = BigIntegerField(default=0)
    attempts = IntegerField(default=0)  # of jobs at the present state
    lines = IntegerField(default=0)
    calls = IntegerField(default=0)
    accepted = IntegerField(default=0)
    duplicates = IntegerField(default=0)
    rejected = IntegerField(default=0)
    unmatched = IntegerField(default=0)
    skipped = IntegerField(default=0)
    first_at = BigIntegerField(null=True)  # UTC epoch seconds of the first and last call
    last_at = BigIntegerField(null=True)
    rejects = JsonField(default=list)  # the first hundred: [{"line", "reason"}]
    error = CharField(default="")
    started_at = UtcDateTimeField(index=True)
    finished_at = UtcDateTimeField(null=True)
    rolled_back_at = UtcDateTimeField(null=True)


class Call(TenantPart):
    """A call as one of our subscribers saw it. Times are UTC epoch seconds, durations seconds.

    A call between two own numbers is two rows: out for one, in for the other. Legs of one call
    (fail-over, transfer) are one row; the parts are kept in `legs`, so that a part arriving later
    changes the row as if it had come first.
    """

    OWNER = "subscriber_id"

    subscriber_id = IntegerField()
    started_at = BigIntegerField()
    seq = BigIntegerField()  # hash of (exchange, uid, direction): stable however often imported
    direction = SmallIntegerField()  # 0 out, 1 in: domain.cdr.record
    on_net = BooleanField()
    number = CharField()  # own number as it was in the record, normal form
    peer = CharField()  # the other side, normal form
    answered_at = BigIntegerField(null=True)
    duration_s = IntegerField()  # ring included
    billable_s = IntegerField()  # 0 unless answered
    disposition = SmallIntegerField()  # domain.cdr.record.Disposition
    exchange = ForeignKeyField(Exchange, on_delete="RESTRICT", index=False)
    uid = CharField()  # the exchange's id of the call
    legs = TextField()  # JSON: the parts this row is made of, each with the run that told it first
    import_run = ForeignKeyField(ImportRun, on_delete="RESTRICT", index=False)  # first of them
    rating = SmallIntegerField(null=True)  # domain.rating.states.CallRating; null: not looked at
    price = BigIntegerField(null=True)  # micros without VAT
    billed_s = IntegerField(null=True)  # seconds paid, by increments
    package_s = IntegerField(null=True)  # of them, paid by packages
    rate_id = IntegerField(null=True)  # of models_billing.TariffRate

    class Meta:
        primary_key = CompositeKey("subscriber_id", "started_at", "seq")
        indexes = ((("exchange", "uid", "subscriber_id", "direction"), True),)


class UnmatchedLeg(BaseModel):
    """A leg with no number of ours in it: kept, and matched later by `flask cdr rematch`."""

    exchange = ForeignKeyField(Exchange, on_delete="RESTRICT", index=False)
    client = ForeignKeyField(Client, null=True, on_delete="RESTRICT", index=False)
    uid = CharField()
    leg = BigIntegerField()
    record = TextField()  # JSON of the normal form
    import_run = ForeignKeyField(ImportRun, on_delete="RESTRICT", index=False)

    class Meta:
        primary_key = CompositeKey("exchange", "uid", "leg")


class WaitingHalf(BaseModel):
    """The answer or the end of a call whose other half has not come yet (SIP proxies write two
    events). Never both: when they meet they are a leg, and the row goes.
    """

    exchange = ForeignKeyField(Exchange, on_delete="RESTRICT", index=False)
    uid = CharField()
    leg = BigIntegerField()  # of the leg that the halves will make
    record = TextField()  # JSON: domain.cdr.record.Half
    lines = IntegerField()  # of the run that told it last: more than one for repeats
    import_run = ForeignKeyField(ImportRun, on_delete="RESTRICT", index=False)

    class Meta:
        primary_key = CompositeKey("exchange", "uid", "leg")


# --- Orders ---------------------------------------------------------------------------------------


class OrderDraft(TenantModel):
    """A wizard under way: raw answers by step, found by the key in the URL, gone after a day."""

    key = CharField(unique=True)
    client = ForeignKeyField(Client, on_delete="CASCADE")
    user = ForeignKeyField(User, on_delete="CASCADE")
    kind = CharField()
    answers = JsonField(default=dict)
    created_at = UtcDateTimeField(index=True)


class DraftSubscriber(TenantPart):
    """A tick: one row per chosen subscriber of a draft."""

    OWNER = "draft"

    draft = ForeignKeyField(OrderDraft, on_delete="CASCADE", index=False)
    subscriber = ForeignKeyField(Subscriber, on_delete="CASCADE", index=False)

    class Meta:
        primary_key = CompositeKey("draft", "subscriber")


class Order(TenantModel):
    """A request for a document, kept for ever: it is the truth that the queue only hints at."""

    client = ForeignKeyField(Client, backref="orders", on_delete="RESTRICT", index=False)
    user = ForeignKeyField(User, on_delete="RESTRICT")
    number = IntegerField()  # runs per client; `key` is what URLs carry
    key = CharField(unique=True)
    draft_key = CharField(unique=True)  # one draft makes one order, however often sent
    kind = CharField()
    params = JsonField()  # call detail: start, end, direction, format, excluded; invoice, format
    email = CharField()  # the address as it was when ordered
    language = CharField(default="ru")  # of its letter and file, as it was when ordered
    state = CharField(default=OrderState.ACCEPTED)
    done = IntegerField(default=0)  # rows written so far
    total = IntegerField(null=True)  # rows to write, once counted
    rows = IntegerField(null=True)  # rows in the finished file
    attempts = IntegerField(default=0)
    reason = CharField(default="")  # code of the last failure: texts.FAILURES
    detail = TextField(default="")  # the technical side of it, for the operator
    created_at = UtcDateTimeField()
    due_at = UtcDateTimeField()  # promised: not before
    made_at = UtcDateTimeField(null=True)  # «Сформировано»: set once, so that a file is made alike
    next_try_at = UtcDateTimeField(index=True)  # when a worker may take it
    lease_token = CharField(default="")
    lease_owner = CharField(default="")  # the process that holds the lease
    lease_until = UtcDateTimeField(null=True)
    heartbeat_at = UtcDateTimeField(null=True, index=True)  # the last sign of life from a worker
    closed_at = UtcDateTimeField(null=True)

    class Meta:
        table_name = "customer_order"
        indexes = ((("client", "number"), True), (("state", "next_try_at"), False))

    @property
    def is_open(self) -> bool:
        """Whether something is still to happen by itself."""
        return OrderState(self.state) in OPEN_STATES

    @classmethod
    def is_open_condition(cls) -> Expression:
        """`is_open` for a WHERE."""
        return cls.state.in_(OPEN_STATES)


class OrderSubscriber(TenantPart):
    """Whose calls an order is about: copied from the draft, never changed after."""

    OWNER = "order"

    order = ForeignKeyField(Order, on_delete="CASCADE", index=False)
    subscriber = ForeignKeyField(Subscriber, on_delete="RESTRICT", index=False)

    class Meta:
        primary_key = CompositeKey("order", "subscriber")


class Artefact(TenantPart):
    """A finished file of an order. A file without a row is garbage, a row without a file is made
    again.
    """

    OWNER = "order"

    order = ForeignKeyField(Order, backref="artefacts", on_delete="RESTRICT", index=False)
    ordinal = IntegerField(default=1)
    path = CharField()  # below <data dir>/art, of internal names only
    display_name = CharField()  # «Детализация … .xlsx»
    media_type = CharField()
    size = BigIntegerField()  # bytes
    sha256 = CharField()
    summary = JsonField(default=dict)  # sums for the letter and the pages, no numbers or names
    made_at = UtcDateTimeField()
    expires_at = UtcDateTimeField(index=True)
    removed_at = UtcDateTimeField(null=True)

    class Meta:
        indexes = ((("order", "ordinal"), True),)


class Mail(TenantPart):
    """The ledger of messages: a row for each, its bytes frozen in a file beside the artefact."""

    OWNER = "order"

    order = ForeignKeyField(Order, backref="mails", on_delete="RESTRICT", index=False)
    ordinal = IntegerField(default=1)
    message_id = CharField(unique=True)
    recipient = CharField()
    path = CharField()
    size = BigIntegerField()
    sha256 = CharField()
    state = CharField(default=MailState.READY)
    attempts = IntegerField(default=0)
    unknown_count = IntegerField(default=0)  # times the process died between DATA and this ledger
    smtp_reply = CharField(default="")
    created_at = UtcDateTimeField()
    sent_at = UtcDateTimeField(null=True)

    class Meta:
        indexes = ((("order", "ordinal"), True),)


class Notice(TenantModel):
    """A letter that no order asked for. It is made of this row at each attempt, alike each time:
    links that work are nowhere kept, neither here nor in a file.
    """

    key = CharField(unique=True)  # names it in its Message-ID
    client = ForeignKeyField(Client, null=True, on_delete="RESTRICT", index=False)
    kind = CharField()  # templates/mail/<kind>
    subject = CharField(default="", index=True)  # "delivery_setting:5": what it is about
    recipient = CharField()
    language = CharField(default="ru")  # of its words, and of what they fill
    words = JsonField(default=dict)  # what fills its templates; no address in full
    link_path = CharField(default="")  # below the public address
    link_seed = CharField(default="")  # what the link's token is made of: services/letter_links.py
    message_id = CharField(unique=True)
    state = CharField(default=MailState.READY)
    attempts = IntegerField(default=0)
    unknown_count = IntegerField(default=0)  # as in `Mail`
    reason = CharField(default="")  # code of the last failure: texts.FAILURES
    smtp_reply = CharField(default="")
    created_at = UtcDateTimeField()
    next_try_at = UtcDateTimeField(null=True, index=True)  # null: it is over
    expires_at = UtcDateTimeField(null=True)  # of no use after that
    lease_token = CharField(default="")
    lease_owner = CharField(default="")
    lease_until = UtcDateTimeField(null=True)
    sent_at = UtcDateTimeField(null=True)


ALL_MODELS = (
    Client,
    Subscriber,
    User,
    UserSession,
    SignInFailure,
    AuditEvent,
    Exchange,
    ImportRun,
    Call,
    UnmatchedLeg,
    WaitingHalf,
    OrderDraft,
    DraftSubscriber,
    Order,
    OrderSubscriber,
    Artefact,
    Mail,
    Notice,
)
CLUSTERED_MODELS = (
    Call,
    DraftSubscriber,
    OrderSubscriber,
    UnmatchedLeg,
    WaitingHalf,
)  # WITHOUT ROWID, on SQLite only
