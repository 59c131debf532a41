#!/usr/bin/env python3
"""What templates must not hold: forms of htmx 2, inline script and style, addresses by hand, links
and fields that lead astray. Standard library only; exit status 1 with file:line for each finding.

    bin/template_lint.py [FOLDER…]        (templates/ unless given)
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
# Words that htmx 4 ignores or reads otherwise; each would fail in silence.
OLD_ATTRIBUTES = {
    "hx-disabled-elt": "use hx-disable",
    "hx-disable-elt": "use hx-disable",
    "hx-ext": "extensions are off",
    "hx-vars": "use hx-vals",
    "hx-params": "gone from htmx 4",
    "hx-prompt": "gone from htmx 4",
    "hx-request": "use hx-config",
    "hx-history": "htmx 4 keeps no copies of pages",
}
ADDRESSES = ("href", "action", "src", "formaction")
REQUESTS = ("hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete")
# On a container these mean something for what is inside only when they say so.
INHERITABLE = ("hx-boost", "hx-target", "hx-swap", "hx-indicator", "hx-sync", "hx-headers")
CONTAINERS = {"body", "main", "nav", "div", "section", "ul", "ol", "table", "tbody", "header"}
# Templates that may print a value as markup: none. Jinja escapes values, our markup is in macros.
SAFE_HERE: frozenset[str] = frozenset()
UNESCAPED = re.compile(r"\|\s*(?:safe|tojson|xmlattr)\b|\bautoescape\s+false|\bMarkup\(")
SCRIPT_SCHEMES = ("javascript:", "vbscript:", "data:")
EMBEDS = ("object", "embed", "applet", "base", "frame", "frameset")
LEFT_ALONE = re.compile(r"""\sdownload[\s>=]|hx-boost=["']false["']""")  # links htmx leaves alone
FILE_LINK = re.compile(r"""url_for\(\s*["'][^"']*(?:\.file|\.download|_csv|_file)["']""")


def without_jinja(source: str) -> str:
    """Jinja taken out, lines kept. What is printed becomes a word, so that values stay filled."""

    def blank(match: re.Match[str]) -> str:
        printed = "JINJA" if match[0].startswith("{{") else " "
        return printed + "\n" * match[0].count("\n")

    return JINJA.sub(blank, source)


class TemplateCheck(HTMLParser):
    """Collects findings as (line, sentence)."""

    def __init__(self, *, mail: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.mail = mail
        self.findings: list[tuple[int, str]] = []

    def report(self, sentence: str) -> None:
        """Note what was found in the tag at hand."""
        self.findings.append((self.getpos()[0], sentence))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        for name, value in values.items():
            self.check_attribute(name, value)
        if not self.mail:
            self.check_tag(tag, values)
        self.check_inheritance(tag, values)

    handle_startendtag = handle_starttag

    def check_attribute(self, name: str, value: str) -> None:
        """Rules about one attribute."""
        base = name.split(":", maxsplit=1)[0]
        if base in OLD_ATTRIBUTES:
            self.report(f"{name}: {OLD_ATTRIBUTES[base]}")
        if base.startswith(("hx-on", "on")) and base != "on":
            self.report(f"{name}: inline script is forbidden by the policy")
        if name == "style" and not self.mail:
            self.report("style=: inline style is forbidden by the policy")
        if base.startswith("hx-") and re.search(r"\b(js|javascript):", value):
            self.report(f"{name}: js: needs eval, which the policy forbids")
        if name in ADDRESSES and value.strip().lower().startswith(SCRIPT_SCHEMES):
            self.report(f"{name}: a script in an address is forbidden by the policy")
        if name == "srcdoc":
            self.report("srcdoc=: a page within a page")
        if base == "hx-trigger" and "[" in value:
            self.report("hx-trigger: a filter in brackets needs eval, which the policy forbids")
        if (name in ADDRESSES or base in REQUESTS) and value.startswith("/"):
            self.report(f"{name}={value}: an address by hand loses the prefix; use url_for")

    def check_tag(self, tag: str, values: dict[str, str]) -> None:
        """Rules about a tag as a whole."""
        if tag == "script" and "src" not in values:
            self.report("<script>: inline script is forbidden by the policy")
        if tag == "style":
            self.report("<style>: inline style is forbidden by the policy")
        if tag in EMBEDS:
            self.report(f"<{tag}>: forbidden by the policy")
        if tag == "a" and not values.get("href"):
            self.report("<a> without href")
        if tag == "form" and not values.get("action"):
            self.report("<form> without action")
        asks = [name for name in values if name.split(":")[0] in REQUESTS]
        works_without = tag in {"a", "form", "button", "input", "select", "textarea"}
        if asks and not works_without and "every" not in values.get("hx-trigger", ""):
            self.report(f"{asks[0]} on <{tag}>: nothing happens without JavaScript")

    def check_inheritance(self, tag: str, values: dict[str, str]) -> None:
        """In htmx 4 a container's attribute reaches what is inside only with `:inherited`."""
        asks = any(name.split(":")[0] in REQUESTS for name in values)
        for name in values:
            if tag in CONTAINERS and name in INHERITABLE and not asks:
                self.report(f"{name} on <{tag}>: write {name}:inherited, or it does nothing inside")


def source_findings(path: Path, source: str) -> Iterator[tuple[int, str]]:
    """Rules that need Jinja's side of the template."""
    source = COMMENT.sub(lambda match: "\n" * match[0].count("\n"), source)
    for found in UNESCAPED.finditer(source):
        if path.name not in SAFE_HERE:
            line = source.count("\n", 0, found.start()) + 1
            yield line, f"{found[0]}: a value must not be printed unescaped"
    is_title = path.parts[-2:] == ("macros", "page.html")
    for tag in re.finditer(r"<[a-z][^<>]*(?:\{[{%].*?[%}]\}[^<>]*)*>", source, re.DOTALL):
        line = source.count("\n", 0, tag.start()) + 1
        takes_focus = re.search(r"\bautofocus\b", tag[0]) and 'role="alert"' not in tag[0]
        if takes_focus and not is_title:
            yield line, "autofocus: only the title of a fragment and an error summary take it"
        is_link = tag[0].startswith("<a ")
        if is_link and FILE_LINK.search(tag[0]) and not LEFT_ALONE.search(tag[0]):
            yield line, "a link to a file without download: htmx would put the bytes into the page"


def lint(path: Path) -> list[tuple[int, str]]:
    """Findings of one template, as (line, sentence), by line."""
    source = path.read_text(encoding="utf-8")
    mail = "mail" in path.parts[:-1]
    check = TemplateCheck(mail=mail)
    check.feed(without_jinja(source))
    check.close()
    return sorted(check.findings + list(source_findings(path, source)))


def main(folders: list[str]) -> int:
    """Lint every template below `folders`; 1 when anything was found."""
    count = 0
    for folder in folders or [str(ROOT / "templates")]:
        for path in sorted(Path(folder).rglob("*.html")):
            for line, sentence in lint(path):
                count += 1
                shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
                print(f"{shown}:{line}: {sentence}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
