"""A Valkey beside the cabinet, as an operator who has one of their own runs it: to be killed,
stopped, emptied and started again while the cabinet's own supervisor looks on.
"""

import os
import shutil
import signal
import subprocess

from redis import Redis

from services import valkey
from tests.run.conftest import wait_for


class ValkeyServer:
    """The server the cabinet would embed, in a folder of its own."""

    def __init__(self, folder):
        self.socket = folder / "valkey.sock"
        self.url = f"unix://{self.socket}"
        self._process = None

    def start(self):
        """Start it with what its append-only file remembers, and wait until it answers."""
        part = valkey.part(self.socket)
        self._process = subprocess.Popen(  # noqa: S603
            part.command, stdout=subprocess.DEVNULL, pass_fds=part.pass_fds
        )
        os.close(part.pass_fds[0])
        wait_for(lambda: valkey.answers(self.socket), "Valkey")
        return self

    def kill(self):
        """Kill -9."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        """Keep the connections, and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        """Wake it."""
        self._process.send_signal(signal.SIGCONT)

    def connect(self):
        """A connection to look into it."""
        return Redis(unix_socket_path=str(self.socket))

    def flush(self):
        """Forget everything."""
        with self.connect() as connection:
            connection.flushall()

    def restart_empty(self):
        """Killed, and started again by somebody who has thrown its files away."""
        self.kill()
        shutil.rmtree(self.socket.parent)
        self.start()

    def clear(self):
        """End it, however it stands."""
        if self._process is not None:
            self.kill()
