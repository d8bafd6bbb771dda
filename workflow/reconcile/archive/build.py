"""One file that stands on its own: study, results, record, code, and a way to check them.

The same files give the same archive, byte for byte; ``verify`` asks for exactly that, and no
archive is written that it would refuse.
"""

from __future__ import annotations

import re
from pathlib import Path

from reconcile.archive.again import describe
from reconcile.archive.container import ArchiveError, pack
from reconcile.archive.layout import RESULT_FILES, WRITTEN_BY, gather, member_of
from reconcile.archive.verify import Check, verify_archive
from reconcile.errors import Fault, InputError
from reconcile.files import staged
from reconcile.study.load import STUDY_FILE

_TABLES = "{study} and the tables"
_MADE_OF = {
    "study": "{study}",
    "verdicts": "{study} and what was measured",
    "ranking": "{study} and what was measured",
    "numbers": _TABLES,
    "citations": _TABLES,
}
"""What a result follows from, by the check that asks whether it does."""
_JUDGING = "check_paper reconcile search"
_AGAIN = {
    **dict.fromkeys(("instantiate", "measure"), "instantiate"),
    **dict.fromkeys(("check_paper", "reconcile", "search"), _JUDGING),
}
"""The rules to run again for what a rule wrote: also those whose results are as old as its own."""
_RESULT = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, RESULT_FILES))})(?![\w-]|\.\w)")


def build_archive(
    root: Path, study_folder: Path, results: Path, out: Path, config: Path | None = None
) -> list[Check]:
    """Write the archive of a study's results, if it verifies.

    Args:
        root: where the project's files are.
        study_folder: the study's folder.
        results: the study's results, complete with reports.
        out: the zip file to write.
        config: the configuration of the run; without one, the project's own.

    Returns:
        The checks that the archive passed.

    Raises:
        InputError: a result is missing, broken or does not follow from the others as they are now,
            or the file cannot be written.
    """
    members = gather(root, study_folder, results, config)
    try:
        content = pack(describe(members))
    except ArchiveError as error:
        raise InputError(Fault(out, 0, "", f"cannot be archived: {error}")) from None
    with staged(out) as part:
        part.write_bytes(content)
        checks = verify_archive(part).checks
        for check in checks:
            if not check.holds:
                raise InputError(_refused(check, study_folder, results, out))
    return checks


def _refused(check: Check, study_folder: Path, results: Path, out: Path) -> Fault:
    """The result that a failing check is about, and how to make it again."""
    named = _RESULT.search(check.detail)
    if named is None:
        return Fault(out, 0, "", f"would not verify: {check.name}: {check.detail}")
    name, rule = named[1], WRITTEN_BY[named[1]]
    made_of = _MADE_OF.get(check.name, "").format(study=study_folder / STUDY_FILE)
    why = f"does not follow from {made_of}" if made_of else "is not as it was written"
    detail = check.detail.removeprefix(f"{member_of(name)}: ")
    again = f"snakemake --forcerun {_AGAIN.get(rule, rule)} -- {out}"
    return Fault(results / name, 0, "", f"{why}: {detail}; to make it again: {again}")
