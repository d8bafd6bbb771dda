"""Read and check the configuration and the studies, before anything runs.

Requires: config.yaml, studies/*/study.yaml. Produces: CONFIG, STUDIES and the input functions of the
other rules.
"""

from pathlib import Path

from snakemake.exceptions import WorkflowError

from reconcile.config import check_config, load_config, study_names
from reconcile.dependencies import library_files
from reconcile.errors import InputError
from reconcile.files import json_text
from reconcile.instantiate import plan_of
from reconcile.study import load_study


def checked(load, *arguments):
    """What a loader returns; its faults become one line each, without a traceback."""
    try:
        return load(*arguments)
    except InputError as error:
        raise WorkflowError(f"\n{error}") from None


# Before Snakemake reads the file itself: this loader names the line and what is accepted.
checked(load_config, Path("config.yaml"))


configfile: "config.yaml"


CONFIG = checked(check_config, config)
STUDIES = {
    name: checked(load_study, Path("studies") / name)
    for name in checked(study_names, CONFIG, Path("studies"), Path("config.yaml"))
}


def library(*modules):
    """Files of the library that a rule's script depends on: a change of one reruns the rule."""
    return [file.relative_to(workflow.basedir) for file in library_files(*modules)]


def network_file(wildcards):
    """The file that holds a study's network."""
    return f"studies/{wildcards.study}/{STUDIES[wildcards.study].network.partition(':')[0]}"


wildcard_constraints:
    study="|".join(STUDIES),
