"""A study that starts from an explanation: the number as its claim, the network as its reading."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml

from reconcile.errors import InputError
from reconcile.explain.asking import AskedNetwork, refused
from reconcile.explain.ranking import Answered
from reconcile.files import write_text
from reconcile.search.best import SLIP
from reconcile.search.digits import FIT
from reconcile.study.load import load_study

HEAD: Final = (
    "# Begun by `reconcile explain`: fill in the paper, the quote and where it stands.\n"
    "# docs/adding-a-study.md walks through a study.\n\n"
)


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
            write_text(begun / "study.yaml", HEAD + text)
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
