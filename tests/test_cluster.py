"""What becomes a job on a cluster, and what stays on the machine that the run is started from."""

from __future__ import annotations

import re

from support import PROJECT


def test_only_measuring_leaves() -> None:
    """Every rule but those that measure is listed as local; a new one shows up here first."""
    files = [PROJECT / "Snakefile", *sorted((PROJECT / "workflow" / "rules").glob("*.smk"))]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    rules = set(re.findall(r"^rule (\w+):", text, re.MULTILINE))
    listed = re.search(r"^localrules:\n((?:    \w+,\n)+)", text, re.MULTILINE)
    assert listed
    assert rules - set(re.findall(r"\w+", listed[1])) == {"measure", "measure_batch"}
