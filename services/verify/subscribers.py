"""Invariants of what is done with subscribers beside calling: choices, and the call centre."""

from collections.abc import Iterator

from models import Client, Subscriber, User
from models_subscribers import (
    CentreDay,
    CentreNumber,
    ScopeSubscriber,
    SubscriberChoice,
    UserScope,
)
from services import call_centre_days
from services.verify.registry import check


@check
def a_choice_and_a_number_of_a_call_centre_are_the_clients_own() -> Iterator[str]:
    """Nobody looks at another company's subscriber, and no call centre has another's number."""
    chosen = (
        SubscriberChoice.across_clients(SubscriberChoice.id)
        .join(Subscriber)
        .switch(SubscriberChoice)
        .join(User)
        .where(
            (Subscriber.client != SubscriberChoice.client)
            | (User.client != SubscriberChoice.client)
        )
    )
    for (key,) in chosen.tuples():
        yield f"choice {key} is of another client's subscriber or user"
    numbers = (
        CentreNumber.across_clients(CentreNumber.id)
        .join(Subscriber)
        .where(Subscriber.client != CentreNumber.client)
    )
    for (key,) in numbers.tuples():
        yield f"number {key} of a call centre is another client's"


@check
def what_is_open_to_a_user_is_of_the_users_company() -> Iterator[str]:
    """Nobody may see another company's numbers, and who sees chosen ones has a row that says so."""
    numbers = (
        ScopeSubscriber.select(ScopeSubscriber.user, ScopeSubscriber.subscriber)
        .join(Subscriber)
        .switch(ScopeSubscriber)
        .join(User)
        .where(Subscriber.client != User.client)
    )
    for user, subscriber in numbers.tuples():
        yield f"subscriber {subscriber} of another client is open to user {user}"
    scoped = UserScope.across_clients(UserScope.user)
    for (user,) in (
        ScopeSubscriber.select(ScopeSubscriber.user)
        .where(ScopeSubscriber.user.not_in(scoped))
        .distinct()
        .tuples()
    ):
        yield f"user {user} has open numbers and sees the whole company"
    strange = (
        UserScope.across_clients(UserScope.id).join(User).where(User.client != UserScope.client)
    )
    for (key,) in strange.tuples():
        yield f"scope {key} is of another client than its user"


@check
def a_kept_day_of_a_call_centre_says_what_its_calls_say() -> Iterator[str]:
    """A day that holds, counted once more, is the same."""
    for client in Client.select().where(Client.id.in_(CentreDay.across_clients(CentreDay.client))):
        for day in call_centre_days.wrong_days(client):
            yield f"the call centre of client {client.id} has other figures for {day}"
