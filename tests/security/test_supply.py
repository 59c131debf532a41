"""What is brought in from outside is what was pinned: packages by version and hash, the files of
others in the repository by digest. (htmx: `tests/test_look.py`; pip: `bin/bootstrap.py`.)
"""

import hashlib
import importlib.metadata
import re
import runpy
from pathlib import Path

import pytest
from packaging.markers import Marker

ROOT = Path(__file__).parents[2]
# Files of others in the repository: a change of one has to be meant.
VENDORED = {
    "bin/vendor/pip-26.3-py3-none-any.whl": (
        "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
    ),
    "domain/writers/fonts/DejaVuSans-Bold.ttf": (
        "e6476c1b80502924294eed40894c5b18e06c181444ca953e5334262df9c27724"
    ),
    "domain/writers/fonts/DejaVuSans.ttf": (
        "7da195a74c55bef988d0d48f9508bd5d849425c1770dba5d7bfc6ce9ed848954"
    ),
    "static/vendor/htmx-4.0.1.min.js": (
        "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"
    ),
}
OTHERS = {".js", ".whl", ".ttf", ".jar", ".so", ".woff", ".woff2", ".exe", ".gz", ".zip"}
OURS = {"static/cabinet.js"}
PIN = re.compile(
    r"(?P<name>[a-z0-9._-]+)(?:\[[a-z,]+\])?==(?P<version>[^ ;]+)(?: ; (?P<marker>[^\\]+?))?"
    r"(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)"
)


def pins(name):
    """Every requirement of a file; each has to have a version and hashes."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    for requirement in re.split(r"\n(?! )", text.strip()):
        pin = PIN.fullmatch(requirement)
        assert pin, requirement[:80]
        yield pin


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_pinned_by_version_and_hash(name):
    assert len(list(pins(name))) > 20


def test_what_is_installed_is_what_is_pinned():
    for pin in pins("requirements.txt"):
        if pin["marker"] is None or Marker(pin["marker"]).evaluate():
            assert importlib.metadata.version(pin["name"]) == pin["version"]


def test_packages_are_installed_by_their_hashes_alone():
    script = (ROOT / "bin" / "bootstrap.py").read_text("utf-8")
    assert re.search(r'"--require-hashes", "--only-binary", ":all:", "-r"', script)


@pytest.mark.parametrize("name", VENDORED)
def test_a_file_of_others_is_the_one_that_was_taken(name):
    assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == VENDORED[name]


def test_no_other_file_of_others_is_there():
    folders = ("bin", "static", "domain", "templates", "services")
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.suffix in OTHERS
    }
    assert found == set(VENDORED) | OURS


def test_the_installer_knows_its_own_digest():
    told = runpy.run_path(str(ROOT / "bin" / "bootstrap.py"))
    assert told["PIP_SHA256"] == VENDORED["bin/vendor/pip-26.3-py3-none-any.whl"]
