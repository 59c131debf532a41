"""Orders are found by their last sign of life: whom the workers have served of late."""


def up(migrator, db):
    migrator.migrate(migrator.add_index("customer_order", ("heartbeat_at",)))


def down(migrator, db):
    migrator.migrate(migrator.drop_index("customer_order", "customer_order_heartbeat_at"))
