"""The pages of the try-out mailbox, and who sees them."""

from dataclasses import replace
from email.message import EmailMessage

import pytest

from services import mailbox

LOOPBACK = {"REMOTE_ADDR": "127.0.0.1"}
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def folder(app, config):
    """The mailbox's folder with one message in it, empty again afterwards."""
    folder = config.data_dir / "mail"
    message = EmailMessage()
    message["Subject"] = "Детализация"
    message["To"] = "detail@romashka.by"
    message["From"] = "cabinet@localhost"
    message.set_content("Смотрите http://127.0.0.1/orders/1 <b>")
    message.add_alternative("<p>Привет</p><script>alert(1)</script>", subtype="html")
    message.add_attachment(b"xlsx", maintype="application", subtype="x", filename="Звонки.xlsx")
    mailbox.keep(folder, message.as_bytes())
    yield folder
    for path in folder.iterdir():
        path.unlink()


def links(page):
    return [link["href"] for link in page.select("main a")]


def test_the_list_leads_to_the_message_and_its_parts(folder, anonymous):
    page = anonymous.get("mailbox.messages")
    assert "detail@romashka.by" in page.main.text
    page = anonymous.get("mailbox.message", number=1)
    assert page.h1.text == "Детализация"
    assert "http://127.0.0.1/orders/1" in links(page)
    assert "<b>" in page.pre.text
    file = next(link["href"] for link in page.select("main a") if link.text == "Звонки.xlsx")
    response = anonymous.get(file)
    assert response.data == b"xlsx"
    assert response.headers["Content-Disposition"].startswith("attachment;")


def test_the_whole_message_can_be_downloaded(folder, anonymous):
    response = anonymous.get("mailbox.source", number=1)
    assert response.data == (folder / "000001.eml").read_bytes()


def test_html_of_a_message_can_do_nothing(folder, anonymous):
    page = anonymous.get("mailbox.message", number=1)
    frame = page.iframe
    assert "allow-scripts" not in frame["sandbox"]
    assert "allow-same-origin" not in frame["sandbox"]
    assert "frame-src 'self'" in anonymous.response.headers["Content-Security-Policy"]
    response = anonymous.client.get(frame["src"])
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox ")
    assert "default-src 'none'" in policy
    assert "script" not in policy


@pytest.mark.parametrize(
    "path", ["/mailbox/2", "/mailbox/1/html/0", "/mailbox/1/files/9", "/mailbox/2/source"]
)
def test_what_is_not_there_is_not_found(folder, anonymous, path):
    assert anonymous.client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("environ", "headers", "status"),
    [
        (LOOPBACK, {}, 200),
        ({"REMOTE_ADDR": "::1"}, {}, 200),
        (ELSEWHERE, {}, 404),
        (LOOPBACK, {"X-Forwarded-For": "192.0.2.7"}, 404),  # a proxy on this machine
    ],
)
@pytest.mark.parametrize("path", ["/mailbox/", "/mailbox/1", "/mailbox/1/source"])
def test_only_this_machine_sees_it_without_signing_in(
    folder, anonymous, path, environ, headers, status
):
    response = anonymous.client.get(path, environ_base=environ, headers=headers)
    assert response.status_code == status


def test_an_operator_sees_it_from_anywhere_and_a_client_does_not(
    folder, operator_browser, signed_in
):
    assert operator_browser.client.get("/mailbox/", environ_base=ELSEWHERE).status_code == 200
    assert signed_in.client.get("/mailbox/", environ_base=ELSEWHERE).status_code == 404


def test_with_a_real_mail_server_there_is_no_mailbox(app, config, folder, anonymous, monkeypatch):
    monkeypatch.setitem(app.config, "CABINET", replace(config, MAIL_SERVER="mail.example.by"))
    assert anonymous.client.get("/mailbox/").status_code == 404
    monkeypatch.setitem(app.config, "CABINET", replace(config, DEMO=False))
    assert anonymous.client.get("/mailbox/1").status_code == 404
