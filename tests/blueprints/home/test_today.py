"""What the home page says first: to pay until when, orders, answers, a change of delivery."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from hashlib import sha256

import pytest

from domain.billing.delivery import DeliveryPurpose
from domain.orders import OrderKind
from domain.roles import Role
from models import Artefact
from models_billing import Payment
from services import billing, clock, corrections, invoices
from tests.factories import (
    NOON,
    make_delivery_change,
    make_message,
    make_order,
    make_thread,
    make_user,
)
from tests.page import Browser
from tests.services import invoice_cases as cases
from tests.services.invoice_cases import APRIL, LATER, MARCH

CALM = "Сегодня от вас ничего не требуется."


@pytest.fixture(autouse=True)
def on(monkeypatch):
    """Set the clock to a day of 2026; it is the tenth of March at first."""

    def turn(month, day, hour=9):
        moment = datetime(2026, month, day, hour, tzinfo=UTC)
        monkeypatch.setattr(clock, "now", lambda: moment)
        return moment

    turn(3, 10)
    return turn


@pytest.fixture
def march(client_row, on):
    """A bill of 8,75, due on 25 April."""
    cases.make_plan()
    cases.add_number(client_row, 0)
    cases.add_number(client_row, 1)
    billing.form_month(MARCH, mail=False, now=cases.NOW)
    on(4, 10)
    return invoices.of_client(client_row)[0]


@pytest.fixture
def viewer(app, client_row):
    return Browser(app, make_user(client_row, role=Role.VIEWER))


def words(tag):
    return " ".join(tag.get_text(" ").replace("\xa0", " ").split())


def home(browser):
    """The page, signed in anew: the clock may have been turned."""
    browser.sign_in(browser.user)
    return browser.get("home.show")


def today(browser):
    """The sentences, each with where it leads."""
    page = home(browser)
    return [(words(line), line.a and line.a["href"]) for line in page.select(".today li")]


def sentences(browser):
    return [text for text, _address in today(browser)]


def pay(client, amount):
    Payment.create(
        client=client, paid_on=date(2026, 4, 12), amount=amount, key=f"p{amount}",
        created_at=cases.NOW,
    )  # fmt: skip


def make_file(order, app, **values):
    folder = app.config["CABINET"].artefact_dir / order.key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "1.pdf").write_bytes(b"%PDF")
    return Artefact.create(
        **{
            "order": order,
            "path": f"{order.key}/1.pdf",
            "display_name": "Счет.pdf",
            "media_type": "application/pdf",
            "size": 4,
            "sha256": sha256(b"%PDF").hexdigest(),
            "made_at": NOON,
            "expires_at": NOON + timedelta(days=7),
            **values,
        }
    )


def test_on_the_first_day_there_is_nothing_to_do_and_that_is_said(browser):
    main = words(home(browser).main)
    assert CALM in main
    assert "Все счета оплачены" not in main
    assert "Счетов еще нет: первый будет сформирован по окончании месяца." in main
    assert "Звонков в этом месяце еще нет." in main
    assert sentences(browser) == []


# --- Money ----------------------------------------------------------------------------------------


def test_what_is_to_pay_is_said_with_its_day_and_leads_to_the_bill(browser, march):
    address = browser.url("bills.invoice.show", key=march.key)
    assert today(browser) == [
        ("К оплате 8,75 BYN до 25.04.2026 счет № 2026-000001", address),
    ]
    assert CALM not in words(home(browser).main)


def test_only_what_is_left_is_to_pay(browser, march, client_row):
    pay(client_row, 300)
    assert sentences(browser) == ["К оплате 5,75 BYN до 25.04.2026 счет № 2026-000001"]


def test_on_its_day_a_bill_is_not_overdue_and_on_the_next_it_is(browser, march, on):
    on(4, 25)
    assert sentences(browser) == ["К оплате 8,75 BYN до 25.04.2026 счет № 2026-000001"]
    on(4, 26)
    assert sentences(browser) == [
        "Просрочено 8,75 BYN: срок оплаты был 25.04.2026 счет № 2026-000001"
    ]


def test_the_day_is_the_operators(browser, march, on):
    on(4, 25, hour=21)  # midnight in Minsk
    assert sentences(browser)[0].startswith("Просрочено 8,75 BYN")


def test_overdue_bills_are_one_sentence_and_those_to_pay_another(browser, march, on):
    billing.form_month(APRIL, mail=False, now=LATER)
    on(5, 10)
    due, later = sentences(browser)
    assert due == "Просрочено 8,75 BYN: срок оплаты был 25.04.2026 счет № 2026-000001"
    assert later.startswith("К оплате 8,75 BYN до 25.05.2026")
    on(6, 1)
    both, _missing = today(browser)
    text = "Просрочено 17,50 BYN: самый ранний срок оплаты был 25.04.2026"
    assert both == (
        f"{text} счета № 2026-000001, 2026-000002",
        browser.url("bills.show"),
    )


def test_when_all_is_paid_that_is_said(browser, march, client_row):
    pay(client_row, 875)
    assert sentences(browser) == []
    assert f"{CALM} Все счета оплачены." in words(home(browser).main)
    pay(client_row, 125)
    assert "оплачены, переплата: 1,25 BYN" in words(home(browser).main)


def test_a_bill_that_is_being_formed_is_told_and_is_nothing_to_do(browser, march, client_row, on):
    pay(client_row, 875)
    on(5, 2)
    main = words(home(browser).main)
    assert CALM in main
    assert sentences(browser) == ["Счет за апрель 2026 г. еще не сформирован."]


def test_the_last_bills_have_their_sums_and_states(browser, march, client_row):
    row = home(browser).select_one("tr.bill")
    assert {cell["data-l"]: words(cell) for cell in row.select("[data-l]")} == {
        "Период": "март 2026 г.",
        "Счет": "2026-000001",
        "Всего": "8,75",
        "Остаток": "8,75",
        "Срок оплаты": "25.04.2026",
        "Состояние": "выставлен",
    }


def test_a_credit_note_lessens_what_is_to_pay_and_is_no_bill(browser, march, on):
    corrections.correct(
        march, [corrections.Correction(1, Fraction(1, 2))], reason="Ошибка", now=on(4, 12)
    )
    assert sentences(browser) == ["К оплате 4,37 BYN до 25.04.2026 счет № 2026-000001"]
    assert len(home(browser).select("tr.bill")) == 1


def test_a_stranger_owes_nothing_of_it(stranger, march):
    assert sentences(stranger) == []


# --- Orders ---------------------------------------------------------------------------------------


def test_orders_under_way_are_told_and_are_nothing_to_do(browser, client_row):
    first = make_order(client_row)
    address = browser.url("orders.show", key=first.key)
    assert today(browser) == [(f"Заказ № {first.number} выполняется В очереди", address)]
    assert CALM in words(home(browser).main)
    make_order(client_row)
    assert today(browser) == [("Выполняются заказы: 2", browser.url("orders.index", state="open"))]


def test_a_failed_order_is_told_until_the_same_is_ordered_again(browser, client_row):
    failed = make_order(client_row, state="failed", closed_at=NOON - timedelta(days=1))
    assert sentences(browser) == [f"Заказ № {failed.number} не выполнен Детализация на E-mail"]
    make_order(client_row, state="cancelled", closed_at=NOON)
    make_order(client_row, kind=OrderKind.CHARGES, state="sent", closed_at=NOON)
    assert len(sentences(browser)) == 1
    make_order(client_row, state="sent", closed_at=NOON)
    assert sentences(browser) == []


def test_what_failed_long_ago_is_no_news(browser, client_row):
    make_order(client_row, state="failed", closed_at=NOON - timedelta(days=8))
    assert sentences(browser) == []


def test_a_made_file_is_told_until_somebody_fetches_it(app, browser, viewer, client_row):
    order = make_order(
        client_row, kind=OrderKind.INVOICE_LINK, state="available", closed_at=NOON,
        params={"month": "2026-02-01", "format": "pdf"},
    )  # fmt: skip
    make_file(order, app)
    assert sentences(browser) == [
        f"Заказ № {order.number} готов файл можно скачать до 17.03.2026 12:00"
    ]
    assert sentences(viewer) == []  # may not fetch it
    browser.get("orders.file", key=order.key)
    assert sentences(browser) == []


def test_a_file_whose_time_is_over_is_not_offered(app, browser, client_row):
    order = make_order(
        client_row, kind=OrderKind.INVOICE_LINK, state="available", closed_at=NOON,
        params={"month": "2026-02-01", "format": "pdf"},
    )  # fmt: skip
    make_file(order, app, expires_at=NOON - timedelta(minutes=1))
    assert sentences(browser) == []


# --- Answers and delivery -------------------------------------------------------------------------


def answered(client, **values):
    thread = make_thread(client, **values)
    make_message(thread, side="operator", user=make_user(role=Role.CLERK))
    return thread


def test_an_answer_is_told_until_it_is_read(browser, client_row):
    thread = answered(client_row)
    address = browser.url("feedback.thread", key=thread.key)
    text = f"Есть ответ на обращение № {thread.number} Счета"
    assert today(browser) == [(text, address)]
    answered(client_row)
    assert today(browser) == [("Есть ответы на обращения: 2", browser.url("feedback.show"))]
    browser.get("feedback.thread", key=thread.key)
    assert len(today(browser)) == 1


def test_a_change_of_delivery_is_told_while_it_waits(browser, client_row):
    row = make_delivery_change(client_row, asked_at=NOON - timedelta(hours=1))
    until = "по ссылке из письма, до 11.03.2026 11:00"
    assert today(browser) == [
        (
            f"Изменение доставки счетов ждет подтверждения {until}",
            browser.url("bills.delivery.show"),
        )
    ]
    row.state, row.effective_at = "confirmed", NOON + timedelta(hours=24)
    row.save()
    assert sentences(browser) == ["Доставка счетов изменится 11.03.2026 12:00"]


def test_so_is_a_change_of_the_address_for_call_details(browser, viewer, client_row):
    asked_at = NOON - timedelta(hours=1)
    make_delivery_change(client_row, asked_at=asked_at)
    row = make_delivery_change(client_row, purpose=DeliveryPurpose.DETAIL, asked_at=asked_at)
    waits = (
        "Изменение адреса для детализации ждет подтверждения"
        " по ссылке из письма, до 11.03.2026 11:00"
    )
    bills, detail = today(browser)
    assert bills[0].startswith("Изменение доставки счетов ждет")
    assert detail == (waits, browser.url("account.detail_address.show"))
    assert today(viewer)[1] == (waits, browser.url("account.show"))
    row.state, row.effective_at = "confirmed", NOON + timedelta(hours=24)
    row.save()
    assert sentences(browser)[1] == (
        "Детализация будет приходить на другой адрес с 11.03.2026 12:00"
    )
