"""Statements of the bank that were sent, and payments that clients have told of."""

from peewee import (
    BigIntegerField,
    CharField,
    DateField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

from models import UtcDateTimeField


def up(migrator, db):
    class Client(Model):
        class Meta:
            database = db
            table_name = "client"

    class User(Model):
        class Meta:
            database = db
            table_name = "cabinet_user"

    class FeedbackThread(Model):
        class Meta:
            database = db
            table_name = "feedback_thread"

    class Payment(Model):
        class Meta:
            database = db
            table_name = "payment"

    class StatementFile(Model):
        key = CharField(unique=True)
        name = CharField()
        content = TextField()
        sha256 = CharField()
        user = ForeignKeyField(User, null=True, on_delete="SET NULL", index=False)
        received_at = UtcDateTimeField(index=True)
        booked_at = UtcDateTimeField(null=True)
        payments = IntegerField(default=0)
        total = BigIntegerField(default=0)

        class Meta:
            database = db
            table_name = "statement_file"

    class ToldPayment(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
        thread = ForeignKeyField(FeedbackThread, unique=True, on_delete="RESTRICT")
        document_no = CharField()
        document_on = DateField()
        amount = BigIntegerField()
        told_at = UtcDateTimeField()
        payment = ForeignKeyField(Payment, null=True, unique=True, on_delete="RESTRICT")
        arrived_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "told_payment"
            indexes = ((("client", "amount"), False),)

    db.create_tables([StatementFile, ToldPayment])


def down(migrator, db):
    for table in ("told_payment", "statement_file"):
        migrator.migrate(migrator.drop_table(table))
