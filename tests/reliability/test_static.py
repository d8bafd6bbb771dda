"""What can be seen without running anything: checkers of code, pinned dependencies."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from snakemake.settings.types import MaxJobsPerTimespan
from support import PROJECT

CODE = ("workflow", "tools", "studies", "bench")


def test_bandit_finds_nothing() -> None:
    """Bandit is content; what it may overlook stands in pyproject.toml with its reason."""
    command = [sys.executable, "-m", "bandit", "-q", "-c", "pyproject.toml", "-r", *CODE]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_exception_to_a_security_rule_has_its_reason() -> None:
    """Where ruff's S rules do not apply, the line says why."""
    lines = [
        f"{file.relative_to(PROJECT)}:{number}"
        for folder in CODE
        for file in (PROJECT / folder).rglob("*.py")
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1)
        if re.search(r"# (noqa: S\d|nosec)", line)
        and not re.search(r"# noqa: [A-Z0-9, ]+ - \S", line)
    ]
    assert not lines


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock"])
def test_every_pin_has_a_hash_and_no_address(name: str) -> None:
    """A lock file pins each package to one release with hashes and names no registry."""
    text = Path(PROJECT / name).read_text("utf-8")
    pins = re.split(r"\n(?=\S)", text.split("\n", 1)[1])
    assert len(pins) > 30
    for pin in filter(None, map(str.strip, pins)):
        assert re.match(r"[a-z0-9.-]+==[^ ]+ ", pin), pin
        assert "--hash=sha256:" in pin, pin
    assert "://" not in text


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("requirements.lock", ["pipeline"]),
        ("requirements-test.lock", ["pipeline", "slurm", "test"]),
    ],
)
def test_every_range_is_met_by_its_pin(name: str, extras: list[str]) -> None:
    """What pyproject.toml asks for is in the lock file, in a release that it allows."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    pins = dict(re.findall(r"(?m)^([a-z0-9.-]+)==(\S+)", (PROJECT / name).read_text("utf-8")))
    for text in chain(project["dependencies"], *(optional[extra] for extra in extras)):
        wanted = Requirement(text)
        pin = pins[re.sub(r"[-_.]+", "-", wanted.name).lower()]
        assert wanted.specifier.contains(pin), text


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock"])
def test_torch_is_pinned_with_its_cuda_parts(name: str) -> None:
    """The lock has a hash for each build of torch, and pins what the one for CUDA needs."""
    text = Path(PROJECT / name).read_text("utf-8")
    (torch,) = re.findall(r"(?m)^torch==\S+ \\\n((?:    --hash.*\n)+)", text)
    # Of four systems and five releases of Python, and what the registry does not list.
    assert len(torch.splitlines()) > 20
    parts = re.findall(
        r"(?m)^((?:nvidia|cuda)-[a-z0-9-]+|triton)==\S+ ; .*sys_platform == 'linux'", text
    )
    assert len(parts) > 15
    assert {"nvidia-cublas", "nvidia-cudnn-cu13", "triton"} <= set(parts)


@pytest.mark.parametrize("name", ["default", "slurm"])
def test_a_job_that_waits_keeps_no_core_busy(name: str) -> None:
    """Snakemake looks once a timespan for a place for a job; without one it looks without end."""
    profile = yaml.safe_load((PROJECT / "profiles" / name / "profile.yaml").read_text("utf-8"))
    limit = profile.get("max-jobs-per-timespan", "100/1s")
    assert MaxJobsPerTimespan.parse_choice(limit).timespan >= 1
