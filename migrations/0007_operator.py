"""What the operator does about money: calls that are waived, and months that are to be billed."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    DateField,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
)

from models import JsonField, UtcDateTimeField


def up(migrator, db):
    class Client(Model):
        class Meta:
            database = db
            table_name = "client"

    class User(Model):
        class Meta:
            database = db
            table_name = "cabinet_user"

    class BillingRun(Model):
        class Meta:
            database = db
            table_name = "billing_run"

    class BillingRequest(Model):
        period = DateField(index=True)
        client = ForeignKeyField(Client, null=True, on_delete="CASCADE", index=False)
        is_dry = BooleanField()
        state = CharField(default="asked")
        user = ForeignKeyField(User, null=True, on_delete="SET NULL")
        asked_at = UtcDateTimeField()
        finished_at = UtcDateTimeField(null=True)
        attempts = IntegerField(default=0)
        clients = IntegerField(default=0)
        formed = IntegerField(default=0)
        known = IntegerField(default=0)
        failed = IntegerField(default=0)
        total = BigIntegerField(default=0)
        failures = JsonField(default=list)
        error = CharField(default="")
        run = ForeignKeyField(BillingRun, null=True, on_delete="RESTRICT")

        class Meta:
            database = db
            table_name = "billing_request"

    db.create_tables([BillingRequest])

    class Waiver(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
        month = DateField()
        reason = CharField()
        calls = IntegerField(default=0)
        seconds = BigIntegerField(default=0)
        user = ForeignKeyField(User, null=True, on_delete="SET NULL")
        at = UtcDateTimeField()
        undone_at = UtcDateTimeField(null=True)
        undone_by = ForeignKeyField(User, null=True, on_delete="SET NULL")

        class Meta:
            database = db
            table_name = "waiver"
            indexes = ((("client", "month"), False),)

    db.create_tables([Waiver])

    class WaivedCall(Model):
        subscriber_id = IntegerField()
        seq = BigIntegerField()
        waiver = ForeignKeyField(Waiver, on_delete="RESTRICT")

        class Meta:
            database = db
            table_name = "waived_call"
            primary_key = CompositeKey("subscriber_id", "seq")

    WaivedCall._meta.without_rowid = isinstance(db, SqliteDatabase)
    db.create_tables([WaivedCall])


def down(migrator, db):
    for table in ("waived_call", "waiver", "billing_request"):
        migrator.migrate(migrator.drop_table(table))
