"""What tests of faults share: a mail server, lives on a data dir of their own, a whole cabinet.

`lives` for what one process does (milliseconds a try), `site` for what needs them all (seconds).
"""

import pytest

from tests.chaos.lives import living_on
from tests.chaos.site import Site
from tests.smtp_sink import SmtpSink

FIGURES = []


@pytest.fixture
def figure(request):
    """Note what was measured: `figure("converged s", 12.3)`; --long prints them all at the end."""
    return lambda name, value: FIGURES.append((request.node.nodeid, name, value))


def pytest_terminal_summary(terminalreporter, config):
    if FIGURES and config.getoption("--long"):
        terminalreporter.section("figures")
        for node, name, value in FIGURES:
            terminalreporter.line(f"{node}: {name} = {value}")


@pytest.fixture(scope="module")
def sink():
    """The mail server of a module; `mail` is the same, emptied for a test."""
    with SmtpSink() as server:
        yield server


@pytest.fixture
def mail(sink):
    """The module's mail server in good order, with nothing taken yet."""
    sink.mode = "ok"
    sink.taken.clear()
    sink.commands.clear()
    return sink


@pytest.fixture(scope="module")
def lives(tmp_path_factory, sink):
    """One data dir for the tests of a module; no server of any kind beside the mail server."""
    folder = tmp_path_factory.mktemp("lives")
    settings = {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": sink.port, "MAIL_TIMEOUT_S": 5}
    with living_on(folder, ORDERS_PER_HOUR=0, OPEN_ORDERS=0, **settings) as all_of_them:
        yield all_of_them


@pytest.fixture(scope="module")
def site(tmp_path_factory, sink):
    """One running cabinet for the tests of a module."""
    cabinet = Site(tmp_path_factory.mktemp("site"), sink)
    yield cabinet.start()
    cabinet.clear()


@pytest.fixture
def make_site(tmp_path, sink):
    """Cabinets with settings of their own; all that runs is ended after the test."""
    made = []

    def make(**settings):
        made.append(Site(tmp_path / f"site{len(made)}", sink, **settings))
        return made[-1].start()

    yield make
    for cabinet in made:
        cabinet.clear()
