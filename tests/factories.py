"""Rows for tests: functions with defaults, overridden by keyword. The database is the test's."""

import hashlib
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from domain.billing.delivery import ChangeState, DeliveryMethod
from domain.cdr.record import CallDirection, Disposition
from domain.orders import OrderKind
from domain.roles import Role
from domain.subscribers import fold
from models import (
    Call,
    Client,
    Exchange,
    ImportRun,
    Order,
    OrderSubscriber,
    Subscriber,
    User,
)
from models_billing import DeliverySetting
from models_feedback import FeedbackFile, FeedbackMessage, FeedbackThread
from models_payments import StatementFile
from services import delivery_letters, letter_links, usage
from services.passwords import hash_password

_serial = count(1)
NOON = datetime(2026, 3, 10, 12, tzinfo=ZoneInfo("Europe/Minsk"))


def make_client(**values) -> Client:
    """A client with an account number of its own."""
    n = next(_serial)
    return Client.create(
        **{
            "name": f"ООО «Клиент {n}»",
            "unp": f"{190000000 + n}",
            "account_no": f"{n:08}",
            "invoice_email": f"bills{n}@example.by",
            "detail_email": f"detail{n}@example.by",
            "created_at": NOON,
            **values,
        }
    )


def make_subscriber(client: Client | None = None, **values) -> Subscriber:
    """A number of `client`, or of a new stranger."""
    n = next(_serial)
    values = {"number": f"37529{n:07}", "full_name": f"SIP-номер {n}", **values}
    return Subscriber.create(
        client=client or make_client(), name_folded=fold(values["full_name"]), **values
    )


def numbers_of(client: Client) -> list[Subscriber]:
    """The numbers of a client in the order in which they were made."""
    return list(Subscriber.of(client).order_by(Subscriber.id))


def make_user(client: Client | None = None, **values) -> User:
    """Somebody who may sign in: the administrator of `client`, or with an operator's role and no
    client one of the operator's people. Whoever has to type a password gives a `password`.
    """
    role = values.pop("role", Role.CLIENT_ADMINISTRATOR)
    password = values.pop("password", None)
    if client is None and not role.is_operator:
        client = make_client()
    return User.create(
        **{
            "login": f"user{next(_serial)}",
            "password_hash": hash_password(password) if password else "",
            "role": role,
            "client": client,
            "created_at": NOON,
            **values,
        }
    )


def make_import_run(**values) -> ImportRun:
    """A file of call records read to the end, from an exchange of its own."""
    n = next(_serial)
    exchange = values.pop("exchange", None) or Exchange.create(name=f"exchange{n}")
    return ImportRun.create(
        **{
            "exchange": exchange,
            "file_name": f"Master{n}.csv",
            "file_sha256": f"{n:064}",
            "format": "asterisk-csv",
            "zone": "Europe/Minsk",
            "state": "done",
            "started_at": NOON,
            "finished_at": NOON,
            **values,
        }
    )


def make_call(subscriber: Subscriber, started: datetime = NOON, **values) -> Call:
    """A call of `subscriber`: an answered outgoing one of a minute. `import_run` says whence."""
    n = next(_serial)
    run = values.pop("import_run", None) or make_import_run()
    disposition = values.get("disposition", Disposition.ANSWERED)
    call = Call.create(
        **{
            "subscriber_id": subscriber.id,
            "started_at": int(started.timestamp()),
            "seq": n,
            "direction": CallDirection.OUT,
            "on_net": False,
            "number": subscriber.number,
            "peer": f"37517{n:07}",
            "duration_s": 65,
            "billable_s": 60 if disposition == Disposition.ANSWERED else 0,
            "disposition": disposition,
            "exchange": run.exchange_id,
            "uid": f"1773133200.{n}",
            "legs": "[]",
            "import_run": run,
            **values,
        }
    )
    change = usage.Change({subscriber.id: subscriber.client_id})
    change.add(usage.of_row(call))
    change.save()
    return call


def make_delivery_change(client: Client, **values) -> DeliverySetting:
    """A change of a client's delivery that waits for its new address to be confirmed."""
    asked_at = values.get("asked_at", NOON)
    row = DeliverySetting(
        **{
            "client": client,
            "method": DeliveryMethod.EMAIL,
            "email": "new@romashka.by",
            "state": ChangeState.ASKED,
            "asked_at": asked_at,
            "confirm_until": asked_at + timedelta(hours=24),
            **values,
        }
    )
    row.confirm_hash = letter_links.hash_of(delivery_letters.confirm_token(row))
    row.cancel_hash = letter_links.hash_of(delivery_letters.cancel_token(row))
    row.save(force_insert=True)
    return row


def make_order(client: Client | None = None, subscribers: tuple = (), **values) -> Order:
    """An order of call detail for March up to `NOON`, due at once."""
    n = next(_serial)
    client = client or make_client()
    user = values.pop("user", None) or make_user(client)
    params = {"start": "2026-03-01", "end": "2026-03-10", "direction": "both", "format": "xlsx"}
    order = Order.create(
        **{
            "client": client,
            "user": user,
            "number": n,
            "key": f"key{n}",
            "draft_key": f"draft{n}",
            "kind": OrderKind.CALL_DETAIL,
            "email": client.detail_email,
            "created_at": NOON,
            "due_at": NOON,
            "next_try_at": NOON,
            **values,
            "params": {**params, "excluded": [], **values.get("params", {})},
        }
    )
    for subscriber in subscribers:
        OrderSubscriber.create(order=order, subscriber=subscriber)
    return order


def make_invoice_order(invoice, kind: OrderKind, file_format: str = "pdf", **values) -> Order:
    """An order of a document given out, for its client, due at once."""
    client = invoice.client
    order = make_order(client, kind=kind, **values)
    order.params = {"invoice": invoice.id, "format": file_format}
    order.email = "" if kind == OrderKind.INVOICE_LINK else client.invoice_email
    order.save(only=[Order.params, Order.email])
    return order


def make_statement(client: Client, day: datetime, *, amount: str = "5,00", **values):
    """A statement of the bank that was looked at: one payment of the client's."""
    n = next(_serial)
    content = f"date;amount;account;document\n{day:%d.%m.%Y};{amount};{client.account_no};{n}\n"
    return StatementFile.create(
        **{
            "key": f"statement{n}",
            "name": "vypiska.csv",
            "content": content,
            "sha256": hashlib.sha256(content.encode()).hexdigest(),
            "received_at": day,
            **values,
        }
    )


def make_thread(client: Client | None = None, *, text: str = "Почему так?", **values):
    """A thread of feedback that waits for the operator, with its first message."""
    n = next(_serial)
    client = client or make_client()
    user = values.pop("user", None) or make_user(client)
    thread = FeedbackThread.create(
        **{
            "client": client,
            "user": user,
            "number": n,
            "key": f"thread{n}",
            "subject": "bills",
            "created_at": NOON,
            "last_at": NOON,
            "waits_since": NOON,
            **values,
        }
    )
    make_message(thread, text=text, user=user)
    return thread


def make_message(thread: FeedbackThread, **values) -> FeedbackMessage:
    """Something said in a thread: by its author, unless `side` and `user` say otherwise."""
    return FeedbackMessage.create(
        **{
            "thread": thread,
            "user": thread.user,
            "side": "client",
            "text": "И еще вопрос",
            "form_key": f"form{next(_serial)}",
            "created_at": NOON,
            **values,
        }
    )


def make_feedback_file(message: FeedbackMessage, folder, content: bytes, **values) -> FeedbackFile:
    """A file of a message, lying in `folder`."""
    name = f"{next(_serial):032x}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return FeedbackFile.create(
        **{
            "thread": message.thread,
            "message": message,
            "name": name,
            "display_name": "Счет.pdf",
            "kind": "pdf",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            **values,
        }
    )
