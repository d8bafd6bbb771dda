"""Every citation says what the study and the project say, and nothing else.

Whatever a study says becomes text in LaTeX.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support import PROJECT

import reconcile
from reconcile.cite.bibliography import (
    AUTHORS,
    bibtex,
    citation_file,
    csl_json,
    escape,
    load_tool,
    references,
    to_cite,
)
from reconcile.errors import InputError
from reconcile.study.load import load_study
from reconcile.study.model import Study


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("50% & more_", r"50\% \& more\_"),
        ("C:\\x{y}", r"C:\textbackslash{}x\{y\}"),
        ("11×11", r"11\ensuremath{\times}11"),
        ("a – b", r"a \textendash{} b"),
        ("a -- b", r"a -{}- b"),
        ("Krčmář", "Krčmář"),
        ("ﬁ²", r"fi\ensuremath{^{2}}"),
        ("日", "{[}U+65E5{]}"),
        ("two\n  lines", "two lines"),
    ],
)
def test_escape(text: str, shown: str) -> None:
    """Text is shown as it is, on one line; what cannot be typeset is shown by its code point."""
    assert escape(text).replace("[U+65E5]", "{[}U+65E5{]}") == shown


@given(st.text())
def test_escape_leaves_nothing_active(text: str) -> None:
    """After escaping, every special character belongs to a command of ours; braces balance."""
    ours = r"\\ensuremath\{\^|\\[\\{}$&%#_,]|\\[a-z]+(\d+)?(\{\})?"
    rest = re.sub(ours, "", escape(text))
    assert not set(rest) & set("$&%#_^\\")
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", escape(text)):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0


TOOL = PROJECT / "CITATION.cff"
CFFCONVERT = "cffconvert==2.0.0"
# Its jsonschema of 2019 asks for pkg_resources, which later releases of setuptools lack.
ISOLATED = (CFFCONVERT, "setuptools<80")


@pytest.fixture(scope="session")
def cffconvert() -> list[str]:
    """The program in an environment of its own: in ours it would break Snakemake's validation."""
    folder = PROJECT / ".venv-cff"
    python, stamp = folder / "bin" / "python", folder / "stamp"
    if not (python.exists() and stamp.exists() and stamp.read_text() == str(ISOLATED)):
        stamp.unlink(missing_ok=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "--disable-pip-version-check", "-q"]
        subprocess.run([*pip, "install", *ISOLATED], check=True)
        stamp.write_text(str(ISOLATED))
    # bin/cffconvert names the folder in which it was installed, which may have been moved since.
    return [str(python), "-c", "from cffconvert.cli.cli import cli; cli()"]


def study_with(make_study: Callable[..., Study], **paper: Any) -> Study:
    """The tiny study with another paper."""
    return make_study(lambda data: data["paper"].update(paper))


@pytest.mark.slow
def test_project_is_valid_cff(cffconvert: list[str]) -> None:
    """Cffconvert accepts the project's own CITATION.cff."""
    subprocess.run([*cffconvert, "--validate", "-i", TOOL], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("venue", ["Proceedings of X", "Journal of Y", "arXiv preprint", "Nature"])
@pytest.mark.parametrize("doi", [None, "10.1000/182"])
def test_results_are_valid_cff(
    cffconvert: list[str],
    make_study: Callable[..., Study],
    tmp_path: Path,
    venue: str,
    doi: str | None,
) -> None:
    """Cffconvert accepts the CITATION.cff of results, whatever is known of the paper."""
    authors = ["Ada Lovelace", "Aaron van den Oord", "OpenAI"]
    study = study_with(make_study, venue=venue, doi=doi, authors=authors)
    file = tmp_path / "CITATION.cff"
    file.write_text(citation_file(study, load_tool(TOOL)), encoding="utf-8")
    subprocess.run([*cffconvert, "--validate", "-i", file], check=True)


def test_one_version() -> None:
    """Citation, package, changelog and library agree on version, date and licence."""
    project = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    tool = load_tool(TOOL)
    assert tool["version"] == reconcile.__version__
    assert f'version = "{reconcile.__version__}"' in project
    changes = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {tool['version']} ({tool['date-released']})" in changes.splitlines()
    assert f'license = "{tool["license"]}"' in project
    assert [author["name"] for author in tool["authors"]] == [AUTHORS]


def test_broken_tool(tmp_path: Path) -> None:
    """A CITATION.cff without authors is a fault with its file."""
    file = tmp_path / "CITATION.cff"
    file.write_text("title: x\nversion: 1\nlicense: MIT\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"CITATION\.cff: authors: this key is missing"):
        load_tool(file)


@pytest.mark.parametrize(
    ("venue", "entry", "csl", "cff"),
    [
        ("Proceedings of X", "@inproceedings", "paper-conference", "conference-paper"),
        ("Advances in Neural Information Processing Systems 25", "@inproceedings", *["", ""]),
        ("Journal of Y", "@article", "article-journal", "article"),
        ("arXiv preprint", "@misc", "document", "generic"),
    ],
)
def test_kinds(
    make_study: Callable[..., Study], venue: str, entry: str, csl: str, cff: str
) -> None:
    """The kind of publication follows from the venue's own words, else it is left open."""
    study, tool = study_with(make_study, venue=venue), load_tool(TOOL)
    items = references(study, "tiny", tool)
    assert bibtex(items).startswith(f"{entry}{{")
    assert f"{{{venue}}}" in bibtex(items)
    assert not csl or json.loads(csl_json(items))[0]["type"] == csl
    assert not cff or yaml.safe_load(citation_file(study, tool))["references"][0]["type"] == cff


def test_names(make_study: Callable[..., Study]) -> None:
    """Particles belong to the family name, and organisations are not split."""
    study = study_with(make_study, authors=["Aaron van den Oord", "OpenAI", "Ada B. Lovelace"])
    authors = json.loads(csl_json(references(study, "tiny", load_tool(TOOL))))[0]["author"]
    assert authors == [
        {"family": "Oord", "given": "Aaron", "non-dropping-particle": "van den"},
        {"literal": "OpenAI"},
        {"family": "Lovelace", "given": "Ada B."},
    ]
    text = bibtex(references(study, "tiny", load_tool(TOOL)))
    assert "author = {Aaron van den Oord and {OpenAI} and Ada B. Lovelace}" in text


def test_nothing_is_invented(alexnet: Study) -> None:
    """No DOI that the study does not give, and no year, author or address that it does not."""
    items = references(alexnet, "alexnet", load_tool(TOOL))
    texts = bibtex(items) + csl_json(items) + citation_file(alexnet, load_tool(TOOL))
    assert alexnet.paper.doi is None
    assert "doi" not in texts.lower()
    tool = next(item for item in items if item.key == "reconcile")
    released = str(load_tool(TOOL)["date-released"])
    assert dict(tool.fields) == {"version": reconcile.__version__, "year": released[:4]}
    assert tool.authors == ["The reconcile authors"]


STUDIES = sorted(folder.name for folder in (PROJECT / "studies").iterdir())


@pytest.mark.parametrize("name", STUDIES)
def test_what_a_report_asks_to_cite_is_in_the_files(name: str) -> None:
    """The entries that a report prints stand in references.bib as they are, and in the others."""
    study, tool = load_study(PROJECT / "studies" / name), load_tool(TOOL)
    items = references(study, name, tool)
    printed, own = bibtex(to_cite(study, name)), f"reconcile-{name}"
    assert printed in bibtex(items)
    assert f"@misc{{{own}," in printed
    entry = next(item for item in json.loads(csl_json(items)) if item["id"] == own)
    assert entry["title"] == yaml.safe_load(citation_file(study, tool))["title"]
    assert (entry["version"], entry["author"]) == (tool["version"], [{"literal": AUTHORS}])


def test_a_reconciliation_has_no_year(tiny: Study) -> None:
    """References are the same in every run, so that they cannot have the year of one."""
    own = next(item for item in to_cite(tiny, "tiny") if item.key == "reconcile-tiny")
    assert dict(own.fields) == {"version": reconcile.__version__}


def test_every_source_once(alexnet: Study) -> None:
    """Every address that the study cites is one reference, and keys are unique."""
    items = references(alexnet, "alexnet", load_tool(TOOL))
    cited = [s.url for e in alexnet.evidence for s in e.source if s.url]
    cited += [s.url for r in alexnet.interpretations for s in r.proposed_by if s.url]
    found = [item.fields.get("url") for item in items]
    assert set(cited) <= set(found)
    assert len({item.key for item in items}) == len(items)
    addresses = [address for address in found if address]
    assert len(set(addresses)) == len(addresses)


def test_entries_cannot_be_broken_out_of(make_study: Callable[..., Study]) -> None:
    """Braces and backslashes in a title or link leave the entry well formed."""
    study = study_with(make_study, title=r"A } \% { title", url="https://example.org/a}b\\c{d")
    entry = bibtex(references(study, "tiny", load_tool(TOOL)))
    bare = re.sub(r"\\[{}]", "", entry)
    assert bare.count("{") == bare.count("}")
    assert "https://example.org/a%7Db%5Cc%7Bd" in entry
