"""Which values of an argument follow from those that were measured, and how it is said."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.search.solve import MOST_JOINED, Points, common, joined

TEN = Fraction(10), Fraction(20)


def points(method: str, step: int, **counts: int | None) -> Points:
    """Measured counts by value, as ``v3=12``."""
    values = {int(name[1:]): None if c is None else Fraction(c) for name, c in counts.items()}
    return Points(values, method, step)


def test_between_two_measured_values_a_way_may_fill() -> None:
    """Interpolation and halving speak of what lies between; a scan of what was measured only."""
    counts = {"v1": 5, "v2": 10, "v9": 19, "v10": 20}
    assert points("polynomial", 1, **counts).holding(TEN) == [range(2, 10)]
    assert points("scan", 1, **counts).holding(TEN) == [range(2, 3), range(9, 10)]


def test_a_value_without_a_network_ends_an_interval() -> None:
    """What was not measured is in no interval."""
    found = points("monotone", 1, v1=11, v4=12, v5=None, v6=13, v7=30)
    assert found.holding(TEN) == [range(1, 5), range(6, 7)]


def test_each_remainder_has_its_own_values() -> None:
    """Values of several remainders that follow on each other are one interval."""
    found = points("residues", 2, v1=9, v3=10, v7=18, v9=21, v2=9, v4=11, v8=19, v10=22)
    assert found.holding(TEN) == [range(3, 9)]


def test_a_step_is_kept() -> None:
    """Of widths that must be multiples of eight, an answer names these."""
    found = points("polynomial", 8, v8=9, v16=11, v64=19, v72=40, v13=None)
    assert found.holding(TEN) == [range(16, 65, 8)]


def test_what_was_searched() -> None:
    """Of a scan the longest run without a gap; all of it if it is the whole of the values."""
    part = points("scan", 1, v1=0, v40=1, v41=2, v42=3, v99=4)
    assert part.searched(range(1, 101)) == range(40, 43)
    assert points("scan", 4, v1=None, v2=None, v3=None, v4=1, v8=2).searched(range(1, 12)) == range(
        1, 12
    )
    assert points("polynomial", 1, v1=0, v99=4).searched(range(1, 101)) == range(1, 101)


ranges = st.builds(
    range, st.integers(-20, 20), st.integers(21, 60), st.sampled_from([1, 2, 3, 4, 6])
)


@given(st.lists(ranges, max_size=3), st.lists(ranges, max_size=3))
def test_common_values(one: list[range], other: list[range]) -> None:
    """What two lists of ranges share is what their values share."""
    shared = set(chain.from_iterable(one)) & set(chain.from_iterable(other))
    assert set(chain.from_iterable(common(one, other))) == shared


@given(st.lists(ranges, max_size=4))
def test_joining_keeps_the_values(found: list[range]) -> None:
    """Ranges put together have the same values, in order."""
    together = list(chain.from_iterable(joined(found, 1)))
    assert set(together) == set(chain.from_iterable(found))


def test_joining_is_bounded() -> None:
    """Ranges of more values than can be put in order stay as they are."""
    large = [range(0, 3 * MOST_JOINED, 2), range(1, 3 * MOST_JOINED, 2)]
    assert joined(large, 1) == large


@pytest.mark.parametrize(("values", "gap"), [((3, 7, 15), 4), ((3,), 5), ((), 5), ((1, 2, 9), 1)])
def test_the_gap_between_networks(values: tuple[int, ...], gap: int) -> None:
    """The step to the next value that has a network follows from those that have one."""
    assert Points({value: Fraction(1) for value in values}, "scan", 5).gap == gap
