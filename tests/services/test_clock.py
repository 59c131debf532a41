"""The clock that tests set."""

from datetime import datetime, timedelta

import pytest

from services import clock


@pytest.fixture
def told(monkeypatch):
    """Set the clock."""
    monkeypatch.setenv("CABINET_TESTING", "1")
    return lambda text: monkeypatch.setenv("CABINET_CLOCK", text)


def test_it_stands_still(told):
    told("2026-06-15T12:00:00+03:00")
    assert clock.now() == datetime.fromisoformat("2026-06-15T09:00:00+00:00")


def test_it_runs_ahead(told):
    real = clock.now()
    told("+7200")
    assert timedelta(hours=2) <= clock.now() - real < timedelta(hours=2, minutes=1)


def test_a_file_moves_it(told, tmp_path):
    path = tmp_path / "clock"
    told(f"@{path}")
    path.write_text("2026-06-15T12:00:00+03:00\n")
    first = clock.now()
    path.write_text("2026-06-15T13:00:00+03:00\n")
    assert clock.now() - first == timedelta(hours=1)


def test_it_cannot_be_set_outside_tests(told, monkeypatch):
    told("2026-06-15T12:00:00+03:00")
    monkeypatch.setenv("CABINET_TESTING", "0")
    assert clock.now() != datetime.fromisoformat("2026-06-15T12:00:00+03:00")
