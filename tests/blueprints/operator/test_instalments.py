"""The operator's form that ends a client's instalment plan."""

from datetime import date

import pytest

from models_billing import InstalmentPlan
from services import clock, import_turns, instalments
from services.audit import By
from services.instalments import Purchase
from tests.factories import NOON, make_client

END = "operator.instalments.end"


def sell(client, **values):
    told = {"contract_no": "Р-1", "goods": "Телефон", "price": 10_000, "months": 4}
    purchase = Purchase(**{**told, "starts_on": date(2026, 3, 15), **values})
    return instalments.add(client, purchase, by=By(now=NOON))


@pytest.fixture(autouse=True)
def today(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.mark.parametrize(
    ("how", "word"),
    [("repaid", "Погашена досрочно 10.03.2026"), ("called_off", "Отменена 10.03.2026")],
)
def test_a_plan_is_ended_once(operator_browser, client_row, app, how, word):
    plan = sell(client_row, serial_no="35-12345")
    where = {"client": client_row.id, "plan": plan.id}
    page = operator_browser.get("operator.clients.show", client=client_row.id)
    assert "35-12345" in page.text
    link = page.main.find("a", string="Завершить рассрочку")
    page = operator_browser.get(link["href"])
    assert "100,00" in page.select_one("dl").text
    page = operator_browser.post(END, {"day": "10.03.2026"}, status=422, **where)
    assert "Выберите, чем она заканчивается" in page.select_one(".summary").text
    wrong = {"how": how, "day": "11.03.2026"}
    assert "еще не наступил" in operator_browser.post(END, wrong, status=422, **where).text
    right = {"how": how, "day": "10.03.2026"}
    with import_turns.one_at_a_time(app.config["CABINET"].data_dir):
        page = operator_browser.post(END, right, status=422, **where)
        assert "Повторите через минуту" in page.text
    operator_browser.post(END, right, status=303, **where)
    page = operator_browser.follow()
    assert "Рассрочка завершена: 100,00 BYN" in page.text
    assert word in page.select_one("main details summary").text
    assert page.main.find("a", string="Завершить рассрочку") is None
    page = operator_browser.post(END, right, status=422, **where)
    assert "уже завершена 10.03.2026" in page.select_one(".summary").text


def test_a_plan_of_another_client_is_not_found(operator_browser, client_row):
    where = {"client": client_row.id, "plan": sell(make_client()).id}
    operator_browser.get(END, status=404, **where)
    sent = {"how": "called_off", "day": "10.03.2026"}
    operator_browser.post(END, sent, status=404, **where)
    assert InstalmentPlan.across_clients().get().closed_on is None
