"""«Импорт записей»: files sent, checked, stored, taken out; clerks only look."""

import io
import shutil
from dataclasses import replace

import pytest

from blueprints import receiving
from domain.imports import ImportState
from domain.roles import Role
from jobs import imports as job
from models import Call, ImportRun
from services import queue
from tests import factories
from tests.domain.cdr.dialects import text
from tests.factories import NOON
from tests.page import Browser
from tests.services.test_imports import later

PAGE = "operator.imports"


@pytest.fixture(autouse=True)
def hints(app, base, monkeypatch):
    """Ids that workers were woken for; no Redis is there."""
    given = []
    monkeypatch.setattr(queue, "hint_import", lambda run_id: given.append(run_id) or True)
    yield given
    shutil.rmtree(app.config["CABINET"].upload_dir, ignore_errors=True)


@pytest.fixture
def own(client_row):
    return factories.make_subscriber(client_row, number="375171234567")


@pytest.fixture
def clerk(app, base):
    return Browser(app, factories.make_user(role=Role.CLERK))


def form(*files, **values):
    """The form as a browser sends it; a file is rows or bytes, with a name."""
    sent = []
    for name, content in files:
        data = content if isinstance(content, bytes) else text(*content).encode()
        sent.append((io.BytesIO(data), name))
    fields = {"files": sent, "format_name": "auto", "zone": "UTC", "dates": "", "check_only": "y"}
    return {key: value for key, value in {**fields, **values}.items() if value is not None}


def send(browser, *files, **values):
    """Upload files and let the jobs run; gives the imports."""
    browser.post(f"{PAGE}.upload", form(*files, **values))
    work()
    return list(ImportRun.select().order_by(ImportRun.id))


def work():
    for run in ImportRun.select():
        job.read(run.id)


def card(page):
    """The counts on the card, by their names."""
    rows = page.select("#card table:has(th[scope=row]) tbody tr")
    return {row.th.text: int(row.td.text.replace("\xa0", "")) for row in rows}


def test_a_file_is_checked_looked_at_stored_and_taken_out(operator_browser, own):
    rows = [later(0), later(0), later(1, src="102"), later(2, billsec="-1"), ["#"]]
    (run,) = send(operator_browser, ("Master.csv", rows))
    page = operator_browser.follow()
    assert page.h1.text == f"Импорт № {run.id}"
    assert page.select_one("#card h2").text == "Проверен, не загружен"
    counts = card(page)
    assert counts == {
        "Принято": 1,
        "Повторено": 1,
        "Без абонента": 1,
        "Пропущено": 1,
        "Отклонено": 1,
        "Всего строк": 5,
    }
    assert "отрицательная длительность" in page.select_one("#card").text
    assert not Call.select().exists()
    operator_browser.post(f"{PAGE}.load", run=run.id)
    work()
    page = operator_browser.follow()
    assert page.select_one("#card h2").text == "Загружен"
    assert card(page) == counts
    assert Call.select().count() == 1
    (link,) = [a for a in page.select("#card a") if a.text == "Откатить"]
    page = operator_browser.get(link["href"])
    assert "Master.csv" in page.text
    assert Call.select().count() == 1, "asking changes nothing"
    operator_browser.post(f"{PAGE}.roll_back", run=run.id)
    work()
    assert operator_browser.follow().select_one("#card h2").text == "Откат выполнен"
    assert not Call.select().exists()


def test_without_checking_the_file_is_stored_at_once(operator_browser, own):
    (run,) = send(operator_browser, ("Master.csv", [later(0)]), check_only=None)
    assert (run.state, Call.select().count()) == (ImportState.DONE, 1)


def test_several_files_lead_to_the_list(operator_browser, own):
    runs = send(operator_browser, ("a.csv", [later(0)]), ("b.csv", [later(1)]))
    assert [run.file_name for run in runs] == ["a.csv", "b.csv"]
    assert operator_browser.response.location == "/operator/imports/"
    page = operator_browser.follow()
    assert "Принято файлов: 2" in page.text
    assert [a.text for a in page.select("td a")] == [str(run.id) for run in reversed(runs)]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"files": []}, "Выберите файл"),
        ({"zone": "Mars"}, "Такого часового пояса нет"),
        ({"account": "none"}, "Клиента с таким лицевым счетом нет"),
        ({"exchange": "x" * 65}, "Не более 64 символов"),
        ({"format_name": "morse"}, ""),
    ],
)
def test_what_cannot_be_is_said_at_its_field(operator_browser, values, sentence):
    sent = form(("Master.csv", [later(0)]), **values)
    page = operator_browser.post(f"{PAGE}.upload", sent, status=422)
    assert sentence in page.select_one(".summary").text
    assert page.select_one("[aria-invalid=true]")
    assert page.select_one("input[name=zone]")["value"] == sent["zone"], "what was typed stays"
    assert not ImportRun.select().exists()


def test_a_file_of_no_known_format_is_refused_and_the_others_are_taken(operator_browser, app):
    files = (("a.csv", [later(0)]), ("letter.txt", b"no records\n"))
    page = operator_browser.post(f"{PAGE}.upload", form(*files), status=422)
    assert "letter.txt" in page.select_one(".summary").text
    assert [run.file_name for run in ImportRun.select()] == ["a.csv"]
    assert "a.csv: принят" in page.text


def test_anothers_exchange_is_refused(operator_browser, client_row):
    other = factories.make_client()
    sent = form(("a.csv", [later(0)]), account=client_row.account_no, exchange="pbx")
    operator_browser.post(f"{PAGE}.upload", sent)
    sent = form(("a.csv", [later(0)]), account=other.account_no, exchange="pbx")
    page = operator_browser.post(f"{PAGE}.upload", sent, status=422)
    assert "эта АТС принадлежит другому клиенту" in page.text


def test_more_than_the_limit_is_413_and_names_the_limit(operator_browser, app, monkeypatch):
    monkeypatch.setitem(app.config, "CABINET", replace(app.config["CABINET"], UPLOAD_MB=0))
    monkeypatch.setattr(receiving, "FIELDS_MB", 0)
    sent = form(("big.csv", b"x" * 100_000))  # more would go to a file of the test client's own
    operator_browser.post(f"{PAGE}.upload", sent, status=413)
    assert "не более 0 МБ" in operator_browser.response.text
    assert not ImportRun.select().exists()


def test_more_than_other_pages_take_is_taken_here(operator_browser, own, app, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 10_000)
    rows = [later(n % 50) for n in range(1_000)]
    assert len(text(*rows)) > 10_000
    (run,) = send(operator_browser, ("big.csv", rows))
    assert run.lines == 1_000


def test_a_nul_in_a_field_is_refused_here_too(operator_browser):
    sent = form(("a.csv", [later(0)]), exchange="a\0b")
    operator_browser.post(f"{PAGE}.upload", sent, status=400)
    assert not ImportRun.select().exists()


def test_nothing_is_written_outside_the_data_dir(operator_browser, own, app, monkeypatch):
    opened = []
    monkeypatch.setattr("tempfile.SpooledTemporaryFile", lambda *a, **_k: opened.append(a))
    send(operator_browser, ("a.csv", [later(0)]))
    assert opened == []


def test_while_it_is_at_work_the_card_looks_again_and_then_stops(operator_browser, own):
    operator_browser.post(f"{PAGE}.upload", form(("a.csv", [later(0)])))
    run = ImportRun.get()
    page = operator_browser.follow()
    assert page.select_one("#card")["hx-get"] == f"/operator/imports/{run.id}/status"
    assert page.select_one("#card a").text == "Обновить состояние"
    ImportRun.update(bytes_read=run.size // 2).execute()
    part = operator_browser.get(f"{PAGE}.status", htmx=True, run=run.id)
    assert part.progress["value"] in {"49", "50"}
    work()
    part = operator_browser.get(f"{PAGE}.status", htmx=True, run=run.id)
    assert "hx-get" not in part.select_one("#card").attrs
    operator_browser.get(f"{PAGE}.status", run=run.id, status=303)


def test_all_refused_lines_can_be_fetched_and_open_harmless(operator_browser, own):
    bad = [later(0, billsec="-1", clid="=1+1") for _ in range(110)]
    (run,) = send(operator_browser, ("a.csv", [later(1), *bad]))
    page = operator_browser.follow()
    assert "первые 100 из 110" in page.text
    response = operator_browser.get(f"{PAGE}.rejects", run=run.id)
    lines = response.data.decode("utf-8-sig").splitlines()
    assert lines[0] == '"Строка";"Причина";"Запись"'
    assert lines[1].startswith('"2";"отрицательная длительность"')
    assert '"\'=1+1"' in lines[1]
    assert len(lines) == 111


def test_a_wrong_zone_is_told_and_takes_a_tick_to_be_stored(operator_browser, own):
    (run,) = send(operator_browser, ("a.csv", [later(0)]), zone="Europe/Minsk")
    page = operator_browser.follow()
    assert "на 3:00 ч раньше" in page.text
    operator_browser.post(f"{PAGE}.load", run=run.id)
    work()
    page = operator_browser.follow()
    assert page.select_one("#card h2").text == "Не выполнен"
    assert not Call.select().exists()
    operator_browser.post(f"{PAGE}.load", {"force_zone": "y"}, run=run.id)
    work()
    assert Call.select().count() == 1


def test_the_same_file_is_pointed_out(operator_browser, own):
    send(operator_browser, ("a.csv", [later(0)]), check_only=None)
    _first, second = send(operator_browser, ("a.csv", [later(0)]))
    page = operator_browser.get(f"{PAGE}.show", run=second.id)
    assert "Этот же файл уже загружен" in page.text


def test_files_with_repeats_are_named_before_an_import_is_taken_out(operator_browser, own):
    send(operator_browser, ("a.csv", [later(0)]), check_only=None)
    first, _second = send(operator_browser, ("b.csv", [later(0), later(1)]), check_only=None)
    page = operator_browser.get(f"{PAGE}.roll_back", run=first.id)
    assert "b.csv" in page.text


def test_what_cannot_be_done_any_more_is_said(operator_browser):
    run = factories.make_import_run(state=ImportState.ROLLED_BACK)
    operator_browser.post(f"{PAGE}.roll_back", run=run.id)
    assert "нечего откатывать" in operator_browser.follow().text
    operator_browser.post(f"{PAGE}.load", run=run.id)
    assert "Загружать здесь больше нечего" in operator_browser.follow().text
    operator_browser.get(f"{PAGE}.show", run=run.id + 100, status=404)


def test_a_clerk_looks_and_does_nothing(operator_browser, clerk, own):
    (run,) = send(operator_browser, ("a.csv", [later(0)]))
    page = clerk.get(f"{PAGE}.index")
    assert not page.select("main form")
    page = clerk.get(f"{PAGE}.show", run=run.id)
    assert not page.select("main form")
    clerk.get(f"{PAGE}.rejects", run=run.id)
    clerk.post(f"{PAGE}.upload", form(("a.csv", [later(0)])), status=403)
    clerk.post(f"{PAGE}.load", run=run.id, status=403)
    clerk.get(f"{PAGE}.roll_back", run=run.id, status=403)
    assert ImportRun.select().count() == 1


def test_the_menu_names_the_page(operator_browser):
    page = operator_browser.get("operator.show")
    assert [a.text for a in page.select("#menu a")][:2] == ["Импорт и заказы", "Импорт записей"]
    page = operator_browser.get(f"{PAGE}.index")
    assert page.select_one("#menu a[aria-current=page]").text == "Импорт записей"


def test_the_list_goes_in_pages(operator_browser):
    exchange = factories.make_import_run().exchange
    for _ in range(22):
        factories.make_import_run(exchange=exchange, started_at=NOON)
    page = operator_browser.get(f"{PAGE}.index")
    assert len(page.select("tbody tr")) == 20
    assert len(operator_browser.get(f"{PAGE}.index", page=99).select("tbody tr")) == 3
