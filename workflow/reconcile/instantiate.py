"""List every interpretation of a study with the full arguments of its networks. Needs no torch."""

from __future__ import annotations

from typing import Any

from reconcile.model import Study
from reconcile.study import networks_of

__all__ = ["plan_of"]


def plan_of(study: Study, name: str) -> dict[str, Any]:
    """What ``measure`` needs to know and nothing more, so that editing a claim measures nothing.

    Args:
        study: the study.
        name: its folder's name.

    Returns:
        The content of ``interpretations.json``.
    """
    file, _, network = study.network.partition(":")
    return {
        "study": name,
        "network": {"file": file, "class": network},
        "placement": study.placement,
        "interpretations": [
            {"id": reading.id, "networks": networks_of(study, reading)}
            for reading in study.interpretations
        ],
    }
