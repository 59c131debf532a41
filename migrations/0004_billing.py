"""Invoices and what is paid beside the calls: fees once, discounts, instalments, payments."""

from peewee import (
    BigIntegerField,
    CharField,
    CompositeKey,
    DateField,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
    TextField,
)

from models import JsonField, UtcDateTimeField

FROZEN = ("invoice", "invoice_line", "invoice_subscriber")
REFUSAL = "an invoice that was given out never changes: correct it by a credit note"


def up(migrator, db):
    class Client(Model):
        class Meta:
            database = db
            table_name = "client"

    class Subscriber(Model):
        class Meta:
            database = db
            table_name = "subscriber"

    class User(Model):
        class Meta:
            database = db
            table_name = "cabinet_user"

    class BillingFailure(Model):
        client = ForeignKeyField(Client, on_delete="CASCADE", index=False)
        period = DateField()
        reason = CharField()
        detail = TextField(default="")
        count = IntegerField(default=0)
        at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "billing_failure"
            indexes = ((("client", "period"), True),)

    db.create_tables([BillingFailure])

    class BillingRun(Model):
        period = DateField()
        state = CharField(default="running")
        formed = IntegerField(default=0)
        known = IntegerField(default=0)
        failed = IntegerField(default=0)
        started_at = UtcDateTimeField()
        finished_at = UtcDateTimeField(null=True)
        user = ForeignKeyField(User, null=True, on_delete="SET NULL")

        class Meta:
            database = db
            table_name = "billing_run"

    db.create_tables([BillingRun])

    class DeliverySetting(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
        method = CharField()
        email = CharField(default="")
        receiver = CharField(default="")
        state = CharField()
        user = ForeignKeyField(User, null=True, on_delete="SET NULL")
        asked_at = UtcDateTimeField()
        confirm_hash = CharField(default="")
        cancel_hash = CharField(default="")
        confirm_until = UtcDateTimeField(null=True)
        confirmed_at = UtcDateTimeField(null=True)
        effective_at = UtcDateTimeField(null=True)
        closed_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "delivery_setting"
            indexes = ((("client", "effective_at"), False),)

    db.create_tables([DeliverySetting])

    class Discount(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT")
        name = CharField()
        percent = IntegerField()
        valid_from = DateField()
        valid_to = DateField(null=True)

        class Meta:
            database = db
            table_name = "discount"

    db.create_tables([Discount])

    class InstalmentPlan(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT")
        subscriber = ForeignKeyField(Subscriber, null=True, on_delete="RESTRICT")
        contract_no = CharField()
        goods = CharField()
        serial_no = CharField(default="")
        starts_on = DateField()
        price = BigIntegerField()
        first_payment = BigIntegerField(default=0)
        payer = CharField(default="client")
        service = CharField(default="goods")
        closed_on = DateField(null=True)
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "instalment_plan"
            indexes = ((("client", "contract_no"), True),)

    db.create_tables([InstalmentPlan])

    class Instalment(Model):
        plan = ForeignKeyField(InstalmentPlan, on_delete="CASCADE", index=False)
        ordinal = IntegerField()
        due_on = DateField(index=True)
        amount = BigIntegerField()
        invoice_id = IntegerField(null=True)

        class Meta:
            database = db
            table_name = "instalment"
            indexes = ((("plan", "ordinal"), True),)

    db.create_tables([Instalment])

    class Invoice(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
        period = DateField()
        ordinal = IntegerField(default=0)
        series = CharField()
        year = IntegerField()
        number = IntegerField()
        key = CharField(unique=True)
        corrects = ForeignKeyField("self", null=True, on_delete="RESTRICT")
        issued_on = DateField()
        issued_at = UtcDateTimeField()
        due_on = DateField()
        net = BigIntegerField()
        vat = BigIntegerField()
        total = BigIntegerField()
        opening = BigIntegerField()
        paid = BigIntegerField()
        closing = BigIntegerField()
        content = TextField()
        previous_hash = CharField()
        content_hash = CharField()
        until_run = IntegerField()
        open_runs = JsonField(default=list)
        delivery_method = CharField()
        delivery_email = CharField()
        run = ForeignKeyField(BillingRun, null=True, on_delete="RESTRICT")

        class Meta:
            database = db
            table_name = "invoice"
            indexes = (
                (("client", "period", "ordinal"), True),
                (("series", "year", "number"), True),
            )

    db.create_tables([Invoice])

    class InvoiceLine(Model):
        invoice = ForeignKeyField(Invoice, on_delete="RESTRICT", index=False)
        ordinal = IntegerField()
        kind = CharField()
        code = CharField(default="")
        name = CharField()
        quantity = IntegerField()
        seconds = BigIntegerField(default=0)
        net = BigIntegerField()
        vat_percent = IntegerField()
        service = CharField()

        class Meta:
            database = db
            table_name = "invoice_line"
            indexes = ((("invoice", "ordinal"), True),)

    db.create_tables([InvoiceLine])

    class InvoiceSeries(Model):
        series = CharField()
        year = IntegerField()
        last_number = IntegerField(default=0)
        last_hash = CharField(default="")

        class Meta:
            database = db
            table_name = "invoice_series"
            indexes = ((("series", "year"), True),)

    db.create_tables([InvoiceSeries])

    class InvoiceSubscriber(Model):
        invoice = ForeignKeyField(Invoice, on_delete="RESTRICT", index=False)
        subscriber = ForeignKeyField(Subscriber, on_delete="RESTRICT", index=False)
        number = CharField()
        full_name = CharField()
        plan = CharField()
        sums = JsonField()
        net = BigIntegerField()

        class Meta:
            database = db
            table_name = "invoice_subscriber"
            primary_key = CompositeKey("invoice", "subscriber")

    InvoiceSubscriber._meta.without_rowid = isinstance(db, SqliteDatabase)
    db.create_tables([InvoiceSubscriber])

    class OneOffCharge(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
        subscriber = ForeignKeyField(Subscriber, null=True, on_delete="RESTRICT")
        day = DateField()
        name = CharField()
        amount = BigIntegerField()
        service = CharField(default="telecom")
        created_at = UtcDateTimeField()
        user = ForeignKeyField(User, null=True, on_delete="SET NULL")
        invoice_id = IntegerField(null=True)

        class Meta:
            database = db
            table_name = "one_off_charge"
            indexes = ((("client", "day"), False),)

    db.create_tables([OneOffCharge])

    class Payment(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
        paid_on = DateField()
        amount = BigIntegerField()
        document_no = CharField(default="")
        document_on = DateField(null=True)
        method = CharField(default="transfer")
        purpose = CharField(default="")
        key = CharField(unique=True)
        created_at = UtcDateTimeField()
        user = ForeignKeyField(User, null=True, on_delete="SET NULL")
        invoice_id = IntegerField(null=True)

        class Meta:
            database = db
            table_name = "payment"
            indexes = ((("client", "paid_on"), False),)

    db.create_tables([Payment])

    _freeze(db)


def _freeze(db):
    """Whatever comes by, ORM or SQL, cannot change an invoice or take it away."""
    if isinstance(db, SqliteDatabase):
        for table in FROZEN:
            for verb in ("UPDATE", "DELETE"):
                db.execute_sql(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
                    f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
                )
        return
    db.execute_sql(
        "CREATE FUNCTION refuse_to_change_invoices() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
    )
    for table in FROZEN:
        db.execute_sql(
            f"CREATE TRIGGER {table}_frozen BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_invoices()"
        )


def down(migrator, db):
    migrator.migrate(migrator.drop_table("payment"))
    migrator.migrate(migrator.drop_table("one_off_charge"))
    migrator.migrate(migrator.drop_table("invoice_subscriber"))
    migrator.migrate(migrator.drop_table("invoice_series"))
    migrator.migrate(migrator.drop_table("invoice_line"))
    migrator.migrate(migrator.drop_table("invoice"))
    migrator.migrate(migrator.drop_table("instalment"))
    migrator.migrate(migrator.drop_table("instalment_plan"))
    migrator.migrate(migrator.drop_table("discount"))
    migrator.migrate(migrator.drop_table("delivery_setting"))
    migrator.migrate(migrator.drop_table("billing_run"))
    migrator.migrate(migrator.drop_table("billing_failure"))

    if not isinstance(db, SqliteDatabase):
        db.execute_sql("DROP FUNCTION refuse_to_change_invoices()")
