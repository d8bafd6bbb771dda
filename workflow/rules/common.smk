"""Read and check the configuration and the studies, before anything runs.

Requires: config.yaml, studies/*/study.yaml. Produces: CONFIG, STUDIES and the input functions of the
other rules. A job that runs on another machine gets all of this from the run that submitted it.

These rules may be taken as a module, or run on any folder: studies/, results/ and config.yaml are in
the working folder; templates, scripts and library are found by the library, wherever it lies.
"""

import gc
import os
import shlex
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

# The release of these rules. Taken as a module they may come from elsewhere than the library.
RELEASE = "0.1.0"

try:
    from reconcile import __version__
except ImportError:
    missing = "the library `reconcile` is not installed in this environment"
    raise WorkflowError(f"\n{missing}; these rules need release {RELEASE}") from None
if __version__ != RELEASE:
    other = f"the installed library is of release {__version__}, and these rules of {RELEASE}"
    raise WorkflowError(f"\nreconcile: {other}; take both of the same one")

from reconcile.errors import InputError
from reconcile.files import CONFIG as CONFIG_NAME
from reconcile.files import SCRIPTS, code_files, files_in, json_text, own_file, own_files
from reconcile.measure.provenance import file_sha256
from reconcile.measure.run import MEASUREMENT_FILES
from reconcile.run import COMMAND_VARIABLE, CONFIG_HASH_VARIABLE
from reconcile.run.fresh import RunPlan, hand_over, handed_over, others, planned
from reconcile.study.config import check_config, load_configs, study_names
from reconcile.study.load import load_study
from reconcile.study.yamlfile import STUDY_PATTERN
from reconcile.tables.contract import FILES

# Snakemake puts this into the commands of jobs as it is; the folder's path may hold spaces or quotes.
sys.executable = shlex.quote(sys.executable)
# What the record gives as the command is what the user typed, not what Snakemake runs for a job.
os.environ.setdefault(COMMAND_VARIABLE, shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]))


def runs_here():
    """Whether jobs run on this machine; one that was sent to another has what it was sent with."""
    return workflow.is_main_process and workflow.local_exec


def checked(load, *arguments):
    """What a loader returns; its faults become one line each, without a traceback."""
    try:
        return load(*arguments)
    except InputError as error:
        raise WorkflowError(f"\n{error}") from None


@cache
def study_named(name):
    """The study of this name, checked."""
    return checked(load_study, Path("studies") / name)


PLAN = None if workflow.is_main_process else handed_over()

if PLAN is None:
    config_file = Path(CONFIG_NAME)
    # Not where a module was given its configuration, by whoever read it.
    if config == workflow.config_settings.overwrite_config or not config:
        # Before Snakemake reads the files itself: this loader names the line and what is accepted.
        config_file = checked(load_configs, config_file, workflow.config_settings.configfiles)

        configfile: CONFIG_NAME

    CONFIG = checked(check_config, config)
    names = checked(study_names, CONFIG, Path("studies"), config_file)
    # Every study is checked now, before anything runs.
    studies = {name: planned(study_named(name), CONFIG) for name in names}
    PLAN = hand_over(
        RunPlan(
            config=CONFIG,
            config_file=str(config_file),
            studies=studies,
            others=others(studies),
        )
    )
    os.environ[CONFIG_HASH_VARIABLE] = file_sha256(config_file) or ""
    # All of this stays: Python need not look for garbage in it while the jobs are worked out.
    gc.freeze()


CONFIG = PLAN.config
# In an archive; none where a module was given its configuration by other means.
CONFIG_FILES = list(filter(os.path.isfile, [PLAN.config_file]))
STUDIES = list(PLAN.studies)


def plan_of(name):
    """How a study is measured, also one that config.yaml does not name."""
    return PLAN.studies.get(name) or planned(study_named(name), CONFIG)


def network_file(wildcards):
    """The file that holds a study's network; where that is a package's, the plan names it."""
    if file := plan_of(wildcards.study).network_file:
        return ancient(f"studies/{wildcards.study}/{file}")
    return f"results/{wildcards.study}/interpretations.json"


def study_files(wildcards):
    """Every file of a study's folder."""
    return [ancient(str(file)) for file in files_in(Path("studies", wildcards.study))]


def batches_of(name):
    """How many jobs measure a study."""
    return plan_of(name).jobs


def written(rule, folder, flag=str):
    """The files that a rule writes into a folder, by name, each flagged."""
    names = (name for name, file in FILES.items() if file.rule == rule)
    return {Path(name).stem: flag(f"{folder}/{name}") for name in names}


# Measured in more than one job. A study that config.yaml does not name is measured in one.
LARGER = [name for name in STUDIES if batches_of(name) > 1]
ID = STUDY_PATTERN.strip("^$")


def one_of(names):
    """A pattern that matches these names only, and nothing when there are none."""
    return "|".join(names) or "(?!)"


def none_of(names):
    """A pattern that matches every name of a study but these."""
    return rf"(?!(?:{one_of(names)})(?:/|$)){ID}"


PAGE = ("report.html.jinja", "partials/*", "fonts/*")


def templates(*patterns):
    """The templates that a rule uses."""
    return [own_file(name) for pattern in patterns for name in own_files(f"templates/{pattern}")]


wildcard_constraints:
    study=ID,
    batch=r"\d+",
