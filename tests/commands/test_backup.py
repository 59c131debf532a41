"""`flask backup` and `flask restore`: everything into one file, and back into an empty cabinet."""

import hashlib
import io
import json
import resource
import shutil
import tarfile

import pytest
from peewee import SqliteDatabase
from playhouse.migrations import Runner

from app import create_app
from config import Config
from domain.orders import MailState, OrderKind, OrderState
from domain.periods import month_start
from models import Artefact, Client, Mail, Notice, Order, Subscriber, UserSession, db
from models_all import ALL_MODELS
from models_billing import Invoice
from services import billing, clock, database, invoices, notices, processes, sessions
from services.transactions import write_tx
from tests import databases, writes
from tests.apps import another_app
from tests.domain.cdr.dialects import row, text
from tests.factories import (
    make_client,
    make_feedback_file,
    make_invoice_order,
    make_message,
    make_order,
    make_subscriber,
    make_thread,
    make_user,
)

CHANGED_BY_RESTORING = {"audit_event", "user_session", "customer_order", "mail", "notice"}
NOW = "2026-11-23 10:00:00+00:00"
LETTER = b"From: cabinet\r\n\r\nletter"


def make_cabinet(folder, kind):
    """A small cabinet, with an invoice, calls, orders in all hands, and files."""
    place = folder / "var", databases.new_url(kind)
    with another_app(place[0], DATABASE_URL=place[1]) as own_app, own_app.app_context():
        fill(own_app.config["CABINET"])
        account = Client.select(Client.account_no).order_by(Client.id).scalar()
    (folder / "Master.csv").write_text(text(row(), row(src="102", uniqueid="1.1")), "utf-8")
    imported = ("cdr", "import", folder / "Master.csv", "--client", account, "--zone", "UTC")
    assert type_on(place, *imported, "--discover")[0] == 0
    return place


@pytest.fixture(scope="module")
def cabinet(app, tmp_path_factory):
    """One on the database of the session."""
    return make_cabinet(tmp_path_factory.mktemp("kept"), databases.kind)


def fill(config):
    """An invoice; an order that is sent, one under way, one of a link; a letter; files."""
    now, client = clock.now(), make_client()
    user = make_user(client)
    make_subscriber(client)
    billing.form_month(month_start(now.date(), 1), client=client, now=now)
    [invoice] = invoices.of_client(client)
    make_invoice_order(invoice, OrderKind.INVOICE_LINK, number=1, user=user)
    numbers = tuple(Subscriber.of(client))[:1]
    sent = make_order(client, numbers, user=user, number=2, state="sent", closed_at=now)
    keep_file(config, sent, now)
    keep_letter(config, sent, MailState.SENT, sent_at=now)
    under_way = make_order(client, numbers, user=user, number=3, state=OrderState.SENDING)
    keep_letter(config, under_way, MailState.SENDING)
    sessions.start(user, ip="", user_agent="", now=now, hours=8)
    with write_tx():
        notices.post("address_changed", "a@b.by", {}, client=client, now=now)
    message = make_message(make_thread(client))
    make_feedback_file(message, config.feedback_dir, b"what was sent along")


def keep_file(config, order, now):
    path = config.artefact_dir / order.key / "1.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"a;b\r\n")
    Artefact.create(
        order=order,
        path=f"{order.key}/1.csv",
        display_name="«Детализация».csv",
        media_type="text/csv",
        size=5,
        sha256=hashlib.sha256(b"a;b\r\n").hexdigest(),
        made_at=now,
        expires_at=now,
    )


def keep_letter(config, order, state, **values):
    path = config.artefact_dir / order.key / "mail-1.eml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(LETTER)
    Mail.create(
        order=order,
        message_id=f"<o{order.key}.1@x>",
        recipient="a@b.by",
        path=f"{order.key}/mail-1.eml",
        size=len(LETTER),
        sha256=hashlib.sha256(LETTER).hexdigest(),
        state=state,
        created_at=clock.now(),
        **values,
    )


@pytest.fixture(scope="module")
def kept(cabinet, tmp_path_factory):
    """A backup of it."""
    file = tmp_path_factory.mktemp("backups") / "cabinet.tar"
    status, output = type_on(cabinet, "backup", file)
    assert status == 0, output
    return file


def type_on(place, *words):
    """Type a command on a data dir and a database; exit status and what it says."""
    before = db.obj
    try:
        own_app = create_app(Config(DATA_DIR=str(place[0]), DATABASE_URL=place[1], TESTING=True))
        result = own_app.test_cli_runner().invoke(args=[str(word) for word in words])
    finally:
        db.initialize(before)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def contents(place):
    """Every table, its rows as texts in order."""
    found = {}
    for model in ALL_MODELS:
        names = ", ".join(f'"{field.column_name}"' for field in model._meta.sorted_fields)
        sql = f'SELECT {names} FROM "{model._meta.table_name}"'  # noqa: S608
        rows = databases.ask(place[1], place[0], sql)
        texts = (tuple(str(int(v) if isinstance(v, bool) else v) for v in row) for row in rows)
        found[model._meta.table_name] = sorted(texts)
    return found


def files(data_dir):
    return {
        str(path.relative_to(data_dir)): path.read_bytes()
        for name in ("art", "feedback", "uploads", "demo", "secret")
        for path in (data_dir / name, *(data_dir / name).rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("kind", "to"),
    [
        ("sqlite", "postgresql"),
        ("postgresql", "sqlite"),
        pytest.param("sqlite", "sqlite", marks=pytest.mark.long),
        pytest.param("postgresql", "postgresql", marks=pytest.mark.long),
    ],
)
def test_a_backup_comes_back_on_either_database(app, tmp_path, kind, to):
    cabinet, kept = make_cabinet(tmp_path / "from", kind), tmp_path / "cabinet.tar"
    assert type_on(cabinet, "backup", kept)[0] == 0
    there = tmp_path / "var", databases.new_url(to)
    status, output = type_on(there, "restore", kept)
    assert (status, output.splitlines()[-2:]) == (0, ["2 letters held", "restored, 0 breaches"]), (
        output
    )
    before, after = contents(cabinet), contents(there)
    assert [name for name in before if before[name] != after[name]] == [
        name for name in before if name in CHANGED_BY_RESTORING
    ]
    assert before["invoice"]
    assert before["call"]
    assert files(there[0]) == files(cabinet[0])
    assert not list(there[0].glob(".restore*"))
    assert type_on(there, "verify")[0] == 0
    with another_app(there[0], DATABASE_URL=there[1]) as own_app, own_app.app_context():
        states = {order.number: order.state for order in orders_of_first()}
        assert states == {1: OrderState.ACCEPTED, 2: OrderState.SENT, 3: OrderState.UNCONFIRMED}
        held = Mail.get(Mail.state != MailState.SENT)
        assert (held.state, held.order.reason) == (MailState.UNKNOWN, "mail_unconfirmed")
        assert Notice.across_clients().get().next_try_at is None
        assert not UserSession.select().exists()
        assert make_client().id > max(int(row[0]) for row in before["client"])
        [client] = Client.select().where(Client.id == Invoice.across_clients().get().client_id)
        billing.form_month(month_start(clock.now().date(), 2), client=client, now=clock.now())
    assert type_on(there, "verify")[0] == 0, "the chain of invoices goes on"


def orders_of_first():
    first = Client.select().order_by(Client.id).get()
    return Order.of(first).order_by(Order.number)


def test_a_backup_is_looked_at_without_a_place_to_put_it(kept, cabinet):
    status, output = type_on(cabinet, "backup", kept, "--check")
    assert status == 0
    assert " files, " in output
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not list(kept.parent.glob(".*"))


def test_a_file_that_is_there_is_never_written_over(kept, cabinet):
    before = kept.read_bytes()
    status, output = type_on(cabinet, "backup", kept)
    assert (status, "is there already" in output) == (1, True)
    assert kept.read_bytes() == before


def test_no_backup_goes_over_data_that_are_there(kept, cabinet, tmp_path):
    before = contents(cabinet)
    status, output = type_on(cabinet, "restore", kept)
    assert (status, "the database has rows" in output) == (1, True)
    assert contents(cabinet) == before
    (tmp_path / "art").mkdir()
    status, output = type_on((tmp_path, databases.new_url()), "restore", kept)
    assert (status, "is not empty (art)" in output) == (1, True)


def test_nothing_is_restored_under_a_running_cabinet(kept, tmp_path):
    with processes.hold_lock(tmp_path / "run.lock"):
        status, output = type_on((tmp_path, ""), "restore", kept)
    assert (status, "stop it first" in output) == (1, True)


def refused(path, tmp_path):
    """What `restore` and `--check` say of a file; nothing of it may be seen afterwards."""
    there = tmp_path / "var", databases.new_url()
    assert type_on(there, "db", "upgrade")[0] == 0
    status, output = type_on(there, "restore", path)
    assert status == 1, output
    assert not {"art", "feedback", "demo"} & {entry.name for entry in there[0].iterdir()}
    assert not any(contents(there).values())
    return output


def test_a_changed_bit_and_a_missing_end_are_seen(kept, tmp_path):
    whole = kept.read_bytes()
    spoilt, short = tmp_path / "spoilt.tar", tmp_path / "short.tar"
    at = whole.index(b"what was sent along")
    spoilt.write_bytes(whole[:at] + b"W" + whole[at + 1 :])
    short.write_bytes(whole[: len(whole) // 2])
    assert "is damaged: feedback/" in refused(spoilt, tmp_path)
    assert "only a part of one" in refused(short, tmp_path)
    empty = tmp_path / "empty.tar"
    empty.write_bytes(b"")
    assert "is no backup" in refused(empty, tmp_path)
    assert "is not there" in refused(tmp_path / "none.tar", tmp_path)


def members_of(path):
    with tarfile.open(path) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive}


def pack(path, members, extra=()):
    """A backup of these members whose digests are right."""
    listed = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in members.items()
        if name != "backup.json"
    ]
    told = {**json.loads(members["backup.json"]), "members": listed}
    with tarfile.open(path, "w") as archive:
        for name, content in {**members, "backup.json": json.dumps(told).encode()}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for each in extra if name == "backup.json" else ():
                archive.addfile(each)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["../out", "/srv/out", "art/../../out", "bin/run", "art/.x/y"])
def test_nothing_is_unpacked_outside_its_place(kept, tmp_path, name):
    path = pack(tmp_path / "x.tar", {name: b"x", **members_of(kept)})
    assert "does not belong there" in refused(path, tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_link_in_a_backup_is_refused(kept, tmp_path):
    link = tarfile.TarInfo("art/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    path = pack(tmp_path / "x.tar", members_of(kept), extra=[link])
    assert "does not belong there" in refused(path, tmp_path)


@pytest.mark.parametrize("told", [b"", b"[]", b"null", b'"backup"', b"{}"])
def test_contents_that_tell_nothing_are_refused(tmp_path, told):
    info = tarfile.TarInfo("backup.json")
    info.size = len(told)
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.addfile(info, io.BytesIO(told))
    assert "backup.json cannot be read" in refused(tmp_path / "x.tar", tmp_path)


def test_tables_of_a_newer_version_are_refused(kept, tmp_path):
    members = members_of(kept)
    told = json.loads(members["backup.json"])
    told["migrations"].append("9999_later")
    path = pack(tmp_path / "x.tar", {**members, "backup.json": json.dumps(told).encode()})
    assert "made by a newer version of the cabinet (tables 9999_later)" in refused(path, tmp_path)


def test_older_tables_are_brought_up_to_date(kept, tmp_path):
    """Those of the first version that had bills, with a client in them."""
    old = SqliteDatabase(str(tmp_path / "old.db"))
    with old.connection_context():
        names = Runner(old, str(database.MIGRATIONS)).up("0004_billing")
        writes.take_mistakes()  # it is no cabinet's yet
        values = {"account_no": "1", "name": "Белтех", "unp": "190000001", "created_at": NOW}
        for _, name, kind, needed, *_ in old.execute_sql("PRAGMA table_info(client)"):
            if needed:
                values.setdefault(name, "" if kind.startswith(("VARCHAR", "TEXT")) else 0)
        values["id"] = 1
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO client ({', '.join(values)}) VALUES ({marks})"  # noqa: S608
        old.execute_sql(sql, tuple(values.values()))
    members = members_of(kept)
    told = {**json.loads(members["backup.json"]), "migrations": list(names)}
    changed = {
        "secret": members["secret"],
        "cabinet.db": (tmp_path / "old.db").read_bytes(),
        "backup.json": json.dumps(told).encode(),
    }
    there = tmp_path / "var", databases.new_url()
    status, output = type_on(there, "restore", pack(tmp_path / "x.tar", changed))
    assert status == 0, output
    assert databases.ask(there[1], there[0], "SELECT name FROM client") == [("Белтех",)]
    assert type_on(there, "db", "upgrade") == (0, "up to date\n")


def test_a_full_disk_is_told_and_leaves_nothing(cabinet, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        status, output = type_on(cabinet, "backup", tmp_path / "x.tar")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (status, "x.tar cannot be written: " in output) == (1, True), output
    assert not list(tmp_path.iterdir())


def test_a_file_that_went_meanwhile_is_no_breach(cabinet, kept, tmp_path, monkeypatch):
    """The reconciler removes one between the copy of the rows and that of the files."""
    from services import faults  # noqa: PLC0415 - the moment in between

    def remove(point):
        if point == "backup.rows_copied":
            row = Artefact.get()
            shutil.move(cabinet[0] / "art" / row.path, tmp_path / "moved")
            with write_tx():
                Artefact.update(removed_at=clock.now()).execute()

    monkeypatch.setattr(faults, "reach", remove)
    status, output = type_on(cabinet, "backup", tmp_path / "later.tar")
    monkeypatch.undo()
    databases.change(cabinet[1], cabinet[0], "UPDATE artefact SET removed_at = NULL")
    path = databases.ask(cabinet[1], cabinet[0], "SELECT path FROM artefact")[0][0]
    shutil.move(tmp_path / "moved", cabinet[0] / "art" / path)
    assert status == 0, output
    status, output = type_on(
        (tmp_path / "var", databases.new_url()), "restore", tmp_path / "later.tar"
    )
    assert (status, output.splitlines()[-1]) == (0, "restored, 0 breaches"), output
