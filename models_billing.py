"""Tables of money: tariffs, whose they are, and what the calls of a month come to. Row-level facts
only, as in `models.py`. Money is whole numbers: micros of a rouble for prices and calls, kopecks
for fees and sums.
"""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    DateField,
    ForeignKeyField,
    IntegerField,
)

import models
from domain.money import PLACES, Rounding
from domain.rating.states import VersionState
from models import (
    BaseModel,
    Client,
    JsonField,
    Subscriber,
    TenantModel,
    TenantPart,
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
)
CLUSTERED_MODELS = (*models.CLUSTERED_MODELS, UsageMonth, UsageDay)
