"""`bin/…` with Python and nothing else: what it makes, and what it says when it cannot."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NO_INDEX = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_FIND_LINKS": "",
    "PIP_RETRIES": "0",
}


@pytest.fixture
def checkout(tmp_path):
    """A copy of bin/ with one benchmark, which needs no packages."""
    shutil.copytree(ROOT / "bin", tmp_path / "bin", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "requirements-dev.txt").write_text("# nothing\n")
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "hello.py").write_text("import sys; print(sys.prefix)\n")
    return tmp_path


def run(checkout, *command, **env):
    """(exit status, all it said), with our Python as the `python3` of PATH, from elsewhere."""
    path = f"{Path(sys.base_prefix) / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(  # noqa: S603
        [checkout / "bin" / command[0], *command[1:]],
        cwd="/",
        env={**os.environ, "PATH": path, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_first_run_makes_the_environment_and_the_second_uses_it(checkout):
    status, output = run(checkout, "bench", **NO_INDEX)
    assert (status, output.splitlines()[-1]) == (0, str(checkout / ".venv")), output
    (checkout / "bin" / "vendor" / "pip-26.3-py3-none-any.whl").unlink()  # pip is not needed again
    assert run(checkout, "bench", "hello") == (0, f"{checkout / '.venv'}\n")


LONG = pytest.mark.long  # each makes an environment anew
DAMAGES = [
    "unfinished",
    "other pins",
    *(pytest.param(d, marks=LONG) for d in ("no python", "no stamp", "moved")),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_half_made_or_outdated_environment_is_put_right(checkout, damage):
    venv = checkout / ".venv"
    run(checkout, "bench", **NO_INDEX)
    if damage == "unfinished":
        (venv / "unfinished").touch()
        (venv / "pyvenv.cfg").unlink()
    elif damage == "no python":
        (venv / "bin" / "python").unlink()
    elif damage == "no stamp":
        shutil.rmtree(venv / "installed")
    elif damage == "other pins":
        (checkout / "requirements-dev.txt").write_text("# other\n")
    else:
        checkout = checkout.rename(checkout.with_name("moved"))
    status, output = run(checkout, "bench", **NO_INDEX)
    assert (status, output.splitlines()[-1]) == (0, str(checkout / ".venv")), output
    assert "Installing requirements-dev.txt" in output
    assert run(checkout, "bench") == (0, f"{checkout / '.venv'}\n")


def test_without_an_index_it_says_so(checkout):
    (checkout / "requirements.txt").write_text(f"no-such-thing==1 --hash=sha256:{'0' * 64}\n")
    status, output = run(checkout, "run", **NO_INDEX)
    last = output.splitlines()[-1]
    assert status == 1
    assert last.startswith(
        "The packages could not be downloaded, the package index does not answer"
    )
    assert "Traceback" not in output


def test_a_pip_that_is_not_the_one_we_know_is_not_run(checkout):
    with (checkout / "bin" / "vendor" / "pip-26.3-py3-none-any.whl").open("ab") as wheel:
        wheel.write(b"x")
    status, output = run(checkout, "bench")
    assert (status, output.count("sha256 differs")) == (1, 1)


@pytest.mark.parametrize(
    ("python3", "sentence"),
    [
        ('case "$2" in *print*) echo 3.9;; *) exit 1;; esac', "here python3 is 3.9."),
        ("exit 127", "here there is no python3."),
    ],
)
def test_a_python_that_is_too_old_is_named(checkout, python3, sentence):
    tools = checkout / "tools"
    tools.mkdir()
    for name in ("sh", "dirname", "readlink", "basename"):
        (tools / name).symlink_to(shutil.which(name))
    (tools / "python3").write_text(f"#!/bin/sh\n{python3}\n")
    (tools / "python3").chmod(0o755)
    done = subprocess.run(  # noqa: S603
        [checkout / "bin" / "run"],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"The cabinet needs Python 3.11 or newer; {sentence}\n"


def test_an_unknown_benchmark_is_named(checkout):
    status, output = run(checkout, "bench", "none", **NO_INDEX)
    assert status == 1
    assert output.splitlines()[-1] == "No benchmark named none; there are: hello."
