"""What was found: as a table for a terminal, as JSON, and as a study that starts from it.

The study has the number as its claim, and the network as its reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml

from reconcile.errors import InputError, visible
from reconcile.explain.asking import BYTES, AskedNetwork, refused
from reconcile.explain.ranking import Answered, Explanation
from reconcile.files import write_text
from reconcile.search.misprint import FIT
from reconcile.study.load import load_study
from reconcile.tables.contract import QUANTITIES, SLIP
from reconcile.words import count_of, number

HEAD: Final = {
    "number": "number",
    "digits": "digits",
    "assumes": "assumes",
    "tried": "tried",
    "chance": "by chance",
    "reading": "reading",
    "says": "what is counted",
    "who": "who counts so",
    "expression": "expression",
}
"""The columns of the table, each with its head; long ones last, where a terminal breaks lines."""
STUDY_HEAD: Final = (
    "# Begun by `reconcile explain`: fill in the paper, the quote and where it stands.\n"
    "# docs/adding-a-study.md walks through a study.\n\n"
)


def chance(by_chance: float) -> str:
    """How many hits by chance, as people read it."""
    return f"{by_chance:.2g}" if by_chance >= 0.001 else "under 0.001"  # noqa: PLR2004 - digits


def lines(answered: Answered, most: int) -> Iterator[str]:
    """The answer for a terminal, ``most`` rows of it; all are counted."""
    for note in answered.notes:
        yield visible(note)
    if not answered.found:
        yield f"Nothing that was tried gives {answered.printed.text}."
        yield from (f"  {line}" for line in _nearest_lines(answered))
        return
    shown = answered.found[:most]
    yield from _aligned_rows(shown)
    more = len(answered.found) - len(shown)
    if more:
        yield f"{count_of(more, 'more explanation')}; --most shows them"
    if shown[0].lucky:
        yield "Any number of this precision would be explained so: none of these says much."


def _aligned_rows(shown: Sequence[Explanation]) -> Iterator[str]:
    cells_of_rows = [HEAD, *map(_cells_of, shown)]
    # A column that is empty in every row is not shown.
    columns = [name for name in HEAD if any(cells[name] for cells in cells_of_rows[1:])]
    rows = [[cells[name] for name in columns] for cells in cells_of_rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))
        yield visible("  ".join(cells).rstrip())


def _nearest_lines(answered: Answered) -> Iterator[str]:
    for word, near in (("below", answered.below), ("above", answered.above)):
        if near is None:
            yield f"nearest {word}: none"
        else:
            of = f" under {near.network}" if near.network else ""
            said = f"{near.candidate.says}{of}: {near.candidate.expression}"
            yield f"nearest {word}: {number(near.candidate.value)}, {visible(said)}"


def page_context(answered: Answered, network: str, most: int) -> dict[str, Any]:
    """What the page of an answer says of a network as it was asked for; ``most`` rows of it."""
    shown = answered.found[:most]
    return {
        "printed": answered.printed.text,
        "network": network,
        "counts": _words_of(answered.quantity),
        "notes": [visible(note) for note in answered.notes],
        "rows": [_cells_of(hit) for hit in shown],
        "total": len(answered.found),
        "lucky": bool(shown) and shown[0].lucky,
        "nearest": list(_nearest_lines(answered)),
    }


def _cells_of(hit: Explanation) -> dict[str, str]:
    return {
        "number": number(hit.candidate.value),
        "digits": hit.digits,
        "says": hit.candidate.says,
        "who": hit.who,
        "reading": hit.network,
        "expression": hit.candidate.expression,
        "assumes": str(hit.candidate.cost),
        "tried": f"{hit.tried:,}",
        "chance": chance(hit.by_chance),
    }


def as_json(answered: Answered, most: int) -> dict[str, Any]:
    """The answer for a program."""
    printed = answered.printed
    return {
        "printed": printed.text,
        "value": _plain_number(printed.value),
        "quantity": answered.quantity or None,
        "counts": _words_of(answered.quantity) or None,
        "notes": list(answered.notes),
        "explanations": [_object(hit) for hit in answered.found[:most]],
        "total": len(answered.found),
        "nearest": {
            "below": _object(answered.below) if answered.below else None,
            "above": _object(answered.above) if answered.above else None,
        },
    }


def _words_of(quantity: str) -> str:
    return quantity if quantity in ("", BYTES) else QUANTITIES[quantity].words


def _object(hit: Explanation) -> dict[str, Any]:
    return {
        "value": _plain_number(hit.candidate.value),
        "digits": hit.digits if hit.search != "nearest" else None,
        "says": hit.candidate.says,
        "expression": hit.candidate.expression,
        "who": hit.who or None,
        "also": [{"says": c.says, "expression": c.expression} for c in hit.also],
        "assumes": hit.candidate.cost,
        "search": hit.search,
        "tried": hit.tried,
        "by_chance": float(f"{hit.by_chance:.3g}"),
        "reading": hit.network or None,
    }


def _plain_number(value: Any) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def study_begun(folder: Path, asked: AskedNetwork, answered: Answered) -> Path:
    """Write a study of one network whose claim counts as the best explanation does.

    Args:
        folder: a new folder, whose name is the study's.
        asked: the network, with the inputs that it was counted with.
        answered: what was found; without an explanation, parameters are what the claim counts.

    Raises:
        InputError: nothing can be written there, or what was written is no study.
    """
    place = dict(asked.place)
    source = Path(place["file"]) if "file" in place else None
    if source is None and not asked.inputs:
        raise refused("--study", "needs --input: a package's network says no inputs in a study")
    network = f"{source.name if source else place['module']}:{place['class']}"
    text = yaml.safe_dump(_study(folder.name, network, asked, answered), sort_keys=False)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".explain-", dir=folder.parent) as beside:
            begun = Path(beside) / folder.name
            if source is not None:
                write_text(begun / source.name, source.read_text(encoding="utf-8"))
            write_text(begun / "study.yaml", STUDY_HEAD + text)
            _refuse_unless_it_loads(begun)
            begun.rename(folder)
    except (OSError, UnicodeError) as error:
        raise refused("--study", f"{folder} cannot be written: {error}") from None
    return folder


def _refuse_unless_it_loads(folder: Path) -> None:
    """Nothing is left of what would be no study: a class by a name that no study can have, say."""
    try:
        load_study(folder)
    except InputError as error:
        fault = error.faults[0]
        raise refused("--study", f"would be no study: {fault.key}: {fault.message}") from None


def _study(name: str, network: str, asked: AskedNetwork, answered: Answered) -> dict[str, Any]:
    printed = answered.printed.text
    claim = {"id": "number", "quote": printed, "where": "to be filled in", "printed": printed}
    inputs = [{"shape": g["shape"], "dtype": g["dtype"]} for g in asked.inputs]
    return {
        "title": name,
        "paper": {
            "title": "To be filled in",
            "authors": ["To be filled in"],
            "year": 2000,
            "venue": "To be filled in",
            "url": "https://example.org/paper.pdf",
        },
        "question": f"What is counted where the paper prints {printed}?",
        "network": network,
        "arguments": dict(asked.arguments),
        **({"inputs": inputs} if inputs else {}),
        "placement": "meta",
        "claims": [claim | _counting(answered)],
        "interpretations": [
            {
                "id": "as-built",
                "title": "The network as it is built",
                "assumes": ["The network is the paper's."],
                "proposed_by": [{"name": "Constructed for this study"}],
            }
        ],
        "conclusion": {
            "interpretation": "as-built",
            "answer": "To be filled in.",
            "text": "To be filled in.",
        },
    }


def _counting(answered: Answered) -> dict[str, str]:
    """What the claim counts: as the best explanation that is no slip, else what was asked for."""
    sound = (hit for hit in answered.found if hit.fit not in (SLIP, FIT))
    best = next(sound, None)
    if best is None:
        return {"quantity": f"{answered.quantity or 'parameters'}(network)"}
    return {"quantity": best.candidate.expression, "title": best.candidate.says}
