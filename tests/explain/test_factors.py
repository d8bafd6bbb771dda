"""Slips in the product of a map: 96 maps of 55 by 55 and one factor that is 48."""

from __future__ import annotations

from fractions import Fraction

import pytest

from reconcile.explain.factors import slips_in_maps
from reconcile.search.given import NetworkFacts
from reconcile.study.printed import parse_printed


def facts(*maps: tuple[str, int, int, int]) -> NetworkFacts:
    """A network with these maps."""
    return NetworkFacts(
        {"layer": name, "kind": "conv", "channels": c, "height": h, "width": w}
        for name, c, h, w in maps
    )


def test_a_size_of_the_network() -> None:
    """A factor that is another size of the network assumes less than one from nowhere."""
    known = facts(("conv1", 96, 55, 55), ("conv2", 48, 27, 27))
    found = [c for slips in slips_in_maps(known, parse_printed("253,440")) for c, _ in slips.hits]
    assert (found[0].expression, found[0].cost) == ("96*55*48", 2)
    assert found[0].says.startswith("neurons of conv1, 55 -> 48 (height or width)")


def test_any_number() -> None:
    """Where the network has no such size the factor may be any, which assumes more."""
    known = facts(("conv1", 96, 55, 55))
    found = {
        c.expression: c.cost
        for slips in slips_in_maps(known, parse_printed("253,440"))
        for c, _ in slips.hits
    }
    assert found == {"96*55*48": 3}


def test_how_much_a_slip_changes() -> None:
    """Of two maps, the one that is nearer to the number changes less; a far one gives none."""
    known = facts(("conv1", 96, 55, 55), ("conv3", 384, 12, 12), ("pool5", 256, 6, 6))
    hits = [hit for slips in slips_in_maps(known, parse_printed("253,440")) for hit in slips.hits]
    nearest, *_, farthest = sorted(hits, key=lambda hit: hit.change)
    assert (nearest.candidate.expression, nearest.change) == ("96*55*48", Fraction(55, 48))
    assert farthest.candidate.says.startswith("neurons of conv3")


def test_chance_grows_with_the_maps() -> None:
    """More maps hit more numbers."""
    one = sum(
        s.by_chance for s in slips_in_maps(facts(("a", 96, 55, 55)), parse_printed("253,440"))
    )
    maps = [(f"l{n}", 8 + n, 5 + n, 5 + n) for n in range(20)]
    many = sum(s.by_chance for s in slips_in_maps(facts(*maps), parse_printed("253,440")))
    assert 0 < one < many


@pytest.mark.parametrize("text", ["253K", "2.5", "48"])
def test_numbers_that_are_not_searched(text: str) -> None:
    """Of a rounded number or a small one everything would be a slip of anything."""
    assert list(slips_in_maps(facts(("a", 96, 55, 55)), parse_printed(text))) == []
