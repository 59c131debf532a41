"""Letters that no order asked for: told to go in the transaction of what they are about, so that
none is lost. Sending them is `notice_sending.py`.

Whoever wants a letter sent calls `post` inside of `write_tx` and `queue.hint_notices` after it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from flask import current_app

from domain.languages import current_language
from models import Client, Notice


@dataclass(frozen=True)
class Link:
    """Where a letter leads: a path of the cabinet and, with a seed, the token that follows it."""

    path: str
    seed: str = ""


def post(  # noqa: PLR0913 - a letter is made of so much
    kind: str,
    recipient: str,
    words: Mapping[str, object],
    *,
    client: Client | None,
    subject: str = "",
    link: Link | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> Notice:
    """Inside `write_tx`: a letter of `templates/mail/<kind>`, to be sent once that is committed.

    `subject` is "<table>:<id>"; `words` fill the templates and hold no address in full. A letter
    that has not gone by `expires_at` does not go any more. It speaks the language that is spoken
    when it is posted: `language_choice` tells the recipient's.
    """
    key = secrets.token_urlsafe(12)
    return Notice.create(
        key=key,
        client=client,
        kind=kind,
        subject=subject,
        recipient=recipient,
        language=current_language(),
        words=dict(words),
        link_path=link.path if link else "",
        link_seed=link.seed if link else "",
        message_id=_message_id(key),
        created_at=now,
        next_try_at=now,
        expires_at=expires_at,
    )


def last_about(client: Client, subject: str, kind: str) -> Notice | None:
    """The newest letter of that kind about a row of the client's."""
    query = Notice.of(client).where(Notice.subject == subject, Notice.kind == kind)
    return query.order_by(Notice.id.desc()).first()


def _message_id(key: str) -> str:
    """A second copy is recognised by it, as that of an order's letter is."""
    host = urlsplit(current_app.config["CABINET"].public_url).hostname or "localhost"
    return f"<n{key}.1@{host}>"
