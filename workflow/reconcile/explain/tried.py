"""What only a network that stands alone is asked: modules, bytes, other sizes, slips in a map.

A module is what its layers' names begin with: an encoder, a backbone, a head. Papers give the
number of one, or of the network without one. Bytes are those of a file or of memory: so many for
each parameter, in thousands or in 1,024s.

Papers often have the same network for another number of classes, or of words. A classifier grows by
the same number for each class, a table of words by a row for each word. Which numbers are tried are
those of well-known data sets and vocabularies.

In the product of a layer's map one factor of channels x height x width may have been another one:
another size of the same network, a size mistyped by a digit, or any whole number whatever. Each
kind of slip knows how often an arbitrary number would be hit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Final, NamedTuple

from reconcile.search.candidates import Candidate, NetworkFacts, quoted
from reconcile.search.misprint import Hit, Misprint, SlipFindings
from reconcile.search.slips import factors_edited, factors_replaced, one_replaced_by_any
from reconcile.search.units import part_candidates
from reconcile.study.expressions import Row, count_in
from reconcile.study.printed import PrintedNumber
from reconcile.tables.contract import INPUT, NETWORK, QUANTITIES

OF_MODULES: Final = ("parameters", "macs", "flops", "connections")
"""What modules are asked for; neurons of a network are those of some kinds of layers only."""
MOST_MODULES: Final = 300
"""Modules of one network that are taken, the largest first."""
LEFT_OUT: Final = 2
"""Levels of a network's tree at which a module may be left out; one deeper is nobody's to leave."""
_SPECIAL: Final = frozenset("*?[]'\"")
OF_RESIZED: Final = ("parameters", "macs", "flops")
"""What is counted of a network that was not built."""
CLASSES: Final = (2, 10, 21, 100, 101, 102, 200, 365, 1000, 1001, 8142, 21841, 21843)
"""CIFAR and digits, VOC, Caltech and Food, flowers, Tiny ImageNet, Places, ImageNet with and
without a background, iNaturalist, the whole of ImageNet."""
WORDS: Final = (
    *(21128, 28996, 30000, 30522, 32000, 32128, 40478, 50257, 50265, 50304, 119547, 128256),
    *(151936, 250002, 250112, 256000),
)
"""Vocabularies of BERT in Chinese, with capitals and without, ALBERT, LLaMA, T5, GPT, GPT-2 and
RoBERTa (also padded), multilingual BERT, LLaMA 3, Qwen, XLM-R, mT5 and Gemma."""
FEWEST_WORDS: Final = 1000
SIZES: Final = ("channels", "height", "width")
FEWEST, MOST = 10**3, 10**12
"""Numbers among which slips are searched: of smaller ones everything is a slip of anything."""
MOST_PRODUCTS: Final = 40
"""Different maps of a network that are taken, in order."""
MOST_CHANGE: Final = 8
"""Times that a number may be more or less than its map; farther off it is no slip of that map."""
Kind = Callable[[Misprint], SlipFindings]
_KINDS: Final[tuple[tuple[int, Kind], ...]] = (
    (2, partial(factors_replaced, count=1)),
    (2, partial(factors_edited, count=1)),
    (3, one_replaced_by_any),
)
"""What must be assumed of each kind, and its search."""


class _Module(NamedTuple):
    """A module with layers of its own below it, and a quantity summed over it."""

    name: str
    expression: str
    value: int


def module_candidates(facts: NetworkFacts, quantity: str) -> list[Candidate]:
    """A module in place of the network, and the network without one; only of ``OF_MODULES``."""
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
        count = factor * count_in(row, column)
        for prefix in _above(row):
            sums[prefix] = sums.get(prefix, 0) + count
            layers[prefix] = layers.get(prefix, 0) + 1
    own = {str(row["layer"]): factor * count_in(row, column) for row in facts.ran}
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

    ``power`` is that of the thousand which the number counts in, where it may be one of 1,024 as
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
    yield from (one for one in part_candidates(facts, "parameters") if one.cost == 1)
    yield Candidate("neurons", quoted("neurons", NETWORK), Fraction(facts.total("neurons")), 1)
    given = Fraction(facts.total("neurons", INPUT))
    yield Candidate("the input", quoted("neurons", INPUT), given, 1)
    outputs = f"neurons('*') - {quoted('neurons', INPUT)}"
    every = Fraction(sum(count_in(row, "neurons") for row in facts.ran))
    yield Candidate("outputs of all layers", outputs, every, 1)
    for says, text, value, who in (
        ("outputs of all layers", f"2 * ({outputs})", every, "pytorch-summary"),
        ("outputs of layers with parameters", *_outputs_of_weighted(facts), "torchinfo"),
    ):
        yield Candidate(f"{says}, forward and backward", text, 2 * value, 1, who)


def _outputs_of_weighted(facts: NetworkFacts) -> tuple[str, Fraction]:
    """Twice the outputs of the layers that hold parameters, as an expression; and once."""
    rows = [row for row in facts.ran if count_in(row, "all_parameters")]
    classes = sorted({str(row["class"] or "") for row in rows})
    text = " + ".join(quoted("neurons", f"class:{name}") for name in classes)
    return f"2 * ({text})", Fraction(sum(count_in(row, "neurons") for row in rows))


def resized_candidates(facts: NetworkFacts, quantity: str) -> list[Candidate]:
    """What one of ``OF_RESIZED`` would be with other numbers of classes and words."""
    if quantity not in OF_RESIZED:
        return []
    found = list(_other_classes(facts, quantity))
    return [*found, *_other_words(facts)] if quantity == "parameters" else found


def _other_classes(facts: NetworkFacts, quantity: str) -> Iterator[Candidate]:
    row = _classifier(facts)
    if row is None:
        return
    classes, layer = count_in(row, "channels"), str(row["layer"])
    each, rest = divmod(facts.total(quantity, layer), classes)
    if rest or classes == _words_of(facts)[0]:
        return  # what scores every word changes with the words
    for other in CLASSES:
        yield from _changed(facts, quantity, other - classes, each, f"for {other:,} classes")


def _classifier(facts: NetworkFacts) -> Row | None:
    """The last layer that multiplies, where it is one that scores classes."""
    tensors = [t for t in facts.tensors if "classifier" in t["parts"].split()]
    if not tensors or any("shared" in t["parts"].split() for t in tensors):
        return None
    row = next((r for r in facts.ran if r["layer"] == tensors[0]["layer"]), None)
    if row is None or count_in(row, "channels") < CLASSES[0]:
        return None
    # What puts out as much as it takes in, or is normalised afterwards, is a layer of a trunk.
    square = count_in(row, "channels") ** 2
    trunk = any(count_in(tensor, "elements") == square for tensor in tensors)
    after = facts.ran[facts.ran.index(row) + 1 :]
    return None if trunk or any(count_in(r, "all_parameters") for r in after) else row


def _words_of(facts: NetworkFacts) -> tuple[int, int]:
    """The words of the largest table, and the numbers that stand for each; none where none is."""
    tables = (t for t in facts.tensors if "embeddings" in t["parts"].split())
    table = max(tables, key=lambda tensor: count_in(tensor, "elements"), default=None)
    row = next((r for r in facts.ran if table and r["layer"] == table["layer"]), None)
    if table is None or row is None:
        return 0, 0
    width = count_in(row, "features")
    words, rest = divmod(count_in(table, "elements"), max(width, 1))
    return (0, 0) if rest else (words, width)


def _other_words(facts: NetworkFacts) -> Iterator[Candidate]:
    words, width = _words_of(facts)
    if words < FEWEST_WORDS:
        return
    scores = (r for r in facts.ran if r["kind"] == "fc" and count_in(r, "channels") == words)
    apart = sum(facts.total("parameters", str(row["layer"])) for row in scores)
    each = width + apart // words
    for other in WORDS:
        says = f"for {other:,} words"
        yield from _changed(facts, "parameters", other - words, each, says)


def _changed(
    facts: NetworkFacts, quantity: str, more: int, each: int, says: str
) -> Iterator[Candidate]:
    """The network with so many classes or words more, each of which adds as much."""
    value = facts.total(quantity) + more * each
    if more and value > 0:
        sign = "-" if more < 0 else "+"
        text = f"{quoted(quantity, NETWORK)} {sign} {abs(more)} * {each}"
        yield Candidate(f"{QUANTITIES[quantity].words} {says}", text, Fraction(value), 1)


class SlipInMap(NamedTuple):
    """A slip that gives the number, and how many times that is more or less than the map has."""

    candidate: Candidate
    change: Fraction


@dataclass(frozen=True)
class Slips:
    """What one kind of slip gives over all maps of a network.

    Attributes:
        hits: those that give the number.
        tried: how many products were tried.
        by_chance: how many would hit an arbitrary number of as many digits.
    """

    hits: tuple[SlipInMap, ...]
    tried: int
    by_chance: float


def slips_in_maps(facts: NetworkFacts, printed: PrintedNumber) -> Iterator[Slips]:
    """Every kind of slip over the maps of a network; none of a number that is no whole one."""
    if not printed.exact or not FEWEST <= printed.value <= MOST:
        return
    maps = dict(list(_maps(facts))[:MOST_PRODUCTS])
    vocabulary = sorted({size for sizes in maps for size in sizes})
    for cost, search in _KINDS:
        found = []
        for sizes, layer in maps.items():
            parts = list(zip(SIZES, sizes, strict=True))
            misprint = Misprint.of(int(printed.value), parts, vocabulary)
            change = Fraction(printed.value) / math.prod(sizes)
            found.append((layer, max(change, 1 / change), search(misprint)))
        hits = tuple(
            SlipInMap(_candidate(layer, hit, printed, cost), change)
            for layer, change, findings in found
            for hit in findings.hits
            if change <= MOST_CHANGE
        )
        chance = sum((f.chance.probability for *_, f in found), Fraction(0))
        yield Slips(hits, sum(f.tried for *_, f in found), float(chance))


def _candidate(layer: str, hit: Hit, printed: PrintedNumber, cost: int) -> Candidate:
    says = f"neurons of {layer}, {hit.description}"
    return Candidate(says, hit.expression, printed.value, cost)


def _maps(facts: NetworkFacts) -> Iterator[tuple[tuple[int, ...], str]]:
    """The sizes of each different map, with the layer that is the first to have it."""
    seen = set()
    for row in facts.ran:
        sizes = tuple(count_in(row, name) for name in SIZES)
        if min(sizes) > 1 and sizes not in seen:
            seen.add(sizes)
            yield sizes, str(row["layer"])
