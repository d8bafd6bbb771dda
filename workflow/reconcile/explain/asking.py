"""What is asked: a number as it is typed, and a network that is built and counted once.

A number says its digits, and in a word after them what it counts.

A network is a package's class or function (``torchvision.models:vit_l_16``), a class in a file
(``network.py:ResNet``) or a study, whose own readings are taken each. Nothing is imported here: it
is built in a process of its own, on the meta device where that works. A network that says no inputs
is given an image of the usual size, or words, and the answer says so; of one that runs with neither
parameters are counted.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from reconcile.errors import Fault, InputError, not_there, visible
from reconcile.measure.answers import NO_INPUTS
from reconcile.measure.process import MeasureError, Zygote
from reconcile.search.candidates import Candidate, NetworkFacts
from reconcile.study.expressions import count_in, with_own_parts
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.study.plan import networks_of, plan_of
from reconcile.study.printed import PrintedNumber, parse_printed
from reconcile.study.settings import Measuring
from reconcile.tables.contract import MEASURED, QUANTITIES

STUDIES: Final = Path("studies")
DTYPES: Final = ("float32", "float64", "float16", "bfloat16", "complex64", "int64", "bool")
_PLACE = re.compile(r"(?P<place>[^:]+):(?P<name>[A-Za-z_]\w*)")
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_SHAPE = re.compile(
    r"((?P<name>[A-Za-z_]\w*)=)?(?P<sizes>[1-9]\d{0,8}(x[1-9]\d{0,8})*)(:(?P<dtype>\w+))?", re.ASCII
)
_GIVEN = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)", re.ASCII | re.DOTALL)
ACCEPTED: Final = (
    "accepted are package.module:name, file.py:Class and the folder of a study, like "
    "torchvision.models:resnet50, network.py:ResNet and studies/alexnet"
)
BYTES: Final = "bytes"
"""What a size of a file or of memory counts; no quantity of the tables."""
_OF_WORD: Final = (
    (re.compile(r"\d ?[kmgtbp]?[ -]?flops?\b|million flops?|billion flops?", re.I), "flops"),
    (re.compile(r"macs?\b|m-?adds?\b|mult", re.I), "macs"),
    (re.compile(r"params?\b|parameters?\b|weights?\b", re.I), "parameters"),
    (re.compile(r"neurons?\b|units?\b|activations?\b", re.I), "neurons"),
    (re.compile(r"connections?\b|synapses\b", re.I), "connections"),
)
"""What a number says that it counts."""
_SIZE: Final = re.compile(r"(?P<number>.*\d) ?(?P<letter>[kmgt])(?P<binary>i)?b(ytes?)?", re.I)
_PLAIN_BYTES: Final = re.compile(r"(?P<number>.*\d) ?bytes?", re.I)
_ACTIVATIONS: Final = re.compile(r" ?activations?$", re.I)


@dataclass(frozen=True)
class AskedNetwork:
    """A network to be measured.

    Attributes:
        reading: what it is called: the reading of a study; empty for a network that is no study's.
        network: its name in the reading.
        place: the ``file`` or ``module`` it is in, and its ``class`` there.
        arguments: of its constructor.
        inputs: as a study describes them; none where the network says them itself.
        parts: names of parts that the study gives, with their selectors.
    """

    reading: str
    network: str
    place: Mapping[str, Any]
    arguments: Mapping[str, Any]
    inputs: Sequence[Mapping[str, Any]] = ()
    parts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The reading and its network, for people."""
        return "/".join(n for n in (self.reading, self.network) if n not in ("", "main"))


def refused(option: str, message: str) -> InputError:
    """One line about what was typed."""
    return InputError(Fault(Path("explain"), 0, option, message))


def networks_asked(
    network: str, arguments: Sequence[str] = (), inputs: Sequence[str] = ()
) -> list[AskedNetwork]:
    """The networks that a text names: one, or each of a study's own readings.

    Args:
        network: as typed.
        arguments: ``name=value`` each; a value is read as YAML reads one.
        inputs: shapes without the batch, such as ``3x224x224`` and ``128:int64``.

    Raises:
        InputError: there is no such thing, or a text says none.
    """
    given, shapes = _arguments(arguments), [_input(text) for text in inputs]
    if folder := _study_folder(network):
        return list(_of_study(folder, given, shapes))
    match = _PLACE.fullmatch(network)
    if match is None:
        raise refused("network", f"{network!r} names no network; {ACCEPTED}")
    place, name = match["place"], match["name"]
    if place.endswith(".py"):
        if not _is_file(Path(place)):
            raise refused("network", f"there is no file {place}; {ACCEPTED}")
        return [AskedNetwork("", "main", {"file": place, "class": name}, given, shapes)]
    if not _MODULE.fullmatch(place):
        raise refused("network", f"{place!r} is no module; {ACCEPTED}")
    return [AskedNetwork("", "main", {"module": place, "class": name}, given, shapes)]


def files_of(network: str) -> list[Path]:
    """What a network that is named so is read from; nothing where it is a package's.

    Raises:
        InputError: as of ``networks_asked``.
    """
    if folder := _study_folder(network):
        return [*folder.glob("*")]
    match = _PLACE.fullmatch(network)
    return [Path(match["place"])] if match and match["place"].endswith(".py") else []


def _study_folder(network: str) -> Path | None:
    """The folder of a study that is named by its folder, or by its name below ``studies``."""
    for folder in (Path(network), STUDIES / network):
        if _is_file(folder / "study.yaml"):
            return folder
    if network.rstrip("/").startswith(f"{STUDIES}/") and ":" not in network:
        known = [f.parent.name for f in STUDIES.glob("*/study.yaml")]
        raise refused("network", not_there("study", Path(network).name, known))
    if os.path.isdir(network):  # noqa: PTH112 - no path, where no file system can name it
        raise refused("network", f"{network} has no study.yaml; {ACCEPTED}")
    return None


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - none, where no file system can name it


def _of_study(
    folder: Path, given: dict[str, Any], shapes: list[dict[str, Any]]
) -> list[AskedNetwork]:
    study: Study = load_study(folder)
    place = dict(plan_of(study, folder.name)["network"])
    inputs = shapes or place.pop("inputs", [])
    place.pop("fields", None)
    if "file" in place:
        place["file"] = str(folder / place["file"])
    return [
        AskedNetwork(reading.id, name, place, arguments | given, inputs, study.parts)
        for reading in study.own_readings
        for name, arguments in networks_of(study, reading).items()
    ]


def _arguments(texts: Sequence[str]) -> dict[str, Any]:
    found = {}
    for text in texts:
        match = _GIVEN.fullmatch(text)
        if match is None:
            raise refused("--with", f"{text!r} is no argument; accepted is name=value: depth=20")
        found[match["name"]] = _value(text, match["value"])
    return found


def _value(text: str, value: str) -> Any:
    """What YAML reads, if a process can be told it: no date, no set, nothing that holds itself."""
    try:
        read = yaml.safe_load(value)
        json.dumps(read)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        told = "accepted are numbers, texts, true, false, null, lists and maps, as in YAML"
        raise refused("--with", f"{text!r} has no value that can be given; {told}") from None
    return read


def _input(text: str) -> dict[str, Any]:
    """An input as a study describes one, a batch of one in front."""
    match = _SHAPE.fullmatch(text.replace("×", "x"))
    dtype = (match["dtype"] if match else None) or "float32"
    if match is None or dtype not in DTYPES:
        types = ", ".join(DTYPES)
        told = f"{text!r} is no shape; accepted are sizes without the batch and a type: 3x224x224,"
        raise refused("--input", f"{told} 128:int64, words=128:int64; types are {types}")
    shape = [1, *map(int, match["sizes"].split("x"))]
    return image(shape) | {"dtype": dtype, "name": match["name"]}


def image(shape: Sequence[int]) -> dict[str, Any]:
    """An input of floats between 0 and 1, the batch first in its shape."""
    return {"name": None, "shape": list(shape), "dtype": "float32", "range": None, "value": None}


def number_asked(text: str) -> tuple[PrintedNumber, str]:
    """A number as it was typed, and the quantity it names; empty where it names none.

    Raises:
        InputError: it is no number, or may be one of two.
    """
    printed = _typed(text.strip())
    if printed.value <= 0:
        raise refused("number", f'"{text}" counts nothing: accepted are numbers above zero')
    if _SIZE.fullmatch(text.strip()) or _PLAIN_BYTES.fullmatch(text.strip()):
        return printed, BYTES
    return printed, next((name for word, name in _OF_WORD if word.search(text)), "")


def _typed(text: str) -> PrintedNumber:
    size = _SIZE.fullmatch(text)
    try:
        if size and not size["binary"]:
            return parse_printed(text, scale=1000 ** power_of(text))
        return parse_printed(_ACTIVATIONS.sub("", text))
    except ValueError as error:
        raise refused("number", _without_keys(text, str(error))) from None


def _without_keys(text: str, said: str) -> str:
    """What is wrong, without the keys of a study by which it could be mended there."""
    before, keyed, _ = said.partition(": give `")
    if keyed:
        return f"{before}: write it with its scale, like {text}M, or without the point"
    before, keyed, _ = said.partition(" and say `")
    return before if keyed else said


def power_of(text: str) -> int:
    """The power of a thousand of a size in bytes that may be one of 1,024 as well; else none."""
    size = _SIZE.fullmatch(text.strip())
    return "kmgt".index(size["letter"].lower()) + 1 if size and not size["binary"] else 0


# The network, counted.

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


def counted(asked: Sequence[AskedNetwork], wanted: Wanted) -> list[CountedNetwork]:
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


def counted_in(pool: Zygote, asked: Sequence[AskedNetwork], wanted: Wanted) -> list[CountedNetwork]:
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
            facts = NetworkFacts(answer["layers"])
            for name in BY_SIZE:
                words = f"{QUANTITIES[name].words} for an image of {other} × {other}"
                yield Candidate(words, f"{name}(network)", Fraction(facts.total(name)), 1)


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
