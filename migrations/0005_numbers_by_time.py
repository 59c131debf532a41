"""A client's numbers of a period are counted from an index alone, however many there are."""

COLUMNS = ("client_id", "valid_to", "valid_from")


def up(migrator, db):
    migrator.migrate(migrator.add_index("subscriber", COLUMNS))


def down(migrator, db):
    migrator.migrate(migrator.drop_index("subscriber", f"subscriber_{'_'.join(COLUMNS)}"))
