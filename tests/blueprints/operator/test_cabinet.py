"""One of the operator's people looks at a client's cabinet: all that a viewer sees, and no more."""

import pytest

from blueprints.guards import roles_of
from commands.routes import describe
from domain.roles import CLIENT_ROLES, Role
from models import AuditEvent
from models_feedback import FeedbackSeen
from tests import factories
from tests.page import Browser
from tests.security import forms
from tests.security.tables import BUSINESS, dump

PAGE = "operator.cabinet"
REASON = "Вопрос по телефону о счете"
FILES = (  # a viewer may fetch them
    *("payments.file", "payments.order", "instalments.file"),
    "orders.file",  # of papers
)
BANNER = "Вы смотрите кабинет клиента"


@pytest.fixture
def clerk(app, base):
    return Browser(app, factories.make_user(role=Role.CLERK))


def open_cabinet(browser, client, reason=REASON):
    browser.post(f"{PAGE}.show", {"reason": reason}, client=client.id)
    assert browser.response.location == "/"
    return browser.get("home.show")


def test_the_clients_page_leads_to_it_and_every_page_says_so(clerk, client_row):
    page = clerk.get("operator.clients.show", client=client_row.id)
    link = page.find("a", string="Посмотреть кабинет клиента")
    clerk.get(link["href"])
    page = open_cabinet(clerk, client_row)
    assert client_row.name in page.select_one("#onlooking").text
    assert page.select_one("#menu").find(string="Счета")
    for endpoint in ("account.show", "bills.show", "payments.show", "orders.index"):
        assert BANNER in clerk.get(endpoint).select_one("#onlooking").text
        assert BANNER in clerk.get(endpoint, htmx=True).select_one("#onlooking").text


def test_it_is_closed_by_its_button(clerk, client_row):
    open_cabinet(clerk, client_row)
    clerk.post(f"{PAGE}.leave", client=client_row.id)
    page = clerk.follow()
    assert not page.select_one("#onlooking form")
    clerk.get("bills.show", status=403)


def test_without_having_opened_it_nothing_is_seen(clerk, client_row):
    clerk.get("bills.show", status=403)
    assert clerk.get("home.show", status=303).location == "/operator/"


@pytest.mark.parametrize("reason", ["", "   ", "...", "д" * 201, "раз\adva"])
def test_without_a_reason_it_stays_closed(clerk, client_row, reason):
    page = clerk.post(f"{PAGE}.show", {"reason": reason}, client=client_row.id, status=422)
    assert page.select_one("[aria-invalid]")
    clerk.get("bills.show", status=403)


def test_every_page_is_written_down_with_the_reason_and_the_client_reads_it(app, clerk, client_row):
    administrator = factories.make_user(client_row)
    open_cabinet(clerk, client_row, reason="звонок с +375 29 123-45-67")
    clerk.get("payments.show")
    viewed = AuditEvent.select().where(AuditEvent.event == "client_viewed")
    assert [row.detail["page"] for row in viewed.order_by(AuditEvent.id)] == [
        "home.show",
        "payments.show",
    ]
    assert {row.client for row in viewed} == {client_row}
    log = Browser(app, administrator).get("account.log.show").main.text
    assert "Просмотр данных компании: «звонок с" in log
    assert "123-45-67" not in log
    assert not any("123" in row.detail["reason"] for row in viewed)


def test_who_is_no_operator_cannot_open_one(app, client_row):
    other = factories.make_client()
    browser = Browser(app, factories.make_user(client_row))
    browser.post(f"{PAGE}.show", {"reason": REASON}, client=other.id, status=403)


@pytest.fixture
def full(app, base):
    with forms.full_world(app) as made:
        yield made


def test_what_a_viewer_may_see_is_open_and_nothing_else_of_a_client_is(app, full):
    browser = Browser(app, factories.make_user(role=Role.OPERATOR_ADMINISTRATOR))
    open_cabinet(browser, full.client)
    watched = (*BUSINESS, FeedbackSeen)
    before, seen = dump(watched), set()
    for row in describe(app):
        roles = roles_of(app.view_functions[row["endpoint"]])
        if row["scope"] == "public" or not roles <= CLIENT_ROLES:
            continue
        for method in row["methods"]:
            data = {"csrf_token": browser.token()} if method == "POST" else None
            address = full.address(row["rule"])
            answer = browser.client.open(address, method=method, data=data, buffered=True)
            if method == "POST" or Role.VIEWER not in roles or row["endpoint"] in FILES:
                assert answer.status_code == 403, (method, row)
            else:
                assert answer.status_code in {200, 303, 404}, (method, row)
                assert "attachment" not in answer.headers.get("Content-Disposition", ""), row
                seen.add(answer.status_code)
    assert dump(watched) == before
    assert 200 in seen


def test_another_clients_rows_are_not_there(app, full):
    browser = Browser(app, factories.make_user(role=Role.CLERK))
    open_cabinet(browser, factories.make_client())
    assert browser.client.get(f"/orders/{full.order.key}").status_code == 404
