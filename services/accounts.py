"""Clients and their users: adding them, and setting passwords. Signing in is in `sign_in.py`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, TypedDict, Unpack

from flask import current_app
from peewee import IntegrityError

from domain.accounts import (
    check_account_no,
    check_bic,
    check_detail,
    check_email,
    check_iban,
    check_login,
    check_name,
    check_unp,
)
from domain.billing.delivery import DeliveryPurpose
from domain.errors import AlreadyExists, InvalidValue, NotFound
from domain.roles import Role
from models import Client, User
from services import (
    access_links,
    audit,
    delivery,
    delivery_changes,
    passwords,
    queue,
    scopes,
    sessions,
)
from services.audit import AuditEventKind, By
from services.transactions import write_tx


class ClientDetails(TypedDict, total=False):
    """What else may be known of a client."""

    contract_no: str
    contract_date: date | None
    address: str
    bank: str
    iban: str
    bic: str
    may_download: bool
    hide_incoming_peers: bool
    language: str


class ClientChanges(ClientDetails, total=False):
    """What may be changed of a client. (An account number and an УНП are who it is.)"""

    name: str
    invoice_email: str
    detail_email: str


CLIENT_CHECKS = {
    "name": check_name,
    "invoice_email": check_email,
    "detail_email": check_email,
    "contract_no": check_detail,
    "address": check_detail,
    "bank": check_detail,
    "iban": check_iban,
    "bic": check_bic,
}


ADDRESSES = {"invoice_email": DeliveryPurpose.BILLS, "detail_email": DeliveryPurpose.DETAIL}


def add_client(
    *,
    name: str,
    account_no: str,
    unp: str,
    invoice_email: str,
    detail_email: str | None = None,
    now: datetime,
    **more: Unpack[ClientDetails],
) -> Client:
    """Add a client; call details go to `detail_email`, or to the invoices' address without one.

    Raises `InvalidValue` for a value of the wrong shape, `AlreadyExists` for a known account.
    """
    values = {
        "name": check_name(name),
        "account_no": check_account_no(account_no),
        "unp": check_unp(unp),
        "invoice_email": check_email(invoice_email),
        "detail_email": check_email(detail_email or invoice_email),
    }
    more = _checked(more)
    with write_tx():
        if Client.get_or_none(Client.account_no == account_no) is not None:
            raise AlreadyExists(what="account", name=account_no)
        client = Client.create(**values, **more, created_at=now)
        audit.record(
            AuditEventKind.CLIENT_ADDED, now=now, client=client, subject=f"client:{client.id}"
        )
    return client


def change_client(
    client: Client,
    *,
    user: User | None = None,
    ip: str = "",
    now: datetime,
    **changes: Unpack[ClientChanges],
) -> list[str]:
    """Change what is given; return the names of what is other than before. Open orders keep the
    address that they were placed with.

    Raises `InvalidValue` for a value of the wrong shape: then nothing is changed.
    """
    values = _checked(changes)
    held = {
        name: delivery.current(client, purpose, now=now).email
        for name, purpose in ADDRESSES.items()
    }
    changed = [
        name
        for name, value in values.items()
        if value != (held[name] if name in held else getattr(client, name))
    ]
    if not changed:
        return []
    kept = {name: values[name] for name in changed if name not in held}
    with write_tx():
        if kept:
            Client.update(kept).where(Client.id == client.id).execute()
        for name, purpose in ADDRESSES.items():
            if name in changed:  # its history is the truth, not the client's row
                delivery_changes.set_by_operator(client, values[name], purpose=purpose, now=now)
        audit.record(
            AuditEventKind.CLIENT_CHANGED,
            now=now,
            user=user,
            ip=ip,
            client=client,
            subject=f"client:{client.id}",
            changed=changed,
        )
    for name, value in kept.items():
        setattr(client, name, value)
    if set(ADDRESSES) & set(changed):
        queue.hint_notices()
    return changed


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: CLIENT_CHECKS[name](value) if name in CLIENT_CHECKS else value
        for name, value in values.items()
    }


def add_user(
    *,
    login: str,
    role: Role,
    client: Client | None,
    password: str | None = None,
    full_name: str = "",
    email: str = "",
    now: datetime,
) -> tuple[User, str]:
    """Add a user and return it with its password, made up unless given. Letters about access go to
    `email`, which the caller vouches for.

    Raises `InvalidValue` for a bad login or a role that does not fit, `AlreadyExists` for a login
    in use by anybody.
    """
    login = check_login(login)
    if role.is_operator != (client is None):
        raise InvalidValue(what="role", value=role.value)
    email = check_email(email) if email else ""
    password = password or passwords.make_up()
    password_hash = passwords.hash_password(password)  # slow, so before the transaction
    with _unless_taken(login), write_tx():
        if User.across_clients().where(User.login == login).exists():
            raise AlreadyExists(what="login", name=login)
        user = User.create(
            login=login,
            password_hash=password_hash,
            role=role,
            client=client,
            full_name=full_name,
            email=email,
            created_at=now,
        )
        audit.record(AuditEventKind.USER_ADDED, now=now, client=client, subject=f"user:{user.id}")
    return user, password


@contextmanager
def _unless_taken(login: str) -> Iterator[None]:
    """Two may ask for one login at once: the second hears what it would hear a moment later."""
    try:
        yield
    except IntegrityError as error:
        raise AlreadyExists(what="login", name=login) from error


def set_password(user: User, *, password: str | None = None, now: datetime) -> str:
    """Give a user a new password, made up unless given; their sessions and links in letters end."""
    password = password or passwords.make_up()
    password_hash = passwords.hash_password(password)
    with write_tx():
        User.update(password_hash=password_hash).where(User.id == user.id).execute()
        user.password_hash = password_hash
        access_links.close_all(user, now=now)
        ended = sessions.end_all(user)
        audit.record(
            AuditEventKind.PASSWORD_SET,
            now=now,
            client=user.client_id,
            subject=f"user:{user.id}",
            sessions_ended=ended,
        )
    return password


def change_user(
    user: User, *, role: Role | None = None, is_active: bool | None = None, now: datetime
) -> list[str]:
    """Give a user another role, or shut them out (or let them in again); return what is other than
    before. It counts from their next request; who is shut out loses all sessions and links.

    Raises `InvalidValue` for a role of the other side.
    """
    if role is not None and role.is_operator != (user.client_id is None):
        raise InvalidValue(what="role", value=role.value)
    wanted = {"role": role and role.value, "is_active": is_active}
    values = {
        name: value
        for name, value in wanted.items()
        if value is not None and value != getattr(user, name)
    }
    if not values:
        return []
    with write_tx():
        User.update(values).where(User.id == user.id).execute()
        if is_active is False:
            sessions.end_all(user)
            access_links.close_all(user, now=now)
        if user.client_id is not None:
            delivery_changes.cancel_of(user, by=By(now=now))
        if role is Role.CLIENT_ADMINISTRATOR:
            scopes.lift(user, by=By(now=now))
        audit.record(
            AuditEventKind.USER_CHANGED,
            now=now,
            client=user.client_id,
            subject=f"user:{user.id}",
            **values,
        )
    return list(values)


def end_sessions(user: User, *, now: datetime) -> int:
    """Sign a user out everywhere; return how many sessions there were."""
    with write_tx():
        ended = sessions.end_all(user)
        audit.record(
            AuditEventKind.SESSIONS_ENDED,
            now=now,
            client=user.client_id,
            subject=f"user:{user.id}",
            sessions_ended=ended,
        )
    return ended


SYSTEM_LOGIN = "system"


def system_user(*, now: datetime) -> User:
    """Who orders what nobody clicks. Nobody signs in as such: it has no password, and is shut."""
    user = User.across_clients().where(User.login == SYSTEM_LOGIN).first()
    return user or User.create(
        login=SYSTEM_LOGIN,
        password_hash="",
        role=Role.OPERATOR_ADMINISTRATOR,
        full_name=current_app.config["CABINET"].OPERATOR_NAME,
        is_active=False,
        created_at=now,
    )


def find_client(account_no: str) -> Client:
    """The client with an account number; raises `NotFound`."""
    client = Client.get_or_none(Client.account_no == account_no)
    if client is None:
        raise NotFound(what="account", name=account_no)
    return client


def find_user(login: str) -> User:
    """The user with a login; raises `NotFound`."""
    user = User.across_clients().where(User.login == check_login(login)).first()
    if user is None:
        raise NotFound(what="login", name=login)
    return user
