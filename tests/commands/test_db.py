"""`flask db copy`: everything into another database, and back."""

import shutil
from datetime import date, timedelta

import pytest

from domain.orders import MailState, OrderState
from models import (
    Artefact,
    Client,
    DraftSubscriber,
    Exchange,
    ImportRun,
    Mail,
    OrderDraft,
    SignInFailure,
    Subscriber,
    UnmatchedLeg,
    UserSession,
    WaitingHalf,
    db,
)
from models_all import ALL_MODELS
from services import clock, processes
from tests import databases
from tests.apps import another_app
from tests.factories import make_client, make_order, make_user

FILLED = {model._meta.table_name for model in ALL_MODELS[:17]}


@pytest.fixture(params=["sqlite", "postgresql"])
def cabinet(app, request, tmp_path):
    """A cabinet on either database with a small demo and something in every table."""
    url = databases.new_url(request.param)
    with another_app(tmp_path / "var", DATABASE_URL=url, DEMO_PASSWORD="secret") as own_app:
        runner = own_app.test_cli_runner()
        demo = ("demo", "--clients", "2", "--subscribers", "9", "--calls", "800")
        assert runner.invoke(args=demo).exit_code == 0
        with db.connection_context():
            fill()
        yield own_app, url


def fill():
    """Rows where the demo has none; the cabinet stays free of contradictions."""
    now = clock.now()
    client, run = Client.get(), ImportRun.get()
    user, numbers = make_user(client), list(Subscriber.of(client))
    UserSession.create(
        token_hash="a", user=user, created_at=now, last_seen_at=now, expires_at=now, data={"ё": 1}
    )
    SignInFailure.create(account_hash="b", ip="::1", at=now)
    draft = OrderDraft.create(key="k", client=client, user=user, kind="call_detail", created_at=now)
    DraftSubscriber.create(draft=draft, subscriber=numbers[0])
    order = make_order(
        client, (numbers[0],), user=user, number=1, state=OrderState.SENT, closed_at=now
    )
    Artefact.create(
        order=order,
        path="p",
        display_name="«Детализация».xlsx",
        media_type="x",
        size=2**40,
        sha256="c",
        made_at=now,
        expires_at=now,
        removed_at=now,
    )
    Mail.create(
        order=order,
        message_id=f"<o{order.key}@x>",
        recipient="a@b.by",
        path="p",
        size=1,
        sha256="c",
        state=MailState.SENT,
        created_at=now,
        sent_at=now,
    )
    exchange = Exchange.get()
    kept = {"exchange": exchange, "uid": "u\\N\t«ё»", "leg": 2**62, "import_run": run}
    UnmatchedLeg.create(record='["a\\n"]', **kept)
    WaitingHalf.create(record="[]", lines=1, **kept)
    last, first = make_client(contract_date=date(2024, 2, 29)), numbers[0]
    trunk = Subscriber.create(client=last, number="375170000001", valid_to=now)
    Subscriber.create(client=last, number="375170000002", connection=trunk)
    Subscriber.update(connection=max(numbers, key=lambda row: row.id)).where(
        Subscriber.id == first.id
    ).execute()  # a row that names a later one


def contents(url, data_dir):
    """Every table of ours, its rows as texts in order."""
    return {
        (table := model._meta.table_name): sorted(
            tuple(plain(value) for value in row)
            for row in databases.ask(
                url,
                data_dir,
                f'SELECT {columns_of(model)} FROM "{table}"',  # noqa: S608
            )
        )
        for model in ALL_MODELS
    }


def columns_of(model):
    return ", ".join(f'"{field.column_name}"' for field in model._meta.sorted_fields)


def plain(value):
    return str(int(value)) if isinstance(value, bool) else str(value)


def copy(app, url):
    """Type the command; exit status and what it says."""
    result = app.test_cli_runner().invoke(args=["db", "copy", url])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_everything_arrives_and_comes_back(cabinet, tmp_path):
    own_app, url = cabinet
    before = contents(url, tmp_path / "var")
    assert {table for table, rows in before.items() if rows} >= FILLED
    kind = "postgresql" if not url else "sqlite"
    there, back = tmp_path / "there", tmp_path / "back"
    there.mkdir()
    target = databases.new_url(kind) or f"sqlite:///{there}/cabinet.db"
    status, output = copy(own_app, target)
    assert (status, output.splitlines()[-1]) == (
        0,
        f"{rows_in(before)} rows copied and counted, 0 breaches",
    )
    assert contents(url, tmp_path / "var") == before, "the present database is left alone"
    given = target if kind == "postgresql" else ""
    assert contents(given, there) == before

    shutil.copytree(tmp_path / "var" / "demo", there / "demo")
    with another_app(there, DATABASE_URL=target, DEMO_PASSWORD="secret") as new_app:
        runner = new_app.test_cli_runner()
        added = runner.invoke(
            args=[
                "client",
                "add",
                "N",
                "--account",
                "n1",
                "--unp",
                "190000009",
                "--email",
                "n@b.by",
            ]
        )
        assert added.exit_code == 0, "a new row gets a new number"
        with db.connection_context():
            assert Client.get(Client.account_no == "n1").id > int(max(before["client"])[0])
            Client.delete().where(Client.account_no == "n1").execute()
        last = databases.new_url(kind_of(url)) or f"sqlite:///{back}/cabinet.db"
        assert copy(new_app, last)[0] == 0
    home = contents(last if url else "", back)
    assert {t: rows for t, rows in home.items() if t != "audit_event"} == {
        t: rows for t, rows in before.items() if t != "audit_event"
    }


def kind_of(url):
    return "postgresql" if url else "sqlite"


def rows_in(tables):
    return sum(map(len, tables.values()))


def test_a_database_with_rows_is_refused(cabinet, tmp_path):
    own_app, _url = cabinet
    target = databases.new_url("postgresql")
    assert copy(own_app, target)[0] == 0
    before = contents(target, None)
    status, output = copy(own_app, target)
    assert status == 1
    assert output.strip().endswith("there has rows: copy into an empty database.")
    assert contents(target, None) == before


def test_a_running_cabinet_is_not_copied(cabinet, tmp_path):
    own_app, _url = cabinet
    with processes.hold_lock(tmp_path / "var" / "run.lock"):
        status, output = copy(own_app, f"sqlite:///{tmp_path}/other.db")
    assert status == 1
    assert "stop it first" in output


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://x/y", "A database is postgresql://"),
        ("postgresql://nobody@127.0.0.1:1/x", "Nothing was copied: connection"),
    ],
)
def test_a_database_that_cannot_be_is_one_sentence(cabinet, url, words):
    status, output = copy(cabinet[0], url)
    assert status == 1
    assert words in output
    assert "Traceback" not in output


def test_what_fails_half_way_leaves_nothing_behind(app, tmp_path):
    """A text that PostgreSQL cannot keep, in one of the last tables."""
    with another_app(tmp_path / "var", DATABASE_URL="") as own_app:
        with db.connection_context():
            make_order(make_client(), ())
            exchange = Exchange.create(name="e")
            run = ImportRun.create(
                exchange=exchange,
                file_name="f",
                file_sha256="",
                format="",
                zone="",
                started_at=clock.now() - timedelta(days=1),
            )
            UnmatchedLeg.create(exchange=exchange, uid="a\0b", leg=1, record="", import_run=run)
        target = databases.new_url("postgresql")
        status, output = copy(own_app, target)
        assert (status, "NUL" in output) == (1, True)
        assert rows_in(contents(target, None)) == 0
        with db.connection_context():
            UnmatchedLeg.delete().execute()
        assert "rows copied and counted" in copy(own_app, target)[1]
