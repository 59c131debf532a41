"""Every form of the cabinet as a person sends it, on the rows of a `world`."""

import io
from datetime import timedelta

from domain.orders import OrderState
from domain.periods import month_start
from models import UserSession
from services import billing, clock, invoices
from tests import factories

PASSWORD = "korova-na-lugu"
RECORDS = (
    b'"","375291112233","375172001020","default","375291112233","PJSIP/a-1","PJSIP/b-2","Dial","x",'
    b'"2026-11-20 09:00:00","2026-11-20 09:00:05","2026-11-20 09:01:05",65,60,"ANSWERED",'
    b'"DOCUMENTATION","1763618400.1",""\n'
)


def add_rows(made):
    """What forms need beside the rows of `world.build`."""
    made.subscriber = factories.make_subscriber(made.client)
    made.failed = factories.make_order(
        made.client, [made.subscriber], user=made.user, state=OrderState.FAILED
    )
    made.open = factories.make_order(made.client, [made.subscriber], user=made.user)
    last_month = month_start(clock.now().date(), 1)
    billing.form_month(last_month, client=made.client, now=clock.now())
    [made.invoice] = invoices.of_client(made.client)
    made.checked = factories.make_import_run(state="checked", upload_key="u", client=made.client)
    made.typist = factories.make_user(made.client, login="ivanov", password=PASSWORD)
    made.session = UserSession.create(
        token_hash="another", user=made.typist, created_at=clock.now(),
        last_seen_at=clock.now(), expires_at=clock.now() + timedelta(hours=8),
    )  # fmt: skip
    made.payer = factories.make_user(factories.make_client(), password=PASSWORD)


def all_forms(full):
    """endpoint → (who, address, fields)."""
    day = clock.now().date().isoformat()
    period = {"start": day, "end": day, "direction": "both", "file_format": "csv"}
    step = f"/bills/call-detail/{full.draft.key}"
    ticks = {
        "q": "", "status": "", "sip": "", "sel": "", "page": "1", "per_page": "50",
        "shown": str(full.subscriber.id), "tick": str(full.subscriber.id), "typed": "",
    }  # fmt: skip
    delivery = {
        "method": "email", "email": "new@romashka.by", "receiver": "", "password": PASSWORD,
    }  # fmt: skip
    failed, run = f"/orders/{full.failed.key}", f"/operator/imports/{full.run.id}"
    bill = {
        "form_key": "a" * 24, "documents": full.invoice.key, "file_format": "pdf",
        "is_deferred": "y",
    }  # fmt: skip
    files = {
        "files": "a file", "format_name": "auto", "zone": "Europe/Minsk", "dates": "",
        "exchange": "", "account": full.client.account_no, "check_only": "y",
    }  # fmt: skip
    return {
        "auth.login": (None, "/login", {"login": "ivanov", "password": PASSWORD}),
        "auth.logout": (full.user, "/logout", {}),
        "auth.own.password": (
            full.typist, "/security/password",
            {"password": PASSWORD, "new": "three words together", "again": "three words together"},
        ),
        "auth.own.end": (full.typist, "/security/sessions/end", {"session": str(full.session.id)}),
        "auth.own.end_all": (full.user, "/security/sessions/end-all", {}),
        "bills.email_bill.show": (full.user, "/bills/email/", bill),
        "bills.download_bill.show": (full.user, "/bills/download/", bill),
        "bills.call_detail.start": (full.user, "/bills/call-detail/", period),
        "bills.call_detail.period": (full.user, f"{step}/period", period),
        "bills.call_detail.subscribers": (
            full.user, f"{step}/subscribers", {**ticks, "go": "submit"},
        ),
        "bills.call_detail.ticks": (full.user, f"{step}/subscribers/ticks", {**ticks, "go": ""}),
        "bills.delivery.change": (full.payer, "/bills/delivery/", delivery),
        "bills.delivery.cancel": (full.user, f"/bills/delivery/{full.change.key}/cancel", {}),
        "letters.confirm": (None, full.address("/bills/delivery/confirm/<token>"), {}),
        "letters.cancel": (None, full.address("/bills/delivery/cancel/<token>"), {}),
        "orders.cancel": (full.user, f"/orders/{full.open.key}/cancel", {}),
        "orders.retry": (full.user, f"{failed}/retry", {}),
        "orders.repeat": (full.user, f"{failed}/repeat", {}),
        "subscribers.choose": (
            full.user, "/subscribers/choice", {"subscriber": str(full.subscriber.id)},
        ),
        "subscribers.everybody": (full.user, "/subscribers/everybody", {}),
        "operator.retry": (full.operator, f"/operator{failed}/retry", {}),
        "operator.imports.upload": (full.operator, "/operator/imports/", files),
        "operator.imports.load": (
            full.operator, f"/operator/imports/{full.checked.id}/load", {"force_zone": ""},
        ),
        "operator.imports.roll_back": (full.operator, f"{run}/rollback", {}),
    }  # fmt: skip


def sent(fields):
    """The fields as a request takes them: the file is read once only."""
    if "files" in fields:
        return {**fields, "files": (io.BytesIO(RECORDS), "Master.csv")}
    return fields
