"""Files of the data dir. Written to a temporary name, flushed to disk, renamed: a file is whole or
not there.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from config import ConfigError

TEMPORARY_SUFFIX = ".part"

Naming = Callable[[], AbstractContextManager[object]]  # what a file takes its name inside of
SHORTEST_SECRET, FEWEST_SIGNS = 32, 8  # ours is 64 hexadecimal digits


def prepare_data_dir(data_dir: Path) -> None:
    """Make the data dir, readable by us alone; raise `ConfigError` when it cannot be written to."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = data_dir / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"CABINET_DATA_DIR: cannot write to {data_dir} ({error.strerror})"
        ) from error


def read_or_make_secret(data_dir: Path) -> str:
    """The key that signs cookies and forms: made once, kept in `<data dir>/secret`.

    Raises `ConfigError` for one that somebody wrote by hand and that can be guessed.
    """
    path = data_dir / "secret"
    try:
        return _checked_secret(path.read_text(encoding="ascii").strip(), path)
    except FileNotFoundError:
        pass
    except UnicodeDecodeError as error:
        raise _weak_secret(path) from error
    temporary = data_dir / f"secret.{os.getpid()}{TEMPORARY_SUFFIX}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(
            temporary, path
        )  # fails when another process was first: then its secret is ours too
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return path.read_text(encoding="ascii").strip()


def _checked_secret(secret: str, path: Path) -> str:
    if len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_SIGNS:
        raise _weak_secret(path)
    return secret


def _weak_secret(path: Path) -> ConfigError:
    return ConfigError(
        f"{path}: a secret of at least {SHORTEST_SECRET} random characters is needed; remove the "
        "file, and one is made"
    )


@contextmanager
def atomic_file(path: Path, naming: Naming = nullcontext) -> Iterator[Path]:
    """Give a temporary path beside `path`; on a clean exit it is flushed and takes the name
    `path`, inside of `naming()`, which may refuse by raising.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(
        f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"
    )
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        with naming():
            temporary.replace(path)
            sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
