"""A made file is saved under its own Russian name, byte for byte, by whatever fetches it."""

import hashlib
import shutil
import subprocess
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect
from werkzeug.http import parse_options_header

from tests.browser.test_traps import place_order

NAMES = ("Счёт №5.pdf", "Детализация 2026-11-01–2026-11-23 № 5 (копия), 100 %; ИП «Ёж».xlsx")

WHOSE = "WHERE order_id = (SELECT id FROM customer_order WHERE key = ?)"
ABOUT = f"SELECT display_name, sha256 FROM artefact {WHOSE}"  # noqa: S608 - of constants
RENAME = f"UPDATE artefact SET display_name = ? {WHOSE}"  # noqa: S608 - of constants


@pytest.fixture
def sent(visit, cabinet):
    """(page of a sent order, its file's name and SHA-256, rename)."""
    page = visit("demo")
    place_order(page)
    expect(page.locator("#card")).to_contain_text("Отправлен", timeout=60_000)
    page.locator("#card a[download]").wait_for()
    key = page.url.rpartition("/")[2]

    def about():
        return cabinet.query(ABOUT, key)

    def rename(name):
        cabinet.change(RENAME, (name, key))

    return page, about, rename


def in_chromium(page):
    with page.expect_download() as download:
        page.locator("#card a[download]").click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def by_python(address, cookie):
    """The name as RFC 6266 has it, read by Werkzeug: the standard library knows but mail's way."""
    with urlopen(Request(address, headers={"Cookie": cookie}), timeout=20) as answer:  # noqa: S310
        header, content = answer.headers["Content-Disposition"], answer.read()
    kind, options = parse_options_header(header)
    assert kind == "attachment"
    return options["filename"], content


def by_wget(address, cookie, folder):
    command = ["wget", "-q", "--content-disposition", "--restrict-file-names=nocontrol"]
    command += ["--header", f"Cookie: {cookie}", address]
    subprocess.run(command, cwd=folder, check=True, timeout=60)  # noqa: S603
    (path,) = folder.iterdir()
    return path.name, path.read_bytes()


def by_curl(address, cookie, folder):
    command = ["curl", "-sSOJ", "-H", f"Cookie: {cookie}", address]
    subprocess.run(command, cwd=folder, check=True, timeout=60)  # noqa: S603
    (path,) = folder.iterdir()
    return path.name, path.read_bytes()


def test_the_file_is_saved_under_its_name(sent, tmp_path):
    page, about, rename = sent
    cookie = "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())
    address = f"{page.url}/file"
    made_name, sha256 = about()
    assert made_name.startswith("Детализация")
    for number, name in enumerate([made_name, *NAMES]):
        rename(name)
        found = {"chromium": in_chromium(page), "python": by_python(address, cookie)}
        for program, fetch in (("wget", by_wget), ("curl", by_curl)):
            folder = tmp_path / f"{number}-{program}"
            folder.mkdir()
            if shutil.which(program):
                found[program] = fetch(address, cookie, folder)
        for program, (saved_as, content) in found.items():
            assert hashlib.sha256(content).hexdigest() == sha256, program
            if program == "curl":  # knows no `filename*`: it gets a plain name, never an empty one
                assert saved_as.startswith("call-detail-")
                assert saved_as.endswith(".xlsx")
            else:
                assert saved_as == name, program
    expect(page.locator("#card")).to_be_visible()
