"""What people do about their own way in: another password, and sessions that are ended."""

from datetime import datetime, timedelta

from domain.errors import SamePassword
from domain.new_passwords import check_new_password
from models import User, UserSession
from services import access_letters, access_links, audit, passwords, queue, sessions
from services.access_letters import Told
from services.audit import AuditEventKind, By
from services.transactions import write_tx


def change_password(user: User, old: str, new: str, *, by: By) -> None:
    """Give somebody who has just shown the old password a new one. All sessions end, the caller's
    too: it opens a new one. Links that are out are over: who knew the old password may have them.

    Raises `WeakPassword`, `SamePassword`: then nothing is changed.
    """
    check_new_password(new, names=(user.login, user.email, user.full_name))
    if new == old:
        raise SamePassword
    password_hash = passwords.hash_password(new)  # slow, so before the transaction
    with write_tx():
        User.update(password_hash=password_hash).where(User.id == user.id).execute()
        user.password_hash = password_hash
        access_links.close_all(user, now=by.now)
        ended = sessions.end_all(user)
        audit.record_by(
            AuditEventKind.PASSWORD_SET,
            by,
            client=user.client_id,
            subject=f"user:{user.id}",
            sessions_ended=ended,
        )
        access_letters.tell(user, Told.PASSWORD_CHANGED, ip=by.ip, now=by.now)
    queue.hint_notices()


def open_sessions(user: User, *, now: datetime, idle: timedelta) -> list[UserSession]:
    """The sessions in which somebody is signed in, the last used first."""
    query = UserSession.select().where(
        UserSession.user == user,
        UserSession.expires_at > now,
        UserSession.last_seen_at > now - idle,
    )
    return list(query.order_by(UserSession.last_seen_at.desc(), UserSession.id.desc()))


def end_session(user: User, session_id: int, *, by: By) -> bool:
    """End one of somebody's own sessions; False when there is none of that number."""
    with write_tx():
        ended = (
            UserSession.delete()
            .where(UserSession.id == session_id, UserSession.user == user)
            .execute()
        )
        if ended:
            _note_ended(user, ended, by)
    return bool(ended)


def end_all_sessions(user: User, *, by: By) -> int:
    """«Выйти на всех устройствах»: end every session, the caller's too; return how many."""
    with write_tx():
        ended = sessions.end_all(user)
        _note_ended(user, ended, by)
    return ended


def _note_ended(user: User, ended: int, by: By) -> None:
    audit.record_by(
        AuditEventKind.SESSIONS_ENDED,
        by,
        client=user.client_id,
        subject=f"user:{user.id}",
        sessions_ended=ended,
    )
