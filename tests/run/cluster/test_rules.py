"""What becomes a job on a cluster, and what stays on the machine that the run is started from."""

from __future__ import annotations

import re
import subprocess
import sys

from support import PROJECT


def test_only_measuring_leaves() -> None:
    """Every rule but those that measure stays local; a new one shows up here first."""
    files = [PROJECT / "Snakefile", *sorted((PROJECT / "workflow" / "rules").glob("*.smk"))]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    rules = re.findall(r"^(?:use )?rule (.+):\n((?:(?:    .*)?\n)+)", text, re.MULTILINE)
    assert len(rules) > len(("instantiate", "measure", "reconcile", "render_report"))
    leaving = {name for name, body in rules if "\n    localrule: True\n" not in body}
    assert leaving == {"measure", "measure as measure_batch with"}


def test_a_local_run_knows_no_cluster() -> None:
    """Nothing that a run on one machine imports imports the cluster's room."""
    code = (
        "import sys, reconcile.run.jobs, reconcile.run.handover, reconcile.run.jobs\n"
        "import reconcile.run.processes, reconcile.measure.run\n"
        "print([name for name in sys.modules if name.startswith('reconcile.run.cluster')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
