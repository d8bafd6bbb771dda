"""The record: what was true of one run, and never the same twice."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from reconcile.measure.process import Answer
from reconcile.measure.provenance import collect
from reconcile.run import COMMAND_VARIABLE, CONFIG_HASH_VARIABLE
from reconcile.study.settings import Measuring


def record_of(
    study_folder: Path, root: Path, started: datetime, introduction: Answer, settings: Measuring
) -> Answer:
    """The content of record.json for a run that ends now.

    Args:
        study_folder: the study's folder, whose name is the study's.
        root: the project folder, for its commit and lock file.
        started: when the run began, UTC.
        introduction: what the measuring process said of itself and its device.
        settings: how was measured.
    """
    ended = datetime.now(UTC)
    facts = collect(root, study=study_folder)
    # The file may have been edited since.
    if config_hash := os.environ.get(CONFIG_HASH_VARIABLE):
        facts["source"]["config_sha256"] = config_hash
    return facts | {
        "study": study_folder.resolve().name,
        "command": os.environ.get(COMMAND_VARIABLE) or shlex.join(sys.argv),
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "seconds": round((ended - started).total_seconds(), 3),
        "device": introduction["device"],
        "settings": settings.model_dump() | introduction["settings"],
        "versions": facts.get("versions", {}) | introduction["versions"],
    }


def merged_record(records: Sequence[Answer]) -> Answer:
    """One record of a study that several jobs measured; what each did stands under ``jobs``."""
    jobs = [
        {key: record[key] for key in ("started", "ended", "seconds", "device", "host")}
        for record in records
    ]
    # Where one job had to leave the GPU, the record of the whole says so.
    reasons = filter(None, dict.fromkeys(record["device"].get("fallback") for record in records))
    return records[0] | {
        "device": records[0]["device"] | {"fallback": "; ".join(reasons) or None},
        "started": min(record["started"] for record in records),
        "ended": max(record["ended"] for record in records),
        "seconds": round(sum(record["seconds"] for record in records), 3),
        "jobs": jobs,
    }
