"""Chromium on a whole running cabinet with its demo. Left out where there is no Chromium.

Every page opened here is watched: a violation of the page policy, an error of a script, a dialog
or a request to another host fails the test that caused it.
"""

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.run.conftest import ROOT, Cabinet

SCREENSHOTS = ROOT / "screenshots"
PASSWORD = "browser-tests-2026"
NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_GET_ONE = "apt-get install chromium, or set CABINET_CHROMIUM to the path of one"


def find_chromium():
    """Path of the browser, or None."""
    named = os.environ.get("CABINET_CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="package")
def chromium(request):
    """The browser itself, started once."""
    keep_picture.wanted = request.config.getoption("--long")
    path = find_chromium()
    if path is None:
        pytest.skip(f"no Chromium: {HOW_TO_GET_ONE}")
    expect.set_options(timeout=30_000)  # the machine may be busy with other work
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def cabinet(tmp_path_factory):
    """What `bin/run` starts, with the demo, on a data dir and a port of its own."""
    made = Cabinet(
        tmp_path_factory.mktemp("cabinet") / "var",
        DEMO_PASSWORD=PASSWORD,
        ORDERS_PER_HOUR=0,
        OPEN_ORDERS=0,
    ).start()
    yield made
    made.stop()
    made.clear()


# Said aloud by the page itself: what the browser's own messages could leave out.
LISTEN = """
addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy: ${event.violatedDirective} refused ${event.blockedURI}`));
addEventListener('htmx:evalDisallowedError', () => console.error('htmx wanted to evaluate'));
"""


class Watch:
    """What went wrong on a page, as the browser tells it."""

    def __init__(self, page, address, expected):
        self.complaints = []
        self._expected = expected  # words of complaints that the test provokes
        self._host = urlsplit(address).netloc
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("request", self._see)
        page.on("dialog", self._answer)

    def _hear(self, message):
        if message.type in ("error", "warning") and not any(
            words in message.text for words in self._expected
        ):
            self.complaints.append(message.text)

    def _answer(self, dialog):
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _see(self, request):
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.netloc != self._host:
            self.complaints.append(f"a request to {request.url}")


@pytest.fixture
def visit(chromium, cabinet):
    """Open a new browser window of a person: `visit("demo")` is signed in and at home."""
    windows = []

    def open_window(login=None, *, js=True, width=1280, height=900, dark=False, path="/"):
        address = f"http://127.0.0.1:{cabinet.port}"
        context = chromium.new_context(
            base_url=address,
            locale="ru-RU",
            timezone_id="Europe/Minsk",
            viewport={"width": width, "height": height},
            java_script_enabled=js,
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(20_000)
        context.add_init_script(LISTEN)
        page = context.new_page()
        windows.append((context, Watch(page, address, open_window.expected)))
        open_window.watch = windows[-1][1]
        if login:
            sign_in(page, login)
        if path != "/" or not login:
            page.goto(path)
        return page

    open_window.expected = ["status of 4", "status of 5"]
    yield open_window
    complaints = [each for _, watch in windows for each in watch.complaints]
    for context, _ in windows:
        context.close()
    assert not complaints, "\n".join(complaints)


def sign_in(page, login, password=PASSWORD):
    """By the words of the page, as a person does."""
    page.goto("/login")
    page.get_by_label("Логин").fill(login)
    page.get_by_label("Пароль").fill(password)
    page.get_by_role("button", name="Войти").click()
    page.wait_for_url(lambda address: "/login" not in address)


def keep_picture(page, name):
    """A screenshot to look at, with --long, in a folder that git ignores.

    Its caret hiding is a style of the driver's own, which the page policy rightly refuses.
    """
    if not keep_picture.wanted:
        return
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True, caret="initial")


keep_picture.wanted = False
