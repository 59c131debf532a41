"""Names that lead elsewhere: in addresses, languages, keys, uploads and archives. Every file that
is opened, made, moved or removed meanwhile is looked at, by the interpreter's own audit.
"""

import io
import mimetypes
import shutil
import sys
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest

from jobs import imports as import_job
from models import ImportRun
from services import queue
from tests.blueprints.operator.test_imports import form
from tests.domain.cdr.dialects import text
from tests.factories import make_subscriber
from tests.services.test_imports import later

ROOT = Path(__file__).parents[2]
UP = (
    *("../", "..\\", "..;/", "....//", "..%2f", "%2e%2e/", "%252e%252e/", "..%c0%af", "./"),
    "..\uff0f",
)
TARGETS = ("etc/passwd", "secret", "cabinet.db")
TRAVERSALS = [
    *(step * depth + target for step in UP for depth in (1, 8) for target in TARGETS),
    *(
        "/etc/passwd",
        "//etc/passwd",
        "\\\\host\\share\\x",
        "C:\\Windows\\win.ini",
        "file:///etc/passwd",
    ),
    *("~/.ssh/id_rsa", "~root", "$HOME", "`id`", "|id", ";id", "..", ".", "...", "../", "/", "\\"),
    *("secret\0.csv", "..\0/secret", "a/../../secret", "a\\..\\..\\secret", "con", "nul"),
    *("-rf", "--help", "../" * 400 + "etc/passwd", "\u202e/../secret", "secret.", "a" * 5000),
    "a\n../secret",
]
READS = {"open", "os.listdir", "os.scandir"}
EVENTS = {
    "open": (0,),
    "os.mkdir": (0,),
    "os.rename": (0, 1),
    "os.link": (0, 1),
    "os.symlink": (0, 1),
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "os.listdir": (0,),
    "os.scandir": (0,),
    "shutil.rmtree": (0,),
    "shutil.copyfile": (0, 1),
    "tempfile.mkstemp": (0,),
}
watched = None  # paths, while somebody looks
_hooked = False


def _note(event, arguments):
    if watched is not None and event in EVENTS:
        for place in EVENTS[event]:
            if isinstance(arguments[place], str | bytes | Path):
                path = arguments[place]
                watched.append((event, Path(path.decode() if isinstance(path, bytes) else path)))


@pytest.fixture
def opened():
    """What was opened, made or removed since the test began. A hook cannot be taken off again."""
    global watched, _hooked  # noqa: PLW0603
    if not _hooked:
        sys.addaudithook(_note)
        _hooked = True
    watched = []
    yield watched
    watched = None


@pytest.fixture
def outside(opened, app):
    """Those of them that lie outside the data dir and are no part of the program."""
    data_dir = app.config["CABINET"].data_dir
    program = (ROOT, Path(sys.prefix), Path(sys.base_prefix), Path("/usr"), Path("/proc/self"))

    def found():
        strangers = []
        for event, path in opened:
            if len(path.parts) == 1 and path.name not in {"", ".."}:
                continue  # below a folder that is open: the folder's own path was looked at
            real = (Path.cwd() / path).resolve()
            is_ours = real.is_relative_to(data_dir)
            is_program = event in READS and any(map(real.is_relative_to, program))
            if str(path) in mimetypes.knownfiles:
                continue  # the client of the tests looks there
            if not is_ours and (not is_program or real.name == "passwd"):
                strangers.append((event, str(path)[:100]))
        return strangers

    return found


def test_what_is_opened_elsewhere_is_seen(outside, tmp_path):
    (tmp_path / "x").write_bytes(b"")
    Path("/etc/passwd").read_bytes()
    assert {("open", str(tmp_path / "x")), ("open", "/etc/passwd")} <= set(outside())


def pages_with(name):
    """Addresses with a name in the place of a key, a number or a file."""
    part = quote(name, safe="")
    yield from (f"/orders/{part}", f"/orders/{part}/file", f"/orders/{part}/status", f"/{part}")
    yield from (f"/static/{part}", f"/static/vendor/{part}", f"/bills/call-detail/{part}/period")
    yield from (f"/mailbox/{part}", f"/operator/imports/{part}/rejects.csv", f"/?lang={part}")
    yield from (f"/login?next={part}", f"/orders/?state={part}&page={part}")


@pytest.mark.parametrize("who", ["browser", "operator_browser", "anonymous"])
def test_an_address_leads_to_no_file_elsewhere(request, who, outside, length):
    client = request.getfixturevalue(who).client
    for n, name in enumerate(TRAVERSALS):
        addresses = list(pages_with(name))
        part = length(short=[addresses[n % len(addresses)]], long=addresses)
        # not quoted: as a careless proxy passes it on
        bare = "/static/" + name.replace("\0", "").replace("?", "").replace("#", "")
        for address in [*part, bare]:
            answer = client.get(address, headers={"Accept-Language": "../../etc/passwd"})
            assert b"root:" not in answer.data
            assert answer.status_code < 500, address
            answer.close()
    assert outside() == []


@pytest.fixture
def upload(operator_browser, app, client_row, monkeypatch):
    """Send a file under a name and have it read; the names of the imports."""
    monkeypatch.setattr(queue, "hint_import", lambda _id: True)
    make_subscriber(client_row, number="375171234567")
    known = set()

    def send(name, content, status):
        sent = form((name, content), check_only=None)
        operator_browser.post("operator.imports.upload", sent, status=status)
        fresh = [run for run in ImportRun.select() if run.id not in known]
        for run in fresh:
            import_job.read(run.id)
            known.add(run.id)
        return [ImportRun.get_by_id(run.id) for run in fresh]

    yield send
    shutil.rmtree(app.config["CABINET"].upload_dir, ignore_errors=True)


def test_a_files_name_is_a_name_and_no_path(upload, outside, app, length):
    content = text(later(0)).encode()
    folder = app.config["CABINET"].upload_dir
    before = set(folder.iterdir()) if folder.exists() else set()  # of tests before this one
    for name in TRAVERSALS[:: length(short=5, long=1)]:
        if name.endswith("\\"):
            assert upload(name, content, 422) == []  # no name is left of it
            continue
        (run,) = upload(name.replace("\n", ""), content, 303)
        assert "/" not in run.file_name
        assert "\\" not in run.file_name
        assert 0 < len(run.file_name) <= 200
        assert run.state == "done"
    known = {run.upload_key for run in ImportRun.select()}
    assert {path.name for path in set(folder.iterdir()) - before} == known
    assert outside() == []


def archive_with(name):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = name
        archive.writestr(info, text(later(0)))
    return out.getvalue()


def test_a_name_in_an_archive_makes_no_file(upload, outside, app, length):
    folder = app.config["CABINET"].upload_dir
    for name in TRAVERSALS[:: length(short=5, long=1)]:
        stored = name.partition("\0")[0]  # zip has no NUL in names
        parts = stored.replace("\\", "/").split("/")
        leads_out = ".." in parts or parts[0] == ""
        is_odd = ":" in stored or not stored.isprintable() or parts[-1] == ""
        runs = upload("a.zip", archive_with(name), 422 if leads_out or is_odd else 303)
        assert len(runs) == (not leads_out and not is_odd)
    known = {run.upload_key for run in ImportRun.select()}
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert found == known | {f"{key}/{part}" for key in known for part in ("file", "rejects.csv")}
    assert outside() == []
