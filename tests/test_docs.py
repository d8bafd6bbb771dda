"""What the documentation says is so."""

from __future__ import annotations

import importlib.util
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import PROJECT, study_data, write_study

from reconcile.cli import COMMANDS
from reconcile.judge.reconciliation import MOST_LISTED
from reconcile.judge.verdicts import judge
from reconcile.study.expressions import MAX_NESTING
from reconcile.study.load import load_study
from reconcile.study.model import Claim, Statement
from reconcile.study.plan import MAX_COMBINATIONS, MAX_COUNTINGS
from reconcile.study.printed_tables import PrintedRow, PrintedTable
from reconcile.study.yamlfile import MAX_BYTES, MAX_CHARACTERS, MAX_NODES
from reconcile.tables.contract import QUANTITIES

DOCS = PROJECT / "docs"
PAGES = ("how-it-works", "counting-conventions", "adding-a-study", "limits", "own-repository")


def _text(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def test_the_project_is_described_once() -> None:
    """codemeta.json and .zenodo.json are what tools/describe_project.py makes of CITATION.cff."""
    tool = PROJECT / "tools" / "describe_project.py"
    found = importlib.util.spec_from_file_location("describe_project", tool)
    assert found is not None and found.loader is not None
    describe = importlib.util.module_from_spec(found)
    found.loader.exec_module(describe)
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    for name, text in describe.described(citation).items():
        assert (PROJECT / name).read_text(encoding="utf-8") == text


WRITTEN = sorted(path.relative_to(PROJECT) for path in (*PROJECT.glob("*.md"), *DOCS.glob("*.md")))


@pytest.mark.parametrize("page", WRITTEN, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link is to a file or folder of the project."""
    text = (PROJECT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert all((PROJECT / page.parent / link).exists() for link in links)


def test_excerpts_are_of_the_study() -> None:
    """The walk through a study quotes it word for word."""
    folder = PROJECT / "studies" / "lenet5"
    sources = {
        "yaml": (folder / "study.yaml").read_text(encoding="utf-8"),
        "python": (folder / "network.py").read_text(encoding="utf-8"),
    }
    excerpts = re.findall(r"```(yaml|python)\n(.*?)```", _text("adding-a-study"), re.DOTALL)
    assert len(excerpts) >= 6
    for language, excerpt in excerpts:
        assert excerpt in sources[language], excerpt


EXAMPLES = re.findall(r"```yaml example\n(.*?)```", _text("adding-a-study"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_are_good_studies(tmp_path: Path, number: int) -> None:
    """Every example of a key, put into a small study, is a good one."""
    load_study(write_study(tmp_path / "tiny", _study_of(EXAMPLES[number])))


def _study_of(example: str) -> dict[str, Any]:
    """A study of nothing but an example, and what every study has."""
    data = study_data() | {"claims": study_data()["claims"][:1]}
    for key in ("evidence", "consistency", "slips", "geometries"):
        del data[key]
    reading = {"id": "a", "title": "a", "proposed_by": [{"name": "a paper"}]}
    data |= {"interpretations": [reading], "statements": []} | yaml.safe_load(example)
    if "tables" in data:
        data["claims"] = []
    chosen = data["interpretations"][0]["id"]
    data["conclusion"] = {"interpretation": chosen, "answer": "None.", "text": "None."}
    return data


def test_every_key_of_a_claim_has_an_example() -> None:
    """The page shows each key of claims, tables and statements that a stranger would look for."""
    shown = {key for example in EXAMPLES for key in re.findall(r"(\w+):", example)}
    shown |= set(re.findall(r"`(\w+)(?::[^`]*)?`", _text("adding-a-study")))
    for model in (Claim, Statement, PrintedTable, PrintedRow):
        assert set(model.model_fields) <= shown, set(model.model_fields) - shown


@pytest.mark.parametrize(
    ("claim", "measured", "verdict"),
    [
        ("parameters", 132_863_336, "matches-rounded"),
        ("neurons", 545_000, "matches"),
        ("neurons", 560_000, "contradicts"),
        ("base-parameters", 109_482_240, "matches-zeros"),
        ("macs-v3", 3_610_000_000, "matches-rounded"),
        ("share", Fraction(1, 5), "matches"),
        ("sizes.b0.params", 5_288_548, "matches-rounded"),
        ("architecture.conv.size.width", 112, "matches"),
        ("architecture.fc.parameters", 2_049_000, "matches-rounded"),
    ],
)
def test_examples_mean_what_they_say(
    tmp_path: Path, claim: str, measured: Fraction, verdict: str
) -> None:
    """The numbers beside an example are those that it stands for."""
    studies = (
        load_study(write_study(tmp_path / str(i), _study_of(example)))
        for i, example in enumerate(EXAMPLES)
    )
    (found,) = (c for study in studies for c in study.claims if c.id == claim)
    assert judge(Fraction(measured), found)[0] == verdict


def test_commands_exist() -> None:
    """Every command that a page shows is one."""
    shown = {
        c for page in PAGES for c in re.findall(r"(?:python -m|\$) reconcile (\w+)", _text(page))
    }
    assert shown and shown <= COMMANDS.keys()


def test_quantities_are_described() -> None:
    """The table of conventions has every quantity."""
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", _text("counting-conventions"), re.MULTILINE)
    assert {q for row in rows for q in re.findall(r"`(\w+)`", row)} == QUANTITIES.keys()


def test_rules_are_described() -> None:
    """The steps and the diagram name every rule that makes something."""
    text = _text("how-it-works")
    files = (PROJECT / "workflow" / "rules").glob("*.smk")
    rules = {r for f in files for r in re.findall(r"^rule (\w+):", f.read_text("utf-8"), re.M)}
    steps = set(re.findall(r"`(\w+)`", text.partition("Three decisions")[0]))
    assert {s for s in steps if s.islower()} <= rules
    assert {"instantiate", "measure", "reconcile", "search", "render_report"} <= steps


LIBRARY = PROJECT / "workflow" / "reconcile"
MAP = _text("how-it-works").partition("## Where things are")[2]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w./-]+(?:\.(?:py|jinja)|/))`", MAP))))
def test_the_map_names_files_that_exist(name: str) -> None:
    """Every file and folder of the map is there; files that a room starts at are in that room."""
    rooms = re.findall(r"^\| `(\w+/)` \|.*\|(.*)\|$", MAP, re.MULTILINE)
    starts = {file: room for room, files in rooms for file in re.findall(r"`(\w+\.py)`", files)}
    places = [LIBRARY / name, PROJECT / name, *LIBRARY.glob(f"{starts.get(name, '.')}/{name}")]
    assert any(place.exists() for place in places)


@pytest.mark.parametrize(
    ("name", "file"), sorted(set(re.findall(r"`(\w+)`\s+(?:in|of)\s+`([\w/]+\.py)`", MAP)))
)
def test_the_map_names_what_is_in_the_file(name: str, file: str) -> None:
    """A function, class or constant that the map puts into a file is defined there."""
    text = (LIBRARY / file).read_text(encoding="utf-8")
    assert re.search(rf"^(?:def|class) {name}\b|^{name}(?::| =)", text, re.MULTILINE)


def test_the_map_has_every_room() -> None:
    """Each room has its sentence."""
    rooms = {folder.parent.name for folder in LIBRARY.glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+)/` \|", MAP, re.MULTILINE)) == rooms


def test_limits_are_the_code_s() -> None:
    """Numbers in the prose are those in the code."""
    limits = " ".join(_text("limits").split())
    assert f"{MAX_COMBINATIONS:,} combinations" in limits
    assert f"{MAX_COUNTINGS:,} numbers" in limits
    assert f"1,000 characters and {MAX_NESTING} levels" in limits
    assert f"a study {MAX_BYTES:,} bytes" in limits
    assert f"{MAX_NODES:,} values and {MAX_CHARACTERS:,} characters" in limits
    assert f"the {MOST_LISTED} best" in _text("how-it-works")
    from reconcile.measure.worker import MEMORY_SHARE

    assert f"{MEMORY_SHARE:.0%}" in _text("limits")


def test_readme_shows_every_study() -> None:
    """Each study has its line in the README's table, under its own title."""
    rows = re.findall(r"^\| \[(.+)\]\(studies/(\w+)\) \|", _readme(), re.MULTILINE)
    files = sorted((PROJECT / "studies").glob("*/study.yaml"))
    titles = {f.parent.name: yaml.safe_load(f.read_text(encoding="utf-8"))["title"] for f in files}
    assert {name: title for title, name in rows} == titles and len(rows) == len(titles)


def _readme() -> str:
    return (PROJECT / "README.md").read_text(encoding="utf-8")
