"""What is asked: a number as it is typed, and a network as it is named on a command line.

A number says its digits, and in a word after them what it counts.

A network is a package's class or function (``torchvision.models:vit_l_16``), a class in a file
(``network.py:ResNet``) or a study, whose own readings are taken each. Nothing is imported here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from reconcile.errors import Fault, InputError, not_there
from reconcile.study.load import load_study
from reconcile.study.model import Study
from reconcile.study.plan import networks_of, plan_of
from reconcile.study.printed import PrintedNumber, parse_printed

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
