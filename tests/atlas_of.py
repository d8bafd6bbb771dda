"""Reconciliations of studies that nobody ran, for the pages of all studies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reconcile.files import write_json

OUTCOMES = ("agree", "explained", "undecided", "contradicted")
COUNTED = ("parameters('network')", "macs('network')", "neurons('conv1')", "(224 / 16) ** 2")
ANSWER = (
    "Study {0} agrees with its paper but for one number: the first layer has 290,400 neurons, 96 "
    "maps of 55 x 55, and the printed one is the same product with another factor."
)


def claim(n: int) -> dict[str, Any]:
    """The n-th claim of a study."""
    return {
        "id": f"claim-{n}",
        "printed": f"{n + 1},000",
        "said": f"{n + 1},000",
        "value": str(1000 * (n + 1)),
        "verdict": "contradicts" if n == 1 else "matches",
        "interpretation": "paper",
        "measured": str(1000 * (n + 1) + (n == 1)),
        "countings": [
            {"id": "as-stated", "title": "as stated", "count": COUNTED[n % len(COUNTED)]}
        ],
    }


def reconciliation(name: str, n: int = 0, claims: int = 4, **changed: Any) -> dict[str, Any]:
    """What an index reads of the n-th study."""
    return {
        "study": name,
        "title": f"Study {name}",
        "paper": {
            "title": "On <digits> of convolutional networks",
            "authors": ["Ada Lovelace", "Charles Babbage", "Luigi Menabrea"],
            "year": 1989 + n % 37,
            "venue": "Memoirs",
        },
        "question": "Which network has the printed number of neurons in its first layer?",
        "conclusion": {"answer": ANSWER.format(name)},
        "counts": {
            "claims": claims,
            "reproduced": claims - 1,
            "contradicted": 1,
            "interpretations": 1200,
        },
        "outcome": OUTCOMES[n % len(OUTCOMES)],
        "claims": [claim(i) for i in range(claims)],
    } | changed


def write_reconciliations(results: Path, studies: int, claims: int = 4) -> list[Path]:
    """Reconciliations of some studies, s000 and so on, in a folder of results."""
    names = [f"s{n:03}" for n in range(studies)]
    files = [results / name / "reconciliation.json" for name in names]
    for n, (name, file) in enumerate(zip(names, files, strict=True)):
        write_json(file, reconciliation(name, n, claims))
    return files
