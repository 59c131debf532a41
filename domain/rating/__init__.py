"""Prices of calls and services: tariffs, the search of a rate, the price of a call and of a
quantity, with the reasons. Pure: no tables, no clock.
"""
