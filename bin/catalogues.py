"""What bin/texts does: from msgids in code and templates to translations/<language>.

Nothing may lack Russian or English. msgids are English: a new one is taken into `en` as it stands,
and written better there when it is not what one would say to a user. What lacks Belarusian is shown
in Russian, and counted here.
"""

import fcntl
import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "translations"
LANGUAGES = ("ru", "be", "en")
REQUIRED = {"ru": "Russian", "en": "English"}
ENGLISH = "en"
PLACE = re.compile(r"%\(\w+\)[sd]|%%|\{\w*\}")
KEYWORDS = ("_", "N_", "lazy_gettext")
NOT_SEARCHED = ".venv bin tests bench var"


def extract(root: Path = ROOT) -> Catalog:
    """Every msgid in the code and templates below `root`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "messages.pot"
        keywords = [argument for word in KEYWORDS for argument in ("-k", word)]
        arguments = ["-F", str(ROOT / "babel.cfg"), *keywords, "--no-location", "--sort-output"]
        arguments += ["--ignore-dirs", NOT_SEARCHED, "-o", str(path), str(root)]
        CommandLineInterface().run(["pybabel", "-q", "extract", *arguments])
        with path.open("rb") as file:
            return read_po(file)


def files_of(language: str, folder: Path) -> tuple[Path, Path]:
    """The catalogue for people and the one for programs."""
    place = folder / language / "LC_MESSAGES"
    return place / "messages.po", place / "messages.mo"


def load(language: str, folder: Path) -> Catalog:
    """The catalogue as it stands; an empty one when there is none."""
    path, _ = files_of(language, folder)
    if not path.exists():
        return Catalog(locale=language, project="sip-cabinet", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def untranslated(catalogue: Catalog) -> list[str]:
    """Msgids without a word, or with a plural form missing."""
    return [
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalogue
        if message.id and not all(_forms(message.string))
    ]


def _forms(string: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return string if isinstance(string, tuple) else (string or "",)


def wrong_places(catalogue: Catalog) -> list[str]:
    """Msgids whose translation fills other places than they have: {start}, %(page)s. Each of them
    stands once or more in every form.
    """
    found = []
    for message in catalogue:
        if not message.id:
            continue
        wanted = set(PLACE.findall(_forms(message.id)[-1]))
        others = [form for form in _forms(message.string) if form]
        if any(set(PLACE.findall(form)) != wanted for form in others):
            found.append(f"{message.id}: other places than {', '.join(sorted(wanted)) or 'none'}")
    return found


def compiled(catalogue: Catalog) -> bytes:
    """The catalogue as programs read it."""
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def update(language: str, template: Catalog, folder: Path = FOLDER) -> Catalog:
    """Take in new msgids, drop those no longer used, compile; return the catalogue."""
    catalogue = load(language, folder)
    made = catalogue.creation_date  # another date alone would change the file at each run
    catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False)
    catalogue.obsolete.clear()
    catalogue.creation_date = made
    if language == ENGLISH:
        for message in catalogue:
            if message.id and not all(_forms(message.string)):
                message.string = message.id
    text, program = files_of(language, folder)
    text.parent.mkdir(parents=True, exist_ok=True)
    with text.open("wb") as file:
        write_po(file, catalogue, width=96, sort_output=True, ignore_obsolete=True)
    catalogue = load(language, folder)  # as whoever checks will read it
    program.write_bytes(compiled(catalogue))
    return catalogue


def breaches(template: Catalog, folder: Path = FOLDER) -> list[str]:
    """What keeps the texts from being complete, one sentence each."""
    found = []
    wanted = {message.id for message in template if message.id}
    for language, name in REQUIRED.items():
        catalogue = load(language, folder)
        known = {message.id for message in catalogue if message.id}
        found += [f"not in translations/{language}: {msgid}" for msgid in wanted - known]
        found += [f"{language}: no longer used: {msgid}" for msgid in known - wanted]
        found += [f"without {name}: {msgid}" for msgid in untranslated(catalogue)]
    for language in LANGUAGES:
        text, program = files_of(language, folder)
        if text.exists():
            spoken = load(language, folder)
            found += [f"{language}: {sentence}" for sentence in wrong_places(spoken)]
            if not program.exists() or program.read_bytes() != compiled(spoken):
                found.append(f"{language}: messages.mo is not made of messages.po; run bin/texts")
    return sorted(str(sentence) for sentence in found)


def lacking(template: Catalog, language: str, folder: Path = FOLDER) -> list[str]:
    """Msgids of the template that a language has no words for."""
    catalogue = load(language, folder)
    missing = set(untranslated(catalogue))
    firsts = [_forms(message.id)[0] for message in template if message.id]
    known = {_forms(message.id)[0] for message in catalogue if message.id}
    return [msgid for msgid in firsts if msgid in missing or msgid not in known]


@contextmanager
def alone(folder: Path = FOLDER) -> Iterator[None]:
    """Keep others that update the texts out meanwhile."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def main(arguments: list[str]) -> int:
    """Update, or with --check only look."""
    if arguments not in ([], ["--check"]):
        print("bin/texts takes no argument but --check", file=sys.stderr)
        return 2
    with alone():
        template = extract()
        for language in [] if arguments else LANGUAGES:
            update(language, template)
    for language in LANGUAGES:
        missing = lacking(template, language)
        print(f"{language}: {len(template)} texts, untranslated: {len(missing)}")
        if not arguments:
            print("".join(f"  {msgid}\n" for msgid in missing), end="")
    if not arguments:
        return 0
    found = breaches(template)
    print("\n".join(found) or "Texts are complete.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
