"""The client that one of the operator's pages is about."""

from flask import abort

from models import Client


def client_or_404(number: int) -> Client:
    """The client of that id."""
    return Client.get_or_none(Client.id == number) or abort(404)
