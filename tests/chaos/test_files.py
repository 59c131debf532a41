"""Files of orders while their makers are killed: a file is whole or not there, what is left lying
about is cleared away within a day, and the same order makes the same bytes anywhere.
"""

import json
import os
import random
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from config import Config
from domain.demo.population import Sizes
from models import Artefact, Client, Order
from services import artefacts, clock, reports, storage
from tests import databases, smtp_sink
from tests.chaos.lives import DONE, KILLED, Lives, carry, loaded, look_after, recover
from tests.chaos.test_sweep import check_sent

ROOT = Path(__file__).parent.parent.parent
FORMS = ("csv", "xlsx", "pdf")
RENDER = """
import json, sys
from app import create_app
from models import Order, db
from services import clock, reports
app = create_app()
with app.app_context(), db.connection_context():
    made = {}
    for key in sys.argv[1:]:
        order = Order.get(Order.key == key)
        done = reports.render(order, made_at=order.made_at, progress=lambda done, total: None)
        made[key] = done.sha256
print(json.dumps(made))
"""


@pytest.fixture(scope="module")
def lives(tmp_path_factory, sink):
    """With calls enough for files that take a while."""
    config = Config(
        DATA_DIR=str(tmp_path_factory.mktemp("files")),
        DATABASE_URL=databases.new_url(),
        TESTING=True,
        MAIL_SERVER="127.0.0.1",
        MAIL_PORT=sink.port,
        ORDERS_PER_HOUR=0,
        OPEN_ORDERS=0,
    )
    with loaded(config, Sizes(clients=2, subscribers=8, calls=8_000)) as app:
        made = Lives(app)
        with made.here():
            Client.update(may_download=True).execute()
        yield made


def left_behind(lives, key):
    """Names of the files in an order's folder that are not finished ones."""
    folder = lives.config.artefact_dir / key
    names = {path.name for path in folder.rglob("*")} if folder.exists() else set()
    return {name for name in names if name not in {*(f"1.{form}" for form in FORMS), "mail-1.eml"}}


def fetched(lives, key):
    """What its client's people would get now: (digest of the bytes, digest in the row) or None."""
    with lives.here():
        order = Order.across_clients().where(Order.key == key).get()
        found = artefacts.find_open(order, order.client, now=clock.now())
        return found and (storage.sha256_of(found.path), found.artefact.sha256)


def wait_until_begun(lives, key):
    """Until the file is there under whatever name; looks often, for a short one is made soon."""
    deadline = time.monotonic() + 60
    while {path.name for path in (lives.config.artefact_dir / key).glob("*")} <= {"mail-1.eml"}:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def lose_file(lives, mail, form):
    """An order whose file was made, written down and then lost: it is made again, while its row
    says that it can be fetched.
    """
    mail.mode = smtp_sink.BUSY_421
    key = lives.make_order(form, numbers=4)
    assert lives.run(carry) == DONE
    mail.mode = smtp_sink.OK
    (lives.config.artefact_dir / key / f"1.{form}").unlink()
    return key


@pytest.mark.timeout(600)
def test_a_kill_while_a_file_is_written_leaves_none_of_it_to_be_fetched(
    lives, mail, length, figure
):
    kills, died, left, keys = length(short=6, long=50), 0, set(), []
    chance = random.Random(19)  # noqa: S311
    for n in range(kills):
        form = FORMS[n % 3]
        key = lose_file(lives, mail, form) if n % 2 else lives.make_order(form)
        keys.append(key)
        maker = lives.begin(carry, ahead_s=100)
        wait_until_begun(lives, key)
        time.sleep(chance.uniform(0, 0.1) if n % 3 else 0)  # at once too: some are made so soon
        died += maker.kill() == KILLED
        left |= {f"{key}/{name}" for name in left_behind(lives, key)}
        got = fetched(lives, key)
        assert got is None or got[0] == got[1]
    assert lives.run(lambda: [recover() for _ in range(kills)], ahead_s=100) == DONE
    for key in keys:
        served, written_down = fetched(lives, key)
        assert served == written_down
    figure("killed in the middle", f"{died} of {kills}")
    figure("temporary files left", len(left))
    assert died
    assert lives.breaches() == []


def test_half_a_file_is_not_fetched_in_place_of_a_lost_one(lives, mail):
    key = lose_file(lives, mail, "csv")
    assert lives.run(carry, crash_at="order.writing_rows:3", ahead_s=100) == KILLED
    assert left_behind(lives, key)
    assert fetched(lives, key) is None
    assert lives.run(recover, ahead_s=100) == DONE
    served, written_down = fetched(lives, key)
    assert served == written_down


def test_what_the_killed_have_left_is_gone_a_day_later(lives, mail):
    """Also what libraries keep beside the file while they write it."""
    key = lives.make_order("xlsx")
    assert lives.run(carry, crash_at="order.file_written") == KILLED
    assert left_behind(lives, key)
    folder = lives.config.artefact_dir / key
    (folder / "scratch-of-a-library").write_bytes(b"half")
    assert lives.run(recover) == DONE
    assert lives.run(look_after, ahead_s=23 * 3600) == DONE
    assert left_behind(lives, key)
    assert lives.run(look_after, ahead_s=25 * 3600) == DONE
    assert not left_behind(lives, key)
    check_sent(lives, mail, key)  # what belongs to somebody is still there
    abandoned = lives.config.artefact_dir.glob("*/*.part")
    assert not list(abandoned)


def test_a_file_that_is_being_made_is_not_taken_for_a_leftover(lives, mail):
    """Not even when it has taken a day."""
    key = lives.make_order("xlsx")
    day_s = 25 * 3600
    maker = lives.begin(carry, crash_at="stop order.file_written", ahead_s=day_s)
    maker.wait()
    assert lives.run(look_after, ahead_s=day_s) == DONE
    assert left_behind(lives, key)
    assert maker.go_on() == DONE
    check_sent(lives, mail, key)


def test_an_empty_folder_of_an_order_goes_with_its_files(lives, mail):
    key = lives.make_order()
    assert lives.run(carry) == DONE
    with lives.here():
        long_ago = clock.now() - timedelta(days=30)
        Artefact.update(expires_at=long_ago).execute()
    folder = lives.config.artefact_dir / key
    month_s = 40 * 24 * 3600
    assert lives.run(look_after, ahead_s=month_s) == DONE
    assert lives.run(look_after, ahead_s=month_s + 2 * 24 * 3600) == DONE
    assert not folder.exists()


def test_another_process_makes_the_same_bytes(lives, mail):
    """Whatever its hash seed, its zone and its folder for scratch."""
    keys = [lives.make_order(form) for form in FORMS]
    assert lives.run(lambda: [carry() for _ in keys]) == DONE
    with lives.here():
        ours = {
            order.key: artefacts.find(order).sha256
            for order in Order.across_clients().where(Order.key.in_(keys))
        }
        for order in Order.across_clients().where(Order.key.in_(keys)):
            again = reports.render(order, made_at=order.made_at, progress=lambda *_: None)
            assert again.sha256 == ours[order.key]
    env = os.environ | {
        "CABINET_DATA_DIR": str(lives.config.data_dir),
        "CABINET_DATABASE_URL": lives.config.DATABASE_URL,
        "PYTHONHASHSEED": "4711",
        "TZ": "Asia/Vladivostok",
    }
    told = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", RENDER, *keys], cwd=ROOT, env=env, capture_output=True, check=True
    )
    assert json.loads(told.stdout) == ours
