"""Use cases: one transaction each, and the only writers of the database. Gateways: queue, mailer,
storage.
"""
