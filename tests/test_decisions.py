"""The list of decisions names each page of them."""

from pathlib import Path

FOLDER = Path(__file__).parent.parent / "docs" / "decisions"


def test_every_decision_is_on_the_list():
    told = (FOLDER / "README.md").read_text(encoding="utf-8")
    pages = sorted(path.name for path in FOLDER.glob("0*.md"))
    assert [name for name in pages if f"]({name})" not in told] == []
