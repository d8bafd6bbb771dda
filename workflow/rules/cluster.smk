"""What differs on a cluster: which rules stay here, what failed there, and what a killed run left.

Requires: the rules of all other files. Without SLURM nothing here has an effect.
"""

import platform
import signal

from reconcile.accounting import answer_from_queue
from reconcile.failures import failed_jobs
from reconcile.leftovers import LeftoverError, RunMark, cancel_leftovers
from reconcile.running import HOST_FILE, answered_in_a_thread


# Each takes seconds, less than its place in a queue. Only measuring becomes jobs.
localrules:
    all,
    measurements,
    archive,
    instantiate,
    gather_measurements,
    check_paper,
    reconcile,
    search,
    render_report,
    render_pdf,
    render_index,
    build_archive,


RUN_MARK = RunMark(Path(".snakemake/run.mark"))


onstart:
    HOST_FILE.write_text(platform.node(), encoding="utf-8")
    answered_in_a_thread(signal.SIGTERM)
    answer_from_queue(Path(workflow.basedir) / "workflow" / "slurm")
    try:
        cancel_leftovers(Path.cwd(), RUN_MARK, lambda line: print(line, file=sys.stderr))
    except LeftoverError as error:
        raise WorkflowError(str(error)) from None


onerror:
    for file in log:
        for line in failed_jobs(Path(file).read_text(encoding="utf-8")):
            print(line, file=sys.stderr)
