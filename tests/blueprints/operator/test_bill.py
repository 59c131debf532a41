"""A client's bill on the operator's side: giving back of it by a credit note."""

import re
from datetime import timedelta

import pytest

from domain.orders import FileFormat, OrderKind
from domain.roles import Role
from models import AuditEvent, Order
from models_billing import DeliverySetting, Discount, Invoice, OneOffCharge
from services import billing, clock, invoice_reports, invoices
from tests import factories
from tests.page import Browser
from tests.services import invoice_cases as cases
from tests.services.invoice_cases import APRIL, MARCH

PAGE = "operator.bill"
PASSWORD = "korova-na-lugu"


@pytest.fixture
def bill(client_row, monkeypatch):
    """Two numbers' fees: 7,00 without VAT, 8,75 with."""
    monkeypatch.setattr(clock, "now", lambda: cases.LATER)
    cases.make_plan()
    for n in range(2):
        cases.add_number(client_row, n)
    billing.form_month(MARCH, now=cases.NOW)
    return invoices.of_client(client_row)[0]


@pytest.fixture
def cashier(app, base):
    user = factories.make_user(role=Role.OPERATOR_ADMINISTRATOR, password=PASSWORD)
    return Browser(app, user)


@pytest.fixture
def give(cashier, bill):
    """Look at a correction, and then do it as the page says; gives the page that answers."""

    def give(fields, *, password=PASSWORD, status=303):
        where = {"client": bill.client_id, "key": bill.key}
        page = cashier.get(f"{PAGE}.show", **where, **fields)
        form = page.find("button", string="Выставить корректировочный счет").find_parent("form")
        hidden = {each["name"]: each["value"] for each in form.select("input[type=hidden]")}
        told = hidden | {"password": password}
        answer = cashier.post(f"{PAGE}.correct", told, status=status, **where)
        return cashier.follow() if status == 303 else answer

    return give


def text(page):
    return re.sub(r"[\s\xa0]+", " ", page.text)


def test_what_was_typed_can_be_changed_after_the_look(cashier, bill):
    page = look(cashier, bill, reason="Сбой", scope="lines", **{"line-1": "1,00"})
    cashier.response = cashier.client.get(page.find("a", string="Изменить")["href"])
    assert 'value="Сбой"' in cashier.response.text
    assert 'value="1,00"' in cashier.response.text
    assert page.select_one("nav [aria-current=page]").text.strip().startswith("Клиенты")


def test_a_discount_alone_cannot_be_given_back(cashier, bill, client_row):
    rule = {"name": "x", "percent": 1000, "valid_from": MARCH}
    Discount.create(client=client_row, **rule)
    billing.form_month(APRIL, now=cases.LATER)
    april = invoices.of_client(client_row)[0]
    page = look(cashier, april, status=422, reason="x", scope="lines", **{"line-2": "0,10"})
    assert "Ничего не возвращается" in text(page)
    lines = {"line-1": "1,00", "line-2": "0,10"}
    assert "0,10" in text(look(cashier, april, reason="x", scope="lines", **lines))


def test_a_sum_of_a_rate_is_parted_over_its_lines_and_discounts_fall_along(
    give, cashier, bill, client_row
):
    rule = {"name": "x", "percent": 1000, "valid_from": MARCH}
    Discount.create(client=client_row, **rule)
    charge = {"day": APRIL, "name": "Выезд", "amount": 300, "created_at": cases.NOW}
    OneOffCharge.create(client=client_row, **charge)
    billing.form_month(APRIL, now=cases.LATER)
    bill.key = invoices.of_client(client_row)[0].key
    give({"reason": "x", "scope": "rates", "rate-2500": "1,00", "line-1": "5,00"})
    note = invoices.of_client(client_row)[0]
    nets = [line.net for line in invoices.content_of(note).lines]
    assert (note.net, note.vat, len(nets)) == (-100, -25, 3)
    assert [net > 0 for net in nets] == [False, False, True]
    page = look(cashier, bill, status=422, reason="x", scope="rates", **{"rate-2500": "9,00"})
    assert "Не больше, чем осталось" in text(page.select_one(".summary"))


def look(browser, bill, status=200, **fields):
    where = {"client": bill.client_id, "key": bill.key}
    return browser.get(f"{PAGE}.show", status=status, **where, **fields)


def test_a_part_of_a_line_is_looked_at_given_back_and_mailed(give, cashier, bill, client_row):
    fields = {"reason": "Номер не работал", "scope": "lines", "line-1": "3,50"}
    page = look(cashier, bill, **fields)
    assert "Номер не работал: Абонентская плата" in text(page)
    assert "-3,50" in text(page).replace("−", "-")
    assert "Письмо с PDF уйдет" in text(page)
    assert Invoice.of(client_row).count() == 1, "a look stores nothing"
    page = give(fields)
    assert "Корректировочный счет № 2026-000002 выставлен" in text(page)
    note = Invoice.of(client_row).where(Invoice.corrects == bill).get()
    assert (note.net, note.vat, note.total, note.ordinal) == (-350, -88, -438, 1)
    [order] = Order.of(client_row).where(Order.kind == OrderKind.INVOICE_REGULAR)
    assert order.params == {"invoice": note.id, "format": "pdf"}
    [event] = AuditEvent.select().where(AuditEvent.event == "bill_corrected")
    assert (event.client_id, event.subject) == (client_row.id, f"invoice:{note.id}")
    assert not page.find("button", string="Выставить корректировочный счет")
    row = text(page.find("table").tbody)
    assert "3,50" in row


def test_what_is_left_comes_to_nothing_whatever_rounding_made(give, cashier, bill, client_row):
    for sum_ in ("0,02", "0,02", "1,11"):
        give({"reason": "x", "scope": "lines", "line-1": sum_})
    give({"reason": "x", "scope": "all"})
    assert sum(row.total for row in Invoice.of(client_row)) == 0
    assert sum(row.vat for row in Invoice.of(client_row)) == 0
    page = look(cashier, bill)
    assert not page.find("h2", string="Вернуть")


def test_a_second_click_gives_nothing_back(give, cashier, bill, client_row):
    where = {"client": bill.client_id, "key": bill.key}
    fields = {"reason": "x", "scope": "lines", "line-1": "1,00"}
    give(fields)
    again = {**fields, "after": "0", "password": PASSWORD}
    page = cashier.post(f"{PAGE}.correct", again, status=422, **where)
    assert "посмотрите, что осталось" in text(page)
    assert Invoice.of(client_row).count() == 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": "x", "scope": "lines", "line-1": "7,01"}, "Не больше, чем осталось"),
        ({"reason": "x", "scope": "lines", "line-1": "-1"}, "Не больше, чем осталось"),
        ({"reason": "x", "scope": "lines", "line-1": "1.005"}, "рубли и копейки"),
        ({"reason": "x", "scope": "lines"}, "Ничего не возвращается"),
        ({"reason": "", "scope": "all"}, "Заполните это поле"),
        ({"reason": "x" * 121, "scope": "all"}, "Не больше 120 символов"),
        ({"reason": "x", "scope": "half"}, ""),
    ],
)
def test_what_cannot_be_given_back_is_refused_in_words(cashier, bill, fields, sentence):
    page = look(cashier, bill, status=422, **fields)
    assert sentence in text(page.select_one(".summary"))
    assert not page.find("button", string="Выставить корректировочный счет")
    assert page.select_one("input[name=reason]")["value"] == fields["reason"], "it stays"


def test_without_the_right_password_nothing_is_given_out(give, bill, client_row):
    page = give({"reason": "x", "scope": "all"}, password="wrong", status=422)
    assert page.select_one("input[name=password]")["aria-invalid"] == "true"
    assert page.select_one("input[name=reason]")["value"] == "x"
    assert Invoice.of(client_row).count() == 1


def test_clerks_look_only_and_credit_notes_are_not_corrected(app, give, cashier, bill, client_row):
    give({"reason": "x", "scope": "lines", "line-1": "1,00"})
    note = Invoice.of(client_row).where(Invoice.corrects == bill).get()
    page = look(cashier, note)
    assert page.find("a", string="2026-000001")
    assert not page.find("h2", string="Вернуть")
    where = {"client": bill.client_id, "key": note.key}
    cashier.post(f"{PAGE}.correct", {"reason": "x", "scope": "all"}, status=404, **where)
    clerk = Browser(app, factories.make_user(role=Role.CLERK))
    assert not look(clerk, bill).find("h2", string="Вернуть")
    other = factories.make_client()
    clerk.get(f"{PAGE}.show", status=404, client=other.id, key=bill.key)


def test_the_client_sees_it_on_the_bill_and_whoever_holds_the_paper_too(
    give, bill, browser, anonymous, client_row
):
    give({"reason": "Номер не работал", "scope": "all"})
    note = Invoice.of(client_row).where(Invoice.corrects == bill).get()
    assert "2026-000002" in text(browser.get("bills.invoice.show", key=bill.key))
    assert "2026-000002" in text(browser.get("bills.show"))
    assert "Номер не работал" in text(browser.get("bills.invoice.show", key=note.key))
    assert "2026-000002" in text(anonymous.get("verify.show", key=bill.key))


# --- Delivery and the file ------------------------------------------------------------------------

HAND = "operator.billing.handout"


def deliver(client, since, method="pickup", receiver=""):
    """From a moment on the client gets its bills so."""
    DeliverySetting.create(
        client=client,
        method=method,
        receiver=receiver,
        email=client.invoice_email,
        state="confirmed",
        asked_at=since,
        confirmed_at=since,
        effective_at=since,
    )


@pytest.fixture
def picked_up(bill, client_row):
    """April's bill is picked up by one person, the one after it would be by another."""
    day = timedelta(days=1)
    deliver(client_row, cases.LATER - day, receiver="Иванова А. С., доверенность № 5")
    billing.form_month(APRIL, now=cases.LATER)
    deliver(client_row, cases.LATER + day, receiver="Петров П. П.")
    return invoices.of_client(client_row)[0]


def facts(page):
    terms = page.select("dl.sum dt")
    return {term.text: text(term.find_next_sibling("dd")) for term in terms}


def test_the_page_says_how_the_bill_was_to_be_delivered_when_it_was_formed(
    cashier, bill, picked_up, monkeypatch
):
    monkeypatch.setattr(clock, "now", lambda: cases.LATER + timedelta(days=9))
    page = cashier.get(f"{PAGE}.show", client=bill.client_id, key=picked_up.key)
    assert facts(page)["Способ доставки"] == "на руки: Иванова А. С., доверенность № 5"
    assert page.find("a", string="Скачать PDF")
    page = cashier.get(f"{PAGE}.show", client=bill.client_id, key=bill.key)
    assert facts(page)["Способ доставки"].startswith("e-mail: ")


def test_the_file_is_the_clients_own_and_is_written_down(app, cashier, bill, tmp_path):
    names = sorted(app.config["CABINET"].data_dir.iterdir())
    page = cashier.get(f"{PAGE}.show", client=bill.client_id, key=bill.key)
    response = cashier.get(page.find("a", string="Скачать PDF")["href"])
    invoice_reports.write(bill, FileFormat.PDF, tmp_path / "1.pdf")
    assert response.data == (tmp_path / "1.pdf").read_bytes()
    assert response.headers["Content-Type"] == "application/pdf"
    assert "filename=invoice-2026-000001.pdf;" in response.headers["Content-Disposition"]
    response.close()
    assert sorted(app.config["CABINET"].data_dir.iterdir()) == names, "nothing is left behind"
    (event,) = AuditEvent.select().where(AuditEvent.event == "file_downloaded")
    told = (event.user.id, event.client_id, event.subject)
    assert told == (cashier.user.id, bill.client_id, f"invoice:{bill.id}")
    clerk = Browser(app, factories.make_user(role=Role.CLERK))
    where = {"client": bill.client_id, "key": bill.key}
    clerk.get(f"{PAGE}.file", **where).close()
    clerk.get(f"{PAGE}.file", client=factories.make_client().id, key=bill.key, status=404)
    seen = Browser(app, factories.make_user(bill.client)).get("account.log.show")
    row = text(seen.select_one("tbody tr"))
    assert "2026-000001" in row, row


def test_what_no_letter_brings_is_listed_by_client_and_method(cashier, bill, client_row):
    day = timedelta(days=1)
    others = [factories.make_client(name=f"ААА {n}") for n in range(2)]
    for client, method in zip(others, ("post", "pickup"), strict=True):
        deliver(client, cases.NOW - day, method, f"Получатель {method}")
    billing.form_month(MARCH, client=others, now=cases.NOW)
    page = cashier.get("operator.billing.month", month="2026-03")
    page = cashier.get(page.find("a", string="Выдать на руки: 2")["href"])
    rows = page.select("tbody tr")
    assert [row.select_one("td").contents[0].text for row in rows] == ["ААА 0", "ААА 1"]
    assert "Получатель pickup" in rows[1].text
    assert invoices.of_client(others[1])[0].key in rows[1].select_one("a[download]")["href"]
    page = cashier.get(page.find("a", string="почта")["href"])
    assert [row.select_one("td").contents[0].text for row in page.select("tbody tr")] == ["ААА 0"]
    cashier.get(HAND, month="2026-03", page=99)
    cashier.get(HAND, month="2026-03", method="email", status=404)
    assert "Нет." in cashier.get(HAND, month="2026-02").text
