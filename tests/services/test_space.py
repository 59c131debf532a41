"""Room for files: the disk of the data dir, and what one client's files may take."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import FilesTakeTooMuch
from domain.orders import OrderState
from models import Artefact, Order
from services import artefacts, claims, clock, space
from services.space import MB
from tests.factories import NOON, make_client, make_order


@pytest.fixture
def settings(app, base, monkeypatch):
    """Change settings of the shared application for one test."""
    monkeypatch.setattr(clock, "now", lambda: NOON)

    def change(**values):
        monkeypatch.setitem(app.config, "CABINET", replace(app.config["CABINET"], **values))

    return change


def keep_file(client, size, *, days=7, **values):
    """A file made for a new order of `client`."""
    order = make_order(client, state=OrderState.SENT)
    return Artefact.create(
        **{
            "order": order,
            "path": f"{order.key}/1.csv",
            "display_name": "Детализация.csv",
            "media_type": "text/csv",
            "size": size,
            "sha256": "",
            "made_at": NOON,
            "expires_at": NOON + timedelta(days=days),
            **values,
        }
    )


def test_a_client_has_room_until_its_files_fill_its_share(settings):
    settings(ARTEFACT_QUOTA_MB=2)
    client = make_client()
    keep_file(client, 2 * MB - 1)
    space.check_quota(client)
    keep_file(client, 1, days=3)
    with pytest.raises(FilesTakeTooMuch) as refused:
        space.check_quota(client)
    assert refused.value.values == {"limit": 2, "until": (NOON + timedelta(days=3)).date()}


def test_files_of_others_and_files_that_are_gone_take_no_room(settings):
    settings(ARTEFACT_QUOTA_MB=1)
    client = make_client()
    keep_file(make_client(), 5 * MB)
    keep_file(client, 5 * MB, removed_at=NOON)
    space.check_quota(client)


def test_no_limit_is_no_limit(settings):
    settings(ARTEFACT_QUOTA_MB=0)
    client = make_client()
    keep_file(client, 1 << 50)
    space.check_quota(client)


def test_an_order_taken_before_the_share_was_full_fails_with_its_reason(settings):
    settings(ARTEFACT_QUOTA_MB=1)
    order = make_order()
    claim = claims.claim_next(now=NOON)
    assert claim.order_id == order.id
    keep_file(order.client, MB)

    with claims.attempt(claim):
        artefacts.make(claim)
    failed = Order.get_by_id(order.id)
    assert (failed.state, failed.reason) == (OrderState.FAILED, "files_take_too_much")


@pytest.mark.parametrize(("free", "refused"), [(9, True), (10, False), (50, False)])
@pytest.mark.parametrize("demo", [True, False])
def test_orders_are_refused_on_a_full_disk_in_production_alone(
    settings, monkeypatch, free, refused, demo
):
    settings(DEMO=demo)
    usage = type(shutil.disk_usage("/"))(100, 100 - free, free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    if refused and not demo:
        with pytest.raises(space.NoSpaceLeft):
            space.check_disk()
    else:
        space.check_disk()
