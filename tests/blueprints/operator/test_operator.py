"""The operator's page: what needs somebody first, trying again, and who may not be here."""

from datetime import date, timedelta

import pytest

from domain.orders import OrderState
from domain.roles import Role
from models import AuditEvent, Exchange, ImportRun, Order
from models_billing import BillingFailure, UsageDay
from services import clock
from tests import factories
from tests.factories import NOON
from tests.page import Browser


def make_order(client, number=1, **values):
    user = values.pop("user", None) or factories.make_user(client)
    return Order.create(
        **{
            "client": client,
            "user": user,
            "number": number,
            "key": f"key-{client.id}-{number}",
            "draft_key": f"draft-{client.id}-{number}",
            "kind": "call_detail",
            "params": {
                "start": "2026-03-01",
                "end": "2026-03-10",
                "direction": "both",
                "format": "xlsx",
            },
            "email": "buh@romashka.by",
            "created_at": NOON,
            "due_at": NOON,
            "next_try_at": NOON,
            **values,
        }
    )


def cells(page, column):
    return [cell.get_text(strip=True) for cell in page.select(f'td[data-l="{column}"]')]


def test_what_needs_somebody_stands_first(operator_browser, client_row):
    for number, state in enumerate(
        (OrderState.SENT, OrderState.ACCEPTED, OrderState.FAILED, OrderState.UNCONFIRMED), start=1
    ):
        make_order(client_row, number, state=state)
    page = operator_browser.get("operator.show")
    assert cells(page, "№") == ["4", "3", "2", "1"]


def test_orders_of_one_state_have_an_address(operator_browser, client_row):
    make_order(client_row, 1, state=OrderState.SENT)
    make_order(client_row, 2, state=OrderState.FAILED)
    page = operator_browser.get("operator.show", state="failed")
    assert cells(page, "№") == ["2"]
    operator_browser.get("operator.show", state="lost", status=404)


def test_a_failed_order_tells_why_and_hides_the_recipient(operator_browser, client_row):
    order = make_order(
        client_row, state=OrderState.FAILED, reason="mail_too_large", detail="552 5.3.4 too big"
    )
    page = operator_browser.get("operator.show")
    assert "M-18" in cells(page, "Причина")[0]
    assert "552 5.3.4 too big" in page.select_one("td details").text
    page = operator_browser.get("operator.order", key=order.key)
    assert "b***@r***.by" in page.text
    assert "buh@romashka.by" not in str(page)


def test_trying_again_puts_the_order_back_and_returns_to_the_list(operator_browser, client_row):
    order = make_order(client_row, state=OrderState.FAILED, reason="render_failed", attempts=12)
    page = operator_browser.get("operator.show", state="failed")
    assert page.select_one("td form button").text == "Повторить"
    back = {"Referer": "http://localhost/operator/?state=failed"}
    operator_browser.post("operator.retry", key=order.key, headers=back)
    assert operator_browser.response.location == "/operator/?state=failed"
    assert Order.get_by_id(order.id).state == OrderState.ACCEPTED
    assert AuditEvent.get(AuditEvent.event == "order_retried").user.login
    assert "№ 1 выполняется повторно" in operator_browser.follow().text


def test_an_order_that_was_sent_is_not_sent_again(operator_browser, client_row):
    order = make_order(client_row, state=OrderState.SENT)
    assert not operator_browser.get("operator.show").select("td form")
    operator_browser.post("operator.retry", key=order.key)
    assert Order.get_by_id(order.id).state == OrderState.SENT


def test_looking_into_a_clients_order_is_written_down(operator_browser, client_row):
    order = make_order(client_row)
    operator_browser.get("operator.order", key=order.key)
    event = AuditEvent.get(AuditEvent.event == "client_viewed")
    assert (event.client, event.user, event.subject) == (
        client_row,
        operator_browser.user,
        f"order:{order.id}",
    )


def test_an_import_shows_its_counts_and_rejected_lines(operator_browser, base):
    ImportRun.create(
        exchange=Exchange.create(name="pbx-1"),
        file_name="Master.csv",
        file_sha256="0" * 64,
        format="asterisk-csv",
        zone="Europe/Minsk",
        state="done",
        lines=1234,
        accepted=1233,
        rejected=1,
        rejects=[{"line": 77, "reason": "no start"}],
        started_at=NOON,
    )
    page = operator_browser.get("operator.show")
    assert cells(page, "Строк") == ["1\xa0234"]
    assert page.select_one("ol.rejects li")["value"] == "77"
    assert page.select_one("ol.rejects li").text == "нет начала звонка"


def test_the_list_goes_in_pages_of_fifty(operator_browser, client_row):
    user = factories.make_user(client_row)
    for number in range(1, 53):
        make_order(client_row, number, user=user)
    assert len(cells(operator_browser.get("operator.show"), "№")) == 50
    assert cells(operator_browser.get("operator.show", page=2), "№") == ["2", "1"]
    assert cells(operator_browser.get("operator.show", page=99), "№") == ["2", "1"]


def test_home_leads_the_operator_to_their_page(operator_browser):
    operator_browser.get("home.show", status=303)
    assert operator_browser.response.location == "/operator/"


@pytest.mark.parametrize("role", [Role.CLIENT_ADMINISTRATOR, Role.ACCOUNTANT, Role.VIEWER])
def test_a_client_gets_no_further_than_the_door(app, client_row, role):
    browser = Browser(app, factories.make_user(client_row, role=role))
    order = make_order(client_row, state=OrderState.FAILED)
    browser.get("operator.show", status=403)
    assert "Администратор оператора" in browser.response.text
    browser.get("operator.order", key=order.key, status=403)
    browser.post("operator.retry", key=order.key, status=403)
    assert Order.get_by_id(order.id).state == OrderState.FAILED


def test_a_clerk_may_do_all_of_this(app, base, client_row):
    clerk = Browser(app, factories.make_user(role=Role.CLERK))
    order = make_order(client_row, state=OrderState.FAILED)
    clerk.post("operator.retry", key=order.key)
    assert Order.get_by_id(order.id).state == OrderState.ACCEPTED


# --- What needs the operator ----------------------------------------------------------------------


def today(browser):
    page = browser.get("operator.show")
    lines = page.select(".today li")
    return {" ".join(line.text.replace("\xa0", " ").split()): line.a["href"] for line in lines}


def test_what_needs_the_operator_stands_first_with_counts_and_links(
    operator_browser, client_row, stranger
):
    make_order(client_row, 1, state=OrderState.FAILED)
    make_order(client_row, 2, state=OrderState.UNCONFIRMED)
    factories.make_thread(client_row)
    BillingFailure.create(
        client=client_row, period=date(2026, 2, 1), reason="unrated_calls", count=3, at=NOON
    )
    day = (clock.now() - timedelta(days=1)).date().toordinal()
    for client in (client_row, stranger.user.client):
        UsageDay.create(
            client=client, day=day, destination_group="?", calls=9, seconds=9, billed_s=0,
            package_s=0, micros=0, unrated=2,
        )  # fmt: skip
    url = operator_browser.url
    assert today(operator_browser) == {
        "Заказы, задержанные до решения: 1": url("operator.show", state="unconfirmed"),
        "Заказы не выполнены: 1": url("operator.show", state="failed"),
        "Клиенты без счета за февраль 2026 г.: 1": url("operator.billing.month", month="2026-02"),
        "Звонки без цены: 4 клиентов: 2": url("operator.unrated.index"),
        "Обращения ждут ответа: 1": url("operator.feedback.index"),
        "Записи о звонках еще не загружались.": url("operator.imports.index"),
    }
    for address in today(operator_browser).values():
        operator_browser.get(address)


def test_the_last_import_is_told_and_an_old_one_asks_why(operator_browser):
    run = factories.make_import_run(started_at=clock.now(), lines=5, unmatched=2)
    ((told, address),) = today(operator_browser).items()
    assert told.endswith("строк: 5, без абонента: 2")
    assert address == operator_browser.url("operator.imports.show", run=run.id)
    assert "Сейчас ничего не требуется." in operator_browser.get("operator.show").main.text
    run.started_at = clock.now() - timedelta(days=2)
    run.save()
    (told,) = today(operator_browser)
    assert told.endswith("файлов нет больше суток")
    assert "Сейчас ничего не требуется." not in operator_browser.get("operator.show").main.text
