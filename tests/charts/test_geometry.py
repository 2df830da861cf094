from itertools import pairwise

import pytest

from temphone.charts import geometry


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (3, [0, 1, 2, 3]),
        (26, [0, 10, 20, 30]),
        (100, [0, 50, 100]),
        (3999, [0, 1000, 2000, 3000, 4000]),
    ],
)
def test_ticks_are_round_and_reach_the_greatest(most, expected):
    assert geometry.ticks(most) == expected


def test_parts_of_a_column_stand_on_each_other_and_reach_their_sum():
    (first, second), _empty = geometry.stacks([[10, 30], [0, 0]], top=50)

    assert (first.y + first.height, first.height) == (100, 20)
    assert second.y + second.height == first.y
    assert second.y == 20


def test_columns_leave_gaps_and_stay_inside():
    boxes = [stack[0] for stack in geometry.stacks([[1]] * 90, top=1)]

    assert all(left.x + left.width < right.x for left, right in pairwise(boxes))
    assert boxes[0].x > 0
    assert boxes[-1].x + boxes[-1].width < 100


def test_segments_fill_the_bar_without_gaps():
    boxes = geometry.segments([1, 0, 3])

    assert [(box.x, box.width) for box in boxes] == [(0, 25), (25, 0), (25, 75)]
    assert [box.width for box in geometry.segments([0, 0])] == [0, 0]


def test_a_line_uses_the_whole_height_and_a_level_one_the_middle():
    assert geometry.line([2, 4, 3]) == [(0, 28), (50, 0), (100, 14)]
    assert geometry.line([7, 7]) == [(0, 14), (100, 14)]
    assert geometry.line([]) == []


def test_powers_of_ten_enclose_what_they_measure():
    assert geometry.decades([0.3, 42]) == [0.1, 1, 10, 100]
    assert geometry.decades([]) == [0.1, 1]
    assert geometry.decades([0.0001, 1]) == [0.1, 1]


def test_a_mark_stands_at_its_power_of_ten():
    scale = [0.1, 1, 10, 100]

    assert [geometry.on_decades(value, scale) for value in (0.1, 1, 100)] == [100, 66.67, 0]
    assert geometry.on_decades(0, scale) == 100
    assert geometry.on_decades(1e6, scale) == 0


def test_the_greatest_share_is_the_strongest_and_nothing_is_nothing():
    assert [geometry.level(share, 0.5) for share in (0, 0.01, 0.3, 0.5)] == [0, 1, 3, 5]
    assert geometry.level(0, 0) == 0


@pytest.mark.parametrize("level", range(6))
def test_a_square_stays_in_the_middle_of_its_place_and_grows(level):
    box = geometry.square(1, 2, rows=7, columns=13, level=level)

    assert box.x + box.width / 2 == pytest.approx(100 * 2.5 / 13, abs=0.02)
    assert box.y + box.height / 2 == pytest.approx(100 * 1.5 / 7, abs=0.02)
    assert level == 0 or box.width > geometry.square(1, 2, rows=7, columns=13, level=level - 1).width


def test_labels_are_evenly_apart_and_the_last_is_there():
    assert sorted(geometry.shown(7, most=10)) == list(range(7))
    assert sorted(geometry.shown(30, most=5)) == [5, 11, 17, 23, 29]
    assert len(geometry.shown(90, most=10)) == 10
