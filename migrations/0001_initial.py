"""The tables of the first release."""

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
    TextField,
)

from models import JsonField, UtcDateTimeField


def up(migrator, db):
    class Client(Model):
        name = CharField()
        unp = CharField()
        account_no = CharField(unique=True)
        contract_no = CharField(default="")
        contract_date = DateField(null=True)
        address = CharField(default="")
        invoice_email = CharField()
        detail_email = CharField()
        may_download = BooleanField(default=False)
        hide_incoming_peers = BooleanField(default=False)
        created_at = UtcDateTimeField()

        class Meta:
            database = db
            table_name = "client"

    db.create_tables([Client])

    class User(Model):
        login = CharField(unique=True)
        password_hash = CharField()
        role = CharField()
        client = ForeignKeyField(Client, null=True, on_delete="RESTRICT")
        full_name = CharField(default="")
        is_active = BooleanField(default=True)
        created_at = UtcDateTimeField()
        last_sign_in_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "cabinet_user"

    db.create_tables([User])

    class Order(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT", index=False)
        user = ForeignKeyField(User, on_delete="RESTRICT")
        number = IntegerField()
        key = CharField(unique=True)
        draft_key = CharField(unique=True)
        kind = CharField()
        params = JsonField()
        email = CharField()
        state = CharField(default="accepted")
        done = IntegerField(default=0)
        total = IntegerField(null=True)
        rows = IntegerField(null=True)
        attempts = IntegerField(default=0)
        reason = CharField(default="")
        detail = TextField(default="")
        created_at = UtcDateTimeField()
        due_at = UtcDateTimeField()
        made_at = UtcDateTimeField(null=True)
        next_try_at = UtcDateTimeField(index=True)
        lease_token = CharField(default="")
        lease_owner = CharField(default="")
        lease_until = UtcDateTimeField(null=True)
        heartbeat_at = UtcDateTimeField(null=True)
        closed_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "customer_order"
            indexes = ((("client", "number"), True), (("state", "next_try_at"), False))

    db.create_tables([Order])

    class Artefact(Model):
        order = ForeignKeyField(Order, on_delete="RESTRICT", index=False)
        ordinal = IntegerField(default=1)
        path = CharField()
        display_name = CharField()
        media_type = CharField()
        size = BigIntegerField()
        sha256 = CharField()
        summary = JsonField(default=dict)
        made_at = UtcDateTimeField()
        expires_at = UtcDateTimeField(index=True)
        removed_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "artefact"
            indexes = ((("order", "ordinal"), True),)

    db.create_tables([Artefact])

    class AuditEvent(Model):
        at = UtcDateTimeField(index=True)
        event = CharField()
        user = ForeignKeyField(User, null=True, on_delete="SET NULL")
        client = ForeignKeyField(Client, null=True, on_delete="SET NULL")
        subject = CharField(default="")
        ip = CharField(default="")
        detail = JsonField(default=dict)

        class Meta:
            database = db
            table_name = "audit_event"
            indexes = ((("client", "at"), False),)

    db.create_tables([AuditEvent])

    class Exchange(Model):
        name = CharField(unique=True)
        client = ForeignKeyField(Client, null=True, on_delete="RESTRICT")

        class Meta:
            database = db
            table_name = "exchange"

    db.create_tables([Exchange])

    class ImportRun(Model):
        exchange = ForeignKeyField(Exchange, on_delete="RESTRICT")
        client = ForeignKeyField(Client, null=True, on_delete="RESTRICT")
        file_name = CharField()
        file_sha256 = CharField(index=True)
        format = CharField()
        zone = CharField()
        options = CharField(default="")
        state = CharField(default="running")
        user = ForeignKeyField(User, null=True, on_delete="SET NULL")
        upload_key = CharField(default="")
        dates = CharField(default="")
        force_zone = BooleanField(default=False)
        zone_error_s = IntegerField(default=0)
        size = BigIntegerField(default=0)
        bytes_read = BigIntegerField(default=0)
        attempts = IntegerField(default=0)
        lines = IntegerField(default=0)
        calls = IntegerField(default=0)
        accepted = IntegerField(default=0)
        duplicates = IntegerField(default=0)
        rejected = IntegerField(default=0)
        unmatched = IntegerField(default=0)
        skipped = IntegerField(default=0)
        first_at = BigIntegerField(null=True)
        last_at = BigIntegerField(null=True)
        rejects = JsonField(default=list)
        error = CharField(default="")
        started_at = UtcDateTimeField(index=True)
        finished_at = UtcDateTimeField(null=True)
        rolled_back_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "import_run"

    db.create_tables([ImportRun])

    class Call(Model):
        subscriber_id = IntegerField()
        started_at = BigIntegerField()
        seq = BigIntegerField()
        direction = SmallIntegerField()
        on_net = BooleanField()
        number = CharField()
        peer = CharField()
        answered_at = BigIntegerField(null=True)
        duration_s = IntegerField()
        billable_s = IntegerField()
        disposition = SmallIntegerField()
        exchange = ForeignKeyField(Exchange, on_delete="RESTRICT", index=False)
        uid = CharField()
        legs = TextField()
        import_run = ForeignKeyField(ImportRun, on_delete="RESTRICT", index=False)

        class Meta:
            database = db
            table_name = "call"
            primary_key = CompositeKey("subscriber_id", "started_at", "seq")
            indexes = ((("exchange", "uid", "subscriber_id", "direction"), True),)

    Call._meta.without_rowid = isinstance(db, SqliteDatabase)
    if not isinstance(db, SqliteDatabase):  # by months, each with the unique index of its own
        Call._meta.table_settings = "PARTITION BY RANGE (started_at)"
        Call._meta.indexes = []
    db.create_tables([Call])
    if not isinstance(db, SqliteDatabase):
        db.execute_sql('CREATE TABLE call_default PARTITION OF "call" DEFAULT')
        db.execute_sql(
            "CREATE UNIQUE INDEX call_default_once ON call_default"
            " (exchange_id, uid, subscriber_id, direction)"
        )

    class OrderDraft(Model):
        key = CharField(unique=True)
        client = ForeignKeyField(Client, on_delete="CASCADE")
        user = ForeignKeyField(User, on_delete="CASCADE")
        kind = CharField()
        answers = JsonField(default=dict)
        created_at = UtcDateTimeField(index=True)

        class Meta:
            database = db
            table_name = "order_draft"

    db.create_tables([OrderDraft])

    class Subscriber(Model):
        client = ForeignKeyField(Client, on_delete="RESTRICT")
        number = CharField()
        full_name = CharField(default="")
        name_folded = CharField(index=True, default="")
        plan = CharField(default="SIP-номер")
        connection = ForeignKeyField("self", null=True, on_delete="SET NULL")
        status = CharField(default="active")
        status_reason = CharField(default="")
        valid_from = UtcDateTimeField(null=True)
        valid_to = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "subscriber"
            indexes = ((("client", "number"), True), (("number",), False))

    db.create_tables([Subscriber])

    class DraftSubscriber(Model):
        draft = ForeignKeyField(OrderDraft, on_delete="CASCADE", index=False)
        subscriber = ForeignKeyField(Subscriber, on_delete="CASCADE", index=False)

        class Meta:
            database = db
            table_name = "draft_subscriber"
            primary_key = CompositeKey("draft", "subscriber")

    DraftSubscriber._meta.without_rowid = isinstance(db, SqliteDatabase)
    db.create_tables([DraftSubscriber])

    class Mail(Model):
        order = ForeignKeyField(Order, on_delete="RESTRICT", index=False)
        ordinal = IntegerField(default=1)
        message_id = CharField(unique=True)
        recipient = CharField()
        path = CharField()
        size = BigIntegerField()
        sha256 = CharField()
        state = CharField(default="ready")
        attempts = IntegerField(default=0)
        unknown_count = IntegerField(default=0)
        smtp_reply = CharField(default="")
        created_at = UtcDateTimeField()
        sent_at = UtcDateTimeField(null=True)

        class Meta:
            database = db
            table_name = "mail"
            indexes = ((("order", "ordinal"), True),)

    db.create_tables([Mail])

    class OrderSubscriber(Model):
        order = ForeignKeyField(Order, on_delete="CASCADE", index=False)
        subscriber = ForeignKeyField(Subscriber, on_delete="RESTRICT", index=False)

        class Meta:
            database = db
            table_name = "order_subscriber"
            primary_key = CompositeKey("order", "subscriber")

    OrderSubscriber._meta.without_rowid = isinstance(db, SqliteDatabase)
    db.create_tables([OrderSubscriber])

    class SignInFailure(Model):
        account_hash = CharField()
        ip = CharField()
        at = UtcDateTimeField(index=True)

        class Meta:
            database = db
            table_name = "sign_in_failure"
            indexes = ((("account_hash", "at"), False), (("ip", "at"), False))

    db.create_tables([SignInFailure])

    class UnmatchedLeg(Model):
        exchange = ForeignKeyField(Exchange, on_delete="RESTRICT", index=False)
        client = ForeignKeyField(Client, null=True, on_delete="RESTRICT", index=False)
        uid = CharField()
        leg = BigIntegerField()
        record = TextField()
        import_run = ForeignKeyField(ImportRun, on_delete="RESTRICT", index=False)

        class Meta:
            database = db
            table_name = "unmatched_leg"
            primary_key = CompositeKey("exchange", "uid", "leg")

    UnmatchedLeg._meta.without_rowid = isinstance(db, SqliteDatabase)
    db.create_tables([UnmatchedLeg])

    class UserSession(Model):
        token_hash = CharField(unique=True)
        user = ForeignKeyField(User, on_delete="CASCADE")
        data = JsonField(default=dict)
        ip = CharField(default="")
        user_agent = CharField(default="")
        created_at = UtcDateTimeField()
        last_seen_at = UtcDateTimeField()
        expires_at = UtcDateTimeField(index=True)

        class Meta:
            database = db
            table_name = "user_session"

    db.create_tables([UserSession])

    class WaitingHalf(Model):
        exchange = ForeignKeyField(Exchange, on_delete="RESTRICT", index=False)
        uid = CharField()
        leg = BigIntegerField()
        record = TextField()
        lines = IntegerField()
        import_run = ForeignKeyField(ImportRun, on_delete="RESTRICT", index=False)

        class Meta:
            database = db
            table_name = "waiting_half"
            primary_key = CompositeKey("exchange", "uid", "leg")

    WaitingHalf._meta.without_rowid = isinstance(db, SqliteDatabase)
    db.create_tables([WaitingHalf])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("waiting_half"))
    migrator.migrate(migrator.drop_table("user_session"))
    migrator.migrate(migrator.drop_table("unmatched_leg"))
    migrator.migrate(migrator.drop_table("sign_in_failure"))
    migrator.migrate(migrator.drop_table("order_subscriber"))
    migrator.migrate(migrator.drop_table("mail"))
    migrator.migrate(migrator.drop_table("draft_subscriber"))
    migrator.migrate(migrator.drop_table("subscriber"))
    migrator.migrate(migrator.drop_table("order_draft"))
    migrator.migrate(migrator.drop_table("call"))
    migrator.migrate(migrator.drop_table("import_run"))
    migrator.migrate(migrator.drop_table("exchange"))
    migrator.migrate(migrator.drop_table("audit_event"))
    migrator.migrate(migrator.drop_table("artefact"))
    migrator.migrate(migrator.drop_table("customer_order"))
    migrator.migrate(migrator.drop_table("cabinet_user"))
    migrator.migrate(migrator.drop_table("client"))
