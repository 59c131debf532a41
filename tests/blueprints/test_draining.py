"""What a refused request still has to say is heard out, and not a byte more."""

import io

import pytest

from blueprints import draining
from blueprints.draining import CountedBody, Draining


class Wire(io.BytesIO):
    """As a socket: whoever reads past the end of the request would wait for ever."""

    def read(self, size=-1):
        assert 0 <= size <= len(self.getbuffer()) - self.tell()
        return super().read(size)


def answered(app, body, **environ):
    """The wire after `app` has answered a request of this body."""
    wire = Wire(body)
    asked = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": wire, **environ}
    assert Draining(app)(asked, None) == [b"answer"]
    return wire


def read_some(size):
    def app(environ, _start):
        environ["wsgi.input"].read(size)
        return [b"answer"]

    return app


@pytest.mark.parametrize("size", [0, 1, 70_000, 200_000, -1])
def test_what_the_application_left_is_read(size):
    wire = answered(read_some(size), b"x" * 200_000)
    assert wire.tell() == 200_000


def test_no_more_is_read_than_anybody_may_send(monkeypatch):
    monkeypatch.setattr(draining, "MOST", 2 * draining.CHUNK)
    wire = answered(read_some(0), b"x" * 5 * draining.CHUNK)
    assert wire.tell() == 2 * draining.CHUNK


@pytest.mark.parametrize("length", ["", "0", "-5", "many"])
def test_a_request_without_a_length_is_left_to_the_server(length):
    wire = answered(lambda _environ, _start: [b"answer"], b"abc", CONTENT_LENGTH=length)
    assert wire.tell() == 0


def test_whoever_goes_away_in_the_middle_costs_nothing():
    class Gone(io.RawIOBase):
        def read(self, _size=-1):
            raise ConnectionResetError

    CountedBody(Gone(), 10).drain()


def test_a_connection_that_ends_early_ends_the_reading():
    body = CountedBody(io.BytesIO(b"abc"), 10)
    assert (body.read(5), body.read(5)) == (b"abc", b"")
    body.drain()
