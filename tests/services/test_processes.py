"""The supervisor on parts made for the purpose. It takes a process's signals: hence a child."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from services import processes
from tests.run.conftest import wait_for

ROOT = Path(__file__).parent.parent.parent
PROGRAM = """
import os, sys, pathlib
from services import processes
processes.FIRST_PAUSE_S, processes.LONGEST_PAUSE_S, processes.TICK_S = 0.01, 0.04, 0.05
processes.STOP_WITHIN_S, processes.LATER_STAGE_S = 0.5, 0.2
processes.LOG_LIMIT = 1000
folder = pathlib.Path(sys.argv[1])
supervisor = processes.Supervisor(
    folder, cwd=folder, env=dict(os.environ), say=lambda line: print(line, flush=True)
)
for number, script in enumerate(sys.argv[2:]):
    supervisor.start(processes.Part(f"part-{number}", ("sh", "-c", script), stage=number))
print("started", flush=True)
while supervisor.wait():
    pass
supervisor.stop()
print("stopped", flush=True)
"""


@pytest.fixture
def supervise(tmp_path):
    """Start a supervisor of shell scripts in `tmp_path`."""
    started = []

    def start(*scripts):
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", PROGRAM, str(tmp_path), *scripts],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "started\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def read_pid(path):
    """The pid a script has written into a file, once it has."""
    return int(wait_for(lambda: path.exists() and path.read_text().strip(), path.name))


def is_alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_part_that_keeps_dying_is_started_with_growing_pauses(supervise):
    process = supervise("exit 3")
    lines = [process.stdout.readline() for _ in range(5)]
    assert all("part-0 ended with status 3 and is started again" in line for line in lines)
    pauses = [line.split(" again in ")[1].split(" s;")[0] for line in lines]
    assert pauses == ["0.01", "0.02", "0.04", "0.04", "0.04"]


def test_each_part_gets_one_signal_and_a_second_ctrl_c_is_harmless(supervise, tmp_path):
    process = supervise(
        "trap 'echo TERM; sleep 0.2; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    )
    wait_for(lambda: "up" in (tmp_path / "part-0.log").read_text(), "the part")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, "stopped\n")
    assert (tmp_path / "part-0.log").read_text().count("TERM") == 1


def test_a_deaf_part_and_what_it_started_are_killed(supervise, tmp_path):
    process = supervise(
        f"trap '' TERM INT; sleep 600 & echo $! > {tmp_path}/child; wait; wait; sleep 600"
    )
    child = read_pid(tmp_path / "child")
    process.terminate()
    output, _ = process.communicate(timeout=60)
    assert output == "part-0 did not stop in time and was killed\nstopped\n"
    assert not is_alive(child)


def test_what_a_dead_part_leaves_behind_is_killed(supervise, tmp_path):
    supervise(f"sleep 600 & echo $! >> {tmp_path}/children; sleep 0.1; exit 1")
    first = wait_for(
        lambda: (tmp_path / "children").exists() and (tmp_path / "children").read_text().split(),
        "a child",
    )[0]
    wait_for(lambda: not Path(f"/proc/{first}").exists(), "the orphan to be killed, and buried")


def test_parts_end_with_a_supervisor_that_is_killed(supervise, tmp_path):
    process = supervise(f"echo $$ > {tmp_path}/pid; exec sleep 600")
    pid = read_pid(tmp_path / "pid")
    process.kill()
    wait_for(lambda: not is_alive(pid), "the part to end")


def test_later_stages_outlive_the_earlier_ones(supervise, tmp_path):
    says = "trap 'echo {0} >> {1}/ends; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    process = supervise(*(says.format(name, tmp_path) for name in ("first", "second", "third")))
    for number in range(3):
        wait_for(lambda n=number: "up" in (tmp_path / f"part-{n}.log").read_text(), "the part")
    process.terminate()
    process.communicate(timeout=60)
    assert (tmp_path / "ends").read_text().split() == ["first", "second", "third"]


def test_logs_do_not_grow_without_end(supervise, tmp_path):
    supervise("while :; do echo 0123456789; sleep 0.001; done")
    wait_for((tmp_path / "part-0.log.1").exists, "the second file")
    before = (tmp_path / "part-0.log.1").stat().st_mtime_ns
    wait_for(lambda: (tmp_path / "part-0.log.1").stat().st_mtime_ns != before, "the next turn")
    assert b"\0" not in (tmp_path / "part-0.log").read_bytes()


def test_a_lock_is_held_by_one_and_free_again_after(tmp_path):
    with processes.hold_lock(tmp_path / "a" / "lock"):
        assert processes.hold_lock(tmp_path / "a" / "lock") is None
    with processes.hold_lock(tmp_path / "a" / "lock") as lock:
        assert lock is not None
