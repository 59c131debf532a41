"""What an address is for: bills, or call details and charges."""

from peewee import CharField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("delivery_setting", "purpose", CharField(default="bills")),
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_column("delivery_setting", "purpose"))
