"""Tables of «Обратная связь»: threads between a client and the operator, what was said in them and
the files sent along. Row-level facts only, as in `models.py`.
"""

from peewee import (
    BigIntegerField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    SmallIntegerField,
    TextField,
)

from domain.feedback import Side, ThreadState
from models import Client, Order, Subscriber, TenantModel, TenantPart, User, UtcDateTimeField
from models_billing import Invoice


class FeedbackThread(TenantModel):
    """What a client has asked about, until it is settled. Never removed."""

    client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
    user = ForeignKeyField(User, on_delete="RESTRICT")  # who opened it
    number = IntegerField()  # runs per client; `key` is what URLs carry
    key = CharField(unique=True)
    subject = CharField()  # domain.feedback.Subject
    state = CharField(default=ThreadState.NEW)
    order = ForeignKeyField(Order, null=True, on_delete="RESTRICT", index=False)  # what it is about
    invoice = ForeignKeyField(Invoice, null=True, on_delete="RESTRICT", index=False)
    subscriber = ForeignKeyField(Subscriber, null=True, on_delete="RESTRICT", index=False)
    call_started_at = BigIntegerField(null=True)  # of a call of `subscriber`, UTC epoch seconds
    call_seq = BigIntegerField(null=True)
    rating = SmallIntegerField(null=True)  # 1 to 5, given by the client when it was settled
    created_at = UtcDateTimeField()
    last_at = UtcDateTimeField()  # of the last message that the client can see
    waits_since = UtcDateTimeField(null=True, index=True)  # for the operator; null: it does not

    class Meta:
        indexes = (
            (("client", "number"), True),
            (("client", "last_at"), False),
            (("state", "last_at"), False),
        )


class FeedbackMessage(TenantPart):
    """Something said in a thread. `side` says by whom, and a note is for the operator alone."""

    OWNER = "thread"

    thread = ForeignKeyField(FeedbackThread, backref="messages", on_delete="RESTRICT")
    user = ForeignKeyField(User, on_delete="RESTRICT", index=False)
    side = CharField(default=Side.CLIENT)
    text = TextField()
    form_key = CharField(unique=True)  # one form makes one message, however often sent
    created_at = UtcDateTimeField()

    class Meta:
        indexes = ((("user", "created_at"), False),)  # counts those of the last hour


class FeedbackFile(TenantPart):
    """A file sent with a message: `<data dir>/feedback/<name>`, by a name that nobody chose."""

    OWNER = "thread"

    thread = ForeignKeyField(FeedbackThread, on_delete="RESTRICT")
    message = ForeignKeyField(FeedbackMessage, backref="files", on_delete="RESTRICT")
    name = CharField(unique=True)
    display_name = CharField()  # as the sender called it, made harmless
    kind = CharField()  # domain.attachments.FileKind
    size = BigIntegerField()  # bytes
    sha256 = CharField()


class FeedbackSeen(TenantPart):
    """How far somebody of the client's has read a thread."""

    OWNER = "thread"

    thread = ForeignKeyField(FeedbackThread, on_delete="CASCADE", index=False)
    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    message_id = IntegerField()  # the last one that was shown

    class Meta:
        primary_key = CompositeKey("thread", "user")


MODELS = (FeedbackThread, FeedbackMessage, FeedbackFile, FeedbackSeen)
CLUSTERED_MODELS = (FeedbackSeen,)
