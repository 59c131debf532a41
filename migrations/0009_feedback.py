"""Threads of «Обратная связь», what is said in them, their files, and how far they are read."""

from peewee import (
    BigIntegerField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    SmallIntegerField,
    SqliteDatabase,
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

    class Order(Model):
        class Meta:
            database = db
            table_name = "customer_order"

    class Invoice(Model):
        class Meta:
            database = db
            table_name = "invoice"

    class Subscriber(Model):
        class Meta:
            database = db
            table_name = "subscriber"

    class FeedbackThread(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
        user = ForeignKeyField(User, on_delete="RESTRICT")
        number = IntegerField()
        key = CharField(unique=True)
        subject = CharField()
        state = CharField(default="new")
        order = ForeignKeyField(Order, null=True, on_delete="RESTRICT", index=False)
        invoice = ForeignKeyField(Invoice, null=True, on_delete="RESTRICT", index=False)
        subscriber = ForeignKeyField(Subscriber, null=True, on_delete="RESTRICT", index=False)
        call_started_at = BigIntegerField(null=True)
        call_seq = BigIntegerField(null=True)
        rating = SmallIntegerField(null=True)
        created_at = UtcDateTimeField()
        last_at = UtcDateTimeField()
        waits_since = UtcDateTimeField(null=True, index=True)

        class Meta:
            database = db
            table_name = "feedback_thread"
            indexes = (
                (("client", "number"), True),
                (("client", "last_at"), False),
                (("state", "last_at"), False),
            )

    class FeedbackMessage(Model):
        thread = ForeignKeyField(FeedbackThread, on_delete="RESTRICT")
        user = ForeignKeyField(User, on_delete="RESTRICT", index=False)
        side = CharField(default="client")
        text = TextField()
        form_key = CharField(unique=True)
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "feedback_message"
            indexes = ((("user", "created_at"), False),)

    class FeedbackFile(Model):
        thread = ForeignKeyField(FeedbackThread, on_delete="RESTRICT")
        message = ForeignKeyField(FeedbackMessage, on_delete="RESTRICT")
        name = CharField(unique=True)
        display_name = CharField()
        kind = CharField()
        size = BigIntegerField()
        sha256 = CharField()

        class Meta:
            database = db
            table_name = "feedback_file"

    class FeedbackSeen(Model):
        thread = ForeignKeyField(FeedbackThread, on_delete="CASCADE", index=False)
        user = ForeignKeyField(User, on_delete="CASCADE", index=False)
        message_id = IntegerField()

        class Meta:
            database = db
            table_name = "feedback_seen"
            primary_key = CompositeKey("thread", "user")

    FeedbackSeen._meta.without_rowid = isinstance(db, SqliteDatabase)
    db.create_tables([FeedbackThread, FeedbackMessage, FeedbackFile, FeedbackSeen])


def down(migrator, db):
    for table in ("feedback_seen", "feedback_file", "feedback_message", "feedback_thread"):
        migrator.migrate(migrator.drop_table(table))
