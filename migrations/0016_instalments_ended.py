"""How an instalment plan ended: repaid before its time, or called off."""

from peewee import CharField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("instalment_plan", "closed_as", CharField(default="")),
    )


def down(migrator, db):
    migrator.migrate(migrator.drop_column("instalment_plan", "closed_as"))
