"""Work that takes too long or is large: a job whose time is over leaves no file to be seen and a
sentence for the client and the operator; a report of many calls needs little memory.
"""

import csv
import random
import time
from datetime import timedelta

import pytest
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from domain.roles import Role
from models import Artefact, User
from services import artefacts, claims, clock, orders
from tests import smtp_sink
from tests.chaos.lives import DONE, carry
from tests.page import Browser
from tests.run.conftest import wait_for

TOO_LONG = "Формирование файла заняло слишком много времени. Код R-11"
ROWS = 500_000


def carry_for_a_second():
    """A job as RQ limits it, in a child: the alarm is the process's."""
    with UnixSignalDeathPenalty(1, JobTimeoutException):
        carry()


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "pdf"])
def test_a_job_over_its_time_leaves_no_file_and_says_so(lives, mail, monkeypatch, file_format):
    key = lives.make_order(file_format)
    with monkeypatch.context() as slow:
        slow.setattr(claims.Progress, "__call__", lambda *_: time.sleep(60))
        assert lives.run(carry_for_a_second) == DONE
    after = lives.order(key)
    assert (after.state, after.reason, after.lease_until) == ("failed", "render_too_long", None)
    assert not mail.taken
    with lives.here():
        assert not Artefact.select().where(Artefact.order == after).exists()
        assert list((artefacts.folder() / key).iterdir()) == []
        user = User.across_clients().where(User.login == "demo").get()
        assert TOO_LONG in Browser(lives.app, user).get("orders.show", key=key).text
        Browser(lives.app, user).get("orders.file", key=key, status=404)
        operator = User.across_clients().where(User.role == Role.OPERATOR_ADMINISTRATOR).get()
        page = Browser(lives.app, operator).get("operator.order", key=key)
        assert TOO_LONG in page.text
        assert "JobTimeoutException" in page.text
        assert orders.retry(after, user=user, now=clock.now())
    assert lives.run(carry) == DONE
    assert lives.order(key).state == "sent"
    assert lives.breaches() == []


def test_a_job_whose_time_is_over_while_it_mails_is_not_called_failed(lives, mail):
    """The letter may have gone: it is sent again, flagged, and the file is not blamed."""
    key = lives.make_order()
    mail.mode = smtp_sink.HANG_AFTER_DATA
    assert lives.run(carry_for_a_second) == DONE
    after = lives.order(key)
    assert (after.state, after.reason) == ("retry_wait", "mail_unconfirmed")
    mail.mode = smtp_sink.OK
    assert lives.run(carry, ahead_s=600) == DONE
    after = lives.order(key)
    with lives.here():
        assert (after.state, after.mails.get().unknown_count) == ("sent", 1)
    assert lives.breaches() == []


# --- Half a million calls -------------------------------------------------------------------------


def write_calls(path, number, count):
    """A Master.csv of this month's calls of one number."""
    now = clock.now()
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    step = (now - first) / (count + 1)  # in the first minutes of a month all begin at once
    rng = random.Random(1)  # noqa: S311 - made-up data
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        for n in range(count):
            began = first + n * step
            answered, ended = began + timedelta(seconds=5), began + timedelta(seconds=65)
            peer = f"37517{rng.randrange(10**7):07}"
            moments = [f"{each:%Y-%m-%d %H:%M:%S}" for each in (began, answered, ended)]
            channels = (f"SIP/{number}-{n:08x}", f"SIP/trunk-{n:08x}")
            asked = ["", number, peer, "out", number, *channels, "Dial", "", *moments]
            ended_as = ["65", "60", "ANSWERED", "DOCUMENTATION", f"{began.timestamp():.0f}.{n}"]
            writer.writerow([*asked, *ended_as])


def peak_while(site, is_over):
    """The highest resident memory in MB of any process that is at a job, until `is_over()`."""
    peak = 0

    def look():
        nonlocal peak
        for pid in site.horses().values():
            peak = max(peak, resident_kb(pid))
        return is_over()

    wait_for(look, "the job to be done")
    return round(peak / 1024)


def resident_kb(pid):
    """VmHWM of a process; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:  # noqa: PTH123 - it is no file
            return next((int(line.split()[1]) for line in file if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_half_a_million_rows_need_little_memory(make_site, mail, tmp_path, figure):
    site = make_site(WORKERS=1)
    account, number = site.ask(
        "SELECT c.account_no, s.number FROM subscriber s JOIN client c ON c.id = s.client_id"
        " JOIN cabinet_user u ON u.client_id = c.id WHERE u.login = 'demo' ORDER BY s.number"
    )[0]
    write_calls(tmp_path / "Master.csv", number, ROWS)
    importing = site.flask("cdr", "import", str(tmp_path / "Master.csv"), "--client", account)
    output, _ = importing.communicate(timeout=1200)
    assert importing.returncode == 0, output
    person = site.person()
    for file_format in ("csv", "xlsx"):
        began = time.monotonic()
        key = site.place(person, file_format)

        def is_over(key=key):
            return site.ask("SELECT state FROM customer_order WHERE key = ?", key) == [("sent",)]

        figure(f"{file_format}, peak of the job, MB", peak_while(site, is_over))
        figure(f"{file_format}, from order to letter, s", round(time.monotonic() - began, 1))
        ((rows,),) = site.ask("SELECT rows FROM customer_order WHERE key = ?", key)
        assert rows >= ROWS
    site.verify()
