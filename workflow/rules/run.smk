"""What a run does as it starts, when it ends and when it fails; on a cluster there is more to do.

Requires: the rules of all other files. Produces: .snakemake/host, .snakemake/cluster.
"""

import atexit
import signal

from reconcile.run.fresh import answers
from reconcile.run.jobs import outlive_readers
from reconcile.run.processes import CLUSTER_MARK, answered_in_a_thread, note_host

FAILED = []

outlive_readers(logger.handlers)


def tell(line):
    """A line for the user, beside what Snakemake says."""
    print(line, file=sys.stderr)


def settle_with_cluster():
    """Let nothing that is in the queue disturb this run, and listen for what fails there."""
    from snakemake.logging import logger as told_by_snakemake

    from reconcile.run.slurm import (
        FailedJobs,
        LeftoverError,
        answer_from_queue,
        cancel_leftovers,
    )

    CLUSTER_MARK.touch()
    answer_from_queue()
    FAILED.append(FailedJobs())
    told_by_snakemake.addHandler(FAILED[0])
    try:
        cancel_leftovers(Path.cwd(), tell)
    except LeftoverError as error:
        raise WorkflowError(str(error)) from None


if not workflow.is_rule("instantiate"):
    # Marks, logs and scripts go by the names of rules.
    raise WorkflowError("\ntake the rules under their own names: use rule * from reconcile")


def accept_what_was_touched():
    """Take results as they are that this run only gave a new time."""
    if workflow.touch:
        JUDGE.accept()


if not workflow.modifier.is_main_snakefile():
    # Of a module Snakemake calls no handlers.
    atexit.register(accept_what_was_touched)


onstart:
    note_host()
    answered_in_a_thread(signal.SIGTERM)
    if workflow.local_exec:
        # While a limit of jobs a second stands, Snakemake looks for a place for those that wait once
        # a second, and once more for each job that has ended: in a run of all studies a hundred
        # times. Without one it looks when a job ends.
        workflow.scheduler.job_rate_limiter = None
    if not workflow.local_exec or CLUSTER_MARK.exists():
        settle_with_cluster()


onsuccess:
    accept_what_was_touched()
    for line in answers(STUDIES):
        tell(line)


onerror:
    for failed in FAILED:
        for line in failed.lines():
            tell(line)
