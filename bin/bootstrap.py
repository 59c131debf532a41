"""What `bin/run`, `test`, `lint`, `bench` and `pins` share: a `.venv` with the pinned packages,
made without pip, ensurepip or root. Standard library only; what the cabinet does is not here.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "installed"  # one file per requirements file; what is in it is up to date
UNFINISHED = VENV / "unfinished"  # there while something is being installed
PIP_WHEEL = ROOT / "bin" / "vendor" / "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
NO_CHROMIUM = """
The browser tests were LEFT OUT: no Chromium was found.
To run them, install one (Debian: apt-get install chromium) or set CABINET_CHROMIUM to its path."""


def fail(sentence: str) -> None:
    """End with one sentence for the person at the terminal."""
    sys.exit(sentence)


@contextlib.contextmanager
def alone() -> Iterator[int]:
    """Let one installation run at a time. The folder itself is the lock: nothing is left over.

    Gives the lock, for a child to hold: then a pip that outlives us is waited for, too.
    """
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(folder)


def stamp_of(requirements: Path) -> str:
    """What an installation depends on: the pins, this Python, and where the folder lies."""
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    return f"{digest}\n{sys.version_info.major}.{sys.version_info.minor}\n{VENV}\n"


def ensure_installed(name: str) -> None:
    """Make `.venv` hold the packages of `name`. A second call finds the stamp and does nothing."""
    requirements, stamp = ROOT / name, STAMPS / name
    wanted = stamp_of(requirements)
    with alone() as lock:
        if stamp_is(stamp, wanted) and PYTHON.exists() and not UNFINISHED.exists():
            return
        if UNFINISHED.exists() or not (PYTHON.exists() and fits_here()):
            print("Making .venv ...", flush=True)
            shutil.rmtree(VENV, ignore_errors=True)  # half-made by a killed run, or for elsewhere
        try:
            VENV.mkdir(exist_ok=True)
            UNFINISHED.touch()
            make_venv()
            print(f"Installing {name} ...", flush=True)
            pip(
                *("install", "--require-hashes", "--only-binary", ":all:", "-r", str(requirements)),
                lock=lock,
            )
            register_commands()
            STAMPS.mkdir(exist_ok=True)
            stamp.write_text(wanted, encoding="utf-8")
            UNFINISHED.unlink()
        except OSError as error:
            fail(f"Cannot write to {error.filename or VENV}: {error.strerror}.")


def stamp_is(stamp: Path, wanted: str) -> bool:
    """Whether `stamp` was written for the same pins, Python and place."""
    try:
        return stamp.read_text(encoding="utf-8") == wanted
    except OSError:
        return False


def fits_here() -> bool:
    """Whether no stamp says that `.venv` was made by another Python or at another place."""
    place = stamp_of(ROOT / "requirements.txt").split("\n", 1)[1]
    return all(
        stamp.read_text(encoding="utf-8").split("\n", 1)[1] == place for stamp in STAMPS.glob("*")
    )


def make_venv() -> None:
    """Make the empty environment, or complete one that stands."""
    if PYTHON.exists():
        return
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", VENV],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode or not PYTHON.exists():
        reason = (done.stderr or done.stdout).strip().splitlines()
        fail(f"Python could not make {VENV}: {reason[-1] if reason else 'no reason given'}.")


def register_commands() -> None:
    """Let `flask routes` be ours: Flask finds commands that replace its own only as entry points
    of an installed package, so the project is written down as one.
    """
    (packages,) = (VENV / "lib").glob("python3*/site-packages")
    (packages / "sip_cabinet.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    info = packages / "sip_cabinet-0.1.0.dist-info"
    info.mkdir(exist_ok=True)
    metadata = "Metadata-Version: 2.1\nName: sip-cabinet\nVersion: 0.1.0\n"
    (info / "METADATA").write_text(metadata, encoding="utf-8")
    entry_points = "[flask.commands]\nroutes = commands.routes:command\n"
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")


def pip(*arguments: str, lock: int) -> None:
    """Run the vendored pip in `.venv`, on whatever index it is configured for; its error becomes
    our sentence.
    """
    try:
        wheel = PIP_WHEEL.read_bytes()
    except OSError as error:
        fail(f"Cannot read {PIP_WHEEL}: {error.strerror}.")
    if hashlib.sha256(wheel).hexdigest() != PIP_SHA256:
        fail(f"{PIP_WHEEL} is not the file it should be (its sha256 differs): get a fresh copy.")
    ours = {
        "PIP_USER",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_REQUIRE_VIRTUALENV",
        "PYTHONHOME",
        "PYTHONPATH",
    }
    env = {name: value for name, value in os.environ.items() if name not in ours}
    options = ("--quiet", "--disable-pip-version-check", "--no-input", "--retries", "2")
    done = subprocess.run(
        [PYTHON, PIP_WHEEL / "pip", *arguments, *options],
        check=False,
        env=env,
        pass_fds=(lock,),
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    if done.returncode:
        log = ROOT / ".venv" / "pip.log"
        log.write_text(done.stderr, encoding="utf-8")
        fail(f"{explain(done.stderr)}; what pip said is in {log}.")


def explain(output: str) -> str:
    """Say in one sentence why pip failed: the network, the index, a wrong hash, or its words."""
    lower = output.lower()
    if "do not match the hashes" in lower:
        return "A downloaded package is not the one that was pinned (its hash differs)"
    unreachable = (
        "connection",
        "retrying",
        "timed out",
        "name or service",
        "proxyerror",
        "sslerror",
    )
    if any(word in lower for word in unreachable):
        return (
            "The packages could not be downloaded, the package index does not answer: check the"
            " network and pip's settings (pip.conf, PIP_INDEX_URL)"
        )
    if "no matching distribution" in lower:
        return "The package index does not have a pinned package for this Python and machine"
    errors = [line for line in output.splitlines() if line.startswith("ERROR")]
    return f"The packages could not be installed: {(errors or ['pip failed'])[-1]}"


def find_chromium() -> str | None:
    """Path of a Chromium for the browser tests: CABINET_CHROMIUM, else the first on PATH."""
    chosen = os.environ.get("CABINET_CHROMIUM")
    if chosen:
        return shutil.which(chosen)
    return next((path for path in map(shutil.which, CHROMIUM_NAMES) if path), None)


def call(*command: str | Path) -> int:
    """Run a command of `.venv` in the project folder and give its exit status."""
    with subprocess.Popen([PYTHON, *command], cwd=ROOT) as process:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command, which cleans up
        return process.wait()


def run(arguments: list[str]) -> int:
    """Become the supervisor: signals then reach it directly."""
    ensure_installed("requirements.txt")
    folder = os.environ.get("CABINET_DATA_DIR")
    if folder:  # a relative path is meant from where the person stands
        os.environ["CABINET_DATA_DIR"] = str(Path(folder).absolute())
    os.chdir(ROOT)
    os.environ["FLASK_APP"] = "app"
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), "-m", "flask", "serve", *arguments])


def test(arguments: list[str]) -> int:
    """Run pytest. Without a Chromium the browser tests are left out, and the last lines say so."""
    ensure_installed("requirements-dev.txt")
    arguments = [*processes(arguments), *arguments]
    chromium = find_chromium()
    if chromium:
        os.environ["CABINET_CHROMIUM"] = chromium
        return call("-m", "pytest", *arguments)
    status = call("-m", "pytest", "--ignore=tests/browser", *arguments)
    print(NO_CHROMIUM, flush=True)
    return status


def processes(arguments: list[str]) -> list[str]:
    """The whole suite is run by two processes; tests that are named, and the long forms, which
    measure, by one.
    """
    alone = {"--long", "--pdb"}
    named = any((ROOT / argument.split("::")[0]).exists() for argument in arguments)
    chosen = any(argument.startswith("-n") for argument in arguments)
    return [] if named or chosen or alone & set(arguments) else ["-n", "2"]


def lint(arguments: list[str]) -> int:
    """Check style, form and templates; run all three even when the first finds something."""
    ensure_installed("requirements-dev.txt")
    paths = arguments or ["."]
    statuses = [
        call("-m", "ruff", "check", *paths),
        call("-m", "ruff", "format", "--check", *paths),
    ]
    if (ROOT / "bin" / "template_lint.py").exists():
        statuses.append(call(ROOT / "bin" / "template_lint.py"))
    return max(statuses)


def bench(arguments: list[str]) -> int:
    """Run bench/*.py one after the other, or those named: `bin/bench imports`. From the first
    option on, arguments go to each of them: `bin/bench reports --database postgresql`.
    """
    ensure_installed("requirements-dev.txt")
    there = sorted(path.stem for path in (ROOT / "bench").glob("*.py") if path.stem != "__init__")
    split = next((n for n, text in enumerate(arguments) if text.startswith("-")), len(arguments))
    names = [Path(name).stem for name in arguments[:split]] or there
    unknown = [name for name in names if name not in there]
    if unknown:
        fail(f"No benchmark named {unknown[0]}; there are: {', '.join(there) or 'none'}.")
    return max((call("-m", f"bench.{name}", *arguments[split:]) for name in names), default=0)


def pins(arguments: list[str]) -> int:
    """Write the pins anew, changing as few as can be; `bin/pins --upgrade` takes the newest."""
    ensure_installed("requirements-dev.txt")
    uv = shutil.which("uv") or str(VENV / "bin" / "uv")
    if not Path(uv).exists():
        with alone() as lock:
            pip("install", "uv", lock=lock)
    shared = (
        *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
        *("--generate-hashes", "--no-annotate", "--no-emit-index-url", "--only-binary", ":all:"),
        *("--python", str(PYTHON), "--custom-compile-command", "bin/pins", *arguments),
    )
    for source, *more in (
        ("requirements",),
        ("requirements-dev", "--constraints", "requirements.txt"),
    ):
        command = [uv, *shared, f"{source}.in", *more, "--output-file", f"{source}.txt"]
        status = subprocess.call(command, cwd=ROOT)
        if status:
            return status
    return 0


COMMANDS = {"run": run, "test": test, "lint": lint, "bench": bench, "pins": pins}

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends what we have started, too
    try:
        sys.exit(COMMANDS[sys.argv[1]](sys.argv[2:]))
    except KeyboardInterrupt:
        sys.exit(130)
