"""The same network for another number of classes, or of words, as papers often have it.

A classifier grows by the same number for each class, a table of words by a row for each word. Which
numbers are tried are those of well-known data sets and vocabularies.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from reconcile.search.candidates import Candidate
from reconcile.search.facts import NetworkFacts, Row, number, quoted
from reconcile.tables.contract import NETWORK, QUANTITIES

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


def resized_candidates(facts: NetworkFacts, quantity: str) -> list[Candidate]:
    """What a quantity would be with other numbers of classes and words.

    Args:
        facts: the network.
        quantity: one of ``OF_RESIZED``; of others there is none.
    """
    if quantity not in OF_RESIZED:
        return []
    found = list(_other_classes(facts, quantity))
    return [*found, *_other_words(facts)] if quantity == "parameters" else found


def _other_classes(facts: NetworkFacts, quantity: str) -> Iterator[Candidate]:
    row = _classifier(facts)
    if row is None:
        return
    classes, layer = number(row, "channels"), str(row["layer"])
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
    if row is None or number(row, "channels") < CLASSES[0]:
        return None
    # What puts out as much as it takes in, or is normalised afterwards, is a layer of a trunk.
    square = number(row, "channels") ** 2
    trunk = any(number(tensor, "elements") == square for tensor in tensors)
    after = facts.ran[facts.ran.index(row) + 1 :]
    return None if trunk or any(number(r, "all_parameters") for r in after) else row


def _table(facts: NetworkFacts) -> Row | None:
    """The largest table of words."""
    tables = (t for t in facts.tensors if "embeddings" in t["parts"].split())
    return max(tables, key=lambda tensor: number(tensor, "elements"), default=None)


def _words_of(facts: NetworkFacts) -> tuple[int, int]:
    """The words of the largest table, and the numbers that stand for each; none where none is."""
    table = _table(facts)
    row = next((r for r in facts.ran if table and r["layer"] == table["layer"]), None)
    if table is None or row is None:
        return 0, 0
    width = number(row, "features")
    words, rest = divmod(number(table, "elements"), max(width, 1))
    return (0, 0) if rest else (words, width)


def _other_words(facts: NetworkFacts) -> Iterator[Candidate]:
    words, width = _words_of(facts)
    if words < FEWEST_WORDS:
        return
    scores = (r for r in facts.ran if r["kind"] == "fc" and number(r, "channels") == words)
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
