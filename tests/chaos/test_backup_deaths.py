"""A backup and a restore that die: never half a file, never half a cabinet, and again is enough."""

import shutil

import pytest

from models import Client
from services import backup, clock, database, moving, restoring, verify
from tests import databases
from tests.chaos.kill_points import BACKED_UP, PUT_BACK
from tests.chaos.lives import DONE, KILLED


@pytest.fixture(scope="module")
def kept(lives, tmp_path_factory):
    """A backup of the lives' data dir."""
    file = tmp_path_factory.mktemp("backups") / "whole.tar"
    assert lives.run(lambda: backup.make(file, now=clock.now())) == DONE
    return file


@pytest.mark.parametrize("point", BACKED_UP)
def test_a_backup_that_died_left_no_file(lives, kept, tmp_path, point):
    file = tmp_path / "new.tar"

    def work():
        backup.make(file, now=clock.now())

    assert lives.run(work, crash_at=point) == KILLED
    assert not file.exists()
    assert lives.run(work) == DONE
    assert [path.name for path in tmp_path.iterdir()] == ["new.tar"]
    assert lives.run(lambda: backup.check(file)) == DONE


@pytest.mark.parametrize("point", PUT_BACK)
def test_a_restore_that_died_is_done_again(lives, kept, tmp_path, point):
    url = databases.new_url() or f"sqlite:///{tmp_path}/cabinet.db"
    data_dir = str(tmp_path)

    def work():
        empty = database.make_database(url)
        with moving.bound_to(empty):
            restoring.restore(kept, now=clock.now())
            with empty.connection_context():
                assert Client.select().exists()
                assert not verify.run()

    settings = {"DATA_DIR": data_dir, "DATABASE_URL": url}
    assert lives.run(work, crash_at=point, **settings) == KILLED
    shutil.rmtree(tmp_path / "faults")
    assert lives.run(work, **settings) == DONE
    assert not (tmp_path / restoring.WORK).exists()
    assert (tmp_path / "demo" / "truth.csv").exists()
