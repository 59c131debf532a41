"""What all tests share: an application on a database of its own, and a transaction per test."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from app import create_app
from config import Config
from domain.roles import Role
from models import db
from services import database
from tests import databases, factories, spread, writes
from tests.page import Browser

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption("--rebuild-golden", action="store_true", help="write tests/golden anew")
    parser.addoption(
        "--database",
        choices=databases.KINDS,
        default=os.environ.get("CABINET_TEST_DATABASE", "sqlite"),
        help="what the tests run on",
    )
    parser.addoption("--long", action="store_true", help="chaos and checks at their full length")


def pytest_configure(config):
    choose_examples(is_long=config.getoption("--long"))
    databases.choose(config.getoption("--database"))
    writes.watch_all()
    config.addinivalue_line("markers", "long: runs only with --long")


def choose_examples(*, is_long):
    """What Hypothesis tries: the same of the same code, and with --long something else each time.
    A slow machine is no mistake of ours.
    """
    settings.register_profile(
        "cabinet",
        deadline=None,
        derandomize=not is_long,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("cabinet")


def pytest_collection_modifyitems(config, items):
    """Leave out what runs only with --long; among several processes, put the slowest first."""
    if hasattr(config, "workerinput"):
        items.sort(key=spread.slow_first)
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    items[:] = [item for item in items if not item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left_out)


def pytest_make_parametrize_id(val, argname):
    """Bytes do not name a test: they may hold the time at which a library wrote them, and all
    processes must find the same tests.
    """
    return argname if isinstance(val, bytes) else None


def pytest_xdist_make_scheduler(config, log):
    config.option.loadscopereorder = False  # ours is the order
    return spread.BySlowness(config, log)


@pytest.fixture(scope="session")
def length(pytestconfig):
    """How much of a thing to do: `length(short=2, long=20)` by --long."""
    is_long = pytestconfig.getoption("--long")
    return lambda *, short, long: long if is_long else short


@pytest.fixture(autouse=True)
def written_properly():
    """Every write of the product stands in `write_tx`, which begins IMMEDIATE on SQLite."""
    yield
    found = writes.take_mistakes()
    assert not found, "\n".join(found[:10])


def pytest_report_header(config):
    return f"database: {databases.kind}"


def pytest_unconfigure(config):
    databases.stop()


@pytest.fixture
def golden(request):
    """Compare a text with the file of that name in tests/golden, or write it anew when asked."""

    def check(name, text):
        path = GOLDEN / name
        if request.config.getoption("--rebuild-golden"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture(scope="session")
def config(tmp_path_factory):
    """Settings of the tests: everything in a folder that is thrown away."""
    return Config(
        DATA_DIR=str(tmp_path_factory.mktemp("var")),
        DATABASE_URL=databases.new_url(),
        TESTING=True,
        DEMO=True,
    )


@pytest.fixture(scope="session")
def app(config):
    application = create_app(config)
    application.testing = True
    with db.connection_context():
        database.upgrade()
    return application


@pytest.fixture
def base(app):
    """A connection inside a transaction that is thrown away after the test."""
    with app.app_context(), db.connection_context(), db.atomic() as transaction:
        yield db
        transaction.rollback()


@pytest.fixture
def client_row(base):
    """A client: the owner in tests of who may see what."""
    return factories.make_client()


@pytest.fixture
def signed_in(app, client_row):
    """A browser in which an administrator of `client_row` has signed in."""
    return Browser(app, factories.make_user(client_row))


@pytest.fixture
def browser(signed_in):
    """The same: what most tests of pages need."""
    return signed_in


@pytest.fixture
def stranger(app, base):
    """A browser in which an administrator of another client has signed in."""
    return Browser(app, factories.make_user())


@pytest.fixture
def operator_browser(app, base):
    """A browser in which the operator's administrator has signed in."""
    return Browser(app, factories.make_user(role=Role.OPERATOR_ADMINISTRATOR))


@pytest.fixture
def anonymous(app, base):
    """A browser in which nobody has signed in."""
    return Browser(app)
