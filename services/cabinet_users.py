"""Users of a cabinet, as an administrator of the company sees to them: inviting by a letter, roles,
shutting out and letting in. What the operator does by commands is in `accounts.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from peewee import IntegrityError

from domain.accounts import check_detail, check_email, check_login
from domain.errors import InvalidValue, LastAdministrator, LoginTaken, TooManyInvitations
from domain.new_passwords import check_new_password
from domain.roles import CLIENT_ROLES, Role
from models import Client, User
from models_access import AccessLink
from services import (
    access_letters,
    access_links,
    audit,
    delivery_changes,
    passwords,
    queue,
    scopes,
    sessions,
)
from services.access_links import LinkKind
from services.audit import AuditEventKind, By
from services.transactions import lock_client, write_tx

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Person:
    """Who is invited, and as what."""

    login: str
    email: str
    role: Role
    full_name: str = ""
    sees_all: bool = True  # False: no number, until some are given

    def checked(self) -> "Person":
        """The same in the form in which it is kept; `InvalidValue` when it cannot be."""
        if self.role not in CLIENT_ROLES:
            raise InvalidValue(what="role", value=self.role.value)
        return Person(
            check_login(self.login),
            check_email(self.email),
            self.role,
            check_detail(self.full_name),
            self.sees_all or self.role is Role.CLIENT_ADMINISTRATOR,
        )


def is_invited(user: User) -> bool:
    """Whether somebody has not chosen a password yet."""
    return not user.password_hash


def invite(client: Client, person: Person, *, by: By) -> User:
    """Add a user without a password, and send them a letter with a link to choose one.

    Raises `InvalidValue`, `LoginTaken`, `TooManyInvitations`.
    """
    person = person.checked()
    try:
        user = _add(client, person, by)
    except IntegrityError as error:  # another company has just invited somebody of that login
        raise LoginTaken(name=person.login) from error
    queue.hint_notices()
    return user


def _add(client: Client, person: Person, by: By) -> User:
    with write_tx():
        lock_client(client)
        _check_limit(client, by)
        if User.across_clients().where(User.login == person.login).exists():
            raise LoginTaken(name=person.login)
        user = User.create(
            login=person.login,
            password_hash="",
            role=person.role,
            client=client,
            full_name=person.full_name,
            created_at=by.now,
        )
        if not person.sees_all:
            scopes.close(user, by=by)
        _send_link(user, person.email, by)
        _note(AuditEventKind.USER_INVITED, user, by, role=person.role.value)
    return user


def invite_again(user: User, *, by: By) -> bool:
    """Send a new link to the address of the last one, which is worth nothing any more; False when
    the user has a password, or is shut out.
    """
    with write_tx():
        lock_client(user.client)
        last = access_links.newest(user, LinkKind.INVITATION)
        if last is None or not is_invited(user) or not user.is_active:
            return False
        _check_limit(user.client, by)
        _send_link(user, last.email, by)
        _note(AuditEventKind.USER_INVITED, user, by, again=True)
    queue.hint_notices()
    return True


def accept(link: AccessLink, password: str, *, ip: str, now: datetime) -> User:
    """The invited person has chosen a password: from now on they can sign in, and letters about
    their access go to the address that the invitation came to.

    Raises `WeakPassword`, `LinkOver`.
    """
    user: User = link.user
    check_new_password(password, names=(user.login, link.email, user.full_name))
    password_hash = passwords.hash_password(password)
    with write_tx():
        access_links.use(link, now=now)
        changes = {"password_hash": password_hash, "email": link.email}
        User.update(changes).where(User.id == user.id).execute()
        by = By(now=now, user=user, ip=ip)
        _note(AuditEventKind.PASSWORD_SET, user, by, how="invitation")
    return user


def change(user: User, *, by: By, role: Role, is_active: bool, full_name: str) -> list[str]:
    """Give a user of the company another role or name, shut them out or let them in again; return
    what is other than before. It counts from their next click; who is shut out loses all sessions.

    Raises `LastAdministrator`, `InvalidValue`: then nothing is changed.
    """
    wanted = {
        "role": role.value,
        "is_active": is_active,
        "full_name": check_detail(full_name),
    }
    if role not in CLIENT_ROLES:
        raise InvalidValue(what="role", value=role.value)
    with write_tx():
        lock_client(user.client)
        held = User.across_clients().where(User.id == user.id).get()
        values = {name: value for name, value in wanted.items() if value != getattr(held, name)}
        if not values:
            return []
        if {"role", "is_active"} & set(values):
            _check_not_last(held, role=role, is_active=is_active)
        User.update(values).where(User.id == user.id).execute()
        if not is_active:
            sessions.end_all(user)
            access_links.close_all(user, now=by.now)
        if values.get("is_active") is False or "role" in values:
            delivery_changes.cancel_of(held, by=by)
        if role is Role.CLIENT_ADMINISTRATOR:
            scopes.lift(user, by=by)
        told = {name: value for name, value in values.items() if name != "full_name"}
        _note(AuditEventKind.USER_CHANGED, user, by, changed=sorted(values), **told)
    return list(values)


def sign_out(user: User, *, by: By) -> int:
    """Sign a user of the company out everywhere; return how many sessions there were."""
    with write_tx():
        ended = sessions.end_all(user)
        _note(AuditEventKind.SESSIONS_ENDED, user, by, sessions_ended=ended)
    return ended


def invitations(users: Iterable[User]) -> dict[int, AccessLink]:
    """The last invitation of each of `users` who has one, by the user's id."""
    links = AccessLink.select().where(
        AccessLink.user.in_([user.id for user in users]), AccessLink.kind == LinkKind.INVITATION
    )
    return {link.user_id: link for link in links.order_by(AccessLink.id)}


def _check_not_last(user: User, *, role: Role, is_active: bool) -> None:
    """Somebody must be left who can let others in."""
    is_one = user.role == Role.CLIENT_ADMINISTRATOR and user.is_active and not is_invited(user)
    if not is_one or (role is Role.CLIENT_ADMINISTRATOR and is_active):
        return
    others = User.of(user.client_id).where(
        User.id != user.id,
        User.role == Role.CLIENT_ADMINISTRATOR,
        User.is_active,
        User.password_hash != "",
    )
    if not others.exists():
        raise LastAdministrator


def _check_limit(client: Client, by: By) -> None:
    """Letters go to whatever address is typed: not many of them."""
    limit = current_app.config["CABINET"].INVITATIONS_PER_DAY
    recent = (
        AccessLink.select()
        .join(User)
        .where(
            User.client == client,
            AccessLink.kind == LinkKind.INVITATION,
            AccessLink.created_at > by.now - DAY,
        )
    )
    if limit and recent.count() >= limit:
        raise TooManyInvitations(limit=limit)


def _send_link(user: User, email: str, by: By) -> None:
    days = current_app.config["CABINET"].INVITATION_DAYS
    link = access_links.make(
        LinkKind.INVITATION, user, email, lifetime=timedelta(days=days), now=by.now
    )
    access_letters.invite(link, invited_by=by.user, now=by.now)


def _note(event: AuditEventKind, user: User, by: By, **detail: object) -> None:
    audit.record_by(event, by, client=user.client_id, subject=f"user:{user.id}", **detail)
