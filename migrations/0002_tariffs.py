"""Tariffs, the prices of calls, and what the calls of days and months come to."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    DateField,
    ForeignKeyField,
    IntegerField,
    Model,
    SmallIntegerField,
    SqliteDatabase,
)

from models import JsonField, UtcDateTimeField

CALL_COLUMNS = {
    "rating": SmallIntegerField(null=True),
    "price": BigIntegerField(null=True),
    "billed_s": IntegerField(null=True),
    "package_s": IntegerField(null=True),
    "rate_id": IntegerField(null=True),
}


def up(migrator, db):
    on_sqlite = isinstance(db, SqliteDatabase)

    class Client(Model):
        class Meta:
            database = db
            table_name = "client"

    class Subscriber(Model):
        class Meta:
            database = db
            table_name = "subscriber"

    class TariffPlan(Model):
        name = CharField(unique=True)
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "tariff_plan"

    class TariffVersion(Model):
        plan = ForeignKeyField(TariffPlan, on_delete="RESTRICT", index=False)
        valid_from = DateField()
        state = CharField()
        rounding_mode = CharField()
        rounding_places = IntegerField()
        source = CharField()
        created_at = UtcDateTimeField()
        published_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "tariff_version"
            indexes = ((("plan", "valid_from"), True),)

    class TariffRate(Model):
        version = ForeignKeyField(TariffVersion, on_delete="CASCADE", index=False)
        prefix = CharField()
        origin = CharField()
        name = CharField()
        destination_group = CharField()
        connect_fee = BigIntegerField()
        free_s = IntegerField()
        grace_s = IntegerField()
        minimum_s = IntegerField()
        cap = BigIntegerField(null=True)
        steps = JsonField()
        windows = JsonField()
        valid_from = DateField(null=True)
        valid_to = DateField(null=True)

        class Meta:
            database = db
            table_name = "tariff_rate"
            indexes = ((("version", "prefix"), False),)

    class TariffPackage(Model):
        version = ForeignKeyField(TariffVersion, on_delete="CASCADE", index=False)
        ordinal = IntegerField()
        code = CharField()
        name = CharField()
        quota_s = IntegerField()
        is_shared = BooleanField()
        groups = JsonField()
        overage = JsonField()

        class Meta:
            database = db
            table_name = "tariff_package"
            indexes = ((("version", "code"), True),)

    class TariffFee(Model):
        version = ForeignKeyField(TariffVersion, on_delete="CASCADE", index=False)
        code = CharField()
        name = CharField()
        is_monthly = BooleanField()
        is_per_client = BooleanField()
        amount = BigIntegerField()
        ranges = JsonField()
        is_volume = BooleanField()
        service = CharField()

        class Meta:
            database = db
            table_name = "tariff_fee"
            indexes = ((("version", "code"), True),)

    class PlanAssignment(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
        subscriber = ForeignKeyField(Subscriber, null=True, on_delete="RESTRICT", index=False)
        plan = ForeignKeyField(TariffPlan, on_delete="RESTRICT", index=False)
        valid_from = DateField()

        class Meta:
            database = db
            table_name = "plan_assignment"
            indexes = ((("client", "subscriber", "valid_from"), True),)

    class VatRate(Model):
        service = CharField()
        valid_from = DateField()
        percent = IntegerField()

        class Meta:
            database = db
            table_name = "vat_rate"
            indexes = ((("service", "valid_from"), True),)

    class UsageMonth(Model):
        subscriber_id = IntegerField()
        month = IntegerField()
        destination_group = CharField()
        calls = IntegerField()
        seconds = BigIntegerField()
        billed_s = BigIntegerField()
        package_s = BigIntegerField()
        micros = BigIntegerField()
        unrated = IntegerField()

        class Meta:
            database = db
            table_name = "usage_month"
            primary_key = CompositeKey("subscriber_id", "month", "destination_group")

    class UsageDay(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
        day = IntegerField()
        destination_group = CharField()
        calls = IntegerField()
        seconds = BigIntegerField()
        billed_s = BigIntegerField()
        package_s = BigIntegerField()
        micros = BigIntegerField()
        unrated = IntegerField()

        class Meta:
            database = db
            table_name = "usage_day"
            primary_key = CompositeKey("client", "day", "destination_group")

    UsageMonth._meta.without_rowid = UsageDay._meta.without_rowid = on_sqlite
    db.create_tables(
        [
            TariffPlan,
            TariffVersion,
            TariffRate,
            TariffPackage,
            TariffFee,
            PlanAssignment,
            VatRate,
            UsageMonth,
            UsageDay,
        ]
    )
    migrator.migrate(
        *(migrator.add_column("call", name, field) for name, field in CALL_COLUMNS.items())
    )


def down(migrator, db):
    for name in CALL_COLUMNS:
        migrator.migrate(migrator.drop_column("call", name))
    for table in (
        "usage_day",
        "usage_month",
        "vat_rate",
        "plan_assignment",
        "tariff_fee",
        "tariff_package",
        "tariff_rate",
        "tariff_version",
        "tariff_plan",
    ):
        migrator.migrate(migrator.drop_table(table))
