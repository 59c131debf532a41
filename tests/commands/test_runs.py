"""`flask cdr runs|rollback`, zones that contradict the ids, and clients that are changed."""

import json
import re

import pytest

from models import AuditEvent, Call, Client, ImportRun
from services import clock, delivery
from tests.commands.test_records import flask, master, one  # noqa: F401 - fixtures
from tests.domain.cdr.dialects import row, text


@pytest.fixture
def number(flask):  # noqa: F811 - the fixture
    assert flask("subscriber", "add", "00012", "80171234567")[0] == 0


def test_imports_are_listed_and_taken_out_by_their_ids(flask, master, number):  # noqa: F811
    flask("cdr", "import", master, "--zone", "UTC", "--exchange", "pbx")
    listed = flask("cdr", "runs")[1]
    assert re.match(r"1  \S+ \S+  done  Master.csv: asterisk-csv, exchange pbx, zone UTC", listed)
    assert "4 lines: accepted 1, duplicates 0, rejected 1, unmatched 2, skipped 0" in listed
    status, out, _ = flask("cdr", "rollback", 1)
    assert (status, out) == (
        0,
        "rolled back 1: 1 calls removed, 0 computed anew, 2 unmatched legs removed\n",
    )
    assert one(Call.select().count) == 0
    assert "rolled_back" in flask("cdr", "runs")[1]
    status, _, err = flask("cdr", "rollback", 1)
    assert (status, err) == (2, "Error: Import 1 has nothing to take out\n")
    assert flask("cdr", "rollback", 99)[0] == 1


def test_a_rollback_names_the_files_that_told_the_same(flask, master, number, tmp_path):  # noqa: F811
    flask("cdr", "import", master, "--zone", "UTC")
    again = tmp_path / "again.csv"
    again.write_text(master.read_text("utf-8") + text(row(uniqueid="1773144005.1")), "utf-8")
    flask("cdr", "import", again, "--zone", "UTC")
    out = flask("cdr", "rollback", 1)[1]
    assert "later imports with repeated lines: 2 again.csv (1)" in out
    assert "import it once more" in out


def test_a_wrong_zone_is_told_and_refused_where_that_is_wanted(flask, master, number):  # noqa: F811
    command = ("cdr", "import", master, "--zone", "Europe/Minsk")
    status, out, err = flask(*command, "--strict-zone")
    assert (status, out) == (2, "")
    assert "3:00 h before" in err
    assert one(ImportRun.select().count) == 0
    status, out, _ = flask(*command, "--strict-zone", "--json")
    assert status == 2
    assert "nothing of it is stored" in json.loads(out)["error"]
    status, out, err = flask(*command, "--json")
    assert status == 0
    (warning,) = json.loads(out)["warnings"]
    assert "flask cdr rollback" in warning
    assert warning in err
    assert one(Call.select().count) == 1


def test_a_file_is_not_read_again_in_another_zone(flask, master, number):  # noqa: F811
    flask("cdr", "import", master, "--zone", "UTC")
    status, _, err = flask("cdr", "import", master, "--zone", "Europe/Minsk")
    assert status == 2
    assert "flask cdr rollback 1" in err
    assert flask("cdr", "import", master, "--zone", "+00:00")[0] == 0  # the same by another name
    for run in (1, 2):
        assert flask("cdr", "rollback", run)[0] == 0
    assert flask("cdr", "import", master, "--zone", "Europe/Minsk")[0] == 0


def test_an_hour_of_a_clock_that_went_wrong_for_years_is_no_zone(flask, master):  # noqa: F811
    master.write_text(text(row(uniqueid="1490325492.2")), "utf-8")
    assert flask("cdr", "import", master, "--zone", "UTC")[0] == 0


@pytest.mark.parametrize(
    ("channels", "why"),
    [
        ({}, "no device in it calls"),
        ({"channel": "", "dstchannel": ""}, "does not say by which devices"),
    ],
)
def test_discovery_that_finds_nothing_says_why_and_what_there_is(flask, master, channels, why):  # noqa: F811
    calls = [row(src="375290000001", **{"channel": "SIP/trunk-1", **channels}) for _ in range(3)]
    master.write_text(text(*calls, row(src="375290000002", **channels)), "utf-8")
    _, out, err = flask(
        *("cdr", "import", master, "--zone", "UTC", "--client", "00012", "--discover", "--json")
    )
    assert why in err
    assert "most frequent as caller: 375290000001 (3), 375290000002 (1)" in err
    assert len(json.loads(out)["warnings"]) == 3


def test_the_help_names_what_holds_when_nothing_is_said(flask):  # noqa: F811
    shown = " ".join(flask("cdr", "import", "--help")[1].split())
    for default in ("auto", "CABINET_TIME_ZONE"):
        assert f"[default: {default}]" in shown
    shown = " ".join(flask("user", "add", "--help")[1].split())
    assert "With --client: administrator, accountant or viewer" in shown


def test_a_round_of_the_reconciler_is_told_in_a_sentence(flask):  # noqa: F811
    out = flask("reconcile", "--once")[1]
    assert out.startswith("released 0 orders of dead workers, hinted 0")


def test_a_client_is_changed_by_what_is_given(flask):  # noqa: F811
    status, out, _ = flask(
        *("client", "change", "00012", "--detail-email", "new@b.by", "--contract-no", "7/26"),
        *("--contract-date", "10.03.2026", "--hide-incoming", "--download"),
    )
    assert status == 0
    assert set(out.removeprefix("changed: ").strip().split(", ")) == {
        *("detail email", "contract no", "contract date", "hide incoming peers", "may download"),
    }
    client = one(lambda: Client.get(Client.account_no == "00012"))
    assert one(lambda: delivery.detail_email(client, now=clock.now())) == "new@b.by"
    assert client.contract_no == "7/26"
    assert client.contract_date.isoformat() == "2026-03-10"
    assert client.hide_incoming_peers
    assert client.may_download
    event = one(lambda: AuditEvent.get(AuditEvent.event == "client_changed"))
    assert "new@b.by" not in json.dumps(event.detail), "names of fields, no addresses"
    assert "was so already" in flask("client", "change", "00012", "--hide-incoming")[1]
    flask("client", "change", "00012", "--show-incoming", "--no-download")
    client = one(lambda: Client.get(Client.account_no == "00012"))
    assert not client.hide_incoming_peers
    assert not client.may_download


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["00012", "--email", "nobody"], 2),
        (["00012", "--name", " "], 2),
        (["00012", "--contract-date", "yesterday"], 2),
        (["00012", "--bank", "Банк", "--iban", "BY14 NBRB 3600 9000 0000 2Z00 AB00"], 2),
        (["00012", "--bic", "NBRB"], 2),
        (["00012"], 2),
        (["99", "--name", "X"], 1),
    ],
)
def test_a_change_that_cannot_be_changes_nothing(flask, arguments, status):  # noqa: F811
    before = one(lambda: list(Client.select().tuples()))
    assert flask("client", "change", *arguments)[0] == status
    assert one(lambda: list(Client.select().tuples())) == before


def test_a_client_is_added_with_its_details(flask):  # noqa: F811
    status, _, err = flask(
        *("client", "add", "Two", "--account", "2", "--unp", "190000002", "--email", "a@b.by"),
        *("--address", "Минск", "--hide-incoming"),
    )
    assert (status, err) == (0, "")
    client = one(lambda: Client.get(Client.account_no == "2"))
    assert (client.address, client.hide_incoming_peers) == ("Минск", True)


def test_bank_details_are_kept_in_one_form_and_can_be_taken_away(flask):  # noqa: F811
    details = ("--bank", "ОАО «Банк»", "--iban", "by13 nbrb 3600 9000 0000 2z00 ab00", "--bic")
    assert flask("client", "change", "00012", *details, "nbrbby2x") == (
        *(0, "changed: bank, iban, bic\n", ""),
    )
    client = one(lambda: Client.get(Client.account_no == "00012"))
    told = (client.bank, client.iban, client.bic)
    assert told == ("ОАО «Банк»", "BY13NBRB3600900000002Z00AB00", "NBRBBY2X")
    wrong = flask("client", "change", "00012", "--iban", "BY14NBRB3600900000002Z00AB00")[2]
    assert "check digits that fit): BY14NBRB3600900000002Z00AB00 cannot be used" in wrong
    assert flask("client", "change", "00012", "--iban", "")[1] == "changed: iban\n"
    assert one(lambda: Client.get(Client.account_no == "00012")).iban == ""
