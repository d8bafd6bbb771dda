"""What other tools and other conventions say of one network, each rule as a sum of our own counts.

A rule says what a tool counts, so far as that follows from the layers. Where a network holds a
layer that the tool counts in a way of its own which the tables do not tell (a softmax, a
recurrence), the rule is not offered for it: nothing is guessed. Every rule is tested against the
tool itself.

Beside the tools stand the conventions themselves: a multiply-add as one operation or two, with
biases, activations, normalisations and pooling or without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Final

from reconcile.search.candidates import Candidate, NetworkFacts, quoted
from reconcile.study.expressions import Row, count_in
from reconcile.tables.contract import NETWORK
from reconcile.words import listed


@dataclass(frozen=True)
class Multiple:
    """So many times a quantity of some layers."""

    times: int
    quantity: str
    selector: str = NETWORK

    @property
    def text(self) -> str:
        """The term as an expression, its sign in front."""
        sign = "-" if self.times < 0 else "+"
        times = f"{abs(self.times)} * " if abs(self.times) != 1 else ""
        return f"{sign} {times}{quoted(self.quantity, self.selector)}"


Multiples = Sequence[Multiple]
Rule = Callable[[NetworkFacts], Multiples | None]

_CONV: Final = tuple(f"Conv{n}d" for n in (1, 2, 3))
_TRANSPOSED: Final = tuple(f"ConvTranspose{n}d" for n in (1, 2, 3))
_BATCH: Final = tuple(f"BatchNorm{n}d" for n in (1, 2, 3))
_INSTANCE: Final = tuple(f"InstanceNorm{n}d" for n in (1, 2, 3))
_AVERAGES: Final = tuple(f"AvgPool{n}d" for n in (1, 2, 3))
_ADAPTIVE: Final = tuple(f"AdaptiveAvgPool{n}d" for n in (1, 2, 3))
_LARGEST: Final = tuple(f"{kind}Pool{n}d" for kind in ("Max", "AdaptiveMax") for n in (1, 2, 3))
_POOLS: Final = (*_AVERAGES, *_ADAPTIVE, *_LARGEST)
_MULTIPLY: Final = (*_CONV, *_TRANSPOSED, "Linear")
_RECURRENT: Final = ("LSTM", "GRU", "RNN")
_CELLS: Final = tuple(f"{name}Cell" for name in _RECURRENT)
_UPSAMPLING: Final = ("Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d")
_UNTOLD: Final = (*_UPSAMPLING, "LocalResponseNorm")
"""What calls functions that tools count, and of which no row of ours tells."""


def classes(facts: NetworkFacts) -> dict[str, list[Row]]:
    """The layers that ran, by their class; those of a network's own classes under no name."""
    found: dict[str, list[Row]] = {}
    for row in facts.ran:
        if count_in(row, "calls"):
            found.setdefault(str(row.get("class") or ""), []).append(row)
    return found


def _holds(facts: NetworkFacts, *names: str) -> bool:
    return any(name in classes(facts) for name in names)


def _only(facts: NetworkFacts, known: Sequence[str]) -> bool:
    """Whether all that is multiplied is multiplied by layers of some classes."""
    return all(row["class"] in known for row in facts.ran if count_in(row, "macs"))


def _tells_tensors(facts: NetworkFacts) -> bool:
    """Whether each tensor is known; of the readings after the first ones only layers are."""
    return bool(facts.tensors) or not (facts.total("all_parameters") or facts.total("buffers"))


def _of_classes(facts: NetworkFacts, times: Mapping[str, int], quantity: str) -> Iterator[Multiple]:
    """A quantity of each class that is there, so many times."""
    there = classes(facts)
    return (Multiple(n, quantity, f"class:{name}") for name, n in times.items() if name in there)


def _scaled(
    facts: NetworkFacts, names: Sequence[str], with_gain: int, without: int
) -> Iterator[Multiple]:
    """What goes into normalisations, more often where they have gains."""
    gains = {row["layer"] for row in facts.ran if count_in(row, "all_parameters")}
    there = classes(facts)
    for name in (name for name in names if name in there):
        layers = [str(row["layer"]) for row in there[name]]
        having = [layer for layer in layers if layer in gains]
        if len(having) in (0, len(layers)):
            yield Multiple(with_gain if having else without, "inputs", f"class:{name}")
        else:
            yield from (
                Multiple(with_gain if layer in gains else without, "inputs", layer)
                for layer in layers
            )


def thop(facts: NetworkFacts) -> Multiples | None:
    """As thop 0.1.1: layers of torch's own classes by hooks, nothing that is called as a function.

    A normalisation counts 4 for each element that goes in (2 without gains), an average pooling 1
    for each that comes out, an adaptive one 1 for each that goes in as well.
    """
    transposed = _transposed_by_output(facts)
    unknown = _holds(facts, "Softmax", *_RECURRENT, *_CELLS, *_UPSAMPLING)
    if transposed is None or unknown:
        return None
    return (
        *_of_classes(facts, dict.fromkeys((*_CONV, "Linear"), 1), "macs"),
        *transposed,
        *_scaled(facts, (*_BATCH, "LayerNorm", *_INSTANCE), 4, 2),
        *_of_classes(facts, {"PReLU": 1}, "inputs"),
        *_of_classes(facts, dict.fromkeys((*_AVERAGES, *_ADAPTIVE), 1), "neurons"),
        *_of_classes(facts, dict.fromkeys(_ADAPTIVE, 1), "inputs"),
    )


def _transposed_by_output(facts: NetworkFacts) -> Multiples | None:
    """Transposed convolutions as if each output had a whole window of inputs.

    None where one has no weight of its own: it is another layer's, or made of others.
    """
    weights = {
        tensor["layer"]: count_in(tensor, "elements")
        for tensor in facts.tensors
        if tensor["tensor"] == "weight"
    }
    there = classes(facts)
    rows = [row for name in _TRANSPOSED for row in there.get(name, ())]
    if not all(row["layer"] in weights and count_in(row, "channels") for row in rows):
        return None
    windows = ((row, weights[row["layer"]] // count_in(row, "channels")) for row in rows)
    return [Multiple(window, "neurons", str(row["layer"])) for row, window in windows]


def fvcore(facts: NetworkFacts) -> Multiples | None:
    """As fvcore 0.1.5: products and convolutions as ours, but no recurrence and no fused attention.

    A batch normalisation counts 2 for each element (1 without gains), others 5 (4), an adaptive
    average over a map 1.
    """
    if _holds(facts, *_UPSAMPLING):
        return None
    return (
        Multiple(1, "macs"),
        *_of_classes(facts, {"MultiheadAttention": -1}, "data_macs"),
        *_of_classes(facts, dict.fromkeys((*_RECURRENT, *_CELLS), -1), "macs"),
        *_scaled(facts, _BATCH, 2, 1),
        *_scaled(facts, ("LayerNorm", "GroupNorm", *_INSTANCE), 5, 4),
        *_of_classes(facts, {"AdaptiveAvgPool2d": 1}, "inputs"),
    )


def ptflops(facts: NetworkFacts) -> Multiples | None:
    """As ptflops 0.7 by modules: with biases, activations and pooling.

    What goes into a normalisation counts 2 for each element (1 without gains, and of a layer
    normalisation). Activations and pooling count as modules and once more as the functions that
    these call, so 2 for each element, where the tool knows both; those that a network calls as
    functions are in no row of ours.
    """
    if not _only(facts, _MULTIPLY) or _holds(facts, *_UNTOLD):
        return None
    twice = dict.fromkeys(("ReLU", "PReLU", "ELU", "GELU"), 2)
    once = dict.fromkeys(("LeakyReLU", "ReLU6", "SiLU", "Softmax"), 1)
    return (
        Multiple(1, "connections"),
        *_of_classes(facts, twice | once, "neurons"),
        *_of_classes(facts, dict.fromkeys(_POOLS, 2), "inputs"),
        *_scaled(facts, (*_BATCH, *_INSTANCE, "GroupNorm"), 2, 1),
        *_of_classes(facts, {"LayerNorm": 1}, "inputs"),
    )


def ptflops_aten(facts: NetworkFacts) -> Multiples | None:
    """As ptflops 0.7 by operators: multiply-adds and biases."""
    return (Multiple(1, "connections"),) if _only(facts, _MULTIPLY) else None


def torchinfo(facts: NetworkFacts) -> Multiples | None:
    """As torchinfo 1.8: with biases; a linear layer once, however many tokens it meets.

    Every parameter of a normalisation or an embedding counts as a multiply-add.
    """
    known = (*_CONV, "Linear", *_BATCH, *_INSTANCE, "LayerNorm", "GroupNorm", "Embedding", "PReLU")
    weighted = [
        row for row in facts.ran if count_in(row, "all_parameters") and count_in(row, "calls")
    ]
    shared = any("shared" in tensor["parts"].split() for tensor in facts.tensors)
    plain = all(row["class"] in known and count_in(row, "calls") == 1 for row in weighted)
    if not plain or shared or not _only(facts, known) or not _tells_tensors(facts):
        return None
    others = {name: 1 for name in known if name not in _CONV}
    return (
        *_of_classes(facts, dict.fromkeys(_CONV, 1), "connections"),
        *_of_classes(facts, others, "all_parameters"),
    )


def calflops(facts: NetworkFacts) -> Multiples | None:
    """As calflops 0.3, operations: 2 a multiply-add, biases of convolutions, activations, pooling.

    A batch normalisation counts 2 for each element (1 without gains), others 5 (4).
    """
    if not _only(facts, (*_CONV, "Linear")) or _holds(facts, *_UNTOLD):
        return None
    activations = ("ReLU", "PReLU", "ELU", "LeakyReLU", "SiLU", "GELU", "Softmax")
    return (
        Multiple(2, "macs"),
        *_of_classes(facts, dict.fromkeys(_CONV, 1), "connections"),
        *_of_classes(facts, dict.fromkeys(_CONV, -1), "macs"),
        *_of_classes(facts, dict.fromkeys((*activations, *_POOLS), 1), "inputs"),
        *_scaled(facts, _BATCH, 2, 1),
        *_scaled(facts, ("LayerNorm", "GroupNorm", *_INSTANCE), 5, 4),
    )


def flop_counter(facts: NetworkFacts) -> Multiples | None:
    """As torch's FlopCounterMode of 2.13 on a CPU: 2 a multiply-add.

    Nothing of a recurrence there, nor of the products of data in torch's attention; on a GPU it
    counts them.
    """
    return (
        Multiple(2, "macs"),
        *_of_classes(facts, dict.fromkeys(_RECURRENT, -2), "macs"),
        *_of_classes(facts, {"MultiheadAttention": -2}, "data_macs"),
    )


def keras_total(facts: NetworkFacts) -> Multiples | None:
    """Keras, total parameters: trainable and frozen ones, and the statistics."""
    if not _tells_tensors(facts):
        return None
    return Multiple(1, "all_parameters"), Multiple(1, "buffers", "part:statistics")


def keras_untrained(facts: NetworkFacts) -> Multiples | None:
    """Keras, parameters that are not trained: frozen ones and the statistics."""
    if not _tells_tensors(facts):
        return None
    return Multiple(1, "frozen"), Multiple(1, "buffers", "part:statistics")


TOOLS: Final[Mapping[str, Rule]] = {
    "thop": thop,
    "fvcore": fvcore,
    "ptflops": ptflops,
    "ptflops by operators": ptflops_aten,
    "torchinfo": torchinfo,
    "calflops": calflops,
    "torch's FlopCounterMode (on a CPU)": flop_counter,
}
"""What tools say of the work of a forward pass."""
COUNTERS: Final[Mapping[str, Rule]] = {
    "Keras (total)": keras_total,
    "Keras (not trained)": keras_untrained,
}
"""What tools say of parameters."""
USUAL: Final = {1: "usual in papers on images", 2: "usual in papers on language"}
"""Who counts a multiply-add as one, and who as two."""
TWICE: Final = "twice "
"""Before the name of a tool whose number is taken twice."""
_ADDITIONS: Final[Sequence[tuple[str, tuple[Multiples, ...]]]] = (
    # The links beyond the multiply-adds.
    ("biases", ((), (Multiple(1, "connections"), Multiple(-1, "macs")))),
    ("activations", ((), (Multiple(1, "neurons", "kind:activation"),))),
    (
        "normalisations",
        ((), (Multiple(1, "inputs", "kind:norm"),), (Multiple(2, "inputs", "kind:norm"),)),
    ),
    ("pooling", ((), (Multiple(1, "inputs", "kind:pool"),))),
)
"""What a convention counts besides, and how often for each element."""
MOST_CONVENTIONS: Final = 2 * 2 * 2 * 3 * 2 + 2 * len(TOOLS) + len(COUNTERS)
"""Candidates for one quantity of one network, at most."""


def convention_candidates(
    facts: NetworkFacts, quantity: str, selector: str = NETWORK
) -> list[Candidate]:
    """What tools and conventions say of a network; of layers one by one they say nothing.

    Quantities are ``macs``, ``flops``, ``parameters`` and ``all_parameters``; none for others.
    """
    if selector != NETWORK:
        return []
    if quantity in ("parameters", "all_parameters"):
        rules = ((name, rule(facts)) for name, rule in COUNTERS.items())
        return [_candidate(facts, f"as {name} says", t, 1, name) for name, t in rules if t]
    if quantity not in ("macs", "flops"):
        return []
    return [*_of_tools(facts), *_plainly_counted(facts, quantity)]


def _of_tools(facts: NetworkFacts) -> Iterator[Candidate]:
    for name, rule in TOOLS.items():
        if terms := rule(facts):
            yield _candidate(facts, f"as {name} says", terms, 1, name)
            twice = [Multiple(2 * term.times, term.quantity, term.selector) for term in terms]
            yield _candidate(facts, f"twice what {name} says", twice, 2, TWICE + name)


def _plainly_counted(facts: NetworkFacts, quantity: str) -> Iterator[Candidate]:
    """Each combination of conventions but the plain quantity itself."""
    plain = 2 if quantity == "flops" else 1
    for times, added in product((1, 2), product(*(choices for _, choices in _ADDITIONS))):
        terms = [Multiple(times, "macs"), *(term for some in added for term in some)]
        names = [name for (name, _), some in zip(_ADDITIONS, added, strict=True) if some]
        cost = len(names) + (times != plain)
        if cost and all(facts.total(t.quantity, t.selector) for t in terms):
            a_product = "a multiply-add as two" if times > 1 else "a multiply-add as one"
            more = f", with {listed(names)}" if names else ""
            who = "" if names else USUAL[times]
            yield _candidate(facts, f"{a_product}{more}", terms, cost, who)


def _candidate(facts: NetworkFacts, says: str, terms: Multiples, cost: int, who: str) -> Candidate:
    value = sum(worth(facts, term) for term in terms)
    text = " ".join(term.text for term in terms).removeprefix("+ ")
    return Candidate(says, text, Fraction(value), cost, who)


def worth(facts: NetworkFacts, term: Multiple) -> int:
    """What a term is in a network."""
    if term.selector.startswith("part:"):
        part = term.selector.removeprefix("part:")
        own = (row for row in facts.tensors if part in row["parts"].split())
        return term.times * sum(count_in(row, "elements") for row in own)
    return term.times * facts.total(term.quantity, term.selector)
