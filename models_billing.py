"""Tables of money: tariffs, whose they are, and what the calls of a month come to. Row-level facts
only, as in `models.py`. Money is whole numbers: micros of a rouble for prices and calls, kopecks
for fees and sums.
"""

import secrets

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    DateField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

import models
from domain.billing.delivery import DeliveryPurpose
from domain.money import PLACES, Rounding
from domain.rating.states import VersionState
from models import (
    BaseModel,
    Client,
    JsonField,
    Subscriber,
    TenantModel,
    TenantPart,
    User,
    UtcDateTimeField,
)

# --- Tariffs --------------------------------------------------------------------------------------


class TariffPlan(BaseModel):
    """A tariff by its name, which subscribers carry in `plan`."""

    name = CharField(unique=True)
    created_at = UtcDateTimeField()


class TariffVersion(BaseModel):
    """A plan as it is from a day on (of the operator's zone). Published, it does not change."""

    plan = ForeignKeyField(TariffPlan, backref="versions", on_delete="RESTRICT", index=False)
    valid_from = DateField()
    state = CharField(default=VersionState.DRAFT)
    rounding_mode = CharField(default=Rounding.HALF_UP)
    rounding_places = IntegerField(default=PLACES)
    source = CharField(default="")  # name of the file it was read from
    created_at = UtcDateTimeField()
    published_at = UtcDateTimeField(null=True)

    class Meta:
        indexes = ((("plan", "valid_from"), True),)


class TariffRate(BaseModel):
    """The price of calls to numbers that begin with `prefix`: domain.rating.tariff.Rate."""

    version = ForeignKeyField(TariffVersion, on_delete="CASCADE", index=False)
    prefix = CharField()
    origin = CharField(default="")
    name = CharField(default="")
    destination_group = CharField(default="")
    connect_fee = BigIntegerField(default=0)  # micros, as all prices here
    free_s = IntegerField(default=0)
    grace_s = IntegerField(default=0)
    minimum_s = IntegerField(default=0)
    cap = BigIntegerField(null=True)
    steps = JsonField()  # [[from_s, price, per_s, increment_s]]
    windows = JsonField(default=list)  # [[[days], from_s, to_s, [steps], name]]
    valid_from = DateField(null=True)  # both days included
    valid_to = DateField(null=True)

    class Meta:
        indexes = ((("version", "prefix"), False),)


class TariffPackage(BaseModel):
    """Seconds included each month: domain.rating.tariff.Package."""

    version = ForeignKeyField(TariffVersion, on_delete="CASCADE", index=False)
    ordinal = IntegerField()  # the order in which packages pay
    code = CharField()
    name = CharField(default="")
    quota_s = IntegerField()
    is_shared = BooleanField(default=False)
    groups = JsonField(default=list)
    overage = JsonField(default=list)  # steps

    class Meta:
        indexes = ((("version", "code"), True),)


class TariffFee(BaseModel):
    """What is paid beside the calls: each month, or once."""

    version = ForeignKeyField(TariffVersion, on_delete="CASCADE", index=False)
    code = CharField()
    name = CharField()
    is_monthly = BooleanField(default=True)  # else once, when the plan begins
    is_per_client = BooleanField(default=False)  # else for each subscriber
    amount = BigIntegerField(default=0)  # kopecks without VAT, of one unit
    ranges = JsonField(default=list)  # [[up_to, micros per unit, micros]]: by how many units
    is_volume = BooleanField(default=False)  # all units at the price of the range reached
    service = CharField(default="telecom")  # decides on the VAT

    class Meta:
        indexes = ((("version", "code"), True),)


class PlanAssignment(TenantModel):
    """From a day on a client, or one of its subscribers, has a plan of its own choice. Without one
    a subscriber has the plan that it names.
    """

    client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
    subscriber = ForeignKeyField(Subscriber, null=True, on_delete="RESTRICT", index=False)
    plan = ForeignKeyField(TariffPlan, on_delete="RESTRICT", index=False)
    valid_from = DateField()

    class Meta:
        indexes = ((("client", "subscriber", "valid_from"), True),)


class VatRate(BaseModel):
    """VAT on a kind of service from a day on."""

    service = CharField()  # telecom, goods …
    valid_from = DateField()
    percent = IntegerField()  # hundredths of a per cent

    class Meta:
        indexes = ((("service", "valid_from"), True),)


# --- What calls come to ---------------------------------------------------------------------------


class UsageMonth(TenantPart):
    """Calls of a subscriber in a month (of the operator's zone) by destination group: kept beside
    the calls, in their transactions.
    """

    OWNER = "subscriber_id"

    subscriber_id = IntegerField()
    month = IntegerField()  # year * 12 + month - 1
    destination_group = CharField()  # "in": incoming
    calls = IntegerField()
    seconds = BigIntegerField()  # billable
    billed_s = BigIntegerField()  # as paid, by increments
    package_s = BigIntegerField()
    micros = BigIntegerField()
    unrated = IntegerField()  # answered calls without a price

    class Meta:
        primary_key = CompositeKey("subscriber_id", "month", "destination_group")


class UsageDay(TenantModel):
    """The same of a client by day."""

    client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
    day = IntegerField()  # date.toordinal() in the operator's zone
    destination_group = CharField()
    calls = IntegerField()
    seconds = BigIntegerField()
    billed_s = BigIntegerField()
    package_s = BigIntegerField()
    micros = BigIntegerField()
    unrated = IntegerField()

    class Meta:
        primary_key = CompositeKey("client", "day", "destination_group")


class Waiver(TenantModel):
    """Calls of a client's month that have no price, and that the operator does without."""

    client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
    month = DateField()  # its first day
    reason = CharField()  # the operator's own words
    calls = IntegerField(default=0)
    seconds = BigIntegerField(default=0)
    user = ForeignKeyField(User, null=True, on_delete="SET NULL")
    at = UtcDateTimeField()
    undone_at = UtcDateTimeField(null=True)
    undone_by = ForeignKeyField(User, null=True, on_delete="SET NULL")

    class Meta:
        indexes = ((("client", "month"), False),)


class WaivedCall(TenantPart):
    """A call of a waiver in force, by what stays the same however often it is stored: whoever
    prices calls looks here first.
    """

    OWNER = "subscriber_id"

    subscriber_id = IntegerField()
    seq = BigIntegerField()
    waiver = ForeignKeyField(Waiver, on_delete="RESTRICT")

    class Meta:
        primary_key = CompositeKey("subscriber_id", "seq")


# --- What is paid beside the calls ----------------------------------------------------------------


class OneOffCharge(TenantModel):
    """Something paid once, on a day: an installation, a correction (then negative)."""

    client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
    subscriber = ForeignKeyField(Subscriber, null=True, on_delete="RESTRICT")
    day = DateField()
    name = CharField()
    amount = BigIntegerField()  # kopecks without VAT
    service = CharField(default="telecom")
    created_at = UtcDateTimeField()
    user = ForeignKeyField(User, null=True, on_delete="SET NULL")
    invoice_id = IntegerField(null=True)  # of the Invoice on which it stands

    class Meta:
        indexes = ((("client", "day"), False),)


class Discount(TenantModel):
    """So many per cent less on a client's invoices, in months that begin within its days."""

    client = ForeignKeyField(Client, on_delete="RESTRICT")
    name = CharField()
    percent = IntegerField()  # hundredths of a per cent
    valid_from = DateField()
    valid_to = DateField(null=True)  # included


class InstalmentPlan(TenantModel):
    """Goods that a client pays by and by: «рассрочка»."""

    client = ForeignKeyField(Client, on_delete="RESTRICT")
    subscriber = ForeignKeyField(Subscriber, null=True, on_delete="RESTRICT")
    contract_no = CharField()
    goods = CharField()
    serial_no = CharField(default="")
    starts_on = DateField()
    price = BigIntegerField()  # kopecks with VAT
    first_payment = BigIntegerField(default=0)
    payer = CharField(default="client")  # or "employee"
    service = CharField(default="goods")
    closed_on = DateField(null=True)  # paid before its time, or called off
    closed_as = CharField(default="")  # domain.billing.instalments.PlanEnd
    created_at = UtcDateTimeField()

    class Meta:
        indexes = ((("client", "contract_no"), True),)


class Instalment(TenantPart):
    """One part of an instalment plan."""

    OWNER = "plan"

    plan = ForeignKeyField(InstalmentPlan, backref="parts", on_delete="CASCADE", index=False)
    ordinal = IntegerField()
    due_on = DateField(index=True)
    amount = BigIntegerField()  # kopecks with VAT
    invoice_id = IntegerField(null=True)  # of the Invoice on which it stands

    class Meta:
        indexes = ((("plan", "ordinal"), True),)


class Payment(TenantModel):
    """Money received from a client (negative: given back)."""

    client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
    paid_on = DateField()
    amount = BigIntegerField()  # kopecks
    document_no = CharField(default="")  # of the payment order
    document_on = DateField(null=True)
    method = CharField(default="transfer")  # transfer, demand, erip, correction
    purpose = CharField(default="")
    key = CharField(unique=True)  # of the statement's line: the same line twice is one payment
    created_at = UtcDateTimeField()
    user = ForeignKeyField(User, null=True, on_delete="SET NULL")
    invoice_id = IntegerField(null=True)  # of the Invoice on which it stands

    class Meta:
        indexes = ((("client", "paid_on"), False),)


# --- Invoices -------------------------------------------------------------------------------------


class InvoiceSeries(BaseModel):
    """The last number given out of a series in a year, and the hash that the next carries on."""

    series = CharField()
    year = IntegerField()
    last_number = IntegerField(default=0)
    last_hash = CharField(default="")

    class Meta:
        indexes = ((("series", "year"), True),)


class BillingRun(BaseModel):
    """One forming of a month's invoices."""

    period = DateField()  # first day of the month
    state = CharField(default="running")  # running, done
    formed = IntegerField(default=0)
    known = IntegerField(default=0)  # clients that had theirs already
    failed = IntegerField(default=0)
    started_at = UtcDateTimeField()
    finished_at = UtcDateTimeField(null=True)
    user = ForeignKeyField(User, null=True, on_delete="SET NULL")


class BillingRequest(BaseModel):
    """Invoices of a month that somebody asked for on a page; jobs form them. The row is the truth
    that the queue hints at.
    """

    period = DateField(index=True)  # first day of the month
    client = ForeignKeyField(Client, null=True, on_delete="CASCADE", index=False)  # null: everybody
    is_dry = BooleanField()  # only look what would be formed
    state = CharField(default="asked")  # domain.billing.requests.RequestState
    user = ForeignKeyField(User, null=True, on_delete="SET NULL")
    asked_at = UtcDateTimeField()
    finished_at = UtcDateTimeField(null=True)
    attempts = IntegerField(default=0)
    clients = IntegerField(default=0)  # to be looked at
    formed = IntegerField(default=0)
    known = IntegerField(default=0)
    failed = IntegerField(default=0)
    total = BigIntegerField(default=0)  # kopecks of what was formed, or would be
    failures = JsonField(default=list)  # the first hundred: [[client, reason, count]]
    error = CharField(default="")
    run = ForeignKeyField(BillingRun, null=True, on_delete="RESTRICT")  # none of a dry one


class BillingFailure(TenantModel):
    """Why a client has no invoice for a month; gone when it has."""

    client = ForeignKeyField(Client, on_delete="CASCADE", index=False)
    period = DateField()
    reason = CharField()  # code: texts.BILLING_FAILURES
    detail = TextField(default="")  # for the operator
    count = IntegerField(default=0)  # of calls without a price
    at = UtcDateTimeField()

    class Meta:
        indexes = ((("client", "period"), True),)


class Invoice(TenantModel):
    """A document given out: frozen, by triggers too. `content` is all that stands on it."""

    client = ForeignKeyField(Client, backref="invoices", on_delete="RESTRICT", index=False)
    period = DateField()  # first day of the month
    ordinal = IntegerField(default=0)  # 0: the invoice; from 1 on its credit notes
    series = CharField()
    year = IntegerField()
    number = IntegerField()  # without gaps in its series and year
    key = CharField(unique=True)  # of `/verify/<key>`
    corrects = ForeignKeyField("self", null=True, on_delete="RESTRICT")
    issued_on = DateField()
    issued_at = UtcDateTimeField()
    due_on = DateField()
    net = BigIntegerField()  # kopecks, as all money here
    vat = BigIntegerField()
    total = BigIntegerField()
    opening = BigIntegerField()  # balance before: what the client owed
    paid = BigIntegerField()  # payments in the period
    closing = BigIntegerField()  # opening + total - paid
    content = TextField()  # canonical JSON: domain.billing.invoice.InvoiceContent
    previous_hash = CharField()
    content_hash = CharField()  # SHA-256 of the previous hash and the content
    until_run = IntegerField()  # the last import whose calls are on it
    open_runs = JsonField(default=list)  # of those before it, the ones that were not at their end
    delivery_method = CharField()  # as it stood when the invoice was formed
    delivery_email = CharField()
    run = ForeignKeyField(BillingRun, null=True, on_delete="RESTRICT")

    class Meta:
        indexes = (
            (("client", "period", "ordinal"), True),
            (("series", "year", "number"), True),
        )


class InvoiceLine(TenantPart):
    """A line of an invoice, as it stands on it."""

    OWNER = "invoice"

    invoice = ForeignKeyField(Invoice, backref="lines", on_delete="RESTRICT", index=False)
    ordinal = IntegerField()
    kind = CharField()  # domain.billing.invoice.LineKind
    code = CharField(default="")  # of the fee; the destination group of calls
    name = CharField()
    quantity = IntegerField()  # numbers, calls, pieces
    seconds = BigIntegerField(default=0)  # paid ones, of calls
    net = BigIntegerField()
    vat_percent = IntegerField()  # hundredths of a per cent
    service = CharField()

    class Meta:
        indexes = ((("invoice", "ordinal"), True),)


class InvoiceSubscriber(TenantPart):
    """What one number has on an invoice: the annex. Its sums make those of the lines."""

    OWNER = "invoice"

    invoice = ForeignKeyField(Invoice, on_delete="RESTRICT", index=False)
    subscriber = ForeignKeyField(Subscriber, on_delete="RESTRICT", index=False)
    number = CharField()
    full_name = CharField()
    plan = CharField()
    sums = JsonField()  # line's ordinal → [quantity, seconds, kopecks]
    net = BigIntegerField()

    class Meta:
        primary_key = CompositeKey("invoice", "subscriber")


class DeliverySetting(TenantModel):
    """How a client gets its documents of a purpose from a moment on: what was asked, and what
    became of it.
    """

    key = CharField(unique=True, default=lambda: secrets.token_urlsafe(12))  # of its pages
    client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
    purpose = CharField(default=DeliveryPurpose.BILLS)  # domain.billing.delivery
    method = CharField()  # domain.billing.delivery.DeliveryMethod
    email = CharField(default="")
    receiver = CharField(default="")  # who picks it up, by what right
    state = CharField()  # domain.billing.delivery.ChangeState
    user = ForeignKeyField(User, null=True, on_delete="SET NULL")
    asked_at = UtcDateTimeField()
    confirm_hash = CharField(default="", index=True)  # of the token in a letter to the new address
    cancel_hash = CharField(default="", index=True)  # of the token in letters to the old one
    confirm_until = UtcDateTimeField(null=True)
    confirmed_at = UtcDateTimeField(null=True)
    effective_at = UtcDateTimeField(null=True)  # 24 hours after it was confirmed
    closed_at = UtcDateTimeField(null=True)  # cancelled, or never confirmed

    class Meta:
        indexes = ((("client", "effective_at"), False),)


ALL_MODELS = (
    *models.ALL_MODELS,
    TariffPlan,
    TariffVersion,
    TariffRate,
    TariffPackage,
    TariffFee,
    PlanAssignment,
    VatRate,
    UsageMonth,
    UsageDay,
    Waiver,
    WaivedCall,
    OneOffCharge,
    Discount,
    InstalmentPlan,
    Instalment,
    Payment,
    InvoiceSeries,
    BillingRun,
    BillingRequest,
    BillingFailure,
    Invoice,
    InvoiceLine,
    InvoiceSubscriber,
    DeliverySetting,
)
CLUSTERED_MODELS = (
    *models.CLUSTERED_MODELS,
    UsageMonth,
    UsageDay,
    WaivedCall,
    InvoiceSubscriber,
)
