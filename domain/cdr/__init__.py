"""Call records: the normal form of one record, a reader per exchange format, and the joining of
legs into calls. `registry.FORMATS` lists the readers.
"""
