"""Files that are sent to do harm, or have gone wrong: refused or read to the end, every line of
them accounted for, and never more memory than a good file takes.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from models import Call, UnmatchedLeg
from services import verify
from services.imports import ImportRequest, import_file
from tests.domain.cdr.dialects import row, text
from tests.factories import NOON, make_subscriber
from tests.security import bombs

ROOT = Path(__file__).parents[2]
MOST_MB = 256  # of a process that imports
MOST_GROWTH_MB = 100  # by an archive


@pytest.mark.timeout(1800)
def test_no_archive_takes_more_than_it_may(length):
    told = bombs.try_all(length(short=128, long=1024), length(short=20_000, long=1_000_000))
    print(json.dumps(told, ensure_ascii=False, indent=1))  # noqa: T201 - the figures
    ends = {name: each["told"] for name, each in told["bombs"].items()}
    assert {name: end for name, end in ends.items() if not end.startswith("refused: ")} == {}
    assert told["grown_mb"] <= MOST_GROWTH_MB


@pytest.mark.timeout(3600)
def test_a_file_gone_wrong_is_refused_or_read_to_its_end(length):
    """Encodings, NUL, cuts, shuffled columns, bombs of digits and quotes, noise, long lines."""
    command = [sys.executable, "-m", "tests.security.mutants", "--seed", "20261123"]
    command += ["--count", str(length(short=200, long=10_000))]
    command += ["--line-mb", str(length(short=8, long=100))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    told = json.loads(done.stdout)
    print(json.dumps(told, indent=1))  # noqa: T201 - the figures
    assert told["failures"] == []
    assert told["breaches"] == []
    assert told["peak_mb"] <= MOST_MB
    assert told["told"]["read"] > told["files"] // 4, "most were refused: nothing was tried"
    assert told["calls"] > 0


def test_a_leg_told_again_of_others_numbers_stays_a_call_and_breaks_nothing(
    base, client_row, tmp_path
):
    make_subscriber(client_row, number="375171234567")
    path = tmp_path / "Master.csv"
    for source in ("375171234567", "375441111111"):
        path.write_text(text(row(src=source)), "utf-8")
        import_file(ImportRequest(path=path, zone="UTC"), now=NOON)
    assert (Call.select().count(), UnmatchedLeg.select().count()) == (1, 1)
    assert verify.run() == []
