"""List every interpretation of a study with the full arguments of its networks. Needs no torch."""

from __future__ import annotations

from typing import Any

from reconcile.study.load import networks_of
from reconcile.study.model import Interpretation, Study, SweptInterpretation


def plan_of(study: Study, name: str) -> dict[str, Any]:
    """The content of ``interpretations.json``: what ``measure`` needs to know and nothing more.

    Args:
        study: the study.
        name: its folder's name.
    """
    file, _, network = study.network.partition(":")
    return {
        "study": name,
        "network": {"file": file, "class": network},
        "interpretations": [
            {
                "id": reading.id,
                "placement": _placement(study, reading),
                "networks": networks_of(study, reading),
            }
            for reading in study.interpretations
        ],
    }


def _placement(study: Study, reading: Interpretation) -> str:
    """Where a reading runs: what a sweep generates only counts, unless it says otherwise."""
    if study.sweep is not None and isinstance(reading, SweptInterpretation):
        return "meta" if study.placement == "meta" else study.sweep.placement
    return study.placement


def measured_slice(study: Study) -> dict[str, Any]:
    """The part of a study that ``plan_of`` reads, before sweeps are expanded.

    Snakemake reruns ``instantiate``, and with it ``measure``, when this changes: editing a claim, a
    title or the evidence does not change it.
    """
    own = (r for r in study.interpretations if not isinstance(r, SweptInterpretation))
    grid = {"axes", "network", "networks", "placement"}
    return {
        "network": study.network,
        "placement": study.placement,
        "arguments": study.arguments,
        "interpretations": [r.model_dump(include={"id", "network", "networks"}) for r in own],
        "sweep": study.sweep.model_dump(include=grid) if study.sweep else None,
    }
