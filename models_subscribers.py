"""Tables of what is done with subscribers beside calling: whom a user has chosen to look at, which
numbers a user may see, and which are in the call centre. Row-level facts only, as in `models.py`.
"""

from peewee import BooleanField, CharField, CompositeKey, ForeignKeyField, IntegerField

from models import Client, JsonField, Subscriber, TenantModel, TenantPart, User, UtcDateTimeField


class SubscriberChoice(TenantModel):
    """The SIP subscriber a user looks at: without a row it is the whole company."""

    user = ForeignKeyField(User, unique=True, on_delete="CASCADE")
    client = ForeignKeyField(Client, on_delete="CASCADE", index=False)
    subscriber = ForeignKeyField(Subscriber, on_delete="CASCADE")
    chosen_at = UtcDateTimeField()


class UserScope(TenantModel):
    """A user who sees chosen numbers of the company: without a row it is the whole company."""

    user = ForeignKeyField(User, unique=True, on_delete="CASCADE")
    client = ForeignKeyField(Client, on_delete="CASCADE", index=False)
    set_at = UtcDateTimeField()
    narrowed_at = UtcDateTimeField()  # when a number was last taken away


class ScopeSubscriber(TenantPart):
    """A number that a user of `UserScope` may see."""

    OWNER = "user"

    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    subscriber = ForeignKeyField(Subscriber, on_delete="CASCADE")

    class Meta:
        primary_key = CompositeKey("user", "subscriber")


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


MODELS = (SubscriberChoice, UserScope, ScopeSubscriber, CentreNumber, CentreHours, CentreDay)
CLUSTERED_MODELS = (ScopeSubscriber, CentreDay)
