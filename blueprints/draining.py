"""Requests answered before they were read: what is left of them is taken from the wire first.

A browser sends the whole of a form before it reads. A server that answers sooner and closes cuts
the connection under it, and what people see is «the connection was reset» instead of the sentence
that says why: too large, session over, not allowed.
"""

from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

MOST = 256 << 20  # bytes read for nobody; who sends more is cut off
CHUNK = 1 << 16


class CountedBody:
    """The body of a request that knows how much of it has been read. Only `read`: WSGI promises a
    server's `readline` less, and Werkzeug needs no more.
    """

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream = stream
        self._left = length  # bytes

    def read(self, size: int = -1) -> bytes:
        """As files read, and never past the length that was announced."""
        wanted = self._left if size < 0 else min(size, self._left)
        if not wanted:
            return b""
        data = self._stream.read(wanted)
        self._left = self._left - len(data) if data else 0
        return data

    def drain(self) -> None:
        """Read what is left, at most `MOST` bytes of it, and forget it."""
        taken = 0
        try:
            while taken < MOST and (data := self.read(CHUNK)):
                taken += len(data)
        except (OSError, ValueError):  # gone before the end
            return


class Draining:
    """WSGI: no answer leaves before its request has come in."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or length == "0":
            return self._app(environ, start_response)
        body = CountedBody(environ["wsgi.input"], int(length))
        environ["wsgi.input"] = body
        answer = self._app(environ, start_response)
        body.drain()
        return answer
