"""Tables of money on its way: statements of the bank that the operator's people have sent, and
payments that clients have told of. What has come in is `models_billing.Payment`.
"""

from peewee import BigIntegerField, CharField, DateField, ForeignKeyField, IntegerField, TextField

from models import BaseModel, Client, TenantModel, User, UtcDateTimeField
from models_billing import Payment
from models_feedback import FeedbackThread


class StatementFile(BaseModel):
    """A bank's statement between the look at it and the booking, as it came. Removed after a time:
    what it brought are payments.
    """

    key = CharField(unique=True)  # of its page
    name = CharField()  # as the sender called it
    content = TextField()
    sha256 = CharField()
    user = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
    received_at = UtcDateTimeField(index=True)
    booked_at = UtcDateTimeField(null=True)  # last; null: only looked at
    payments = IntegerField(default=0)  # that it has brought
    total = BigIntegerField(default=0)  # kopecks of them


class ToldPayment(TenantModel):
    """«Сообщить об оплате»: what a client says it has paid, until that has come in."""

    client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
    thread = ForeignKeyField(FeedbackThread, unique=True, on_delete="RESTRICT")
    document_no = CharField()
    document_on = DateField()
    amount = BigIntegerField()  # kopecks
    told_at = UtcDateTimeField()
    payment = ForeignKeyField(Payment, null=True, unique=True, on_delete="RESTRICT")
    arrived_at = UtcDateTimeField(null=True)  # when it was found; null: on its way

    class Meta:
        indexes = ((("client", "amount"), False),)


MODELS = (StatementFile, ToldPayment)
