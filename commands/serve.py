"""`flask serve`: what `bin/run` runs. Prepares the data, starts all parts and keeps them running.

Which parts there are and in what order is here; how processes are kept is `services/processes.py`.
"""

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import click
from flask import current_app
from flask.cli import with_appcontext
from peewee import OperationalError

from config import Config, ConfigError
from models import db
from services import clock, database, demo, processes, usage, valkey

ROOT = Path(__file__).parent.parent
LOOPBACK = "127.0.0.1"
WEB_THREADS = 4
WEB_STOP_S = 8  # then granian kills a process that still answers somebody
SLOW_START_S = 30
PORT_PATIENCE_S = 8  # what the web server of a killed run gets to leave its port


@click.command("serve")
@with_appcontext
def command() -> None:
    """Start everything: Valkey, web server, workers, reconciler, try-out mailbox."""
    os.umask(0o077)  # what is in the data dir is nobody else's business
    config: Config = current_app.config["CABINET"]
    if not config.REDIS_URL:
        valkey.check_socket_path(config.valkey_socket)
    with _only_run(config) as died_before:
        patience_s = PORT_PATIENCE_S if died_before else 0
        _check_port(config.HOST, config.PORT, "CABINET_PORT", patience_s=patience_s)
        if config.uses_mailbox:
            _check_port(LOOPBACK, config.mail_port, "CABINET_MAIL_PORT", patience_s=patience_s)
        _prepare_data(config)
        if fault := database.sqlite_fault():
            _say(f"Note: {fault}")
        with database.held_open():
            _supervise(config)


def parts(config: Config) -> list[processes.Part]:
    """What runs beside Valkey. Those of the first stage are stopped before those they call."""
    cores = len(os.sched_getaffinity(0))
    flask = (sys.executable, "-m", "flask")
    found = [
        processes.Part("web", _web_server(config)),
        processes.Part("reconcile", (*flask, "reconcile")),
        *(
            processes.Part(f"worker-{n}", (*flask, "worker"))
            for n in range(1, (config.WORKERS or cores) + 1)
        ),
    ]
    if config.uses_mailbox:
        found.append(processes.Part("mailbox", (*flask, "mailbox"), stage=1))
    return found


def _web_server(config: Config) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "granian", "app:create_app", "--factory", "--interface", "wsgi"),
        *("--host", _address(config.HOST, config.PORT)[1][0], "--port", str(config.PORT)),
        *("--workers", "1", "--blocking-threads", str(WEB_THREADS), "--no-ws"),
        *("--respawn-failed-workers", "--respawn-interval", "0.5"),
        *("--log-config", str(ROOT / "granian-log.json")),
        *("--workers-kill-timeout", str(WEB_STOP_S)),
    )


@contextmanager
def _only_run(config: Config) -> Iterator[bool]:
    """Keep a second run off this data dir. Gives whether the run before was killed."""
    path = config.data_dir / "run.lock"
    with processes.hold_lock(path) or _refuse_second_run(config, path) as lock:
        died_before = path.stat().st_size > 0
        lock.truncate(0)
        lock.write(b"%d\n" % os.getpid())
        lock.flush()
        yield died_before
        lock.truncate(0)


def _refuse_second_run(config: Config, path: Path) -> None:
    pid = path.read_text(encoding="ascii").strip()
    raise ConfigError(
        f"A cabinet already runs on {config.data_dir} (process {pid}):"
        " stop it, or set another CABINET_DATA_DIR and CABINET_PORT"
    )


def _address(host: str, port: int) -> tuple[socket.AddressFamily, tuple]:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, OverflowError) as error:
        raise ConfigError(f"CABINET_HOST and CABINET_PORT: no address {host}:{port}") from error
    return family, address


def _check_port(host: str, port: int, setting: str, *, patience_s: float) -> None:
    """Raise `ConfigError` when nobody can listen there."""
    family, address = _address(host, port)
    until = time.monotonic() + patience_s
    while True:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen()
        except (OSError, OverflowError) as error:
            if time.monotonic() < until:
                time.sleep(0.2)
                continue
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(
                f"{setting}: cannot listen on {host}:{port} ({reason}); choose another port"
            ) from error
        return


def _prepare_data(config: Config) -> None:
    """Migrations, then the demo: loaded by the first run, topped up to today by the next ones."""
    try:
        with db.connection_context():
            database.upgrade()
            usage.make_if_missing()
            if config.DEMO:
                if not demo.is_loaded():
                    click.echo("Loading the demo ...")
                demo.ensure(now=clock.now())
    except OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(f"The database cannot be used: {reason}") from error


def _environment() -> dict[str, str]:
    """What the parts are started with: our own environment, and where the application is."""
    return {**os.environ, "FLASK_APP": "app", "PYTHONUNBUFFERED": "1"}


def _say(line: str) -> None:
    click.echo(f"{clock.now():%Y-%m-%d %H:%M:%S} {line}")


def _supervise(config: Config) -> None:
    """Start the parts and stay until asked to stop; leave nothing running behind."""
    server = None if config.REDIS_URL else valkey.part(config.valkey_socket)
    supervisor = processes.Supervisor(
        config.data_dir / "logs", cwd=ROOT, env=_environment(), say=_say
    )
    try:
        if _start(config, supervisor, server) and _wait_until_ready(config, supervisor):
            click.echo("\n".join(_welcome(config)))
            while supervisor.wait():
                pass
    finally:
        supervisor.stop()
    _say("stopped")


def _start(config: Config, supervisor: processes.Supervisor, server: processes.Part | None) -> bool:
    """Start Valkey, then the rest; False when asked to stop meanwhile."""
    if server:
        supervisor.start(server)
        while not valkey.answers(config.valkey_socket):  # workers would only die and come back
            if not supervisor.wait(0.05):
                return False
    for part in parts(config):
        supervisor.start(part)
    return True


def _wait_until_ready(config: Config, supervisor: processes.Supervisor) -> bool:
    """Wait until the cabinet can carry an order; False when asked to stop meanwhile."""
    slow_at = time.monotonic() + SLOW_START_S
    while missing := _missing(config):
        if not supervisor.wait(0.2):
            return False
        if time.monotonic() > slow_at:
            _say(f"still not ready: {missing}; the logs are in {config.data_dir / 'logs'}")
            slow_at = time.monotonic() + SLOW_START_S
    return True


def _missing(config: Config) -> str:
    """What /readyz says is missing; empty when it is ready."""
    host = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(config.HOST, config.HOST)  # noqa: S104 - compared
    address = f"[{host}]" if ":" in host else host
    name = urlsplit(config.public_url).netloc  # the one it answers to, whoever is trusted
    request = urllib.request.Request(
        f"http://{address}:{config.PORT}/readyz", headers={"Host": name}
    )
    try:
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310 - always http
            return ""
    except urllib.error.HTTPError as error:
        with error:
            try:
                return "; ".join(json.load(error)["missing"])
            except (ValueError, KeyError, TypeError):
                return f"/readyz answers {error.code}"
    except OSError as error:
        return f"the web server does not answer ({error})"


def _welcome(config: Config) -> Iterator[str]:
    yield f"\nThe cabinet is ready: {config.public_url}/"
    if config.PUBLIC_URL:
        yield f"It listens on {config.HOST}, port {config.PORT}"
    if config.DEMO:
        yield from demo.sign_in_lines()
    if config.uses_mailbox:
        yield f"Mail it sends is kept: {config.public_url}/mailbox/"
    yield f"Data and logs: {config.data_dir}\nCtrl-C stops it.\n"
