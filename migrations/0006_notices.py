"""Letters that no order asked for, and what finds a change of delivery by the links in them."""

import secrets

from peewee import CharField, ForeignKeyField, IntegerField, Model

from models import JsonField, UtcDateTimeField

KEY = ("key",)
HASHES = (("confirm_hash",), ("cancel_hash",))


def up(migrator, db):
    class Client(Model):
        class Meta:
            database = db
            table_name = "client"

    class Notice(Model):
        key = CharField(unique=True)
        client = ForeignKeyField(Client, null=True, on_delete="RESTRICT", index=False)
        kind = CharField()
        subject = CharField(default="", index=True)
        recipient = CharField()
        words = JsonField(default=dict)
        link_path = CharField(default="")
        link_seed = CharField(default="")
        message_id = CharField(unique=True)
        state = CharField(default="ready")
        attempts = IntegerField(default=0)
        unknown_count = IntegerField(default=0)
        reason = CharField(default="")
        smtp_reply = CharField(default="")
        created_at = UtcDateTimeField()
        next_try_at = UtcDateTimeField(null=True, index=True)
        expires_at = UtcDateTimeField(null=True)
        lease_token = CharField(default="")
        lease_owner = CharField(default="")
        lease_until = UtcDateTimeField(null=True)
        sent_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "notice"

    db.create_tables([Notice])
    _name_changes(migrator, db)


def _name_changes(migrator, db):
    class DeliverySetting(Model):
        key = CharField(default="")

        class Meta:
            database = db
            table_name = "delivery_setting"

    migrator.migrate(migrator.add_column("delivery_setting", "key", CharField(default="")))
    for row in list(DeliverySetting.select()):
        values = {"key": secrets.token_urlsafe(12)}
        DeliverySetting.update(values).where(DeliverySetting.id == row.id).execute()
    migrator.migrate(
        migrator.add_index("delivery_setting", KEY, unique=True),
        *(migrator.add_index("delivery_setting", columns) for columns in HASHES),
    )


def down(migrator, db):
    migrator.migrate(
        *(
            migrator.drop_index("delivery_setting", f"delivery_setting_{column}")
            for (column,) in (KEY, *HASHES)
        ),
        migrator.drop_column("delivery_setting", "key"),
        migrator.drop_table("notice"),
    )
