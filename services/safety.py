"""What a cabinet in production (`CABINET_DEMO=0`) refuses to start with. The rest of what protects
it needs no setting, or has a safe default: the names it is called by come from the public address.
"""

import stat
from pathlib import Path

from config import Config, ConfigError

FOR_OTHERS = stat.S_IRWXO


def check(config: Config, *, debug: bool) -> None:
    """Close the data dir to other users of the machine; raise `ConfigError` for what opens a door.

    The demo starts with anything: it holds nobody's data.
    """
    is_closed = _close(config.data_dir)
    if config.DEMO:
        return
    if debug:
        raise ConfigError("FLASK_DEBUG shows what is inside to everybody: not with CABINET_DEMO=0")
    if config.TESTING:
        raise ConfigError(
            "CABINET_TESTING lets others move the clock and kill processes: not with CABINET_DEMO=0"
        )
    if not is_closed:
        raise ConfigError(
            f"CABINET_DATA_DIR: every user of this machine can look into {config.data_dir}; "
            f"chmod 700 {config.data_dir}"
        )


def _close(folder: Path) -> bool:
    """Shut a data dir of ours for others, and say whether it is shut. A folder that was somebody
    else's before (/tmp, a home) is left as it is.
    """
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & FOR_OTHERS:
        return True
    is_ours = (folder / "secret").exists() or not any(folder.iterdir())
    if not is_ours:
        return False
    try:
        folder.chmod(mode & ~FOR_OTHERS)
    except OSError:
        return False  # somebody else owns it
    return True
