"""Jobs and the database: each job has a connection of its own, opened after the fork."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services import valkey
from tests import databases

ROOT = Path(__file__).parent.parent.parent
# A real worker with real forks. Its parent has a connection open, which it never has in the
# cabinet: the worst case. A job tells who made the connection that it finds.
WORKER = """
import os, sys
from app import create_app
from jobs import orders
from jobs.worker import make_worker
from models import Client, db
from services import database, queue
app, made = create_app(), {}
connect = db.obj._connect
def noted():
    connection = connect()
    made[id(connection)] = os.getpid()
    return connection
db.obj._connect = noted
def carry(order_id):
    Client.select().count()
    maker = made[id(db.connection())]
    with open(sys.argv[2], "a") as file:
        file.write(f"{os.getpid()} {maker}\\n")
orders.carry = carry
with app.app_context():
    db.connect()
    database.upgrade()
    for n in range(int(sys.argv[1])):
        assert queue.hint(n)
make_worker(app, app.config["CABINET"]).work(burst=True)
"""


@pytest.fixture
def redis_url(tmp_path_factory):
    """The address of an embedded Valkey that keeps nothing."""
    folder = tmp_path_factory.mktemp("vk")
    socket = folder / "s"
    settings = ("--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "")
    with subprocess.Popen([valkey.binary(), *settings], stdout=subprocess.DEVNULL) as server:  # noqa: S603
        while not valkey.answers(socket):
            time.sleep(0.05)
        yield f"unix://{socket}"
        server.terminate()


def test_each_job_opens_its_own_connection(redis_url, tmp_path, length, figure):
    jobs, told = length(short=8, long=200), tmp_path / "told"
    env = os.environ | {
        "CABINET_DATA_DIR": str(tmp_path / "var"),
        "CABINET_DATABASE_URL": databases.new_url(),
        "CABINET_REDIS_URL": redis_url,
    }
    command = [sys.executable, "-c", WORKER, str(jobs), str(told)]
    subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True)  # noqa: S603
    pairs = [line.split() for line in told.read_text(encoding="ascii").splitlines()]
    assert len({pid for pid, _ in pairs}) == jobs
    own = sum(pid == maker for pid, maker in pairs)
    figure("connections of the job's own", f"{own} of {jobs}")
    assert own == jobs
