"""«Счета»: the source document's introduction and five paragraphs, and ways on."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from domain.orders import OrderKind, OrderState
from domain.periods import month_start
from models import Order
from models_billing import Invoice, Payment
from services import billing, clock, corrections, invoices
from services.invoice_list import number_of, settlement_of
from tests.blueprints.source_words import INTRODUCTION, PARAGRAPHS
from tests.factories import make_invoice_order
from tests.security import world
from tests.services import invoice_cases as cases
from tests.services.invoice_cases import MARCH


def test_the_introduction_and_five_paragraphs_stand_word_for_word(browser):
    page = browser.get("bills.show")
    assert page.h1.text == "Счета"
    assert page.main.p.text == INTRODUCTION
    tasks = {item.h2.text: item.p.text for item in page.main.select(".tasks li")}
    assert list(tasks.items()) == list(PARAGRAPHS.items())


@pytest.mark.parametrize("title", PARAGRAPHS)
def test_a_name_is_a_link_once_and_its_paragraph_leads_there_too(browser, title):
    page = browser.get("bills.show")
    (link,) = page.find_all("a", string=title)
    assert browser.get(link["href"]).h1.text == title
    task = next(item for item in page.select(".tasks li") if item.h2.text == title)
    assert task.a["href"] == link["href"]
    assert task.a["aria-describedby"] == task.h2["id"]


def test_to_menu_leads_home(browser):
    link = browser.get("bills.show").main.find("a", string="В меню")
    assert link["href"] == browser.url("home.show")


def test_htmx_gets_the_fragment_with_the_menu_beside_it(browser):
    part = browser.get("bills.show", htmx=True)
    assert part.title.text == "Счета – Личный кабинет SIP"
    assert part.h1.has_attr("autofocus")
    assert not part.h1.has_attr("id")
    assert [tag["id"] for tag in part.select("[hx-swap-oob]")] == [
        "menu",
        "ctx",
        "onlooking",
        "flash",
    ]
    assert part.select_one("#menu a[aria-current]").text == "Счета"


def test_going_back_in_the_history_gets_a_whole_page_that_leaves_the_focus_alone(browser):
    back = {"HX-Request-Type": "full", "HX-History-Restore-Request": "true"}
    page = browser.get("bills.show", headers=back)
    assert page.select_one("html")
    assert not page.select("[autofocus]")


# --- The list of bills ----------------------------------------------------------------------------


@pytest.fixture
def on(monkeypatch):
    """Set the clock to a day of 2026."""

    def turn(month, day):
        moment = datetime(2026, month, day, 9, tzinfo=UTC)
        monkeypatch.setattr(clock, "now", lambda: moment)
        return moment

    turn(4, 10)
    return turn


@pytest.fixture
def march(client_row, on):
    """A bill of 8,75, due on 25 April, with its letter."""
    cases.make_plan()
    cases.add_number(client_row, 0)
    cases.add_number(client_row, 1)
    billing.form_month(MARCH, mail=True, now=cases.NOW)
    return invoices.of_client(client_row)[0]


def pay(client, amount, **values):
    Payment.create(
        client=client,
        paid_on=date(2026, 4, 12),
        amount=amount,
        key=f"{amount}{len(values)}",
        created_at=cases.NOW,
        **values,
    )


def words(tag):
    return " ".join(tag.get_text(" ").replace("\xa0", " ").split())


def bills(browser, **values):
    page = browser.get("bills.show", **values)
    rows = page.select("table.bills tbody tr")
    return [{cell["data-l"]: words(cell) for cell in row.select("[data-l]")} for row in rows]


def state(browser):
    return bills(browser)[0]["Состояние"]


def set_letter(invoice, order_state):
    Order.update(state=order_state, closed_at=clock.now()).where(
        Order.draft_key == f"invoice:{invoice.id}"
    ).execute()


def test_a_client_without_bills_is_told_so(browser):
    page = browser.get("bills.show")
    assert "Счетов еще нет: первый будет сформирован по окончании месяца." in words(page.main)


def test_the_list_stands_below_the_five_paragraphs(browser, march):
    page = browser.get("bills.show")
    assert page.select_one(".tasks").find_next("table").select_one("tbody tr")
    assert bills(browser) == [
        {
            "Период": "март 2026 г.",
            "Счет": "2026-000001 от 02.04.2026",
            "Без НДС": "7,00",
            "НДС": "1,75",
            "Всего": "8,75",
            "Оплачено": "0,00",
            "Остаток": "8,75",
            "Срок оплаты": "25.04.2026",
            "Состояние": "выставлен письмо отправляется",
            "Файлы": "Заказать файл счета № 2026-000001",
        }
    ]
    assert "К оплате по всем счетам: 8,75 BYN." in words(page.main)


def test_the_state_follows_the_letter_and_then_the_money(browser, client_row, march, on):
    set_letter(march, OrderState.SENT)
    assert state(browser) == "отправлен письмо отправлено 10.04.2026 12:00"
    set_letter(march, OrderState.FAILED)
    assert state(browser) == "не доставлен письмо не доставлено"
    pay(client_row, 300)
    assert state(browser).startswith("оплачен частично")
    on(4, 25)
    assert state(browser).startswith("оплачен частично")
    on(4, 26)
    assert state(browser).startswith("просрочен")
    pay(client_row, 575)
    assert state(browser).startswith("оплачен")
    assert bills(browser)[0]["Остаток"] == "0,00"
    pay(client_row, 100)
    page = browser.get("bills.show")
    assert "Все счета оплачены, переплата: 1,00 BYN." in words(page.main)


def test_a_repeated_letter_that_went_out_makes_a_lost_one_good(browser, march):
    set_letter(march, OrderState.FAILED)
    make_invoice_order(march, OrderKind.INVOICE_EMAIL, state=OrderState.SENT, closed_at=clock.now())
    make_invoice_order(march, OrderKind.INVOICE_EMAIL, state=OrderState.FAILED)
    assert state(browser).startswith("отправлен")


def test_payments_pay_the_oldest_bill_and_credit_notes_are_linked(browser, client_row, march, on):
    billing.form_month(cases.APRIL, now=on(5, 2))
    pay(client_row, 1000)
    note = corrections.correct(
        march, [corrections.Correction(1, Fraction(1, 2))], reason="Ошибка", now=on(5, 3)
    )
    second, first = bills(browser)
    assert (first["Оплачено"], first["Остаток"]) == ("4,37", "0,00")
    assert (second["Оплачено"], second["Остаток"]) == ("5,63", "3,12")
    assert first["Счет"] == "2026-000001 от 02.04.2026 корректировка № 2026-000003"
    page = browser.get("bills.show")
    assert page.find("a", string="корректировка № 2026-000003")["href"] == f"/bills/{note.key}/"
    assert settlement_of(client_row).debt == invoices.of_client(client_row)[0].closing - 1000


def test_a_month_that_is_still_to_be_formed_is_named(browser, march, on):
    assert "еще не сформирован" not in words(browser.get("bills.show").main)
    on(5, 2)
    assert "Счет за апрель 2026 г. еще не сформирован." in words(browser.get("bills.show").main)


def test_made_files_can_be_fetched_from_the_list(browser, app, client_row, march):
    order = make_invoice_order(
        march, OrderKind.INVOICE_LINK, "xlsx", state=OrderState.AVAILABLE, closed_at=clock.now()
    )
    world.add_file(app, order, "Счет.xlsx")
    link = (
        browser.get("bills.show")
        .select_one("table.bills")
        .find("a", href=f"/orders/{order.key}/file")
    )
    assert words(link) == "XLSX счета № 2026-000001"


def test_pages_of_the_list(browser, client_row, on):
    month = MARCH
    for n in range(14):
        moment = datetime(2026 + (n + 3) // 12, (n + 3) % 12 + 1, 2, tzinfo=UTC)
        billing.form_month(month, now=moment)
        month = month_start(month, -1)
    assert len(bills(browser)) == 12
    assert [row["Период"] for row in bills(browser, page=2)] == ["апрель 2026 г.", "март 2026 г."]
    assert len(bills(browser, page=99)) == 2


def test_a_strangers_bills_are_not_in_the_list(stranger, march):
    own = Invoice.of(stranger.user.client).get()
    assert [row["Счет"].split()[0] for row in bills(stranger)] == [number_of(own)]
