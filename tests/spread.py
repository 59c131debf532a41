"""How the tests are spread over processes: file by file, and the slowest first.

Most of the suite's time is waiting for whole cabinets of real processes, so two processes need
little more than half of it even where they share a core.
"""

from pathlib import PurePath

from xdist.scheduler import LoadScopeScheduling

# What shares something costly to start, and stays together for it: one cabinet with a browser.
TOGETHER = ("tests/browser",)
# What takes longest goes first, so that no process is left alone with it at the end.
SLOW = ("tests/browser", "tests/run", "tests/chaos", "tests/security", "tests/services")


class BySlowness(LoadScopeScheduling):
    """Gives each process a file at a time, or a whole folder of `TOGETHER`."""

    def _split_scope(self, nodeid):
        file = nodeid.split("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)


def slow_first(item):
    """A key to sort tests by; tests of one folder keep their order."""
    file = PurePath(item.nodeid.split("::")[0])
    folder = "/".join(file.parts[:2])
    return SLOW.index(folder) if folder in SLOW else len(SLOW)
