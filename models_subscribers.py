"""Tables of what is done with subscribers beside calling: whom a user has chosen to look at, and
which numbers are in the call centre. Row-level facts only, as in `models.py`.
"""

from peewee import BooleanField, CharField, CompositeKey, ForeignKeyField, IntegerField

from models import Client, JsonField, Subscriber, TenantModel, User, UtcDateTimeField


class SubscriberChoice(TenantModel):
    """The SIP subscriber a user looks at: without a row it is the whole company."""

    user = ForeignKeyField(User, unique=True, on_delete="CASCADE")
    client = ForeignKeyField(Client, on_delete="CASCADE", index=False)
    subscriber = ForeignKeyField(Subscriber, on_delete="CASCADE")
    chosen_at = UtcDateTimeField()


class CentreNumber(TenantModel):
    """A number of «Мобильный колл-центр»; the operator keeps the list."""

    client = ForeignKeyField(Client, on_delete="RESTRICT")
    subscriber = ForeignKeyField(Subscriber, unique=True, on_delete="CASCADE")
    kind = CharField()  # domain.call_centre.MemberKind
    group_name = CharField(default="")
    added_at = UtcDateTimeField()


class CentreHours(TenantModel):
    """When a client's call centre works. Without a row: `domain.call_centre.USUAL_HOURS`."""

    client = ForeignKeyField(Client, unique=True, on_delete="CASCADE")
    week = JsonField()  # seven pairs of minutes of the day, or null for a day off; from Monday on
    works_on_holidays = BooleanField(default=False)
    set_at = UtcDateTimeField()


class CentreDay(TenantModel):
    """What a day's calls of a call centre come to, so that a month need not be read again. It holds
    as long as `stamp` is what the day's calls and the list of numbers are.
    """

    client = ForeignKeyField(Client, on_delete="CASCADE", index=False)
    day = IntegerField()  # ordinal, in the operator's zone
    stamp = CharField()
    figures = JsonField()  # services.call_centre_days
    callers = JsonField()  # who was missed, and with whom somebody spoke or tried to

    class Meta:
        primary_key = CompositeKey("client", "day")


MODELS = (SubscriberChoice, CentreNumber, CentreHours, CentreDay)
CLUSTERED_MODELS = (CentreDay,)
