"""Tables of how people get in and prove who they are: links in letters, second factors, attempts.

Sessions and users themselves are in `models.py`. None of these rows is a client's to list: they are
found by a secret, or through the person who has signed in.
"""

from peewee import BigIntegerField, CharField, ForeignKeyField

from models import BaseModel, User, UtcDateTimeField


class AccessLink(BaseModel):
    """A link in a letter that opens something once: an invitation, a new password, an address that
    is confirmed. Kept is the hash of its token; a used or replaced one stays until it is swept.
    """

    key = CharField(unique=True)  # with the cabinet's secret it makes the token
    kind = CharField()  # services.access_links.LinkKind
    user = ForeignKeyField(User, on_delete="CASCADE")
    token_hash = CharField(unique=True)
    email = CharField()  # where the letter went
    created_at = UtcDateTimeField()
    expires_at = UtcDateTimeField(index=True)
    closed_at = UtcDateTimeField(null=True)  # used, or replaced by a newer one


class Attempt(BaseModel):
    """One try at something that must not be tried often, counted by what and by whence."""

    kind = CharField()  # services.attempts.AttemptKind
    subject_hash = CharField()
    ip = CharField(default="")
    at = UtcDateTimeField(index=True)

    class Meta:
        indexes = ((("kind", "subject_hash", "at"), False), (("kind", "ip", "at"), False))


class SecondFactor(BaseModel):
    """An application on a person's telephone that makes codes. Its secret is made of `key` and the
    cabinet's own: neither alone says any code.
    """

    user = ForeignKeyField(User, unique=True, on_delete="CASCADE")
    key = CharField()
    created_at = UtcDateTimeField()
    confirmed_at = UtcDateTimeField(null=True)  # null: shown, but no code of it was entered yet
    last_step = BigIntegerField(default=0)  # of the newest code taken: none is taken twice


class RecoveryCode(BaseModel):
    """A code for the day the telephone is lost. Used codes stay, so that they can be counted."""

    user = ForeignKeyField(User, on_delete="CASCADE", index=False)
    code_hash = CharField()
    used_at = UtcDateTimeField(null=True)

    class Meta:
        indexes = ((("user", "code_hash"), True),)


class SecondStep(BaseModel):
    """Between the right password and the code: a browser that has shown one of the two."""

    token_hash = CharField(unique=True)
    user = ForeignKeyField(User, on_delete="CASCADE")
    created_at = UtcDateTimeField()
    expires_at = UtcDateTimeField(index=True)


MODELS = (AccessLink, Attempt, SecondFactor, RecoveryCode, SecondStep)
