"""A client all of whose names want to be script, looked at in Chromium from both sides.

Whatever became markup would speak up: a refused script or style, a dialog, a foreign request.
"""

import pytest
from playwright.sync_api import expect

from domain.subscribers import fold
from services.passwords import hash_password
from tests.browser.conftest import PASSWORD, sign_in
from tests.security.payloads import PAYLOADS

LOGIN, ACCOUNT = "<svg onload=alert(0)>", "99999999"
CLIENT = (
    "INSERT INTO client (name, unp, account_no, contract_no, address, invoice_email, detail_email,"
    " bank, iban, bic, may_download, hide_incoming_peers, language, created_at)"
    " VALUES (?, '190000001', ?, ?, ?, ?, ?, '', '', '', TRUE, FALSE, '', '2026-01-01 00:00:00')"
)
USER = (
    "INSERT INTO cabinet_user (login, password_hash, role, client_id, full_name, is_active,"
    " email, language, created_at) SELECT ?, ?, 'client-administrator', id, ?, TRUE, '', '',"
    " '2026-01-01 00:00:00'"
    " FROM client WHERE account_no = ?"
)
SUBSCRIBER = (
    "INSERT INTO subscriber (client_id, number, full_name, name_folded, plan, status,"
    " status_reason) SELECT id, ?, ?, ?, ?, 'active', ? FROM client WHERE account_no = ?"
)


@pytest.fixture
def hostile(cabinet):
    """Put the client into the running cabinet's database."""
    some, more = "".join(PAYLOADS[3:9]), "".join(PAYLOADS[20:26])
    cabinet.change(CLIENT, (some, ACCOUNT, more[:250], some, "<b>@x.by", "i@x.by"))
    cabinet.change(USER, (LOGIN, hash_password(PASSWORD), more, ACCOUNT))
    rows = [
        (f"3752900000{n:02}", text, fold(text), text, text, ACCOUNT)
        for n, text in enumerate(PAYLOADS)
    ]
    cabinet.change(SUBSCRIBER, *rows)


def test_hostile_names_stay_names(visit, hostile):
    page = visit(path="/login")
    sign_in(page, LOGIN)
    for path in ("/account/", "/orders/", "/bills/"):
        page.goto(path)
        expect(page.locator("#ctx")).to_contain_text(PAYLOADS[3])
    page.goto("/bills/call-detail/")
    page.get_by_label("CSV", exact=True).check()
    page.get_by_role("button", name="Далее").click()
    page.get_by_label("Строк на странице").select_option("100")
    page.get_by_role("button", name="Показать", exact=True).click()
    rows = page.locator("table.picker tbody tr")
    expect(rows).to_have_count(len(PAYLOADS))
    shown = rows.locator("td:nth-child(3)").all_inner_texts()
    assert [text.split("\n")[0].strip() for text in shown] == [
        " ".join(p.split()) for p in PAYLOADS
    ]
    page.get_by_label("Номер или Ф.И.О.").fill(PAYLOADS[0])
    expect(rows).to_have_count(1)
    page.get_by_label("Ввести свой список абонентов").fill("\n".join(PAYLOADS))
    page.get_by_role("button", name="Проверить список").click()
    expect(page.locator("#typed-report code").first).to_be_visible()
    page.get_by_label("Ввести свой список абонентов").fill("")
    page.get_by_role("button", name="Отметить все", exact=True).click()
    expect(page.locator("#selbar")).not_to_contain_text("Выбрано: 0 ")
    page.get_by_role("button", name="Сформировать детализацию").click()
    expect(page.locator("#card")).to_contain_text("Отправлен", timeout=60_000)
    operator = visit("operator")
    operator.goto(f"/operator/orders/{page.url.rpartition('/')[2]}")
    expect(operator.locator("main")).to_contain_text(PAYLOADS[3])
    for path in ("/operator/", "/mailbox/"):
        operator.goto(path)
    operator.locator('main td a[href*="/mailbox/"]').first.click()
    operator.locator("iframe.mail").wait_for()
