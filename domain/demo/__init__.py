"""Made-up clients and calls that look like a Belarusian operator's, the same for the same seed.

`weights.py` holds the figures, `population.py` makes clients and numbers, `calls.py` the calls of
one client on one day together with the truth about them, `files.py` writes them as an exchange
would, with its defects.
"""
