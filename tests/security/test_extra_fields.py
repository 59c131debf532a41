"""Fields that a form does not have, sent along all the same: the tables end as they would without
them, whatever a column is called.
"""

import re
import secrets
from contextvars import Context
from itertools import count

import pytest

from commands.routes import describe
from models import AuditEvent, Order, User, db
from models_all import ALL_MODELS
from models_billing import Invoice
from services import clock, passwords
from tests import factories
from tests.page import Browser
from tests.security import forms, world

GUESSED = {
    "tenant_id", "role", "price", "amount", "is_admin", "admin", "email", "not_before", "next",
    "redirect", "_method", "draft", "order", "shown_at", "excluded", "params", "listed",
}  # fmt: skip
LEADING = {"auth.logout", "auth.code", "operator.cabinet.leave"}  # what they do is to lead on
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
    monkeypatch.setattr(secrets, "choice", lambda signs: signs[next(chance.numbers) % len(signs)])
    monkeypatch.setattr(passwords, "hash_password", "hash of {}".format)
    made = world.build(app)
    made.chance = chance
    forms.add_rows(made)
    made.foreign = factories.make_subscriber()
    yield made
    world.clear(app)


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
    known = {model: ids(model) for model in ALL_MODELS if not model._meta.composite_key}
    with db.atomic() as transaction:
        full.chance.numbers = count()
        browser = Browser(full.app, who)
        data = forms.sent({"csrf_token": browser.token(), **more, **fields})
        response = Context().run(browser.client.post, address, data=data)
        after = {
            model: sorted(repr(plain(model, row, known)) for row in model.select().dicts())
            for model in ALL_MODELS
            if model is not AuditEvent  # its subjects name ids
        }
        transaction.rollback()
    return response.status_code, after


def plain(model, row, known):
    """A row without its own id, and with «new» for the rows it points to that are new."""
    row = {name: value for name, value in row.items() if name != "id"}
    for field in model._meta.refs:
        if row[field.name] is not None and row[field.name] not in known[field.rel_model]:
            row[field.name] = "new"
    for name in ("subject", "draft_key"):  # of a letter, of an order: the name of a row and its id
        if name in row:
            row[name] = re.sub(r":\d+$", ":new", str(row[name]))
    if model is Order and row["params"].get("invoice") not in known[Invoice]:
        row["params"] = {**row["params"], "invoice": "new"}
    return row


def test_there_is_a_form_here_for_every_route_that_changes_something(app, full):
    unsafe = {row["endpoint"] for row in describe(app) if "POST" in row["methods"]}
    assert set(forms.all_forms(full)) == unsafe


def test_more_fields_than_a_form_has_change_nothing_more(app, full):
    for endpoint, (who, address, fields) in forms.all_forms(full).items():
        _status, nothing = ended(full, who, "/no/such/page", fields, {})
        without = ended(full, who, address, fields, {})
        with_more = ended(full, who, address, fields, extra(full, fields))
        assert without[0] == with_more[0] in {200, 303}, endpoint
        for model, rows in without[1].items():
            assert with_more[1][model] == rows, (endpoint, model)
        if endpoint not in LEADING:
            assert without[1] != nothing, f"{endpoint}: there is nothing to compare"


def test_nobody_gets_another_role_or_client_by_asking(app, full):
    before = list(User.select().tuples())
    browser = Browser(app, full.user)
    more = extra(full, ())
    for path in ("/account/", "/", "/orders/"):
        browser.client.get(path, query_string=more)
        browser.client.post(path, data={"csrf_token": browser.token(), **more})
    assert list(User.select().tuples()) == before
