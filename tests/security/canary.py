"""A number, a name, an address, passwords and tokens that occur nowhere else, taken through a
running cabinet with its failures: by command, by browser, as letters that are refused and files
that cannot be made. Where they must not turn up is for `test_canary.py` to look.
"""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request

import psycopg
import pytest

from tests import factories, smtp_sink
from tests.apps import another_app
from tests.domain.cdr.dialects import row, text
from tests.run.conftest import wait_for
from tests.run.person import Person

NUMBER = "375447193058"
NUMBER_WRITTEN = "+375 44 719-30-58"
ACCOUNT = "90210077"
NAME = "Zaryankin"  # ASCII, so that no escaping hides it
ADDRESS = "zaryanka.boss@canary-post.by"
LOGIN = "canary-login"
PASSWORD = "Yellow-Feathers-61!"
TYPED_WRONG = "Yellow-Feathers-62?"
MAIL_PASSWORD = "Seeds-and-Water-7"
OPERATOR_PASSWORD = "canary-tests-2026"
FILE = "zaryankin-calls.csv"


def _refuse_and_repeat(conversation, rest):
    """As real servers do it."""
    address = rest.removeprefix("TO:").partition(" ")[0]
    conversation._say(f"550 5.1.1 {address}: {address.strip('<>').upper()} is no user here")


class Canary:
    """The cabinet and what was seen of the canary on its way: more tokens to look for."""

    def __init__(self, cabinet, sink):
        self.cabinet, self.sink = cabinet, sink
        self.address = f"http://127.0.0.1:{cabinet.port}"
        self.tokens = set()
        self.orders = []

    def person(self, login, password):
        someone = Person(self.address)
        someone.sign_in(login, password)
        jar = next(h.cookiejar for h in someone._opener.handlers if hasattr(h, "cookiejar"))
        self.tokens |= {cookie.value for cookie in jar}
        return someone

    def refused(self, someone, path, data=None, status=404, headers=()):
        """Ask for something that is refused."""
        request = Request(self.address + path, data and data.encode(), dict(headers))  # noqa: S310
        with pytest.raises(HTTPError) as error:
            someone._opener.open(request, timeout=60)
        with error.value as answer:
            assert answer.code == status
            return answer.read().decode()

    def order(self, someone):
        """An order of the canary's calls; its key."""
        someone.open("/bills/call-detail/")
        someone.press("Далее")
        if not self.orders:  # a list with another's number comes back
            with pytest.raises(HTTPError) as error:
                someone.press("Проверить список", typed=f"{NUMBER_WRITTEN};375299999999")
            error.value.close()
        tick = someone.page.select_one("input[name=tick]")["value"]
        someone.press("Сформировать детализацию", tick=[tick], typed=NUMBER)
        key = someone.url.rpartition("/")[2]
        assert "будет выслана на адрес" in someone.page.text
        self.orders.append(key)
        return key

    def wait_until(self, key, *states):
        query = "SELECT state FROM customer_order WHERE key = ?"
        wait_for(lambda: self.cabinet.query(query, key)[0] in states, f"{key} to be {states}")


def calls(*, good=3, bad=9):
    """Rows of the exchange: some calls of the canary, some that cannot be."""
    at = datetime.now(UTC) - timedelta(minutes=10)
    after_s = {"start": 0, "answer": 10, "end": 70}
    stamps = {k: f"{at + timedelta(seconds=s):%Y-%m-%d %H:%M:%S}" for k, s in after_s.items()}
    rows = [
        row(src=NUMBER, clid=f'"{NAME}" <{NUMBER}>', uniqueid=f"{at:%s}.{n}", **stamps)
        for n in range(good)
    ]
    return [*rows, *(row(src=NUMBER, clid=NAME, billsec="-1") for _ in range(bad)), [NAME, NUMBER]]


def settle_in(cabinet):
    """The client and its people, in the tables of a cabinet that is not running yet."""
    url = cabinet.env["CABINET_DATABASE_URL"]
    with another_app(cabinet.data_dir, DATABASE_URL=url):
        client = factories.make_client(
            name=f"ООО {NAME}",
            account_no=ACCOUNT,
            invoice_email=ADDRESS,
            detail_email=ADDRESS,
            may_download=True,
        )
        factories.make_subscriber(client, number=NUMBER, full_name=f"{NAME} Z.")
        factories.make_user(client, login=LOGIN, password=PASSWORD)


def send_files(canary):
    """The same by browser: one file that is read, one that is refused."""
    operator = canary.person("operator", OPERATOR_PASSWORD)
    page = operator.open("/operator/imports/")
    token = page.select_one("input[name=csrf_token]")["value"]
    canary.tokens.add(token)
    upload(canary, operator, token, FILE, text(*calls()))
    with pytest.raises(HTTPError) as error:
        upload(canary, operator, token, f"{NAME}.txt", f"{NUMBER} {ADDRESS}")
    with error.value as refusal:
        assert refusal.code == 422
    query = (
        "SELECT count(*) FROM import_run WHERE state IN ('done', 'checked') AND upload_key <> ''"
    )
    wait_for(lambda: canary.cabinet.query(query)[0], "the upload to be read")


def upload(canary, operator, token, name, content):
    """Send a file as browsers do."""
    fields = {"csrf_token": token, "format_name": "auto", "zone": "UTC", "dates": ""}
    parts = [(f'name="{key}"', value) for key, value in fields.items()]
    parts.append((f'name="files"; filename="{name}"', content))
    head = "--b\r\nContent-Disposition: form-data; "
    body = "".join(f"{head}{about}\r\n\r\n{value}\r\n" for about, value in parts) + "--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    request = Request(f"{canary.address}/operator/imports/", body.encode(), headers)  # noqa: S310
    operator._opener.open(request, timeout=60).close()


def knock(canary):
    """Wrong passwords, then the right one."""
    for login, password in ((LOGIN, TYPED_WRONG), (ADDRESS, PASSWORD), (NUMBER, TYPED_WRONG)):
        someone = Person(canary.address)
        someone.open("/login")
        data = someone.page.select_one("input[name=csrf_token]")["value"]
        canary.tokens.add(data)
        body = f"csrf_token={quote(data)}&login={quote(login)}&password={quote(password)}"
        canary.refused(someone, "/login", body, status=422)
    return canary.person(LOGIN, PASSWORD)


def order_and_fail(canary, someone):
    """One letter that goes out, and letters and files that fail in every way there is."""
    sink, cabinet = canary.sink, canary.cabinet
    sent = canary.order(someone)
    canary.wait_until(sent, "sent")
    original = smtp_sink._Conversation._do_rcpt
    smtp_sink._Conversation._do_rcpt = _refuse_and_repeat
    try:
        canary.wait_until(canary.order(someone), "failed")
    finally:
        smtp_sink._Conversation._do_rcpt = original
    for mode in (smtp_sink.AUTH_FAIL, smtp_sink.LATER_451, smtp_sink.DROP_AFTER_DATA):
        sink.mode = mode
        canary.wait_until(canary.order(someone), "retry_wait")
    sink.mode = smtp_sink.OK
    change_calls(cabinet, 99)  # there is none such: the file cannot be made
    canary.wait_until(canary.order(someone), "retry_wait")
    change_calls(cabinet, 0)


def change_calls(cabinet, disposition):
    """A statement past the application, which would not let this happen."""
    url = cabinet.env["CABINET_DATABASE_URL"]
    path = cabinet.data_dir / "cabinet.db"
    mark = "%s" if url else "?"
    sql = f'UPDATE "call" SET disposition = {mark} WHERE number = {mark}'  # noqa: S608
    with closing(psycopg.connect(url) if url else sqlite3.connect(path, timeout=30)) as base:
        base.execute(sql, (disposition, NUMBER))
        base.commit()


def look_around(canary, someone):
    """Pages, refusals and the file; then the end of the session."""
    sent = canary.orders[0]
    someone.open(f"/orders/{sent}")
    with someone._send(f"/orders/{sent}/file", None) as answer:
        assert NUMBER.encode() in answer.read() or answer.headers["Content-Type"].endswith("sheet")
    stranger = canary.person("demo", OPERATOR_PASSWORD)
    for path in (f"/orders/{sent}", f"/orders/{sent}/file", f"/orders/{NUMBER}", f"/{ADDRESS}"):
        canary.refused(stranger, path)
    canary.refused(someone, f"/orders/{sent}/cancel", f"email={ADDRESS}&name={NAME}", status=422)
    canary.refused(someone, "/logout", f"x={NUMBER}", 403, {"Origin": f"https://{NAME}.by"})
    canary.refused(someone, "/login", "x" * (3 << 20), status=413)
    someone.open(f"/bills/call-detail/?q={NAME}&number={NUMBER}")
    someone.press("Выход")
