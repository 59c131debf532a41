"""Charts as geometry: what is drawn is what the values say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.charts import NARROW, TOP, WIDE, bars, columns, round_ticks

FRAMES = [WIDE, NARROW]


@given(st.integers(1, 10**15))
def test_ticks_are_few_round_and_reach_the_greatest(top):
    ticks = round_ticks(top)
    step = ticks[1]
    assert 2 <= len(ticks) <= 6
    assert ticks == [step * n for n in range(len(ticks))]
    assert ticks[-2] < top <= ticks[-1]
    assert str(step).rstrip("0") in {"1", "2", "5"}


@pytest.mark.parametrize("frame", FRAMES)
@given(values=st.lists(st.none() | st.integers(0, 10**9), min_size=1, max_size=31))
def test_columns_are_as_high_as_their_values_and_stay_inside(frame, values):
    chart = columns(values, [str(n) for n in range(len(values))], frame)
    room, top = chart.base - TOP, chart.ticks[-1].value or 1
    for value, column in zip(values, chart.columns, strict=True):
        assert frame.left <= column.x
        assert column.x + column.width <= frame.width
        if value is None:
            assert column.height is None
        else:
            assert column.height == pytest.approx(room * value / top, abs=0.06)
            assert column.y + column.height == pytest.approx(chart.base, abs=0.11)
            assert column.y >= TOP - 0.06


def test_a_day_without_data_is_a_gap_and_a_day_without_calls_is_none():
    chart = columns([0, None, 5], ["1", "2", "3"], WIDE)
    assert [column.height for column in chart.columns] == [0, None, 200]


def test_every_fifth_day_is_named_and_on_phones_every_tenth():
    days = [str(n) for n in range(1, 32)]
    wide, narrow = (columns([1] * 31, days, frame) for frame in FRAMES)
    assert [c.label for c in wide.columns if c.label] == ["1", "5", "10", "15", "20", "25", "30"]
    assert [c.label for c in narrow.columns if c.label] == ["1", "10", "20", "30"]


def test_bars_have_their_share_of_the_greatest():
    chart = bars([400, 100, 0], ["Россия", "Польша, мобильные и прочие сети", "Чехия"], 320)
    assert [bar.width for bar in chart.bars] == [320, 80, 1]
    assert [bar.name for bar in chart.bars] == ["Россия", "Польша, мобильные и прочие…", "Чехия"]
    assert chart.height == 3 * 46


def test_nothing_draws_nothing():
    assert bars([], [], 640).bars == []
    assert columns([], [], WIDE).columns == []
