"""Users who see chosen numbers of their company and not all of them."""

from peewee import CompositeKey, ForeignKeyField, Model, SqliteDatabase

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

    class Subscriber(Model):
        class Meta:
            database = db
            table_name = "subscriber"

    class UserScope(Model):
        user = ForeignKeyField(User, unique=True, on_delete="CASCADE")
        client = ForeignKeyField(Client, on_delete="CASCADE", index=False)
        set_at = UtcDateTimeField()
        narrowed_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "user_scope"

    class ScopeSubscriber(Model):
        user = ForeignKeyField(User, on_delete="CASCADE", index=False)
        subscriber = ForeignKeyField(Subscriber, on_delete="CASCADE")

        class Meta:
            database = db
            table_name = "scope_subscriber"
            primary_key = CompositeKey("user", "subscriber")

    ScopeSubscriber._meta.without_rowid = isinstance(db, SqliteDatabase)
    db.create_tables([UserScope, ScopeSubscriber])


def down(migrator, db):
    for table in ("scope_subscriber", "user_scope"):
        migrator.migrate(migrator.drop_table(table))
