"""What a cabinet with real data (`CABINET_DEMO=0`) does not start with; what needs no setting."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from rq.serializers import JSONSerializer

from app import create_app
from blueprints.security import trusted_hosts
from config import Config, ConfigError
from jobs.worker import CabinetWorker, make_worker
from models import db
from services import storage

ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Build an application in production; the tests' own database is back afterwards."""
    before = db.obj
    monkeypatch.delenv("FLASK_DEBUG", raising=False)

    def build(data_dir=None, **settings):
        folder = str(data_dir or tmp_path / "var")
        return create_app(Config(DATA_DIR=folder, **{"DEMO": False, **settings}))

    yield build
    db.initialize(before)


def test_it_starts_with_nothing_but_a_data_dir(start, tmp_path):
    start()
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "var" / "secret").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"TESTING": True}, "CABINET_TESTING"),
        ({"TESTING": True, "CLOCK": "+60"}, "CABINET_TESTING"),
        ({"TESTING": True, "CRASH_AT": "order.sending"}, "CABINET_TESTING"),
        ({"CLOCK": "+60"}, "CABINET_CLOCK"),
        ({"CRASH_AT": "order.sending"}, "CABINET_CRASH_AT"),
    ],
)
def test_hooks_of_tests_are_refused(start, settings, words):
    with pytest.raises(ConfigError, match=words):
        start(**settings)


def test_debugging_is_refused(start, monkeypatch):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    with pytest.raises(ConfigError, match="FLASK_DEBUG"):
        start()


@pytest.mark.parametrize("arguments", [["--debug", "verify"], ["run", "--debug"]])
def test_a_command_with_debugging_is_refused_in_a_sentence(tmp_path, arguments):
    env = {**os.environ, "CABINET_DATA_DIR": str(tmp_path / "var"), "CABINET_DEMO": "0"}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "FLASK_DEBUG" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "secret",
    ["", "dev", "secret", "changeme", "x" * 31, "0" * 64, "abcabcabc" * 10, "пароль" * 10],
)
@pytest.mark.parametrize("demo", [True, False])
def test_a_secret_that_can_be_guessed_is_refused(start, tmp_path, secret, demo):
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret").write_text(secret + "\n", "utf-8")
    with pytest.raises(ConfigError, match="secret"):
        start(DEMO=demo)


def test_the_secret_is_long_made_once_and_of_this_data_dir_alone(start, tmp_path):
    first = start().secret_key
    assert len(first) == 64
    assert start().secret_key == first
    assert start(tmp_path / "other").secret_key != first


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("opened", [0o755, 0o777, 0o705, 0o701])
def test_a_data_dir_that_is_open_to_all_is_shut(start, tmp_path, opened):
    folder = tmp_path / "var"
    start()
    folder.chmod(opened)
    start()
    assert mode(folder) & 0o007 == 0
    new = tmp_path / "new"
    new.mkdir()
    new.chmod(opened)
    start(new)
    assert mode(new) & 0o007 == 0


def test_a_group_that_makes_copies_may_go_on_reading(start, tmp_path):
    start()
    (tmp_path / "var").chmod(0o750)
    start()
    assert mode(tmp_path / "var") == 0o750


def test_a_folder_of_others_is_refused_and_left_as_it_is(start, tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "letter.txt").write_text("not ours")
    with pytest.raises(ConfigError, match="chmod 700"):
        start(folder)
    assert mode(folder) == 0o755
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]
    start(folder, DEMO=True)  # the demo has nothing to hide


def test_without_a_list_of_hosts_only_those_of_the_public_address_are_answered(start):
    app = start(PUBLIC_URL="https://cab.example.by/x")
    assert app.config["TRUSTED_HOSTS"] == ["cab.example.by", "localhost", "127.0.0.1"]
    assert trusted_hosts(Config()) == ["127.0.0.1", "localhost", "127.0.0.1"]


def test_jobs_are_read_as_json_and_never_unpickled(start, monkeypatch):
    app = start(REDIS_URL="redis://127.0.0.1:1")
    made = {}
    monkeypatch.setattr(
        CabinetWorker,
        "__init__",
        lambda _self, queues, **options: made.update(options, queues=queues),
    )
    make_worker(app, app.config["CABINET"])
    assert made["serializer"] is JSONSerializer
    assert {queue.serializer for queue in made["queues"]} == {JSONSerializer}
    assert app.extensions["cabinet-queue"]._queue.serializer is JSONSerializer
    source = "".join(
        path.read_text("utf-8")
        for folder in ("services", "jobs", "blueprints", "commands", "domain")
        for path in (ROOT / folder).rglob("*.py")
    )
    for word in ("pickle", "marshal", "shelve", "yaml.load", "eval(", "exec("):
        assert word not in source, word


def test_what_a_worker_writes_is_for_its_user_alone(tmp_path):
    with storage.atomic_file(tmp_path / "art" / "1.csv") as temporary:
        temporary.write_bytes(b"x")
    assert mode(tmp_path / "art") == 0o700
