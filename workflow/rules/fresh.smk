"""What tells Snakemake by content whether results are out of date.

The output `made` of each is its mark: what its results were made from. The input `outdated` is a
folder that is newer than the results where the mark does not say what is there now.

Requires: results/{study}/.made/. Produces: the input function of all others.
"""

from snakemake.logging import logger

from reconcile.run.fresh import OUTDATED, Judge, make_outdated
from reconcile.run.jobs import are_handed_over
from reconcile.run.processes import Alive, forget_copies

JUDGE = Judge(workflow, study_named, logger.info)

if workflow.is_main_process:
    checked(make_outdated)
    if not workflow.dryrun:
        # Before Snakemake locks anything: whose lock it is can be asked from then on.
        Alive(Path.cwd()).begin()
        forget_copies(Path.cwd())
elif not Alive(Path.cwd()).join():
    raise WorkflowError("\nthe run that started this job is gone")


# Without this Snakemake deletes a result before the job replaces it. Scripts write beside it and
# rename, so a result stays whole until the next takes its place.
outputflags:
    update,


def outdated(rule):
    """An input that has a time only for the results of a rule that are out of date."""

    def folder(wildcards):
        name = "measure_batch" if "batch" in wildcards.keys() else rule
        if workflow.is_main_process and JUDGE.outdated(name, dict(wildcards.items())):
            return str(OUTDATED)
        if not are_handed_over():
            # A job whose executor passes no environment on.
            JUDGE.sum_up(name, dict(wildcards.items()))
        return ancient(str(OUTDATED))

    folder.judges = True
    return folder
