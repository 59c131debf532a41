"""Bank details of a client: of its account payments come from."""

from peewee import CharField

COLUMNS = ("bank", "iban", "bic")


def up(migrator, db):
    migrator.migrate(
        *(migrator.add_column("client", name, CharField(default="")) for name in COLUMNS)
    )


def down(migrator, db):
    migrator.migrate(*(migrator.drop_column("client", name) for name in COLUMNS))
