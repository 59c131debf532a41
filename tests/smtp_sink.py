"""A mail server that misbehaves on demand, for tests and the fault kit: real sockets, one thread
per conversation. It keeps every message whose last byte it has read, whatever it then answers.
"""

import base64
import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SELF_SIGNED = Path(__file__).with_name("smtp_sink.pem")  # of "localhost"; nobody vouches for it

OK = "ok"
DROP_AFTER_DATA = "drop_after_data"  # takes the message, hangs up without a word
DROP_IN_DATA = "drop_in_data"  # hangs up in the middle of the message
HANG_IN_DATA = "hang_in_data"  # stops reading in the middle of the message
DROP_ON_QUIT = "drop_on_quit"  # accepts the message, hangs up at QUIT
HANG_BANNER = "hang_banner"  # connects and says nothing
HANG_AFTER_DATA = "hang_after_data"  # takes the message and says nothing
HANG_ON_QUIT = "hang_on_quit"
BUSY_421 = "421"  # closes at MAIL
LATER_451 = "451"  # after the message
NO_ADDRESS_550 = "550_rcpt"
LATER_450_ADDRESS = "450_rcpt"
NO_ADDRESS_550_ONE = "550_rcpt_one"  # of addresses that begin with "nobody" alone
LATER_450_ONE = "450_rcpt_one"
TOO_LARGE_552 = "552"  # after the message
REFUSED_554 = "554"  # after the message
AUTH_FAIL = "auth_fail"
NO_STARTTLS = "no_starttls"
STARTTLS_454 = "starttls_454"
NONSENSE_AFTER_DATA = "nonsense_after_data"

MODES = tuple(
    value for name, value in list(globals().items()) if name.isupper() and isinstance(value, str)
)


@dataclass(frozen=True)
class Taken:
    """A message that was read to its end."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes  # as sent, dots unstuffed
    mode: str
    acknowledged: bool  # answered with 250
    tls: bool
    options: str  # of MAIL: SIZE, BODY


class SmtpSink:
    """`with SmtpSink() as sink`: listens on `sink.port` of 127.0.0.1; `sink.mode` may change at
    any time and holds for what happens after.
    """

    def __init__(self, mode: str = OK, *, certificate: Path | None = None, port: int = 0) -> None:
        self.mode = mode
        self.taken: list[Taken] = []
        self.commands: list[str] = []  # verbs, in the order they came
        self._certificate = certificate
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self.released = threading.Event()  # ends what neither reads nor writes
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    @property
    def accepted(self) -> list[Taken]:
        """The messages that were answered with 250."""
        return [message for message in self.taken if message.acknowledged]

    def starttls_context(self) -> ssl.SSLContext | None:
        """How STARTTLS is done; None: it is not offered."""
        if self._certificate is None or self.mode == NO_STARTTLS:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate)
        return context

    def _start(self, target, *args) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            self._start(self._talk, connection)

    def _talk(self, connection: socket.socket) -> None:
        conversation = _Conversation(self, connection)
        try:
            conversation.run()
        except (OSError, _HangUp):
            pass  # the other side is gone, or this is how the mode ends
        finally:
            conversation.close()
            with self._lock:
                self._open.discard(connection)


class _HangUp(Exception):
    """End the conversation without another word."""


class _Conversation:
    """One connection, from greeting to goodbye."""

    def __init__(self, sink: SmtpSink, connection: socket.socket) -> None:
        self.sink = sink
        self.connection = connection
        self.lines = connection.makefile("rb")
        self.tls = False
        self.sender = self.options = ""
        self.recipients: list[str] = []

    def run(self) -> None:
        if self.sink.mode == HANG_BANNER:
            self._hang()
        self._say("220 sink ESMTP")
        while line := self.lines.readline():
            verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            self.sink.commands.append(verb.upper())
            action = getattr(self, f"_do_{verb.lower()}", None)
            if action is None:
                self._say("502 no such command")
            else:
                action(rest)

    def close(self) -> None:
        self.lines.close()
        self.connection.close()

    def _say(self, *lines: str) -> None:
        answer = ""
        for n, line in enumerate(lines, start=1):
            mark = " " if n == len(lines) else "-"
            answer += f"{line[:3]}{mark}{line[4:]}\r\n"
        self.connection.sendall(answer.encode())  # in one go: the kernel holds small pieces back

    def _hang(self) -> None:
        self.lines.read()  # until the other side has had enough
        raise _HangUp

    def _do_ehlo(self, _rest: str) -> None:
        offers = ["250 sink", "250 SIZE 104857600", "250 8BITMIME", "250 AUTH PLAIN LOGIN"]
        if self.sink.starttls_context() and not self.tls:
            offers.append("250 STARTTLS")
        self._say(*offers)

    def _do_starttls(self, _rest: str) -> None:
        context = self.sink.starttls_context()
        if context is None or self.sink.mode == STARTTLS_454:
            self._say("454 not now")
            return
        self._say("220 go ahead")
        self.lines.close()
        plain = self.connection
        self.connection = context.wrap_socket(plain, server_side=True)
        with self.sink._lock:
            self.sink._open.discard(plain)
            self.sink._open.add(self.connection)
        self.lines = self.connection.makefile("rb")
        self.tls = True

    def _do_auth(self, rest: str) -> None:
        if rest.upper().startswith("LOGIN"):
            for question in (b"User Name", b"Password"):
                self._say(f"334 {base64.b64encode(question).decode()}")
                self.lines.readline()
        if self.sink.mode == AUTH_FAIL:
            self._say("535 5.7.8 wrong password")
        else:
            self._say("235 2.7.0 welcome")

    def _do_mail(self, rest: str) -> None:
        if self.sink.mode == BUSY_421:
            self._say("421 4.3.2 too busy, closing")
            raise _HangUp
        address, _, self.options = rest.removeprefix("FROM:").partition(" ")
        self.sender, self.recipients = address.strip("<>"), []
        self._say("250 ok")

    def _do_rcpt(self, rest: str) -> None:
        address = rest.removeprefix("TO:").partition(" ")[0].strip("<>")
        mode, is_one = self.sink.mode, address.startswith("nobody")
        if mode == NO_ADDRESS_550 or (mode == NO_ADDRESS_550_ONE and is_one):
            self._say("550 5.1.1 no such user")
        elif mode == LATER_450_ADDRESS or (mode == LATER_450_ONE and is_one):
            self._say("450 4.2.1 greylisted")
        else:
            self.recipients.append(address)
            self._say("250 ok")

    def _do_data(self, _rest: str) -> None:
        self._say("354 go on")
        if self.sink.mode == DROP_IN_DATA:
            self.lines.readline()
            raise _HangUp
        if self.sink.mode == HANG_IN_DATA:
            self.sink.released.wait()
            raise _HangUp
        content = bytearray()
        while (line := self.lines.readline()) != b".\r\n":
            if not line:
                raise _HangUp
            content += line.removeprefix(b".")
        self._answer(bytes(content))

    def _answer(self, content: bytes) -> None:
        mode = self.sink.mode
        refusals = {
            LATER_451: "451 4.3.0 try later",
            TOO_LARGE_552: "552 5.3.4 too big",
            REFUSED_554: "554 5.7.1 looks like spam",
            NONSENSE_AFTER_DATA: "moo",
        }
        silent = mode in (DROP_AFTER_DATA, HANG_AFTER_DATA)
        taken = Taken(
            self.sender,
            tuple(self.recipients),
            content,
            mode,
            acknowledged=not silent and mode not in refusals,
            tls=self.tls,
            options=self.options,
        )
        self.sink.taken.append(taken)
        if mode == DROP_AFTER_DATA:
            raise _HangUp
        if mode == HANG_AFTER_DATA:
            self._hang()
        self._say(refusals.get(mode, "250 2.0.0 queued as 1"))

    def _do_rset(self, _rest: str) -> None:
        self._say("250 ok")

    def _do_quit(self, _rest: str) -> None:
        if self.sink.mode == DROP_ON_QUIT:
            raise _HangUp
        if self.sink.mode == HANG_ON_QUIT:
            self._hang()
        self._say("221 bye")
        raise _HangUp
