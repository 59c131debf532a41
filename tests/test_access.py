"""Every route, whoever adds it: closed to those who have not signed in, to other roles, to other
clients and to other sites' forms. The table of routes itself is the list of cases.
"""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from commands.routes import describe
from domain.orders import OrderState
from domain.roles import CLIENT_ROLES, OPERATOR_ROLES, Role
from models import AuditEvent, Order, OrderDraft, UserSession, db
from models_all import ALL_MODELS
from models_feedback import FeedbackSeen
from services import clock
from tests import factories
from tests.page import Browser
from tests.security import world

KEY = "k" * 22
CLIENTS = frozenset(CLIENT_ROLES)
ORDERING = frozenset({Role.CLIENT_ADMINISTRATOR, Role.ACCOUNTANT})
ADMINISTERING = frozenset({Role.CLIENT_ADMINISTRATOR})
OPERATORS = frozenset(OPERATOR_ROLES)
IMPORTING = frozenset({Role.OPERATOR_ADMINISTRATOR})
EVERYBODY = frozenset(Role)
PUBLIC = frozenset()
# 303, 503 or 404 by design
LEADING = {
    "auth.code",
    "auth.logout",
    "auth.own.end_all",
    "auth.session_end",
    "auth.stay",
    "health.ready",
    "verify.show",
}
# Who may come in where: written down here once more, so that a new route, or one that opens by
# mistake, is seen by somebody before it is in use.
TABLE = {
    "account.detail_address.cancel": ("POST", ADMINISTERING),
    "account.detail_address.change": ("POST", ADMINISTERING),
    "account.detail_address.show": ("GET", ADMINISTERING),
    "account.log.show": ("GET", ADMINISTERING),
    "account.scope.lift": ("POST", ADMINISTERING),
    "account.scope.show": ("GET", ADMINISTERING),
    "account.scope.start": ("POST", ADMINISTERING),
    "account.scope.subscribers": ("GET POST", ADMINISTERING),
    "account.scope.ticks": ("POST", ADMINISTERING),
    "account.show": ("GET", CLIENTS),
    "account.users.again": ("POST", ADMINISTERING),
    "account.users.invite": ("GET POST", ADMINISTERING),
    "account.users.show": ("GET POST", ADMINISTERING),
    "account.users.sign_out": ("POST", ADMINISTERING),
    "auth.code": ("GET POST", PUBLIC),  # whoever has shown the password
    "auth.factor.begin": ("POST", EVERYBODY),
    "auth.factor.codes": ("GET POST", EVERYBODY),
    "auth.factor.confirm": ("GET POST", EVERYBODY),
    "auth.factor.remove": ("GET POST", EVERYBODY),
    "auth.factor.show": ("GET", EVERYBODY),
    "auth.links.address": ("GET POST", PUBLIC),  # whoever has the letter
    "auth.links.forgotten": ("GET POST", PUBLIC),
    "auth.links.password": ("GET POST", PUBLIC),
    "auth.login": ("GET POST", PUBLIC),
    "auth.logout": ("POST", EVERYBODY),
    "auth.own.address": ("GET POST", EVERYBODY),
    "auth.own.end": ("POST", EVERYBODY),
    "auth.own.end_all": ("POST", EVERYBODY),
    "auth.own.password": ("GET POST", EVERYBODY),
    "auth.own.show": ("GET", EVERYBODY),
    "auth.session_end": ("GET", EVERYBODY),
    "auth.stay": ("GET", EVERYBODY),
    "bills.call_detail.period": ("GET POST", ORDERING),
    "bills.call_detail.start": ("GET POST", ORDERING),
    "bills.call_detail.subscribers": ("GET POST", ORDERING),
    "bills.call_detail.ticks": ("POST", ORDERING),
    "bills.charge_order.form": ("GET POST", ORDERING),
    "bills.charge_order.start": ("GET POST", ORDERING),
    "bills.charge_order.subscribers": ("GET POST", ORDERING),
    "bills.charge_order.ticks": ("POST", ORDERING),
    "bills.charges.call": ("GET", CLIENTS),
    "bills.charges.calls": ("GET", CLIENTS),
    "bills.charges.charts": ("GET", CLIENTS),
    "bills.charges.number": ("GET", CLIENTS),
    "bills.charges.show": ("GET", CLIENTS),
    "bills.charges.why": ("GET", CLIENTS),
    "bills.delivery.cancel": ("POST", ORDERING),
    "bills.delivery.change": ("POST", ORDERING),
    "bills.delivery.show": ("GET", CLIENTS),
    "bills.download_bill.show": ("GET POST", ORDERING),
    "bills.email_bill.show": ("GET POST", ORDERING),
    "bills.invoice.call": ("GET", CLIENTS),
    "bills.invoice.changed_numbers": ("GET", CLIENTS),
    "bills.invoice.changes": ("GET", CLIENTS),
    "bills.invoice.comparison": ("GET", CLIENTS),
    "bills.invoice.number": ("GET", CLIENTS),
    "bills.invoice.numbers": ("GET", CLIENTS),
    "bills.invoice.show": ("GET", CLIENTS),
    "bills.show": ("GET", CLIENTS),
    "call_centre.change": ("GET POST", ORDERING),
    "call_centre.missed": ("GET", CLIENTS),
    "call_centre.show": ("GET", CLIENTS),
    "feedback.answer": ("POST", ORDERING),
    "feedback.ask": ("POST", ORDERING),
    "feedback.file": ("GET", ORDERING),
    "feedback.new": ("GET", ORDERING),
    "feedback.rate": ("POST", ORDERING),
    "feedback.reopen": ("POST", ORDERING),
    "feedback.show": ("GET", CLIENTS),
    "feedback.thread": ("GET", CLIENTS),
    "health.live": ("GET", PUBLIC),
    "health.ready": ("GET", PUBLIC),
    "home.show": ("GET", CLIENTS),
    "instalments.file": ("GET", CLIENTS),
    "instalments.show": ("GET", CLIENTS),
    "languages.choose": ("POST", PUBLIC),
    "letters.cancel": ("GET POST", PUBLIC),  # whoever has the letter
    "letters.confirm": ("GET POST", PUBLIC),
    "mailbox.file": ("GET", PUBLIC),  # for this machine and the operator: tests/security
    "mailbox.html": ("GET", PUBLIC),
    "mailbox.message": ("GET", PUBLIC),
    "mailbox.messages": ("GET", PUBLIC),
    "mailbox.source": ("GET", PUBLIC),
    "operator.bill.correct": ("POST", IMPORTING),
    "operator.bill.file": ("GET", OPERATORS),
    "operator.bill.show": ("GET", OPERATORS),
    "operator.billing.form": ("POST", IMPORTING),
    "operator.billing.handout": ("GET", OPERATORS),
    "operator.billing.index": ("GET", OPERATORS),
    "operator.billing.look": ("POST", IMPORTING),
    "operator.billing.month": ("GET", OPERATORS),
    "operator.billing.retry": ("POST", IMPORTING),
    "operator.billing.show": ("GET", OPERATORS),
    "operator.billing.status": ("GET", OPERATORS),
    "operator.cabinet.leave": ("POST", OPERATORS),
    "operator.cabinet.show": ("GET POST", OPERATORS),
    "operator.centre.add": ("POST", IMPORTING),
    "operator.centre.hours": ("POST", IMPORTING),
    "operator.centre.remove": ("POST", IMPORTING),
    "operator.centre.show": ("GET", OPERATORS),
    "operator.clients.cancel_charge": ("POST", IMPORTING),
    "operator.clients.charge": ("GET POST", IMPORTING),
    "operator.clients.discount": ("GET POST", IMPORTING),
    "operator.clients.end_discount": ("POST", IMPORTING),
    "operator.clients.index": ("GET", OPERATORS),
    "operator.clients.instalment": ("GET POST", IMPORTING),
    "operator.clients.language": ("POST", IMPORTING),
    "operator.clients.payment": ("GET POST", IMPORTING),
    "operator.clients.show": ("GET", OPERATORS),
    "operator.feedback.answer": ("POST", OPERATORS),
    "operator.feedback.file": ("GET", OPERATORS),
    "operator.feedback.index": ("GET", OPERATORS),
    "operator.feedback.note": ("POST", OPERATORS),
    "operator.feedback.show": ("GET", OPERATORS),
    "operator.feedback.state": ("POST", OPERATORS),
    "operator.imports.index": ("GET", OPERATORS),
    "operator.imports.load": ("POST", IMPORTING),
    "operator.imports.rejects": ("GET", OPERATORS),
    "operator.imports.roll_back": ("GET POST", IMPORTING),
    "operator.imports.show": ("GET", OPERATORS),
    "operator.imports.status": ("GET", OPERATORS),
    "operator.imports.upload": ("POST", IMPORTING),
    "operator.instalments.end": ("GET POST", IMPORTING),
    "operator.letters.index": ("GET", OPERATORS),
    "operator.letters.retry": ("POST", OPERATORS),
    "operator.numbers.edit": ("GET POST", IMPORTING),
    "operator.numbers.show": ("GET", OPERATORS),
    "operator.order": ("GET", OPERATORS),
    "operator.retry": ("POST", OPERATORS),
    "operator.show": ("GET", OPERATORS),
    "operator.statements.book": ("POST", IMPORTING),
    "operator.statements.index": ("GET", OPERATORS),
    "operator.statements.show": ("GET", OPERATORS),
    "operator.statements.upload": ("POST", IMPORTING),
    "operator.unrated.calls": ("GET", OPERATORS),
    "operator.unrated.index": ("GET", OPERATORS),
    "operator.unrated.undo": ("POST", IMPORTING),
    "operator.unrated.waive": ("POST", IMPORTING),
    "orders.cancel": ("GET POST", ORDERING),
    "orders.file": ("GET", CLIENTS),  # viewers: «Акт сверки» alone
    "orders.index": ("GET", CLIENTS),
    "orders.repeat": ("POST", ORDERING),
    "orders.retry": ("POST", ORDERING),
    "orders.show": ("GET", CLIENTS),
    "orders.status": ("GET", CLIENTS),
    "payments.file": ("GET", CLIENTS),
    "payments.order": ("GET", CLIENTS),
    "payments.report": ("GET POST", ORDERING),
    "payments.requisites": ("GET", CLIENTS),
    "payments.show": ("GET", CLIENTS),
    "payments.statement": ("GET POST", ORDERING),
    "subscribers.choose": ("POST", CLIENTS),
    "subscribers.everybody": ("POST", CLIENTS),
    "subscribers.show": ("GET", CLIENTS),
    "verify.show": ("GET", PUBLIC),  # whoever holds the paper
}
NOT_BUSINESS = {AuditEvent, UserSession, FeedbackSeen}
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture
def routes(app):
    return [row for row in describe(app) if row["endpoint"] != "static"]


@pytest.fixture
def closed(routes):
    return [row for row in routes if not row["public"]]


@pytest.fixture
def owned(client_row):
    """An order and a draft of `client_row`, both found by KEY."""
    user = factories.make_user(client_row)
    now = clock.now()
    shared = {"client": client_row, "user": user, "key": KEY, "kind": "call_detail"}
    day = now.date().isoformat()
    Order.create(
        **shared,
        number=1,
        draft_key="d" * 22,
        params={"start": day, "end": day, "direction": "both", "format": "xlsx"},
        email="buh@romashka.by",
        state=OrderState.FAILED,
        reason="render_failed",
        created_at=now,
        due_at=now,
        next_try_at=now,
    )
    answers = {"start": [day], "end": [day], "direction": ["both"], "file_format": ["xlsx"]}
    return OrderDraft.create(**shared, answers={"period": answers}, created_at=now)


def address(row, key=KEY):
    """Address of a route: `key` for what is found by a key, 1 for a number."""
    rule = row["rule"]
    for argument in ("<key>", "<draft>", "<order>", "<token>"):
        rule = rule.replace(argument, key)
    rule = re.sub("<int:(run|subscriber|started|seq|asked|client|file|plan)>", "1", rule)
    rule = rule.replace("<int:user>", str(10**9))  # 1 may be one's own
    rule = rule.replace("<month>", "2026-03")
    assert "<" not in rule, f"{rule}: teach this test its arguments"
    return rule


def ask(browser, row, method, *, key=KEY, headers=(), data=None):
    """One request, whatever the answer."""
    browser.response = browser.client.open(
        address(row, key), method=method, headers=dict(headers), data=data
    )
    return browser.response


def methods(rows, wanted=None):
    return [(row, m) for row in rows for m in row["methods"] if wanted is None or m in wanted]


def snapshot():
    """All rows of all tables of the business."""
    return {
        model: sorted(map(repr, model.select().tuples()))
        for model in ALL_MODELS
        if model not in NOT_BUSINESS
    }


def test_every_route_is_public_or_has_roles_of_one_side(routes):
    for row in routes:
        assert row["public"] is not bool(row["roles"]), row
        sides = {Role(role).is_operator for role in row["roles"]}
        if not row["endpoint"].startswith("auth."):  # for whoever has signed in
            assert len(sides) <= 1, f"{row['endpoint']}: clients' and operator's pages are apart"


def test_the_public_routes_are_these_and_no_others(routes):
    sections = {row["endpoint"].partition(".")[0] for row in routes if row["public"]}
    assert sections <= {"auth", "health", "languages", "letters", "mailbox", "verify"}
    assert {row["endpoint"] for row in routes if row["public"] and "auth" in row["endpoint"]} == {
        "auth.code",
        "auth.links.address",
        "auth.links.forgotten",
        "auth.links.password",
        "auth.login",
    }


def test_nothing_is_shown_to_who_has_not_signed_in(anonymous, owned, closed):
    for row, method in methods(closed):
        response = ask(anonymous, row, method)
        assert response.status_code == 303, row
        target = urlsplit(response.location)
        assert target.path == "/login", row
        if method == "GET":
            assert parse_qs(target.query)["next"] == [address(row)], row


def test_htmx_is_sent_to_the_sign_in_as_a_whole_page_and_keeps_what_was_typed(
    anonymous, owned, closed
):
    for row, method in methods(closed):
        response = ask(anonymous, row, method, headers={"HX-Request": "true"})
        assert response.status_code == 401, row
        assert "<form" not in response.text, "never a sign-in page inside another page"
        view = anonymous.app.view_functions[row["endpoint"]]
        leads = method == "GET" and not getattr(view, "does_not_prolong", False)
        assert ("HX-Redirect" in response.headers) is leads, row
        if leads:
            assert response.headers["HX-Redirect"].startswith("/login?next=")


def test_every_route_stands_in_the_table_and_nothing_else_does(routes):
    built = {row["endpoint"]: (" ".join(row["methods"]), frozenset(row["roles"])) for row in routes}
    assert built == TABLE, "a new route: write down here who may come in"


@pytest.fixture
def full(app, base):
    """A client with a row behind every page."""
    yield world.build(app)
    world.clear(app)


def whoever(full):
    """(who, user, of the client whose rows are asked for?) for every kind of visitor."""
    yield "nobody", None, False
    for role in Role:
        yield role, factories.make_user(None if role.is_operator else full.client, role=role), True
    yield "another client's", factories.make_user(), False


def expected(row, user, *, is_own):
    """How a route answers: led to the sign-in, refused, not found, or let in."""
    if row["public"]:
        return "in"
    if user is None:
        return "sign-in"
    if user.role not in TABLE[row["endpoint"]][1]:
        operators_home = row["endpoint"] == "home.show" and Role(user.role).is_operator
        return "operator's" if operators_home else "refused"
    if row["endpoint"] == "orders.file" and user.role == Role.VIEWER:
        return "refused"  # the world's order is one of call detail
    return "in" if is_own or row["scope"] != "client" or "<" not in row["rule"] else "not found"


def answered(row, response):
    """The same, as it came out."""
    leads = urlsplit(response.location or "").path
    if leads == "/login":
        return "sign-in"
    if leads == "/operator/" and row["rule"] == "/":
        return "operator's"
    words = {401: "sign-in", 403: "refused", 404: "not found"}
    return words.get(response.status_code, "in" if response.status_code < 500 else "crash")


def test_each_route_answers_each_role_as_the_table_says(app, full, routes):
    for who, user, is_own in whoever(full):
        browser = Browser(app, user)
        before = snapshot()
        for row, method in methods(routes):
            wanted = expected(row, user, is_own=is_own)
            if wanted != "in":
                assert try_route(browser, full, row, method) == wanted, (who, method, row)
        assert snapshot() == before, who
        for row, method in methods(routes):
            if expected(row, user, is_own=is_own) == "in" and row["endpoint"] not in LEADING:
                with db.atomic() as transaction:
                    got = try_route(Browser(app, user), full, row, method)
                    assert got == "in", (who, method, row)
                    transaction.rollback()


def try_route(browser, full, row, method):
    data = {"csrf_token": browser.token()} if method in UNSAFE else None
    address = full.address(row["rule"])
    return answered(row, browser.client.open(address, method=method, data=data, buffered=True))


def test_a_strangers_key_is_one_that_does_not_exist(stranger, owned, closed):
    keyed = [row for row in closed if "<" in row["rule"] and row["scope"] == "client"]
    assert keyed
    before = snapshot()
    for row, method in methods(keyed):
        data = {"csrf_token": stranger.token()} if method in UNSAFE else None
        theirs = ask(stranger, row, method, data=data)
        assert theirs.status_code == 404, row
        nobodys = ask(stranger, row, method, key="n" * 22, data=data)
        assert nobodys.status_code == 404, row
        assert masked(theirs.text) == masked(nobodys.text), row
    assert snapshot() == before
    refused = AuditEvent.select().where(AuditEvent.event == "authz_fail")
    assert {event.subject for event in refused} >= {f"customer_order:{Order.select().get().id}"}


def masked(text):
    """A page without what differs each time: its tokens, and when the session ends."""
    lines = [line for line in text.splitlines() if "csrf_token" not in line]
    return re.sub(r"\bevery \d+s", "", "\n".join(lines))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost:1"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_a_form_on_another_site_does_nothing(app, owned, client_row, routes, headers):
    browsers = everybody(app, client_row)
    before = snapshot()
    for browser in browsers:
        for row, method in methods(routes, UNSAFE):
            data = {"csrf_token": browser.token()}
            assert ask(browser, row, method, headers=headers, data=data).status_code == 403, row
    assert snapshot() == before


@pytest.mark.parametrize("token", ["", "old", "foreign"])
def test_a_form_without_its_token_does_nothing(app, owned, client_row, stranger, routes, token):
    browsers = everybody(app, client_row)
    before = snapshot()
    for browser in browsers:
        for row, method in methods(routes, UNSAFE):
            value = stranger.token() if token == "foreign" else token
            response = ask(browser, row, method, data={"csrf_token": value} if value else None)
            assert 400 <= response.status_code < 500, (row, response.status)
    assert snapshot() == before


def everybody(app, client_row):
    """One browser of a client's administrator and one of the operator's."""
    return [
        Browser(app, factories.make_user(client_row)),
        Browser(app, factories.make_user(role=Role.OPERATOR_ADMINISTRATOR)),
    ]


def test_looking_at_everything_twice_changes_nothing(app, owned, client_row, closed):
    browsers = everybody(app, client_row)
    before = snapshot()
    for browser in browsers * 2:
        for row, method in methods(closed, {"GET"}):
            assert ask(browser, row, method).status_code < 500, row
    assert snapshot() == before


def test_every_answer_carries_its_protection(app, owned, client_row, anonymous, stranger, routes):
    browsers = [*everybody(app, client_row), anonymous, stranger]
    for browser in browsers:
        for row, method in methods([r for r in routes if "<int:" not in r["rule"]]):
            for htmx in ({}, {"HX-Request": "true", "HX-Request-Type": "partial"}):
                response = ask(browser, row, method, headers=htmx)
                check_protection(response, row)
    check_protection(anonymous.client.get("/no/such/page"), "404")
    check_protection(anonymous.client.post("/bills/"), "405")
    check_protection(anonymous.client.get("/orders"), "308")


def check_protection(response, where):
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") or "sandbox" in policy, where
    assert "unsafe-" not in policy, where
    assert response.headers["X-Content-Type-Options"] == "nosniff", where
    assert response.headers["Referrer-Policy"] == "same-origin", where
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin", where
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin", where
    assert "no-store" in response.headers["Cache-Control"], where
    assert "Cookie" in response.vary, where


def test_client_and_operator_roles_are_all_roles():
    assert set(Role) == CLIENT_ROLES | OPERATOR_ROLES
