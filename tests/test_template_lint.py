"""The template lint finds what it is for, and leaves good markup alone."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_spec = importlib.util.spec_from_file_location("template_lint", ROOT / "bin" / "template_lint.py")
template_lint = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(template_lint)

BAD = [
    ('<form action="{{ u }}" hx-disabled-elt="this">', "hx-disable"),
    ('<form action="{{ u }}" hx-disable-elt="this">', "hx-disable"),
    ('<main hx-ext="sse">', "extensions"),
    ('<button hx-vars="a:1">', "hx-vals"),
    ('<a href="{{ u }}" hx-params="*">', "gone"),
    ('<a href="{{ u }}" hx-prompt="?">', "gone"),
    ('<a href="{{ u }}" hx-request="{}">', "hx-config"),
    ('<body hx-history="false">', "keeps no copies"),
    ('<button hx-on:click="go()">', "inline script"),
    ('<button onclick="go()">', "inline script"),
    ("<button hx-vals='js:{a: 1}'>", "eval"),
    ('<input hx-trigger="keyup[key==1]">', "eval"),
    ('<p style="color:red">', "inline style"),
    ("<style>p{}</style>", "inline style"),
    ("<script>go()</script>", "inline script"),
    (
        "<script src=\"{{ static_url('x.js') }}\"></script><script defer>go()</script>",
        "inline script",
    ),
    ('<svg onload="go()">', "inline script"),
    ('<INPUT ONFOCUS="go()">', "inline script"),
    ('<button hx-on:htmx:before:request="go()">', "inline script"),
    ('<button hx-headers="javascript:go()">', "eval"),
    ('<button hx-confirm="js:go()">', "eval"),
    ('<a href="JavaScript:go()">', "script in an address"),
    ('<form action="data:text/html,x">', "script in an address"),
    ('<iframe srcdoc="<p>x</p>"></iframe>', "page within a page"),
    ('<base href="{{ u }}">', "forbidden"),
    ('<object data="{{ u }}"></object>', "forbidden"),
    ("<p>{{ text|safe }}</p>", "unescaped"),
    ("<p>{{- order.detail | upper | safe }}</p>", "unescaped"),
    ("{% set shown = text|safe %}", "unescaped"),
    ("{% autoescape false %}<p>{{ text }}</p>{% endautoescape %}", "unescaped"),
    ("<p {{ {'class': text}|xmlattr }}>", "unescaped"),
    ('<a href="/orders/">', "prefix"),
    ('<form action="/logout">', "prefix"),
    ('<a href="{{ u }}" hx-get="/part">', "prefix"),
    ('<img src="/static/x.png">', "prefix"),
    ("<a>", "without href"),
    ('<form method="post">', "without action"),
    ('<div hx-get="{{ u }}">', "without JavaScript"),
    ('<tr hx-post="{{ u }}">', "without JavaScript"),
    ('<div hx-target="#main">', "inherited"),
    ('<body hx-boost="true">', "inherited"),
    ("<input autofocus>", "autofocus"),
    ("<a href=\"{{ url_for('orders.file', key=k) }}\">", "download"),
]
GOOD = [
    '<form method="post" action="{{ url_for(\'auth.logout\') }}" hx-disable:inherited="x">',
    '<a href="{{ url_for(".show", q="a<b") }}" hx-boost="false">x</a>',
    "<a download href=\"{{ url_for('orders.file', key=k) }}\">x</a>",
    '<section hx-get="{{ u }}" hx-trigger="every 2s" hx-target="this" hx-swap="outerMorph">',
    '<input type="search" hx-get="{{ u }}" hx-trigger="input changed delay:300ms">',
    '<div role="alert" tabindex="-1" autofocus>',
    '<script defer src="{{ static_url("cabinet.js") }}"></script>',
    '{# <p style="x"> is only spoken about #}',
    '<p>{{ _("It is safe") }} {{ text|urlize }}</p>',
    '<p>{{ _("on the 1st, style=\\"x\\"") }}</p>',
]


def findings(tmp_path, markup, name="page.html"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<p>first line</p>\n{markup}\n", encoding="utf-8")
    return template_lint.lint(path)


@pytest.mark.parametrize(("markup", "word"), BAD)
def test_a_bad_template_is_found_with_its_line(tmp_path, markup, word):
    found = findings(tmp_path, markup)
    assert [line for line, sentence in found if word in sentence] == [2], found


@pytest.mark.parametrize("markup", GOOD)
def test_good_markup_passes(tmp_path, markup):
    assert findings(tmp_path, markup) == []


def test_letters_may_carry_inline_style(tmp_path):
    assert findings(tmp_path, '<p style="color:red">', "mail/call_detail/body.html") == []


def test_letters_may_print_no_value_unescaped(tmp_path):
    (found,) = findings(tmp_path, "<p>{{ text|safe }}</p>", "mail/call_detail/body.html")
    assert "unescaped" in found[1]


MAKE_MARKUP = {
    ROOT / "blueprints" / "home" / "figures.py",  # of what a template drew
    ROOT / "blueprints" / "filters.py",  # of texts of our catalogues, as Jinja does
}


def test_no_python_of_ours_makes_markup_of_values():
    made = re.compile(r"\bMarkup\(|render_template_string|autoescape\s*=\s*False")
    for folder in ("blueprints", "services", "domain", "commands", "jobs"):
        for path in (ROOT / folder).rglob("*.py"):
            found = made.findall(path.read_text(encoding="utf-8"))
            assert found == ["Markup("] * (path in MAKE_MARKUP), path


def test_the_command_names_file_and_line_and_fails(tmp_path, capsys):
    (tmp_path / "page.html").write_text('\n<a href="/x">', encoding="utf-8")
    assert template_lint.main([str(tmp_path)]) == 1
    assert "page.html:2: href=/x" in capsys.readouterr().out


def test_our_own_templates_are_clean(capsys):
    assert template_lint.main([]) == 0, capsys.readouterr().out
