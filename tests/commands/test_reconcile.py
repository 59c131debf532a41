"""`flask reconcile --once`: what it says, and when it fails."""

import pytest

from services import drafts, reconcile
from tests.apps import another_app
from tests.factories import NOON


@pytest.fixture
def own_app(app, tmp_path):
    with another_app(tmp_path / "var", REDIS_URL="redis://127.0.0.1:1/0") as application:
        yield application


def once(application):
    return application.test_cli_runner().invoke(args=["reconcile", "--once"])


def test_a_round_with_nothing_to_do_says_so(own_app):
    result = once(own_app)
    assert result.exit_code == 0
    assert "hinted 0 pieces of work" in result.output


def test_a_part_that_fails_keeps_no_other_from_running_and_is_told(own_app, monkeypatch):
    def fail(*, now):
        raise OSError("no such luck")

    monkeypatch.setattr(drafts, "purge", fail)
    result = once(own_app)
    assert result.exit_code == 1
    assert "1 parts failed" in result.output


def test_a_failed_part_counts_once(own_app, monkeypatch):
    monkeypatch.setattr(reconcile, "hint_due", lambda **_: 1 // 0)
    with own_app.app_context():
        assert reconcile.tick(now=NOON).failed == 1
