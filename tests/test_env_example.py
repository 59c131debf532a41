"""`.env.example` names every setting with its default, and nothing else."""

import shlex
from dataclasses import fields
from pathlib import Path

from config import PREFIX, Config

LINES = (Path(__file__).parent.parent / ".env.example").read_text(encoding="utf-8").splitlines()
VALUES = dict(
    "".join(shlex.split(line)).split("=", 1) for line in LINES if line and not line.startswith("#")
)


def test_every_setting_stands_in_the_example_and_nothing_else():
    assert set(VALUES) == {PREFIX + field.name for field in fields(Config)}


def test_the_example_shows_the_defaults():
    assert Config.from_env(VALUES) == Config.from_env({})


def test_a_shell_can_read_the_example():
    assert VALUES["CABINET_OPERATOR_NAME"] == Config.OPERATOR_NAME
    unquoted = [line for line in LINES if line and line[0] != "#" and len(shlex.split(line)) > 1]
    assert unquoted == []
