"""Whom a user has chosen to look at, and the call centre: its numbers, hours and days."""

from peewee import (
    BooleanField,
    CharField,
    CompositeKey,
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

    class Subscriber(Model):
        class Meta:
            database = db
            table_name = "subscriber"

    class SubscriberChoice(Model):
        user = ForeignKeyField(User, unique=True, on_delete="CASCADE")
        client = ForeignKeyField(Client, on_delete="CASCADE", index=False)
        subscriber = ForeignKeyField(Subscriber, on_delete="CASCADE")
        chosen_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "subscriber_choice"

    class CentreNumber(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT")
        subscriber = ForeignKeyField(Subscriber, unique=True, on_delete="CASCADE")
        kind = CharField()
        group_name = CharField(default="")
        added_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "centre_number"

    class CentreHours(Model):
        client = ForeignKeyField(Client, unique=True, on_delete="CASCADE")
        week = JsonField()
        works_on_holidays = BooleanField(default=False)
        set_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "centre_hours"

    class CentreDay(Model):
        client = ForeignKeyField(Client, on_delete="CASCADE", index=False)
        day = IntegerField()
        stamp = CharField()
        figures = JsonField()
        callers = JsonField()

        class Meta:
            database = db
            table_name = "centre_day"
            primary_key = CompositeKey("client", "day")

    CentreDay._meta.without_rowid = isinstance(db, SqliteDatabase)
    db.create_tables([SubscriberChoice, CentreNumber, CentreHours, CentreDay])


def down(migrator, db):
    for table in ("centre_day", "centre_hours", "centre_number", "subscriber_choice"):
        migrator.migrate(migrator.drop_table(table))
