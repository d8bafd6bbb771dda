"""Terms across networks: all solutions, what they share, and how much they say."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from chinchilla_table import TABLE, TERMS, box
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.search.terms import (
    Box,
    Line,
    Solution,
    find,
    fixed_sums,
    halves,
    invented,
    most_lines,
    ranges,
    same_everywhere,
)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Tables of up to five lines and three terms, most of which have a solution."""
    terms = draw(st.integers(1, 3))
    least = draw(st.tuples(*[st.integers(-2, 0)] * terms))
    most = tuple(low + draw(st.integers(0, 4)) for low in least)
    true = tuple(draw(st.integers(a, b)) for a, b in zip(least, most, strict=True))
    lines = []
    for _ in range(draw(st.integers(1, 5))):
        sizes = draw(st.tuples(*[st.fractions(-9, 9, max_denominator=3)] * terms))
        value = sum((c * s for c, s in zip(true, sizes, strict=True)), Fraction(0))
        low = value - draw(st.fractions(-2, 4, max_denominator=2))
        lines.append(Line((low, low + draw(st.integers(1, 8))), sizes))
    return Box.of(lines, least, most)


def everything(table: Box) -> list[Solution]:
    """Every combination of a box."""
    spans = (range(a, b + 1) for a, b in zip(table.least, table.most, strict=True))
    return list(product(*spans))


@settings(max_examples=60, deadline=None)
@given(boxes(), st.integers(0, 2))
def test_all_solutions_and_no_others(table: Box, missing: int) -> None:
    """What a walk over intervals finds is what trying every combination finds."""
    needed = len(table.lows) - missing
    right = {c for c in everything(table) if len(table.hits(c)) >= needed}
    found = find(table, missing)
    assert found.complete
    assert set(found.solutions) == right
    assert len(found.solutions) == len(right)


@settings(max_examples=60, deadline=None)
@given(boxes())
def test_most_lines_of_any_combination(table: Box) -> None:
    """The best of all combinations is found without trying all."""
    assert most_lines(table) == (max(len(table.hits(c)) for c in everything(table)), True)


@settings(max_examples=50, deadline=None)
@given(boxes())
def test_what_is_the_same_in_all_solutions(table: Box) -> None:
    """A fixed sum has one value over all solutions, and there are as many as can be."""
    found = find(table).solutions
    if not found:
        return
    moving = sum(low != high for low, high in ranges(found))
    sums = fixed_sums(found)
    for factors, value in sums:
        assert {sum(f * c for f, c in zip(factors, s, strict=True)) for s in found} == {value}
        assert sum(map(bool, factors)) > 1
    directions = {tuple(a - b for a, b in zip(s, found[0], strict=True)) for s in found}
    assert len(sums) == moving - rank([list(map(Fraction, d)) for d in directions])


def rank(rows: list[list[Fraction]]) -> int:
    """The rank of a matrix, by elimination."""
    done = 0
    for place in range(len(rows[0])):
        lead = next((i for i in range(done, len(rows)) if rows[i][place]), None)
        if lead is None:
            continue
        rows[done], rows[lead] = rows[lead], rows[done]
        for i in range(done + 1, len(rows)):
            factor = rows[i][place] / rows[done][place]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[done], strict=True)]
        done += 1
    return done


ATLAS = [(1, 6, 5, 0, 0, 0), (1, 2, 5, 1, 0, 0), (1, 6, 5, 0, 0, 1), (1, 2, 5, 1, 0, 1)]
"""The family of four: 6 d + 5 kv·h a layer, with 6 d = 2 d + ffw, the last d free."""


def test_the_fifth_matrix_is_in_every_solution() -> None:
    """Of Table A9 one more d x kv·h matrix a layer is determined, and no other term is."""
    found = find(box())
    assert found.complete
    assert len(found.solutions) == 370
    assert dict(zip(TERMS, ranges(found.solutions), strict=True)) == {
        "matrix": (1, 1),
        "width": (0, 10),
        "heads": (0, 10),
        "feed-forward": (0, 2),
        "vocabulary": (0, 1),
        "last": (0, 12),
    }
    assert set(ATLAS) <= set(found.solutions)
    assert len(same_everywhere(box(), found.solutions)) == 196


def test_no_row_with_four_matrices_or_six() -> None:
    """Whatever small terms are added, no row of the table comes out without the fifth matrix."""
    assert most_lines(box().fixed(0, 0)) == (0, True)
    assert most_lines(box().fixed(0, 2)) == (0, True)
    assert most_lines(box().fixed(0, 1)) == (len(TABLE), True)
    assert len(box(0).hits((0,) * len(TERMS))) == 0
    assert len(box().hits((1, 0, 0, 0, 0, 0))) == 23


@pytest.mark.parametrize(("most", "number", "no_bias"), [(4, 30, 0), (8, 174, 21), (24, 643, 328)])
def test_the_box_decides_how_many_there_are(most: int, number: int, no_bias: int) -> None:
    """The wider the box, the more small terms there are, all of them with the fifth matrix."""
    found = find(box(most)).solutions
    assert len(found) == number
    assert {solution[0] for solution in found} == {1}
    assert len(find(box(most, bias=False)).solutions) == no_bias


def test_another_vocabulary_has_none() -> None:
    """With 32,128 words no solution is left."""
    assert find(box(vocabulary=32_128)).solutions == ()


def test_small_terms_are_no_evidence_and_the_matrix_is() -> None:
    """With real small terms most tables have a solution too, with a real matrix hardly one."""
    found = find(box()).solutions
    assert invented(box(), range(1, len(TERMS)), found) > 180
    assert invented(box(), [0], found) < 5


def test_half_of_the_rows_says_much_of_the_others() -> None:
    """A solution of every second row reaches nearly all of the others, and some reach them all."""
    solutions, complete, reached, whole = halves(box())
    assert complete
    assert 0.95 < reached < 1
    assert whole == 370
    assert solutions > whole


def test_work_is_bounded_and_said_to_be() -> None:
    """A search that may not go on says that something was left out."""
    cut = find(box(), most_nodes=100)
    assert not cut.complete
    assert cut.nodes == 101
    few = find(box(), most_kept=3)
    assert (len(few.solutions), few.complete) == (3, False)
    assert most_lines(replace(box(), most=(12, 12, 12, 12, 12, 13)), most_nodes=3)[1] is False
