"""`flask call-centre`: numbers and hours, as typed."""

import pytest

from domain.call_centre import USUAL_HOURS, MemberKind
from services import call_centre
from tests.factories import make_subscriber


@pytest.fixture
def run(app, client_row):
    runner = app.test_cli_runner()
    return lambda *words: runner.invoke(args=["call-centre", *words])


def test_numbers_are_put_in_listed_and_taken_out(run, client_row):
    make_subscriber(client_row, number="375172000001", full_name="Вход")
    make_subscriber(client_row, number="375172000002", full_name="Анна")
    account = client_row.account_no
    assert run("add", account, "+375 17 200-00-01", "--kind", "line").exit_code == 0
    assert run("add", account, "375172000002", "--group", "Продажи").exit_code == 0
    assert run("list", account).output.splitlines() == [
        "375172000001\tline\t\tВход",
        "375172000002\temployee\tПродажи\tАнна",
    ]
    assert run("remove", account, "375172000001").exit_code == 0
    assert [m.kind for m in call_centre.members_of(client_row)] == [MemberKind.EMPLOYEE]


def test_what_is_not_there_is_refused_in_a_sentence(run, client_row):
    make_subscriber(client_row, number="375172000002")
    foreign = make_subscriber()
    account = client_row.account_no
    for words in (("add", account, foreign.number), ("remove", account, "375172000002")):
        result = run(*words)
        assert result.exit_code == 1
        assert "Traceback" not in result.output


def test_hours_are_set_and_nonsense_is_refused(run, client_row):
    account = client_row.account_no
    assert run("hours", account, "1-5 8:00-17:00", "--holidays").exit_code == 0
    hours = call_centre.hours_of(client_row)
    assert hours.week[0] == (480, 1020)
    assert hours.works_on_holidays
    assert run("hours", account, "9 to 18").exit_code == 2
    assert call_centre.hours_of(client_row) == hours != USUAL_HOURS
