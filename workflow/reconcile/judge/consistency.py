"""The paper's own numbers held against each other, as a table. Nothing of measuring is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from reconcile.errors import InputError
from reconcile.judge.evidence import SelfCheck, check_paper
from reconcile.judge.verdicts import printed_columns
from reconcile.study.expressions import ExpressionError
from reconcile.study.load import fault_in
from reconcile.study.model import Study
from reconcile.tables.frames import table


def consistency_table(study: Study, folder: Path) -> pd.DataFrame:
    """consistency.csv: the paper held against itself. Needs no measurement.

    Raises:
        InputError: a check that cannot be computed.
    """
    try:
        checks = check_paper(study)
    except ExpressionError as error:
        raise InputError(fault_in(folder, ("consistency",), str(error))) from None
    return table("consistency.csv", (_self_check(study, done) for done in checks))


def _self_check(study: Study, done: SelfCheck) -> dict[str, Any]:
    return {
        "check": done.check.id,
        "claim": done.check.claim,
        **printed_columns(study.claim(done.check.claim)),
        "computed": done.computed,
        "verdict": done.verdict,
        "says": done.check.says,
        "reason": done.reason,
    }
