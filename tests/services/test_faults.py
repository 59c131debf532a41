"""Kill points: once, at the right time, and never in production."""

import os
import signal
import subprocess
import sys

import pytest

from config import Config, ConfigError

PASSES = """
from app import create_app
from services import faults
app = create_app()
with app.app_context():
    for n in range({times}):
        faults.reach("order.sending")
"""


def passing(data_dir, times, crash_at):
    """Exit status of a process that comes by `times`."""
    env = os.environ | {
        "CABINET_DATA_DIR": str(data_dir),
        "CABINET_CRASH_AT": crash_at,
        "CABINET_TESTING": "1",
    }
    code = PASSES.format(times=times)
    return subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode  # noqa: S603


def test_a_process_dies_at_its_point_at_the_nth_time_and_once(tmp_path):
    assert passing(tmp_path, 2, "order.sending:4") == 0
    assert passing(tmp_path, 5, "order.sending:4") == -signal.SIGKILL
    assert (tmp_path / "faults" / "order.sending").read_bytes() == b"...."
    assert passing(tmp_path, 3, "order.sending:4") == 0


def test_another_point_is_passed_by(tmp_path):
    assert passing(tmp_path, 2, "order.sent") == 0


def test_what_runs_is_told_by_a_file(tmp_path):
    told = tmp_path / "told"
    told.write_text("", encoding="ascii")
    assert passing(tmp_path / "var", 1, f"@{told}") == 0
    told.write_text("order.sending\n", encoding="ascii")
    assert passing(tmp_path / "var", 1, f"@{told}") == -signal.SIGKILL


@pytest.mark.parametrize(
    "text", ["Order", "stay order.sending", "order.sending:0", "../x", "order.sending:"]
)
def test_a_point_that_cannot_be_is_refused(text):
    with pytest.raises(ConfigError, match="CABINET_CRASH_AT"):
        Config(TESTING=True, CRASH_AT=text)
