"""People's own addresses, links in letters, second factors, and attempts that are counted."""

from peewee import BigIntegerField, CharField, ForeignKeyField, Model

from models import UtcDateTimeField

TABLES = ("second_step", "recovery_code", "second_factor", "attempt", "access_link")


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("cabinet_user", "email", CharField(default="")),
    )

    class User(Model):
        class Meta:
            database = db
            table_name = "cabinet_user"

    class AccessLink(Model):
        key = CharField(unique=True)
        kind = CharField()
        user = ForeignKeyField(User, on_delete="CASCADE")
        token_hash = CharField(unique=True)
        email = CharField()
        created_at = UtcDateTimeField()
        expires_at = UtcDateTimeField(index=True)
        closed_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "access_link"

    class Attempt(Model):
        kind = CharField()
        subject_hash = CharField()
        ip = CharField(default="")
        at = UtcDateTimeField(index=True)

        class Meta:
            database = db
            table_name = "attempt"
            indexes = ((("kind", "subject_hash", "at"), False), (("kind", "ip", "at"), False))

    class SecondFactor(Model):
        user = ForeignKeyField(User, unique=True, on_delete="CASCADE")
        key = CharField()
        created_at = UtcDateTimeField()
        confirmed_at = UtcDateTimeField(null=True)
        last_step = BigIntegerField(default=0)

        class Meta:
            database = db
            table_name = "second_factor"

    class RecoveryCode(Model):
        user = ForeignKeyField(User, on_delete="CASCADE", index=False)
        code_hash = CharField()
        used_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "recovery_code"
            indexes = ((("user", "code_hash"), True),)

    class SecondStep(Model):
        token_hash = CharField(unique=True)
        user = ForeignKeyField(User, on_delete="CASCADE")
        created_at = UtcDateTimeField()
        expires_at = UtcDateTimeField(index=True)

        class Meta:
            database = db
            table_name = "second_step"

    db.create_tables([AccessLink, Attempt, SecondFactor, RecoveryCode, SecondStep])


def down(migrator, db):
    migrator.migrate(
        *(migrator.drop_table(table) for table in TABLES),
        migrator.drop_column("cabinet_user", "email"),
    )
