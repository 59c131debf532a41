"""The language that a person, a company, an order and a letter speak."""

from peewee import CharField

# "" is: not chosen. Documents and letters of before were Russian.
COLUMNS = {"cabinet_user": "", "client": "", "customer_order": "ru", "notice": "ru"}


def up(migrator, db):
    migrator.migrate(
        *(
            migrator.add_column(table, "language", CharField(default=default))
            for table, default in COLUMNS.items()
        )
    )


def down(migrator, db):
    migrator.migrate(*(migrator.drop_column(table, "language") for table in COLUMNS))
