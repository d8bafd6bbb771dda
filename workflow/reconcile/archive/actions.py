"""The workflow of a crate and its run: steps, tools, actions.

The record knows one pair of times, those of measuring; the other steps get none. Who ran them is
said only if the configuration says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from reconcile.archive.entities import Builder, slug
from reconcile.archive.layout import WRITTEN_BY, member_of, result_name

WORKFLOW: Final = "code/Snakefile"
SCRIPTS: Final = "code/workflow/scripts/"
INPUTS: Final = {
    "study": "study/study.yaml",
    "configuration": "code/config.yaml",
    "environment": "code/requirements.lock",
}
OUTPUTS: Final = {
    "layers": "results/layers.csv",
    "verdicts": "results/verdicts.csv",
    "reconciliation": "results/reconciliation.json",
    "record": "record/record.json",
    "report": "record/report.html",
}
HOMES: Final = {
    "fonttools": "https://github.com/fonttools/fonttools",
    "jinja2": "https://github.com/pallets/jinja",
    "numpy": "https://numpy.org/",
    "pandas": "https://pandas.pydata.org/",
    "pydantic": "https://github.com/pydantic/pydantic",
    "pydyf": "https://github.com/CourtBouillon/pydyf",
    "python": "https://www.python.org/",
    "pyyaml": "https://github.com/yaml/pyyaml",
    "rocrate": "https://github.com/ResearchObject/ro-crate-py",
    "snakemake": "https://snakemake.github.io/",
    "torch": "https://pytorch.org/",
    "weasyprint": "https://weasyprint.org/",
}
"""Home pages of the software that a record names; the rest has only its name and release."""


def add_workflow(builder: Builder) -> Any:
    """The Snakefile as the main entity, with its rules as steps and their scripts as tools."""
    return builder.file(
        WORKFLOW,
        "SoftwareSourceCode",
        "ComputationalWorkflow",
        "HowTo",
        name="reconcile",
        version=builder.facts.version,
        conformsTo=_workflow_profile(builder),
        programmingLanguage=_snakemake(builder),
        softwareRequirements=_software(builder),
        input=[_parameter(builder, "input", *item) for item in INPUTS.items()],
        output=[_parameter(builder, "output", *item) for item in OUTPUTS.items()],
        hasPart=[_tool(builder, script) for script in _scripts(builder)],
        step=[_step(builder, script) for script in _scripts(builder)],
    )


def _workflow_profile(builder: Builder) -> Any:
    address = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
    name = "Bioschemas ComputationalWorkflow profile"
    return builder.add(address, "CreativeWork", name=name, version="1.0")


def _snakemake(builder: Builder) -> Any:
    return builder.add(
        "https://w3id.org/workflowhub/workflow-ro-crate#snakemake",
        "ComputerLanguage",
        name="Snakemake",
        identifier={"@id": "https://doi.org/10.1093/bioinformatics/bts480"},
        url={"@id": "https://snakemake.readthedocs.io"},
    )


def _software(builder: Builder) -> list[Any]:
    versions = builder.facts.recorded("versions") or {}
    known = {
        name: str(version) for name, version in sorted(versions.items()) if version is not None
    }
    return [_package(builder, name, version) for name, version in known.items()]


def _package(builder: Builder, name: str, version: str) -> Any:
    address = HOMES.get(name)
    key = address or f"#software-{slug(name)}"
    return builder.add(key, "SoftwareApplication", name=name, version=version, url=address)


def _parameter(builder: Builder, role: str, name: str, member: str) -> Any:
    parameter = builder.add(
        f"#{role}-{name}",
        "FormalParameter",
        name=name,
        additionalType="File",
        workExample=builder.files[member],
    )
    builder.file(member, exampleOfWork=parameter)
    return parameter


def _scripts(builder: Builder) -> list[str]:
    """The scripts whose rules wrote what is archived; that others ran is not known."""
    scripts = (n for n in builder.members if n.startswith(SCRIPTS) and n.endswith(".py"))
    return sorted(s for s in scripts if any(_made_by(name, _rule(s)) for name in builder.files))


def _rule(script: str) -> str:
    """The rule's name: each rule's script has it."""
    return PurePosixPath(script).stem


def _tool(builder: Builder, script: str) -> Any:
    python = builder.add("#python", "ComputerLanguage", name="Python")
    version = builder.facts.version
    name = _rule(script)
    return builder.file(
        script, "SoftwareSourceCode", name=name, version=version, programmingLanguage=python
    )


def _step(builder: Builder, script: str) -> Any:
    key = f"{WORKFLOW}#{_rule(script)}"
    tool = builder.files[script]
    return builder.add(key, "HowToStep", name=_rule(script), workExample=tool)


def add_run(builder: Builder) -> list[Any]:
    """The run as a whole and each step of it; returns the actions."""
    agent = _agent(builder)
    study = builder.facts.study
    run = builder.add(
        "#run",
        "CreateAction",
        name=f"Run of the study {study}",
        description=f"Measured every interpretation of the study {study} and reconciled it",
        instrument=builder.files[WORKFLOW],
        agent=agent,
        object=[builder.files[member] for member in INPUTS.values()],
        result=[builder.files[member] for member in OUTPUTS.values()],
    )
    actions = {script: _action(builder, script, agent) for script in _scripts(builder)}
    controls = [_control(builder, script, action) for script, action in actions.items()]
    engine = builder.crate.get(HOMES["snakemake"])
    # Which engine ran the steps is known only if the record lists it.
    if engine is not None and controls:
        parts = {"instrument": engine, "agent": agent, "object": controls, "result": run}
        builder.add("#engine-run", "OrganizeAction", name="Run of Snakemake", **parts)
    return [run, *actions.values()]


def _agent(builder: Builder) -> Any:
    name, orcid = builder.facts.answering("checked_by"), builder.facts.answering("orcid")
    if not name:
        return None
    key = f"https://orcid.org/{orcid}" if orcid else f"#{slug(str(name))}"
    return builder.add(key, "Person", name=str(name))


def _action(builder: Builder, script: str, agent: Any) -> Any:
    rule = _rule(script)
    made = [builder.files[name] for name in sorted(builder.files) if _made_by(name, rule)]
    facts = {"description": f"Ran the rule {rule} of the workflow"}
    return builder.add(
        f"#run-{rule}",
        "CreateAction",
        name=f"Run of {rule}",
        instrument=builder.files[script],
        agent=agent,
        result=made,
        **(facts | (dict(_measured(builder)) if rule == "measure" else {})),
    )


def _control(builder: Builder, script: str, action: Any) -> Any:
    rule = _rule(script)
    step = builder.crate.get(f"{WORKFLOW}#{rule}")
    key, name = f"#control-{rule}", f"Control of {rule}"
    return builder.add(key, "ControlAction", name=name, instrument=step, object=action)


def _made_by(member: str, rule: str) -> bool:
    name = result_name(member)
    if name is None or member_of(name) != member:
        return False
    maker = WRITTEN_BY.get(name.partition("/")[0], "")
    return rule == maker or rule.startswith(f"{maker}_")


def _measured(builder: Builder) -> Iterator[tuple[str, Any]]:
    """What the record knows of measuring: times, command, device."""
    facts = builder.facts
    said = (("Command", facts.recorded("command")), ("Device", facts.recorded("device", "name")))
    yield "description", ". ".join(f"{what}: {value}" for what, value in said if value)
    yield "startTime", facts.recorded("started")
    yield "endTime", facts.recorded("ended")
    yield "object", [builder.files[n] for n in ("results/interpretations.json", "study/study.yaml")]
