"""interpretations.json is read reading by reading, and only as instantiate writes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import write_study

from reconcile.errors import InputError
from reconcile.files import write_json
from reconcile.study.load import load_study
from reconcile.study.plan import plan_of
from reconcile.study.settings import Plan

HOSTILE = "  {\n  },\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan of a study with text in it that looks like the end of a reading."""
    folder = tmp_path_factory.mktemp("plan")
    plan = plan_of(load_study(write_study(folder / "tiny")), "tiny")
    plan["interpretations"][0]["networks"]["main"] = {"note": HOSTILE, "nested": [{"a": [1]}]}
    write_json(folder / "interpretations.json", plan)
    return folder / "interpretations.json"


def test_every_reading_is_read(written: Path) -> None:
    """Reading by reading gives what reading the whole file gives, whatever texts stand in it."""
    whole, plan = json.loads(written.read_text("utf-8")), Plan.read(written)
    assert list(plan.readings()) == whole["interpretations"]
    assert plan.network == whole["network"]


@pytest.mark.parametrize(("first", "last"), [(0, 1), (1, 3), (2, 9), (7, 9)])
def test_a_batch_is_a_range(written: Path, first: int, last: int) -> None:
    """A batch has the readings of its range, fewer at the end."""
    whole = json.loads(written.read_text("utf-8"))["interpretations"]
    assert list(Plan.read(written).readings(slice(first, last))) == whole[first:last]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"interpretations": [{"id": "a"}], "network": {}}']
)
def test_another_layout_is_refused(tmp_path: Path, text: str) -> None:
    """A file that instantiate did not write is named, and nothing is measured."""
    file = tmp_path / "interpretations.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"interpretations\.json: not as `instantiate` writes it"):
        Plan.read(file)
