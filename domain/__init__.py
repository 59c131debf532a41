"""Rules of the business. Pure: values in, values or bytes out; no clock, network, database or
Flask.
"""
