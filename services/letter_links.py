"""Links in letters that work without signing in: their tokens.

A token is made of a seed and the cabinet's secret, so that a letter can be written again without
keeping its link anywhere: the database has the seed and, to find the row by, the token's hash.
Neither leads to the token without the secret, which lies in a file of the data dir.
"""

import base64
import hashlib
import hmac
import secrets

from flask import current_app

PURPOSE = "link in a letter"


def new_seed(what: str) -> str:
    """A seed that no other link has; `what` says what for."""
    return f"{what}:{secrets.token_urlsafe(12)}"


def token_of(seed: str) -> str:
    """What stands in the link: 43 characters, 256 bits."""
    secret = str(current_app.secret_key).encode()
    digest = hmac.new(secret, f"{PURPOSE}:{seed}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_of(token: str) -> str:
    """What is kept of a token, to find its row by."""
    return hashlib.sha256(token.encode()).hexdigest()
