"""`flask subscriber`, `cdr`, `demo` and `verify`, as an administrator types them."""

import csv
import json
import zipfile

import pytest

from domain.cdr.registry import FORMATS
from models import Call, ImportRun, Subscriber, UnmatchedLeg, db
from services import import_turns
from tests.apps import another_app
from tests.domain.cdr.dialects import row, text

CLIENT = ["client", "add", "Test", "--account", "00012", "--unp", "190000001", "--email", "a@b.by"]
KEYS = {
    *("file", "format", "lines", "calls", "accepted", "duplicates", "rejected", "unmatched"),
    *("skipped", "first", "last", "rejects"),
}


@pytest.fixture
def flask(app, tmp_path):
    """Type a command into a cabinet of its own; gives exit status, stdout and stderr."""
    with another_app(tmp_path / "var", DEMO_PASSWORD="secret") as own_app:
        runner = own_app.test_cli_runner()

        def run(*arguments):
            result = runner.invoke(args=[str(argument) for argument in arguments])
            known = result.exception is None or isinstance(result.exception, SystemExit)
            assert known, result.output
            return result.exit_code, result.stdout, result.stderr

        assert run(*CLIENT)[0] == 0
        yield run


@pytest.fixture
def master(tmp_path):
    """A Master.csv of two good records, one of nobody's and one of nonsense."""
    path = tmp_path / "Master.csv"
    rows = [
        row(),
        row(src="101", uniqueid="1773144060.1"),
        row(src="102", uniqueid="1773144120.1"),
        row(billsec="-1"),
    ]
    path.write_text(text(*rows), "utf-8")
    return path


def one(query):
    with db.connection_context():
        return query()


def test_a_file_is_imported_and_accounted_for(flask, master):
    assert flask("subscriber", "add", "00012", "+375 17 123-45-67", "--name", "Анна")[0] == 0
    assert flask("subscriber", "add", "00012", 101)[0] == 0
    status, out, _ = flask("cdr", "import", master, "--client", "00012", "--zone", "UTC", "--json")
    assert status == 0
    found = json.loads(out)
    assert found.keys() >= KEYS
    counts = ("lines", "calls", "accepted", "duplicates", "rejected", "unmatched", "skipped")
    assert [found[name] for name in counts] == [4, 3, 2, 0, 1, 1, 0]
    assert found["rejects"] == [{"line": 4, "reason": "negative duration"}]
    assert found["first"] == found["last"] == "2026-03-10T12:00:00Z"
    assert one(Call.select().count) == 2


def test_numbers_added_later_are_matched_later(flask, master):
    flask("cdr", "import", master, "--zone", "UTC")
    assert one(UnmatchedLeg.select().count) == 3
    flask("subscriber", "add", "00012", "80171234567")
    assert flask("cdr", "rematch") == (0, "matched 1, on-net 0, still unmatched 2\n", "")


def test_anybodys_file_is_read_with_discovery(flask, tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(text(row(src="101", channel="SIP/101-0001")), "utf-8")
    status, out, _ = flask(
        "cdr", "import", path, "--zone", "UTC", "--client", "00012", "--discover"
    )
    assert status == 0
    assert "numbers of our side: 101" in out
    assert one(lambda: [s.number for s in Subscriber.across_clients()]) == ["101"]


def test_the_summary_says_how_to_reach_old_calls(flask, master, monkeypatch):
    monkeypatch.setenv("CABINET_TESTING", "1")
    monkeypatch.setenv("CABINET_CLOCK", "2026-06-15T12:00:00+03:00")
    _, out, _ = flask("cdr", "import", master, "--zone", "UTC")
    assert "first call 2026-03-10 15:00:00, last call 2026-03-10 15:00:00" in out
    assert "CABINET_CALL_DETAIL_MONTHS_BACK=3" in out
    monkeypatch.setenv("CABINET_CLOCK", "2026-04-15T12:00:00+03:00")
    assert "MONTHS_BACK" not in flask("cdr", "import", master, "--zone", "UTC")[1]


def test_a_wrong_zone_is_noticed_by_the_ids_of_the_calls(flask, master):
    assert "is --zone right" not in flask("cdr", "import", master, "--zone", "UTC", "--dry-run")[2]
    err = flask("cdr", "import", master, "--zone", "Europe/Minsk", "--dry-run")[2]
    assert "the times lie 3:00 h before the moments in the calls' ids" in err


def test_a_refused_file_does_not_stop_the_others(flask, master, tmp_path):
    strange = tmp_path / "strange.txt"
    strange.write_text("this is\nno call record\n", "utf-8")
    files = (strange, master, tmp_path / "missing.csv")
    status, out, err = flask("cdr", "import", *files, "--zone", "UTC", "--json")
    assert status == 2
    objects = [json.loads(line) for line in out.splitlines()]
    assert [item["lines"] for item in objects] == [0, 4, 0]
    assert "known format" in err
    assert "missing.csv: No such file" in err
    assert one(ImportRun.select().count) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--zone", "Mars"], "no time zone 'Mars'"),
        (["--format", "morse"], "no format called morse"),
        (["--client", "99"], "no client with the account number 99"),
        (["--discover"], "--discover needs --client"),
        (["--rejects", "/nonexistent/file"], "--rejects /nonexistent/file"),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_one_sentence(flask, master, options, sentence):
    status, out, err = flask("cdr", "import", master, *options)
    assert (status, out) == (2, "")
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert one(ImportRun.select().count) == 0


def test_rejected_lines_are_written_with_their_reasons(flask, master, tmp_path):
    flask("cdr", "import", master, "--zone", "UTC", "--rejects", tmp_path / "rejects.csv")
    with (tmp_path / "rejects.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "line", "reason", "record"]
    assert rows[1] == [str(master), "4", "negative duration", *row(billsec="-1")]


def test_a_dry_run_stores_nothing(flask, master):
    assert "dry run" in flask("cdr", "import", master, "--zone", "UTC", "--dry-run")[1]
    assert one(ImportRun.select().count) == 0


def test_formats_are_listed_one_a_line(flask):
    status, out, err = flask("cdr", "formats")
    assert (status, err) == (0, "")
    assert out.splitlines() == [*FORMATS]
    assert {"asterisk-csv", "asterisk-db", "freeswitch-json", "3cx", "generic"} <= {*FORMATS}


ZIP = ("good.csv", text(row(src="101"))), ("readme.txt", "hello\n")


def test_the_files_of_an_archive_are_imported_one_by_one(flask, tmp_path):
    path = tmp_path / "calls.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (*ZIP, ("more.csv", text(row(billsec="-1")))):
            archive.writestr(name, content)
    status, out, err = flask("cdr", "import", path, "--zone", "UTC", "--json")
    objects = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [item["file"] for item in objects] == [f"{path}/good.csv", f"{path}/more.csv"]
    assert [item["lines"] for item in objects] == [1, 1]
    assert f"{path}/readme.txt: not a call record file, left out" in err


def test_an_archive_without_call_records_or_with_harm_is_refused(flask, tmp_path):
    names = ("none.zip", ZIP[1:]), ("harm.zip", [("../x.csv", text(row()))])
    for name, files in names:
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for inner, content in files:
                archive.writestr(inner, content)
    status, out, err = flask("cdr", "import", *(tmp_path / name for name, _ in names), "--json")
    assert (status, [json.loads(line)["lines"] for line in out.splitlines()]) == (2, [0, 0])
    assert "not a call record file of a known format" in err
    assert "leads out of it" in err
    assert one(ImportRun.select().count) == 0


def test_unclear_dates_are_refused_until_somebody_says_the_order(flask, tmp_path):
    path = tmp_path / "report.csv"
    path.write_text("1/9/2026 10:00,375171234567,102,70,60,ANSWERED\n", "utf-8")
    status, _, err = flask("cdr", "import", path)
    assert status == 2
    assert "--dates dmy or --dates mdy" in err
    status, out, _ = flask("cdr", "import", path, "--dates", "dmy", "--dry-run", "--json")
    assert (status, json.loads(out)["first"]) == (0, "2026-09-01T07:00:00Z")
    assert flask("cdr", "import", path, "--dates", "ymd")[0] == 2


def test_a_file_of_any_program_is_read_by_a_map(flask, tmp_path):
    path, column_map = tmp_path / "own.csv", tmp_path / "own.toml"
    path.write_text("when;who;whom;sec\n10.03.2026 12:00;101;102;60\n", "utf-8")
    column_map.write_text(
        '[columns]\nstart="when"\ncaller="who"\ncalled="whom"\nbillable="sec"\n'
        '[time]\nformat="%d.%m.%Y %H:%M"\n',
        "utf-8",
    )
    arguments = ("cdr", "import", path, "--map", column_map)
    status, _, err = flask(*arguments)
    assert status == 2
    assert "--map FILE and --format generic go together" in err
    status, out, _ = flask(*arguments, "--format", "generic", "--json")
    assert (status, json.loads(out)["calls"]) == (0, 1)
    column_map.write_text("[colums]\n", "utf-8")
    status, _, err = flask(*arguments, "--format", "generic")
    assert status == 2
    assert "the map has no key 'colums'" in err


def test_a_number_is_added_under_its_connection(flask):
    flask("subscriber", "add", "00012", "375171234567", "--plan", "SIP-соединение")
    arguments = ("subscriber", "add", "00012", "375171234568", "--connection", "80171234567")
    assert flask(*arguments)[0] == 0
    assert flask(*arguments)[0] == 1
    assert flask("subscriber", "add", "00012", "1", "--connection", "2")[0] == 1
    flask("client", "add", "Other", "--account", "2", "--unp", "190000002", "--email", "a@b.by")
    status, _, err = flask("subscriber", "add", "2", "375171234567")
    assert status == 2
    assert "another client" in err


def test_the_demo_loads_any_size_and_holds_every_invariant(flask):
    sizes = ("--clients", 3, "--subscribers", 12, "--calls", 200, "--seed", 3)
    status, out, _ = flask("demo", *sizes)
    assert status == 0
    assert "demo: client-administrator, account 100000000001, 4 numbers" in out
    assert "the demo is up to date" in flask("demo")[1]
    assert flask("verify", "--json")[:2] == (0, '{"ok": true, "breaches": []}\n')


def test_a_breach_is_named_and_changes_the_exit_status(flask, master):
    flask("subscriber", "add", "00012", "375171234567")
    flask("cdr", "import", master, "--zone", "UTC")
    with db.connection_context():
        Call.update(billable_s=Call.billable_s + 1).execute()
        ImportRun.update(lines=99).execute()
    status, out, _ = flask("verify", "--json")
    found = json.loads(out)
    assert (status, found["ok"]) == (1, False)
    assert {breach["check"] for breach in found["breaches"]} == {
        "a_call_is_the_sum_of_its_legs",
        "a_run_accounts_for_every_line",
        "sums_are_those_of_the_calls",
    }


def test_a_number_passes_from_one_client_to_another(flask):
    second = ["client", "add", "Next", "--account", "2", "--unp", "190000002", "--email", "c@d.by"]
    assert flask(*second)[0] == 0
    number = "375291112233"
    assert flask("subscriber", "add", "00012", number)[0] == 0
    assert flask("subscriber", "add", "2", number, "--from", "2026-03-01")[0] == 2
    assert flask("subscriber", "end", "00012", number, "--on", "2026-03-01")[0] == 0
    assert flask("subscriber", "add", "2", number, "--from", "2026-02-28")[0] == 2
    assert flask("subscriber", "add", "2", number, "--from", "01.03.2026")[0] == 0


def test_a_number_does_not_end_before_its_last_calls(flask, master):
    flask("cdr", "import", master, "--client", "00012", "--discover", "--zone", "UTC")
    number = Subscriber.select().join(Call, on=Call.subscriber_id == Subscriber.id).get().number
    status, _, sentence = flask("subscriber", "end", "00012", number, "--on", "2001-01-01")
    assert status == 2
    assert "calls after that" in sentence


def test_a_number_does_not_end_while_an_import_gives_it_calls(flask, tmp_path):
    assert flask("subscriber", "add", "00012", "375291112233")[0] == 0
    end = ("subscriber", "end", "00012", "375291112233", "--on", "2026-03-01")
    with import_turns.one_at_a_time(tmp_path / "var"):
        status, _, sentence = flask(*end)
        assert (status, "try again" in sentence) == (1, True)
    assert flask(*end)[0] == 0


def test_what_is_no_number_is_refused(flask):
    assert flask("subscriber", "add", "00012", "<b>=1+1")[0] == 2


def test_what_is_known_of_numbers_is_changed_one_by_one_and_from_a_file(flask, tmp_path):
    flask("subscriber", "add", "00012", "80171234567", "--plan", "SIP-соединение")
    flask("subscriber", "add", "00012", 101)
    told = ("--name", "Анна", "--connection", "80171234567", "--status", "blocked")
    assert flask("subscriber", "change", 101, *told) == (
        *(0, "changed: full name, status, connection\n", ""),
    )
    assert flask("subscriber", "change", 101, "--connection", "none")[1] == "changed: connection\n"
    assert flask("subscriber", "change", 101, "--name", "Анна")[1].endswith("it was so already\n")
    assert flask("subscriber", "change", 101)[0] == 2
    assert flask("subscriber", "change", 102, "--name", "Анна")[0] == 1
    flask(*[*CLIENT[:4], "00013", *CLIENT[5:]])
    flask("subscriber", "add", "00013", 101)
    status, _, told = flask("subscriber", "change", 101, "--name", "Вера")
    assert (status, "give --client (00012, 00013)" in told) == (2, True)
    assert flask("subscriber", "change", 101, "--name", "Вера", "--client", "00013")[0] == 0
    path = tmp_path / "numbers.csv"
    path.write_text("Номер;Ф.И.О.\n101;Яна\n102;Ася\n", "cp1251")
    again = ("subscriber", "import", path, "--client", "00012")
    out = "added\t102\tАся\nchanged\t101\tfull name\n1 added, 1 changed, 0 as they were\n"
    assert flask(*again, "--dry-run") == (0, f"{out}Nothing was stored.\n", "")
    assert flask(*again) == (0, out, "")
    assert flask(*again) == (0, "0 added, 0 changed, 2 as they were\n", "")
    path.write_text("Номер;Статус\n101;активен\n103;уволен\n", "utf-8")
    status, out, told = flask(*again)
    assert (status, out, told.splitlines()[0]) == (2, "", "line 3: уволен is no status")
    assert one(lambda: Subscriber.get(Subscriber.full_name == "Яна").status) == "blocked"


def test_an_ended_number_is_given_back_with_the_calls_of_the_time_between(flask, master):
    flask("subscriber", "add", "00012", "80171234567", "--from", "2026-01-01")
    flask("subscriber", "end", "00012", "80171234567", "--on", "2026-03-01")
    flask("cdr", "import", master, "--zone", "UTC")
    assert one(Call.select().count) == 0
    add = ("subscriber", "add", "00012", "80171234567")
    assert "without a break" in flask(*add, "--from", "2026-03-20")[2]
    assert "comes back with its plan" in flask(*add, "--plan", "SIP-соединение")[2]
    status, out, _ = flask(*add)
    assert (status, "as if it had not ended on 2026-03-01" in out) == (0, True)
    assert flask(*add)[0] == 1
    assert flask("cdr", "rematch")[1].startswith("matched 1,")
    assert one(Call.select().count) == 1
    assert flask("verify")[0] == 0
