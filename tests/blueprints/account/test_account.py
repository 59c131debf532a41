"""«Персональная информация»: whose cabinet it is, and nothing of anybody else's."""

from datetime import UTC, date, datetime

from domain.roles import Role
from models_access import SecondFactor
from tests.factories import NOON, make_client, make_subscriber, make_user
from tests.page import Browser


def facts(page):
    """Terms and what stands beside them."""
    return {
        term.text: " ".join(term.find_next_sibling("dd").get_text(" ").split())
        for term in page.select("dt")
    }


def test_requisites_contract_and_numbers_are_shown(app, base):
    client = make_client(
        name="ООО «Ромашка»",
        unp="190000001",
        account_no="00001234",
        contract_no="17-03/2024",
        contract_date=date(2024, 3, 17),
        address="г. Минск, пр. Независимости, 1",
    )
    for status in ("active", "active", "closed"):
        make_subscriber(client, status=status)
    make_subscriber()
    shown = facts(Browser(app, make_user(client)).get("account.show"))
    assert shown["Организация"] == "ООО «Ромашка»"
    assert shown["УНП"] == "190000001"
    assert shown["Лицевой счет"] == "00001234"
    assert shown["Договор"] == "№ 17-03/2024 от 17.03.2024"
    assert shown["Адрес"] == "г. Минск, пр. Независимости, 1"
    assert shown["Номера"] == "Всего 3, из них активных: 2"


def test_bank_details_are_shown_where_they_are_known_and_a_change_can_be_told(app, base):
    iban = "BY13NBRB3600900000002Z00AB00"
    client = make_client(bank="ОАО «Банк»", iban=iban, bic="NBRBBY2X")
    browser = Browser(app, make_user(client))
    page = browser.get("account.show")
    shown = facts(page)
    told = (shown["Расчетный счет"], shown["Банк"], shown["БИК"])
    assert told == ("BY13 NBRB 3600 9000 0000 2Z00 AB00", "ОАО «Банк»", "NBRBBY2X")
    form = browser.get(page.find("a", string="Сообщить об изменении")["href"])
    assert form.select_one("#subject option[selected]").text == "Другое"
    office = Browser(app, make_user(role=Role.CLERK))
    assert facts(office.get("operator.clients.show", client=client.id))["Банк"] == "ОАО «Банк»"
    viewer = Browser(app, make_user(make_client(), role=Role.VIEWER))
    page = viewer.get("account.show")
    assert not {"Расчетный счет", "Банк", "БИК"} & set(facts(page))
    assert not page.find("a", string="Сообщить об изменении")


def test_addresses_are_masked_and_say_what_they_are_for(app, base):
    client = make_client(invoice_email="buh@romashka.by", detail_email="sip@lotos.by")
    page = Browser(app, make_user(client)).get("account.show")
    shown = facts(page)
    assert shown["Адрес для счетов"].startswith("b***@r***.by Сюда приходят регулярные счета")
    assert shown["Адрес для детализации"].startswith("s***@l***.by Сначала - адрес из заявления")
    assert "romashka" not in page.text
    assert "lotos" not in page.text


def test_users_are_those_of_the_company_with_role_and_last_sign_in(app, base):
    client = make_client()
    me = make_user(client, login="anna", full_name="Анна Котова")
    seen = datetime(2026, 3, 9, 21, 30, tzinfo=UTC)
    make_user(client, login="boris", role=Role.ACCOUNTANT, last_sign_in_at=seen)
    make_user(client, login="vera", role=Role.VIEWER, is_active=False)
    make_user(login="stranger")
    page = Browser(app, me).get("account.show")
    rows = [
        " | ".join(cell.text for cell in row.select("th, td")) for row in page.select("tbody tr")
    ]
    assert len(rows) == 3
    assert rows[0].startswith("anna это вы | Анна Котова | Администратор | нет | ")
    assert rows[1] == "boris | – | Бухгалтер | нет | 10.03.2026 00:30"
    assert rows[2] == "vera | – | Наблюдатель Доступ закрыт | нет | еще не входил"


def test_administrators_see_who_signs_in_with_a_second_factor(app, base):
    client = make_client()
    me = make_user(client, login="anna")
    boris = make_user(client, login="boris", role=Role.ACCOUNTANT)
    SecondFactor.create(user=me, key="begun", created_at=NOON)
    SecondFactor.create(user=boris, key="in use", created_at=NOON, confirmed_at=NOON)

    def told(user):
        page = Browser(app, user).get("account.show")
        return [cell.text for cell in page.select("td[data-l='Второй фактор']")]

    assert told(me) == ["нет", "да"]
    assert told(boris) == []
