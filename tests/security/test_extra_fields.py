"""Fields that a form does not have, sent along all the same: the tables end as they would without
them, whatever a column is called.
"""

import io
import secrets
from contextvars import Context
from itertools import count

import pytest

from commands.routes import describe
from domain.orders import OrderState
from models import AuditEvent, Order, OrderDraft, User, db
from models_billing import ALL_MODELS
from services import clock
from tests import factories
from tests.page import Browser
from tests.security import world

PASSWORD = "korova-na-lugu"
GUESSED = {
    "tenant_id", "role", "price", "amount", "is_admin", "admin", "email", "not_before", "next",
    "redirect", "_method", "draft", "order", "shown_at", "excluded", "params", "listed",
}  # fmt: skip
VALUES = {
    "role": "operator-administrator", "is_active": "1", "email": "me@evil.example",
    "detail_email": "me@evil.example", "invoice_email": "me@evil.example",
    "recipient": "me@evil.example", "password_hash": "x", "state": "sent", "may_download": "1",
    "due_at": "2020-01-01 00:00:00", "created_at": "2020-01-01 00:00:00", "_method": "DELETE",
    "expires_at": "2099-01-01 00:00:00", "hide_incoming_peers": "0",
}  # fmt: skip


class Chance:
    """What takes the place of random numbers, and can begin anew."""

    def __init__(self):
        self.numbers = count()


@pytest.fixture
def full(app, base, monkeypatch):
    """A client with a row behind every form; time and chance stand still."""
    moment, chance = clock.now(), Chance()
    monkeypatch.setattr(clock, "now", lambda: moment)
    monkeypatch.setattr(secrets, "token_urlsafe", lambda *_: f"chance-{next(chance.numbers)}")
    monkeypatch.setattr(secrets, "token_hex", lambda *_: f"{next(chance.numbers):040x}")
    made = world.build(app)
    made.chance = chance
    made.subscriber = factories.make_subscriber(made.client)
    made.failed = factories.make_order(
        made.client, [made.subscriber], user=made.user, state=OrderState.FAILED
    )
    made.open = factories.make_order(made.client, [made.subscriber], user=made.user)
    made.checked = factories.make_import_run(state="checked", upload_key="u", client=made.client)
    made.foreign = factories.make_subscriber()
    factories.make_user(made.client, login="ivanov", password=PASSWORD)
    yield made
    world.clear(app)


def forms(full):
    """Every form as a person sends it: endpoint → (who, address, fields)."""
    day = clock.now().date().isoformat()
    period = {"start": day, "end": day, "direction": "both", "file_format": "csv"}
    step = f"/bills/call-detail/{full.draft.key}"
    ticks = {
        "q": "", "status": "", "sip": "", "sel": "", "page": "1", "per_page": "50",
        "shown": str(full.subscriber.id), "tick": str(full.subscriber.id), "typed": "",
    }  # fmt: skip
    failed, run = f"/orders/{full.failed.key}", f"/operator/imports/{full.run.id}"
    files = {
        "files": "a file", "format_name": "auto", "zone": "Europe/Minsk", "dates": "",
        "exchange": "", "account": full.client.account_no, "check_only": "y",
    }  # fmt: skip
    return {
        "auth.login": (None, "/login", {"login": "ivanov", "password": PASSWORD}),
        "auth.logout": (full.user, "/logout", {}),
        "bills.call_detail.start": (full.user, "/bills/call-detail/", period),
        "bills.call_detail.period": (full.user, f"{step}/period", period),
        "bills.call_detail.subscribers": (
            full.user, f"{step}/subscribers", {**ticks, "go": "submit"},
        ),
        "bills.call_detail.ticks": (full.user, f"{step}/subscribers/ticks", {**ticks, "go": ""}),
        "orders.cancel": (full.user, f"/orders/{full.open.key}/cancel", {}),
        "orders.retry": (full.user, f"{failed}/retry", {}),
        "orders.repeat": (full.user, f"{failed}/repeat", {}),
        "operator.retry": (full.operator, f"/operator{failed}/retry", {}),
        "operator.imports.upload": (full.operator, "/operator/imports/", files),
        "operator.imports.load": (
            full.operator, f"/operator/imports/{full.checked.id}/load", {"force_zone": ""},
        ),
        "operator.imports.roll_back": (full.operator, f"{run}/rollback", {}),
    }  # fmt: skip


def columns():
    """Names of all columns of all tables, and some more."""
    for model in ALL_MODELS:
        for field in model._meta.sorted_fields:
            yield from (field.name, field.column_name)


def extra(full, known):
    """A value for each name that is not one of the form's own."""
    names = {*GUESSED, *columns()} - set(known) - {"csrf_token"}
    ids = {"client": full.foreign.client_id, "user": full.operator.id}
    return {name: VALUES.get(name, str(ids.get(name.removesuffix("_id"), 1))) for name in names}


def ids(model):
    return {row for (row,) in model.select(model._meta.primary_key).tuples()}


def ended(full, who, address, fields, more):
    """What one sent form makes of the tables; it is taken back. Ids of new rows differ each time,
    and are left out.
    """
    known = {"draft": ids(OrderDraft), "order": ids(Order)}
    with db.atomic() as transaction:
        full.chance.numbers = count()
        browser = Browser(full.app, who)
        data = {"csrf_token": browser.token(), **more, **fields}
        if "files" in data:
            data["files"] = (io.BytesIO(RECORDS), "Master.csv")
        response = Context().run(browser.client.post, address, data=data)
        after = {
            model: sorted(repr(plain(row, known)) for row in model.select().dicts())
            for model in ALL_MODELS
            if model is not AuditEvent  # its subjects name ids
        }
        transaction.rollback()
    return response.status_code, after


def plain(row, known):
    """A row without its own id, and with «new» for the row it belongs to when that is new."""
    row = {name: value for name, value in row.items() if name != "id"}
    return row | {name: "new" for name in known if name in row and row[name] not in known[name]}


RECORDS = (
    b'"","375291112233","375172001020","default","375291112233","PJSIP/a-1","PJSIP/b-2","Dial","x",'
    b'"2026-11-20 09:00:00","2026-11-20 09:00:05","2026-11-20 09:01:05",65,60,"ANSWERED",'
    b'"DOCUMENTATION","1763618400.1",""\n'
)


def test_there_is_a_form_here_for_every_route_that_changes_something(app, full):
    unsafe = {row["endpoint"] for row in describe(app) if "POST" in row["methods"]}
    assert set(forms(full)) == unsafe


def test_more_fields_than_a_form_has_change_nothing_more(app, full):
    for endpoint, (who, address, fields) in forms(full).items():
        without = ended(full, who, address, fields, {})
        with_more = ended(full, who, address, fields, extra(full, fields))
        assert without[0] == with_more[0] in {200, 303}, endpoint
        for model, rows in without[1].items():
            assert with_more[1][model] == rows, (endpoint, model)


def test_a_form_that_holds_does_change_something(app, full):
    """Otherwise the comparison above would compare nothing."""
    for endpoint, (who, address, fields) in forms(full).items():
        if endpoint == "auth.logout":
            continue
        _status, after = ended(full, who, address, fields, {})
        _status, nothing = ended(full, who, "/no/such/page", fields, {})
        assert after != nothing, endpoint


def test_nobody_gets_another_role_or_client_by_asking(app, full):
    before = list(User.select().tuples())
    browser = Browser(app, full.user)
    more = extra(full, ())
    for path in ("/account/", "/", "/orders/"):
        browser.client.get(path, query_string=more)
        browser.client.post(path, data={"csrf_token": browser.token(), **more})
    assert list(User.select().tuples()) == before
