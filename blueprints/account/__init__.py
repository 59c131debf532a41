"""«Персональная информация»: requisites, contract, addresses and the people of the cabinet."""

from flask import Blueprint, Response, g

from blueprints.account import detail_address, log, scope, users
from blueprints.scoped import by_number
from blueprints.web import MenuItem, render_section
from domain.billing.delivery import DeliveryPurpose
from domain.roles import Role
from domain.subscribers import SubscriberStatus
from models import Subscriber, User
from services import cabinet_users, clock, delivery, scopes, second_factor
from texts import N_

bp = Blueprint("account", __name__, url_prefix="/account")
MENU = MenuItem(N_("Company details"), "account.show")
for _part in (detail_address, log, scope, users):
    bp.register_blueprint(_part.bp)


@bp.get("/")
@by_number
def show() -> Response:
    """What the operator knows about the client; addresses are masked."""
    numbers = Subscriber.of(g.client)
    is_administrator = g.user.role == Role.CLIENT_ADMINISTRATOR
    users = list(User.of(g.client).order_by(User.login))  # of a part of the numbers: oneself
    return render_section(
        "account/show.html",
        delivery=delivery.current(g.client, now=clock.now()),
        numbers=numbers.count(),
        active_numbers=numbers.where(Subscriber.status == SubscriberStatus.ACTIVE).count(),
        users=users,
        detail=delivery.pending(g.client, DeliveryPurpose.DETAIL, now=clock.now()),
        open_numbers=scopes.counts(users),
        invitations=cabinet_users.invitations(users),
        is_administrator=is_administrator,
        factors=second_factor.held_by(users) if is_administrator else set(),
    )
