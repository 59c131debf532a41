"""Which language somebody is spoken to: chosen by the person, else by the company, else ours."""

from domain import languages
from models import Client, User
from services import audit
from services.audit import AuditEventKind, By
from services.transactions import write_tx


def of_user(user: User) -> str:
    """The language of letters to a person."""
    return languages.first_known(user.language, user.client.language if user.client else "")


def of_client(client: Client, user: User | None = None) -> str:
    """The language of letters to a company; without one, that of whoever they are about."""
    return languages.first_known(client.language, user.language if user else "")


def choose(user: User, code: str, *, by: By) -> None:
    """Keep the language that somebody has chosen; chosen again, it changes nothing."""
    if code == user.language:
        return
    with write_tx():
        User.update(language=code).where(User.id == user.id).execute()
        audit.record_by(
            AuditEventKind.LANGUAGE_CHOSEN,
            by,
            client=user.client_id,
            subject=f"user:{user.id}",
            language=code,
        )
    user.language = code
