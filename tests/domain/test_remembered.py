"""What is remembered is what the plain function gives, also past the limit."""

import pytest

from domain.remembered import Remembered


def test_a_value_is_made_once_and_all_are_forgotten_when_there_are_too_many():
    asked = []
    squares = Remembered(lambda value: asked.append(value) or value**2, most=3)
    assert [squares[n] for n in (1, 2, 1, 3, 2, 4, 1)] == [1, 4, 1, 9, 4, 16, 1]
    assert asked == [1, 2, 3, 4, 1]
    assert len(squares) == 2


def test_a_value_that_cannot_be_made_is_not_kept_and_pushes_nothing_out():
    numbers = Remembered(int, most=1)
    assert numbers["7"] == 7
    with pytest.raises(ValueError, match="seven"):
        numbers["seven"]
    assert dict(numbers) == {"7": 7}
