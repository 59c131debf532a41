"""Wiring: the one place where everything meets, in the order of start."""

from flask import Flask
from flask.helpers import get_debug_flag

import blueprints
import commands
from config import Config
from services import clock, database, queue, safety, storage


def create_app(config: Config | None = None) -> Flask:
    """Build the application. Opens no connection: processes and requests do."""
    config = config or Config.from_env()
    storage.prepare_data_dir(config.data_dir)
    safety.check(config, debug=get_debug_flag())
    app = Flask(__name__)
    app.log_exception = lambda *_: None  # blueprints/errors.py tells of it, without the address
    app.config.update(CABINET=config, SECRET_KEY=storage.read_or_make_secret(config.data_dir))
    clock.set_zone(config.zone)
    database.open_database(config)
    queue.init_app(app, config)
    blueprints.init_app(app, config)
    commands.init_app(app)
    return app
