"""A client with a row behind every page, and the address of every route: what sweeps go over."""

import hashlib
import shutil
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from email.message import EmailMessage

from commands.routes import describe
from domain.orders import MailState, OrderState
from domain.periods import month_start
from domain.rating.states import CallRating
from domain.roles import Role
from models import Artefact, Call, Client, ImportRun, Notice, Order, OrderDraft, User
from models_access import AccessLink
from models_billing import BillingRequest, DeliverySetting, InstalmentPlan, Invoice
from models_feedback import FeedbackFile, FeedbackThread
from models_payments import StatementFile
from services import (
    access_links,
    billing,
    clock,
    delivery_letters,
    instalments,
    letter_links,
    mailbox,
    scopes,
)
from services.access_links import LinkKind
from services.audit import By
from services.instalments import Purchase
from tests import factories
from tests.page import Browser

FILE = b"PK the file"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ANSWERS = {"direction": ["both"], "file_format": ["xlsx"]}


@dataclass
class World:
    """Rows of one client, and what the operator has of it."""

    app: object
    client: Client
    user: User
    operator: User
    order: Order  # sent, its file can be fetched
    draft: OrderDraft
    charge_draft: OrderDraft
    scope_draft: OrderDraft  # which numbers `colleague` is to see
    run: ImportRun
    asked: BillingRequest  # a look at what would be formed
    call: Call  # of a number of the client's
    invoice: Invoice  # of the month before
    billed_call: Call  # on it
    change: DeliverySetting  # of its delivery: waits to be confirmed
    detail_change: DeliverySetting  # of where its call details go
    letter: int  # number in the try-out mailbox
    thread: FeedbackThread  # settled
    sent_file: FeedbackFile  # in it
    held: Notice  # a letter that did not go out
    statement: StatementFile  # of the bank, only checked
    plan: InstalmentPlan  # no part of it is due
    colleague: User
    reset: AccessLink  # a letter of theirs about a forgotten password
    named: AccessLink  # and one that confirms their own address

    def browser(self, who):
        """A browser of "client", "operator" or "nobody"."""
        users = {"client": self.user, "operator": self.operator, "nobody": None}
        return Browser(self.app, users[who])

    def address(self, rule):
        """Address of a rule of the URL map, leading to a row that exists."""
        is_bill = rule.startswith("/bills/<key>/")
        call = self.billed_call if is_bill else self.call
        keys = {
            "<key>": self.invoice.key if "/bills/<key>/" in rule else self.key_of(rule),
            "<token>": self.token_of(rule),
            "<draft>": self.draft.key,
            "<order>": self.order.key,
            "<int:run>": str(self.run.id),
            "<int:file>": str(self.sent_file.id),
            "<int:asked>": str(self.asked.id),
            "<int:client>": str(self.client.id),
            "<int:user>": str(self.colleague.id),
            "<month>": f"{self.asked.period:%Y-%m}",
            "<int:number>": str(self.letter),
            "<int:subscriber>": str(call.subscriber_id),
            "<int:started>": str(call.started_at),
            "<int:seq>": str(call.seq),
            "<int:plan>": str(self.plan.id),
            "<int:part>": "1" if "/html/" in rule else "2",
            "<path:filename>": "cabinet.css",
        }
        for argument, value in keys.items():
            rule = rule.replace(argument, value)
        assert "<" not in rule, f"{rule}: teach `World.address` its argument"
        return rule

    def key_of(self, rule):
        """What a rule's key names."""
        rows = {
            "/delivery/": self.change,
            "/detail-address/": self.detail_change,
            "/feedback/": self.thread,
            "/statements/": self.statement,
            "/operator/letters/": self.held,
            "/account/numbers/": self.scope_draft,
            "/charges/": self.charge_draft,
            "call-detail": self.draft,
        }
        return next((row.key for part, row in rows.items() if part in rule), self.order.key)

    def token_of(self, rule):
        """What the link in a letter ends with."""
        if not rule.startswith("/bills/"):
            link = self.named if "/address/" in rule else self.reset
            with self.app.app_context():
                return letter_links.token_of(access_links.seed_of(link))
        kind = "confirm" if "/confirm/" in rule else "cancel"
        with self.app.app_context():
            return getattr(delivery_letters, f"{kind}_token")(self.change)

    def pages(self, who):
        """Addresses that `who` can open, without files and what machines ask for."""
        side = {"client": ("client", "public"), "operator": ("operator", "public")}[who]
        rows = [row for row in describe(self.app) if "GET" in row["methods"]]
        left_out = ("static", "health.live", "health.ready", "mailbox.file", "mailbox.source")
        for row in rows:
            role = self.user.role if who == "client" else self.operator.role
            is_open = row["public"] or role in row["roles"]
            if row["scope"] in side and is_open and row["endpoint"] not in left_out:
                yield row["endpoint"], self.address(row["rule"])


def build(app, **values):
    """Make the rows; `values` are fields of the client."""
    now = clock.now()
    client = factories.make_client(may_download=True, **values)
    user = factories.make_user(client, full_name="Иванов Иван")
    number = factories.make_subscriber(client)
    run = factories.make_import_run(
        client=client, lines=2, accepted=1, rejected=1, rejects=[{"line": 2, "reason": "bad_time"}]
    )
    order = factories.make_order(
        client,
        [number],
        user=user,
        state=OrderState.SENT,
        rows=1,
        created_at=now,
        closed_at=now,
    )
    add_file(app, order, "Детализация № 5.xlsx")
    billed_call, invoice = _bill(app, client, number, run, now)
    day = now.date().isoformat()
    draft = OrderDraft.create(
        client=client,
        user=user,
        kind="call_detail",
        key=f"draft-of-{user.id}",
        answers={"period": {"start": [day], "end": [day], **ANSWERS}},
        created_at=now,
    )
    charge_draft = OrderDraft.create(
        client=client,
        user=user,
        kind="charges",
        key=f"charges-of-{user.id}",
        answers={"form": {"file_format": ["xlsx"]}},
        created_at=now,
    )
    thread = factories.make_thread(client, user=user, state="solved", created_at=now, last_at=now)
    with app.app_context():  # its links are made with the secret
        change = factories.make_delivery_change(
            client, user=user, asked_at=now, key=f"change-of-{user.id}"
        )
        detail_change = factories.make_delivery_change(
            client, user=user, asked_at=now, key=f"detail-of-{user.id}", purpose="detail"
        )
    last = f"\U0010fffd{user.id}"  # stands last in lists, whatever the others are called
    colleague = factories.make_user(client, role=Role.VIEWER, login=last)
    return World(
        app=app,
        colleague=colleague,
        reset=add_link(app, LinkKind.RESET, colleague, now),
        named=add_link(app, LinkKind.ADDRESS, colleague, now),
        client=client,
        user=user,
        operator=factories.make_user(role=Role.OPERATOR_ADMINISTRATOR),
        order=order,
        draft=draft,
        charge_draft=charge_draft,
        scope_draft=OrderDraft.create(
            client=client,
            user=user,
            kind=scopes.DRAFT_KIND,
            key=f"scope-of-{user.id}",
            answers={"whose": {"user": [str(colleague.id)]}},
            created_at=now,
        ),
        run=run,
        asked=BillingRequest.create(
            period=month_start(now.date(), 1),
            is_dry=True,
            state="done",
            user=user,
            asked_at=now,
            formed=1,
            failed=1,
            failures=[[client.id, "unrated_calls", 1]],
        ),
        change=change,
        detail_change=detail_change,
        call=factories.make_call(number, now, import_run=run),
        invoice=invoice,
        billed_call=billed_call,
        letter=add_letter(app),
        held=Notice.create(
            client=client,
            key=f"held-{user.id}",
            kind="feedback_answer",
            recipient="i@romashka.by",
            words={"number": 1},
            message_id=f"<held{user.id}@localhost>",
            state=MailState.FAILED,
            reason="mail_refused",
            created_at=now,
        ),
        statement=factories.make_statement(client, now),
        plan=_sell(client, now),
        thread=thread,
        sent_file=factories.make_feedback_file(
            thread.messages.get(), app.config["CABINET"].feedback_dir, b"%PDF-1.4"
        ),
    )


def _sell(client, now):
    """Goods of three parts, the first of which is due in a month."""
    first = month_start(now.date(), -1)
    told = Purchase(contract_no="Р-7", goods="Шлюз", price=300, months=3, starts_on=first)
    return instalments.add(client, told, by=By(now=now))


def _bill(app, client, number, run, now):
    """A call of the month before, and the bill on which it stands."""
    first = month_start(now.date(), 1)
    began = datetime.combine(first, time(12), now.tzinfo) + timedelta(days=9)
    price = {"rating": CallRating.PRICED, "price": 60_000, "billed_s": 60, "package_s": 0}
    call = factories.make_call(
        number, began, answered_at=int(began.timestamp()), import_run=run, **price
    )
    with app.app_context():
        billing.form_month(first, client=client, now=now)
    return call, Invoice.of(client).get()


def add_link(app, kind, user, now):
    """A link in a letter to a user."""
    link = AccessLink(
        key=f"{kind}-of-{user.id}",
        kind=kind,
        user=user,
        email="i@romashka.by",
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    with app.app_context():
        link.token_hash = letter_links.hash_of(letter_links.token_of(access_links.seed_of(link)))
    link.save(force_insert=True)
    return link


def add_file(app, order, name):
    """Give an order a made file of that name."""
    folder = app.config["CABINET"].artefact_dir / order.key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "1.xlsx").write_bytes(FILE)
    now = clock.now()
    return Artefact.create(
        order=order,
        path=f"{order.key}/1.xlsx",
        display_name=name,
        media_type=XLSX,
        size=len(FILE),
        sha256=hashlib.sha256(FILE).hexdigest(),
        made_at=now,
        expires_at=now + timedelta(days=7),
    )


def add_letter(app):
    """A letter in the try-out mailbox: text, HTML and a file."""
    letter = EmailMessage()
    letter["Subject"], letter["From"] = "Детализация", "cabinet@localhost"
    letter["To"] = "somebody@example.org"
    letter.set_content("Здравствуйте")
    letter.add_alternative("<p style='color:red'>Здравствуйте</p>", subtype="html")
    letter.add_attachment(FILE, "application", "octet-stream", filename="Счёт №5.pdf")
    return mailbox.keep(app.config["CABINET"].data_dir / "mail", letter.as_bytes())


def clear(app):
    """Remove the files that `build` has left in the data dir."""
    for folder in ("mail", "art", "feedback"):
        shutil.rmtree(app.config["CABINET"].data_dir / folder, ignore_errors=True)
