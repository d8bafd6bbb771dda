"""Networks built and counted once, on the meta device where that works, in a process of its own.

A network that says no inputs is given an image of the usual size, or words, and the answer says so;
of one that runs with neither parameters are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final, NamedTuple

from reconcile.errors import visible
from reconcile.explain.asking import AskedNetwork, image, refused
from reconcile.measure.answers import NO_INPUTS
from reconcile.measure.process import MeasureError, Zygote
from reconcile.search.candidates import Candidate, NetworkFacts
from reconcile.study.expressions import count_in, with_own_parts
from reconcile.study.printed import PrintedNumber
from reconcile.study.settings import Measuring
from reconcile.tables.contract import MEASURED, QUANTITIES

USUAL: Final = (1, 3, 224, 224)
"""The image that classification networks of packages take unless they say otherwise."""
_Usual = tuple[Sequence[Mapping[str, Any]], str]
_USUALLY: Final[Sequence[_Usual]] = tuple(
    ([given], f"input: {words}, which nothing said; --input says another")
    for given, words in (
        (image(USUAL), "3x224x224"),
        (image((1, 128)) | {"dtype": "int64"}, "128:int64"),
    )
)
"""Images and words, for networks that say no inputs."""
SIDES: Final = (
    *(32, 64, 96, 112, 128, 160, 176, 192, 200, 224, 227, 240, 256, 260, 288, 299, 300, 320),
    *(331, 336, 380, 384, 416, 448, 456, 480, 512, 528, 600, 608, 640),
)
"""Sides of square images that papers use."""
ROOM: Final = 1.12
"""How many times longer or shorter than the law of squares says a side may be that is counted."""
MOST_SIDES: Final = 8
"""Other images for which a network is counted."""
BY_SIZE: Final = ("macs", "flops")
SETTINGS: Final = Measuring.model_validate(
    {"device": "cpu", "warmup": 0, "repeats": 0, "time_limit_s": 120.0}
)


@dataclass(frozen=True)
class CountedNetwork:
    """A network that was counted.

    Attributes:
        named: which.
        facts: its layers and tensors.
        notes: what must be said beside any number of it.
        sizes: what it multiplies for other sizes of its image.
    """

    named: AskedNetwork
    facts: NetworkFacts
    notes: tuple[str, ...]
    sizes: tuple[Candidate, ...] = ()


Wanted = Callable[[CountedNetwork], PrintedNumber | None]


def counted(
    asked: Sequence[AskedNetwork], wanted: Wanted = lambda one: None
) -> list[CountedNetwork]:
    """Every network, counted; readings of a study that cannot be counted are left out.

    Args:
        asked: the networks.
        wanted: the number that one which was counted is to be counted for with other images as
            well; None where it is not.

    Raises:
        InputError: none of them can be counted.
    """
    package = asked[0].place.get("module", "").partition(".")[0] or None
    try:
        with Zygote(SETTINGS, package) as pool:
            return counted_in(pool, asked, wanted)
    except MeasureError as error:
        raise refused("network", str(error)) from None


def counted_in(
    pool: Zygote, asked: Sequence[AskedNetwork], wanted: Wanted = lambda one: None
) -> list[CountedNetwork]:
    """The same by a process that measures others as well.

    Raises:
        MeasureError: it cannot go on.
        InputError: none of the networks can be counted.
    """
    found = [_one(named, pool, wanted) for named in asked]
    good = [one for one in found if isinstance(one, CountedNetwork)]
    if not good:
        raise refused("network", next(one for one in found if isinstance(one, str)))
    return good


def _one(named: AskedNetwork, pool: Zygote, wanted: Wanted) -> CountedNetwork | str:
    """The network counted, or why it cannot be."""
    tried = _tried(named, pool)
    if tried.answer["status"] not in MEASURED:
        return _why(named, tried.answer)
    said = str(tried.answer["message"]).partition("multiply-adds not counted: ")[2]
    left = f"multiply-adds that were not counted: {said}" if said else ""
    tensors = with_own_parts(tried.answer.get("tensors", []), dict(named.parts))
    notes = tuple(filter(None, (tried.note, left)))
    named = replace(named, inputs=tried.inputs)
    one = CountedNetwork(named, NetworkFacts(tried.answer["layers"], tensors), notes)
    printed = wanted(one)
    return one if printed is None else replace(one, sizes=tuple(_at_sizes(one, printed, pool)))


class _Tried(NamedTuple):
    """What came of a network with some inputs, and what must be said of them."""

    inputs: Sequence[Mapping[str, Any]]
    note: str
    answer: dict[str, Any]


def _tried(named: AskedNetwork, pool: Zygote) -> _Tried:
    """A network with its own inputs, or the first of the usual ones with which it runs.

    One that runs with none of them is not run, and its parameters are counted all the same.
    """
    if named.inputs:
        return _Tried(named.inputs, "", _answered(named, pool, named.inputs))
    own: list[_Usual] = [((), "")]
    failed = None
    for inputs, note in [*own, *_USUALLY] if "file" in named.place else [*_USUALLY, *own]:
        answer = _answered(named, pool, inputs)
        if answer["status"] in MEASURED:
            return _Tried(inputs, note, answer)
        if NO_INPUTS not in str(answer["message"]):
            failed = failed or answer
            if answer["status"] == "does-not-build":
                break
    if failed is None or failed["status"] == "does-not-build":
        return _Tried((), "", failed or answer)
    idle = _answered(named, pool, [image(USUAL)], idle=True)
    note = f"only its parameters are counted, since it was not run: {_why(named, failed)}"
    return _Tried((), note, idle if idle["status"] in MEASURED else failed)


def _answered(
    named: AskedNetwork, pool: Zygote, inputs: Iterable[Any], *, idle: bool = False
) -> dict[str, Any]:
    ((_, answer),) = pool.ask_all([_request(named, inputs) | ({"idle": True} if idle else {})])
    return answer


def _request(named: AskedNetwork, inputs: Iterable[Any]) -> dict[str, Any]:
    given = list(inputs)
    return {
        **named.place,
        **({"inputs": given} if given else {}),
        "interpretation": named.reading or "network",
        "network": named.network,
        "arguments": dict(named.arguments),
        "placement": "meta",
        "fields": False,
        "swept": False,
        "once": True,
        "tensors": True,
    }


def _why(named: AskedNetwork, answer: dict[str, Any]) -> str:
    """One line that says what would do."""
    said = visible(str(answer["message"]))
    name = named.title or named.place["class"]
    if answer["status"] == "does-not-build":
        missing = "missing" in said and "argument" in said
        said += "; --with NAME=VALUE gives one" if missing else ""
    else:
        said += "; --input says what it is given, like 3x224x224 or 128:int64"
        said += ", and without it parameters are counted" if named.inputs else ""
    return f"{name}: {answer['status']}: {said}"


def _at_sizes(one: CountedNetwork, printed: PrintedNumber, pool: Zygote) -> Iterator[Candidate]:
    """Multiply-adds for other sides of a square image; none where it takes something else."""
    given = one.facts.layers[0]
    channels, side = count_in(given, "channels"), count_in(given, "height")
    if not channels or side < SIDES[0] or side != count_in(given, "width"):
        return
    for other in _sides_near(one.facts, side, printed):
        # A value tried: on the meta device or not at all.
        request = _request(one.named, [image((1, channels, other, other))]) | {
            "interpretation": f"{other}",
            "solved": True,
            "swept": True,
            "tensors": False,
        }
        ((_, answer),) = pool.ask_all([request])
        if answer["status"] in MEASURED:
            yield from _of_size(f"{other}", NetworkFacts(answer["layers"]))


def _sides_near(facts: NetworkFacts, side: int, printed: PrintedNumber) -> list[int]:
    """The sides whose multiply-adds may be the printed number: the likeliest, in order.

    They grow with the square of the side, and where every patch attends to every other with up to
    its fourth power.
    """
    powers = (2, 4) if facts.total("data_macs") else (2,)
    digits = printed.rounded, printed.truncated
    low, high = min(i[0] for i in digits), max(i[1] for i in digits)
    found: dict[int, float] = {}
    for name in BY_SIZE:
        for power in powers if (total := facts.total(name)) else ():
            least, most = (side * float(n / total) ** (1 / power) for n in (low, high))
            for other in SIDES:
                if other != side and least / ROOM <= other <= most * ROOM:
                    ideal = side * float(printed.value / total) ** (1 / power)
                    off = abs(other / ideal - 1)
                    found[other] = min(off, found.get(other, off))
    return sorted(sorted(found, key=lambda other: (found[other], other))[:MOST_SIDES])


def _of_size(side: str, facts: NetworkFacts) -> Iterator[Candidate]:
    for name in BY_SIZE:
        words = f"{QUANTITIES[name].words} for an image of {side} × {side}"
        yield Candidate(words, f"{name}(network)", Fraction(facts.total(name)), 1)
