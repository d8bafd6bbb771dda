"""What only a network that stands alone is asked: modules of it, and the bytes that it takes.

A module is what its layers' names begin with: an encoder, a backbone, a head. Papers give the
number of one, or of the network without one. Bytes are those of a file or of memory: so many for
each parameter, in thousands or in 1,024s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final, NamedTuple

from reconcile.search.candidates import Candidate
from reconcile.search.facts import NetworkFacts, number, quoted
from reconcile.search.parts import part_candidates
from reconcile.tables.contract import INPUT, NETWORK, QUANTITIES

OF_MODULES: Final = ("parameters", "macs", "flops", "connections")
"""What modules are asked for; neurons of a network are those of some kinds of layers only."""
MOST_MODULES: Final = 300
"""Modules of one network that are taken, the largest first."""
LEFT_OUT: Final = 2
"""Levels of a network's tree at which a module may be left out; one deeper is nobody's to leave."""
_SPECIAL: Final = frozenset("*?[]'\"")


class _Module(NamedTuple):
    """A module with layers of its own below it.

    Attributes:
        name: its path.
        expression: the quantity summed over it.
        value: the same.
    """

    name: str
    expression: str
    value: int


def module_candidates(facts: NetworkFacts, quantity: str) -> list[Candidate]:
    """A module in place of the network, and the network without one.

    Args:
        facts: the network.
        quantity: one of ``OF_MODULES``; of others there is none.
    """
    if quantity not in OF_MODULES:
        return []
    whole, words = facts.total(quantity), QUANTITIES[quantity].words
    found = []
    for module in _modules(facts, quantity):
        value = Fraction(module.value)
        found.append(Candidate(f"{words} of {module.name}", module.expression, value, 1))
        if module.name.count(".") < LEFT_OUT:
            minus = module.expression.replace(" + ", " - ")
            without = f"{quoted(quantity, NETWORK)} - {minus}"
            says = f"{words} without {module.name}"
            found.append(Candidate(says, without, Fraction(whole - module.value), 1))
    return found


def _modules(facts: NetworkFacts, quantity: str) -> list[_Module]:
    """The modules that are neither one layer nor all that counts, the largest first."""
    column, factor = QUANTITIES[quantity].multiple_of or (quantity, 1)
    sums: dict[str, int] = {}
    layers: dict[str, int] = {}
    for row in facts.ran:
        count = factor * number(row, column)
        for prefix in _above(row):
            sums[prefix] = sums.get(prefix, 0) + count
            layers[prefix] = layers.get(prefix, 0) + 1
    own = {str(row["layer"]): factor * number(row, column) for row in facts.ran}
    whole = facts.total(quantity)
    found = []
    for prefix, value in sums.items():
        total = value + own.get(prefix, 0)
        if layers[prefix] > 1 and 0 < total < whole and not _SPECIAL & set(prefix):
            inside = quoted(quantity, f"{prefix}.*")
            also = f" + {quoted(quantity, prefix)}" if own.get(prefix) else ""
            found.append(_Module(prefix, inside + also, total))
    return sorted(found, key=lambda module: (-module.value, module.name))[:MOST_MODULES]


def _above(row: dict[str, object]) -> set[str]:
    """The modules that a layer is in, by any of its names."""
    found = set()
    for name in (str(row["layer"]), *str(row.get("also") or "").split()):
        parts = name.split(".")
        found |= {".".join(parts[:end]) for end in range(1, len(parts))}
    return found


class _Width(NamedTuple):
    """Bytes for each number, in words, and whether that must be assumed."""

    each: Fraction
    says: str
    text: str
    cost: int


_WIDTHS: Final = (
    _Width(Fraction(4), "in float32", " * 4", 0),
    _Width(Fraction(2), "in float16", " * 2", 1),
    _Width(Fraction(1), "in 8 bits", "", 1),
    _Width(Fraction(8), "in float64", " * 8", 1),
    _Width(Fraction(1, 2), "in 4 bits", " / 2", 1),
)


def byte_candidates(facts: NetworkFacts, power: int) -> list[Candidate]:
    """The bytes of a network's parameters, with what a file holds besides, or of its neurons.

    Args:
        facts: the network.
        power: that of the thousand which the number counts in, where it may be one of 1,024 as
            well; else 0.
    """
    found = []
    for base in _held(facts):
        for width in _WIDTHS:
            expression = f"({base.expression})" if " " in base.expression else base.expression
            says, text = f"{base.says} {width.says}", expression + width.text
            value, cost = base.value * width.each, base.cost + width.cost
            found.append(Candidate(says, text, value, cost, base.who))
            if power:
                ratio = Fraction(1000, 1024) ** power
                binary = f"{text} * {1000**power} / {1024**power}"
                says = f"{says}, in 2^{10 * power}"
                found.append(Candidate(says, binary, value * ratio, cost, base.who))
    return found


def _held(facts: NetworkFacts) -> Iterator[Candidate]:
    """What takes bytes."""
    plain = Fraction(facts.total("parameters"))
    yield Candidate("parameters", quoted("parameters", NETWORK), plain, 0)
    kept = f"{quoted('all_parameters', NETWORK)} + {quoted('buffers', NETWORK)}"
    both = Fraction(facts.total("all_parameters") + facts.total("buffers"))
    yield Candidate("parameters and buffers", kept, both, 1)
    yield from _simple(part_candidates(facts, "parameters"))
    yield Candidate("neurons", quoted("neurons", NETWORK), Fraction(facts.total("neurons")), 1)
    given = Fraction(facts.total("neurons", INPUT))
    yield Candidate("the input", quoted("neurons", INPUT), given, 1)
    outputs = f"neurons('*') - {quoted('neurons', INPUT)}"
    every = Fraction(sum(number(row, "neurons") for row in facts.ran))
    yield Candidate("outputs of all layers", outputs, every, 1)
    for says, text, value, who in (
        ("outputs of all layers", f"2 * ({outputs})", every, "pytorch-summary"),
        ("outputs of layers with parameters", *_outputs_of_weighted(facts), "torchinfo"),
    ):
        yield Candidate(f"{says}, forward and backward", text, 2 * value, 1, who)


def _outputs_of_weighted(facts: NetworkFacts) -> tuple[str, Fraction]:
    """Twice the outputs of the layers that hold parameters, as an expression; and once."""
    rows = [row for row in facts.ran if number(row, "all_parameters")]
    classes = sorted({str(row["class"] or "") for row in rows})
    text = " + ".join(quoted("neurons", f"class:{name}") for name in classes)
    return f"2 * ({text})", Fraction(sum(number(row, "neurons") for row in rows))


def _simple(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    return (candidate for candidate in candidates if candidate.cost == 1)
