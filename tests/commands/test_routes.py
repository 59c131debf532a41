"""`flask routes --json` from the shell: the project's command in the place of Flask's own."""

import json
import subprocess
import sys

from tests.run.conftest import ROOT


def flask(*arguments, data_dir):
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "flask", *arguments],
        cwd=ROOT,
        env={"CABINET_DATA_DIR": str(data_dir), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_list_tells_who_may_come_in(tmp_path):
    routes = {
        each["endpoint"]: each for each in json.loads(flask("routes", "--json", data_dir=tmp_path))
    }
    assert routes["auth.login"]["scope"] == "public"
    assert routes["operator.show"]["scope"] == "operator"
    wizard = routes["bills.call_detail.subscribers"]
    assert (wizard["scope"], wizard["roles"]) == ("client", ["accountant", "client-administrator"])


def test_the_plain_list_is_flasks(tmp_path):
    assert "bills.call_detail.start" in flask("routes", data_dir=tmp_path)
