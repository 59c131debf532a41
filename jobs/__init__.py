"""RQ entry points: they take an id and decide nothing."""
