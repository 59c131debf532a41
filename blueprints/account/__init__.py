"""«Персональная информация»: requisites, contract, addresses and the people of the cabinet."""

from flask import Blueprint, Response, g

from blueprints.web import MenuItem, render_section
from domain.subscribers import SubscriberStatus
from models import Subscriber, User
from texts import N_

from services import clock, delivery
bp = Blueprint("account", __name__, url_prefix="/account")
MENU = MenuItem(N_("Company details"), "account.show")


@bp.get("/")
def show() -> Response:
    """What the operator knows about the client; addresses are masked."""
    numbers = Subscriber.of(g.client)
    return render_section(
        "account/show.html",
        numbers=numbers.count(),
        active_numbers=numbers.where(Subscriber.status == SubscriberStatus.ACTIVE).count(),
        users=list(User.of(g.client).order_by(User.login)),
    )
        delivery=delivery.current(g.client, now=clock.now()),
