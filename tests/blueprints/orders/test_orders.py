"""«История заказов»: the list, the order's page in each state, its file, and what can be done."""

from datetime import timedelta
from hashlib import sha256

import pytest

from domain.orders import OrderState
from domain.roles import Role
from models import Artefact, AuditEvent, DraftSubscriber, Order, OrderDraft
from services import clock, scopes
from services.audit import By
from services.transactions import write_tx
from tests.factories import NOON, make_order, make_subscriber, make_user
from tests.page import Browser


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def order(client_row):
    return make_order(client_row, [make_subscriber(client_row)], number=12)


@pytest.fixture
def viewer(app, client_row):
    return Browser(app, make_user(client_row, role=Role.VIEWER))


def with_file(order, app, **values):
    """Give an order a made file."""
    folder = app.config["CABINET"].artefact_dir / order.key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "1.xlsx").write_bytes(b"PK the file")
    return Artefact.create(
        **{
            "order": order,
            "path": f"{order.key}/1.xlsx",
            "display_name": "Детализация № 12.xlsx",
            "media_type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "size": 11,
            "sha256": sha256(b"PK the file").hexdigest(),
            "made_at": NOON,
            "expires_at": NOON + timedelta(days=7),
            **values,
        }
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "В очереди"),
        (
            {"next_try_at": NOON + timedelta(hours=24), "due_at": NOON + timedelta(hours=24)},
            "Принят",
        ),
        ({"state": "rendering", "done": 430, "total": 1000}, "Готово 43 %"),
        ({"state": "rendering"}, "Файл формируется"),
        ({"state": "sending"}, "отправляется"),
        (
            {"state": "retry_wait", "reason": "mail_unreachable", "attempts": 2},
            "Почтовый сервер не отвечает. Код M-20. Попытка 2 не удалась",
        ),
        ({"state": "failed", "reason": "mail_address_refused", "attempts": 1}, "Код M-17"),
        ({"state": "unconfirmed", "reason": "mail_unconfirmed"}, "Код M-23"),
        ({"state": "cancelled", "closed_at": NOON}, "Отменен 10.03.2026 12:00"),
        (
            {"state": "sent", "closed_at": NOON, "rows": 2},
            "Отправлено на d***@e***.by 10.03.2026 12:00",
        ),
    ],
)
def test_each_state_has_its_words_and_the_promise_stands_in_all(browser, order, values, words):
    Order.update({"number": 12, **values}).where(Order.id == order.id).execute()
    page = browser.get("orders.show", key=order.key)
    assert words in page.select_one("#card").text
    assert "будет выслана на адрес d***@e***.by" in page.select_one(".lead").text
    assert "Отправим после" in page.text
    assert page.find("a", string="Назад")["href"] == "/bills/call-detail/"


@pytest.mark.parametrize("hours", [0, 24])
def test_the_promise_names_the_day_only_where_there_is_one(browser, order, hours):
    Order.update(due_at=NOON + timedelta(hours=hours)).execute()
    page = browser.get("orders.show", key=order.key)
    assert ("по истечении суток" in page.select_one(".lead").text) is bool(hours)
    assert ("10.03.2026 12:00, как только файл будет готов" in page.text) is not bool(hours)


@pytest.mark.parametrize(("state", "closed"), [("sent", True), ("accepted", False)])
def test_of_a_closed_order_it_is_said_that_this_was_promised(browser, order, state, closed):
    Order.update(state=state, closed_at=NOON, rows=1).execute()
    page = browser.get("orders.show", key=order.key)
    told = page.select_one("#promised")
    assert "Обещано при оформлении заказа" in told.text
    assert told.has_attr("hidden") is not closed
    card = browser.get("orders.status", key=order.key, htmx=True)
    assert (card.select_one("#promised[hx-swap-oob]") is not None) is closed


@pytest.mark.parametrize(
    ("values", "polls"),
    [
        ({}, "every 1s"),
        (
            {"due_at": NOON - timedelta(seconds=30), "created_at": NOON - timedelta(seconds=30)},
            "every 2s",
        ),
        (
            {"due_at": NOON - timedelta(minutes=5), "created_at": NOON - timedelta(minutes=5)},
            "every 5s",
        ),
        ({"due_at": NOON - timedelta(hours=1), "created_at": NOON - timedelta(hours=1)}, None),
        ({"next_try_at": NOON + timedelta(days=1)}, None),
        ({"state": "sent", "closed_at": NOON, "rows": 1}, None),
        ({"state": "failed"}, None),
    ],
)
def test_the_card_polls_only_while_there_is_something_to_wait_for(browser, order, values, polls):
    Order.update({"number": 12, **values}).where(Order.id == order.id).execute()
    card = browser.get("orders.status", key=order.key, htmx=True).select_one("#card")
    assert card.get("hx-trigger") == polls
    assert ("hx-get" in card.attrs) is bool(polls)


def test_a_card_opened_as_a_page_is_the_order(browser, order):
    browser.get("orders.status", key=order.key, status=303)
    assert browser.response.location.endswith(f"/orders/{order.key}")


def test_the_way_back_through_the_history_tells_the_address(browser, order):
    headers = {"HX-Request-Type": "full", "HX-History-Restore-Request": "true"}
    browser.get("orders.show", key=order.key, headers=headers)
    assert browser.response.headers["HX-Replace-Url"].endswith(f"/orders/{order.key}")


def test_the_list_shows_own_orders_newest_first_by_state(browser, client_row):
    for number, state in ((1, "sent"), (2, "failed"), (3, "accepted")):
        make_order(client_row, number=number, state=state)
    make_order(number=99)
    page = browser.get("orders.index")
    assert [cell.text for cell in page.select("tbody th")] == ["3", "2", "1"]
    page = browser.get("orders.index", state="failed")
    assert [cell.text for cell in page.select("tbody th")] == ["2"]


def test_an_empty_list_says_what_to_do(browser):
    page = browser.get("orders.index")
    assert page.select_one("main").find("a", string="Заказать детализацию")


def test_a_page_number_beyond_the_end_is_the_last_page(browser, client_row):
    for number in range(1, 23):
        make_order(client_row, number=number)
    page = browser.get("orders.index", page=99)
    assert [cell.text for cell in page.select("tbody th")] == ["2", "1"]


# --- The file -------------------------------------------------------------------------------------


def test_the_file_is_fetched_under_its_name_and_written_down(browser, order, client_row, app):
    client_row.may_download = True
    client_row.save()
    with_file(order, app)
    page = browser.get("orders.show", key=order.key)
    assert page.select_one("#card a[download]")["href"].endswith("/file")
    response = browser.get("orders.file", key=order.key)
    assert response.data == b"PK the file"
    assert "filename*=UTF-8''" in response.headers["Content-Disposition"]
    response.close()
    assert AuditEvent.select().where(AuditEvent.event == "file_downloaded").count() == 1


def test_without_the_clients_policy_there_is_no_file(browser, order, app):
    with_file(order, app)
    assert not browser.get("orders.show", key=order.key).select("#card a[download]")
    browser.get("orders.file", key=order.key, status=404)


def test_a_file_too_large_for_a_letter_can_be_fetched_whatever_the_policy(browser, order, app):
    with_file(order, app, size=20 * 1024 * 1024)
    browser.get("orders.file", key=order.key).close()


def test_a_file_whose_time_is_over_is_gone_and_says_since_when(browser, order, client_row, app):
    client_row.may_download = True
    client_row.save()
    with_file(order, app, expires_at=NOON - timedelta(seconds=1))
    response = browser.get("orders.file", key=order.key, status=410)
    assert "Срок хранения файла истек 10.03.2026" in response.text
    assert "Срок хранения файла истек" in browser.get("orders.show", key=order.key).text


def test_a_viewer_sees_the_order_but_not_the_file(viewer, order, client_row, app):
    client_row.may_download = True
    client_row.save()
    with_file(order, app)
    page = viewer.get("orders.show", key=order.key)
    assert not page.select("#card a[download]")
    viewer.get("orders.file", key=order.key, status=403)


@pytest.fixture
def act(app, client_row):
    """An act of reconciliation that was mailed, of a client whose files are not handed out."""
    order = make_order(client_row, number=13, kind="statement", state=OrderState.SENT)
    Order.update(closed_at=NOON).where(Order.id == order.id).execute()
    with_file(order, app)
    return order


@pytest.mark.parametrize("role", [Role.CLIENT_ADMINISTRATOR, Role.ACCOUNTANT, Role.VIEWER])
def test_an_act_is_fetched_by_whoever_sees_payments_whatever_the_policy(app, client_row, act, role):
    person = Browser(app, make_user(client_row, role=role))
    link = person.get("orders.show", key=act.key).select_one("#card a[download]")
    response = person.get(link["href"])
    assert response.data == b"PK the file"
    response.close()


def test_an_act_is_not_for_those_who_see_chosen_numbers(app, client_row, act):
    somebody = make_user(client_row, role=Role.VIEWER)
    Order.update(user=somebody).where(Order.id == act.id).execute()
    with write_tx():
        scopes.close(somebody, by=By(now=NOON))
    Browser(app, somebody).get("orders.file", key=act.key, status=404)


# --- What can be done -----------------------------------------------------------------------------


def test_cancelling_asks_first(browser, order):
    page = browser.get("orders.cancel", key=order.key)
    assert page.find("button", string="Отменить заказ")
    assert Order.get().state == OrderState.ACCEPTED
    browser.post("orders.cancel", key=order.key)
    assert Order.get().state == OrderState.CANCELLED
    assert "Заказ отменен" in browser.follow().text


def test_it_can_be_too_late_to_cancel(browser, order):
    Order.update(state=OrderState.SENDING).execute()
    browser.post("orders.cancel", key=order.key)
    assert Order.get().state == OrderState.SENDING
    assert "Отменить уже нельзя" in browser.follow().text


def test_a_failed_order_is_tried_again_under_its_number(browser, order):
    Order.update(state=OrderState.FAILED, reason="mail_refused").execute()
    assert browser.get("orders.show", key=order.key).find("button", string="Повторить")
    browser.post("orders.retry", key=order.key)
    assert (Order.get().state, Order.get().number) == (OrderState.ACCEPTED, 12)


def test_what_is_held_for_the_operator_is_not_the_clients_to_release(browser, order):
    Order.update(state=OrderState.UNCONFIRMED).execute()
    browser.post("orders.retry", key=order.key)
    assert Order.get().state == OrderState.UNCONFIRMED


def test_the_same_again_opens_the_wizard_filled_in(browser, order):
    browser.post("orders.repeat", key=order.key)
    page = browser.follow()
    assert page.select_one("input[name=end]")["value"] == "2026-03-10"
    assert DraftSubscriber.select().where(DraftSubscriber.draft == OrderDraft.get()).count() == 1


@pytest.mark.parametrize("view", ["show", "status", "file", "cancel"])
def test_a_stranger_finds_nothing(stranger, order, view):
    stranger.get(f"orders.{view}", key=order.key, status=404)


@pytest.mark.parametrize("view", ["cancel", "retry", "repeat"])
def test_a_stranger_changes_nothing(stranger, order, view):
    Order.update(state=OrderState.RETRY_WAIT).execute()
    stranger.post(f"orders.{view}", key=order.key, status=404)
    assert Order.get().state == OrderState.RETRY_WAIT
    assert OrderDraft.select().count() == 0
