"""Files of call records on their way in, and out again: their states."""

from enum import StrEnum


class ImportState(StrEnum):
    """Where the import of one file stands. Each state but the last five is somebody's work."""

    TO_CHECK = "to_check"  # uploaded: to be read without storing anything
    TO_LOAD = "to_load"  # uploaded: to be stored
    RUNNING = "running"  # being stored
    ROLLING_BACK = "rolling_back"  # being taken out again
    CHECKED = "checked"  # read without storing: somebody has to decide
    DONE = "done"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


# What a job brings further. RUNNING only of uploaded files: a command's is its own process's.
WORK_STATES = frozenset(
    {ImportState.TO_CHECK, ImportState.TO_LOAD, ImportState.RUNNING, ImportState.ROLLING_BACK}
)
LOADABLE_STATES = frozenset({ImportState.CHECKED, ImportState.FAILED})
# What may have left something in the table.
STORING_STATES = frozenset(
    {ImportState.RUNNING, ImportState.DONE, ImportState.FAILED, ImportState.ROLLING_BACK}
)
