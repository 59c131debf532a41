"""No page can ask a table of clients without saying whose rows: every model, every way to ask."""

import pytest

from blueprints.guards import public
from models import (
    AuditEvent,
    Client,
    Exchange,
    ImportRun,
    SignInFailure,
    TenantModel,
    TenantPart,
    UnmatchedLeg,
    UnscopedQuery,
    UserSession,
    WaitingHalf,
)
from models_access import AccessLink, Attempt, RecoveryCode, SecondFactor, SecondStep
from models_all import ALL_MODELS
from models_billing import (
    BillingRequest,
    BillingRun,
    InvoiceSeries,
    TariffFee,
    TariffPackage,
    TariffPlan,
    TariffRate,
    TariffVersion,
    VatRate,
)
from models_payments import StatementFile
from tests import factories
from tests.apps import another_app

OWN = [model for model in ALL_MODELS if issubclass(model, TenantModel)]
PARTS = [model for model in ALL_MODELS if issubclass(model, TenantPart)]
# The clients themselves, who is signed in, and what is the operator's: no client's page lists them.
OTHERS = {
    Client,
    UserSession,
    SignInFailure,
    AuditEvent,
    Exchange,
    ImportRun,
    UnmatchedLeg,
    WaitingHalf,
    TariffPlan,
    TariffVersion,
    TariffRate,
    TariffPackage,
    TariffFee,
    VatRate,
    InvoiceSeries,
    BillingRun,
    BillingRequest,
    AccessLink,
    Attempt,
    SecondFactor,
    RecoveryCode,
    SecondStep,
    StatementFile,
}


def ways(model):
    """How a query forgets whose rows it is about."""
    first = next(field for field in model._meta.sorted_fields if field is not owner_of(model))
    yield "all", lambda: list(model.select())
    yield "count", lambda: model.select().count()
    yield "exists", lambda: model.select().exists()
    yield "one", model.get
    yield "one or none", lambda: model.get_or_none(first == 1)
    yield "by another column", lambda: list(model.select().where(first == 1))
    yield "some columns", lambda: list(model.select(first).tuples())
    yield "filter", lambda: list(model.filter())
    yield (
        "of many owners",
        lambda: list(model.select().where((owner_of(model) == 1) | (owner_of(model) == 2))),
    )
    yield "of all owners but one", lambda: list(model.select().where(owner_of(model) != 1))
    yield "not of one", lambda: list(model.select().where(~(owner_of(model) == 1)))
    yield (
        "in a subquery",
        lambda: list(Client.select().where(Client.id.in_(model.select(owner_of(model))))),
    )
    yield "of a row", lambda: list(getattr(factories.make_client(), "orders", ()))
    if not model._meta.composite_key:
        yield "by its id", lambda: model.get_by_id(1)


def owner_of(model):
    return model.owner() if model in PARTS else model.client


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page that does what it is told, in a cabinet of its own."""
    with another_app(tmp_path_factory.mktemp("scope")) as app:
        told = []

        @app.get("/probe")
        @public
        def probe():
            return str(told[-1]())

        client = app.test_client()

        def ask(query):
            told.append(query)
            return client.get("/probe")

        yield ask


def test_each_model_is_of_a_kind():
    assert set(ALL_MODELS) == {*OWN, *PARTS, *OTHERS}
    assert not {*OWN, *PARTS} & OTHERS
    for model in OWN:
        assert "client" in model._meta.fields, model
    for model in PARTS:
        assert model.OWNER in model._meta.fields, model


@pytest.mark.parametrize("model", [*OWN, *PARTS], ids=lambda model: model.__name__)
def test_a_page_that_forgets_whose_rows_fails(page, model):
    for name, query in ways(model):
        with pytest.raises(UnscopedQuery):
            raise AssertionError(f"{name}: {page(query).status}")


@pytest.mark.parametrize("model", [*OWN, *PARTS], ids=lambda model: model.__name__)
def test_a_page_that_says_whose_rows_gets_them(page, model):
    if model in OWN:
        queries = [lambda: list(model.of(1)), lambda: list(model.across_clients())]
    else:
        owner = model.owner()
        queries = [
            lambda: list(model.select().where(owner == 1)),
            lambda: model.select().where(owner.in_([1, 2]), owner > 0).count(),
            lambda: model.get_or_none(owner == 1),
        ]
    for query in queries:
        assert page(query).status_code == 200


def test_outside_pages_everything_can_be_asked(page):
    for model in ALL_MODELS:
        list(model.select())
