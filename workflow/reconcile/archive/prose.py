"""README and certificate of an archive: what people read first.

The README is the same for every run; what belongs to one run stands in the certificate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from reconcile.archive.facts import Facts
from reconcile.archive.limits import text_of
from reconcile.archive.manifest import digest
from reconcile.archive.tabular import parse_table

_README = """\
# {title}

An archive of the study `{study}`, written by reconcile {version}. It holds what the paper prints,
every interpretation of it as a network, what these networks measured, the verdicts, and all that is
needed to check or repeat them.

- `record/report.html`, `record/report.pdf`: the report; start here.
- `certificate.md`: what was checked, on what device, with what outcome.
- `results/`: tables, figures, citation files; any run of this study and code gives the same.
- `record/`: what is true of this one run (device, times, latencies) and what is drawn from it.
- `study/`: the claims, interpretations and evidence, and the network as PyTorch code.
- `code/`: the workflow, its configuration and its locked environment.
- `SHA256SUMS`: the hash of every other file. `ro-crate-metadata.json`: all of this for machines
  (Workflow Run RO-Crate, profile provenance-run-crate 0.5).

## Check it

Without any tool of ours, after unpacking:

    sha256sum -c SHA256SUMS

With reconcile, on the zip file itself. This executes nothing from the archive; it checks every byte
of the file, every table, and that verdicts, ranking and numbers follow from the measurements:

    python -m reconcile verify {study}-{version}.crate.zip

With `--rerun` the archive's own `{network}` is executed, to measure everything again here:

    python -m reconcile verify --rerun {study}-{version}.crate.zip

Compare two archives, say of another device: `python -m reconcile compare A.zip B.zip`.

## Repeat it

    cp -r code again && mkdir again/studies && cp -r study again/studies/{study}
    cd again && bash tools/setup.sh && .venv/bin/snakemake

## Cite it

`results/CITATION.cff`, `results/references.bib` and `results/references.json` name the paper, its
reconciliation, the sources and the tool. `results/numbers.tex` and `results/tables.tex` are for
LaTeX.

Licence: {licence} (`code/LICENSE`).
"""


def readme(facts: Facts, network: str) -> bytes:
    """README.md of the archive."""
    text = _README.format(
        title=_cell(facts.title),
        study=facts.study,
        version=facts.version,
        network=f"study/{network}",
        licence=facts.tool["license"],
    )
    return text.encode()


def certificate(members: Mapping[str, bytes], facts: Facts) -> bytes:
    """certificate.md: everything a reader needs to know what this archive vouches for."""
    sections = (
        _identity(facts),
        _run(facts),
        _outcome(members, facts),
        _limits(facts),
        _artifacts(members),
        _closing(facts),
    )
    return ("\n".join(line for section in sections for line in section) + "\n").encode()


def _cell(value: Any) -> str:
    """Text inside a Markdown table, where it cannot end a cell or become markup."""
    text = " ".join(str(value).split())
    for char in "\\`*_[]<>|#":
        text = text.replace(char, f"\\{char}")
    return text


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(map(_cell, row))} |"
    yield ""


def _facts_table(rows: Iterable[tuple[str, Any]]) -> Iterator[str]:
    """Two columns; a fact that is not known has no row."""
    known = ((name, value) for name, value in rows if value is not None and value != "")
    return _table(("what", "value"), known)


def _identity(facts: Facts) -> Iterator[str]:
    paper = facts.paper
    yield f"# Certificate: {facts.study} {facts.version}"
    yield ""
    yield "Every value stands in a file of this archive; what is not known is left out."
    yield ""
    yield from _facts_table(
        [
            ("archive", f"{facts.study}-{facts.version}"),
            ("paper", paper["title"]),
            ("authors", ", ".join(paper["authors"])),
            ("published", f"{paper['venue']}, {paper['year']}"),
            ("paper's address", paper["url"]),
            ("paper's DOI", paper.get("doi")),
            ("checked by", facts.answering("checked_by")),
            ("ORCID", facts.answering("orcid")),
            ("hash of the reproducible part", facts.digest),
        ]
    )


def _run(facts: Facts) -> Iterator[str]:
    yield "## The run"
    yield ""
    clean = {True: "clean", False: "with uncommitted changes"}.get(
        facts.recorded("source", "clean")
    )
    commit = facts.recorded("source", "commit")
    yield from _facts_table(
        [
            ("measured from (UTC)", facts.recorded("started")),
            ("measured until (UTC)", facts.recorded("ended")),
            ("command", facts.recorded("command")),
            ("git commit", f"{commit}, {clean}" if commit and clean else commit),
            *((f"{key} hash", facts.recorded("source", f"{key}_sha256")) for key in _HASHED),
            *_flat("device", facts.recorded("device")),
            *_flat("setting", facts.recorded("settings")),
            *_flat("version", facts.recorded("versions")),
            *_flat("host", facts.recorded("host")),
            *_flat("system package", facts.recorded("system")),
        ]
    )


_HASHED = ("lock", "config", "study")


def _flat(group: str, values: Any) -> Iterator[tuple[str, Any]]:
    for name, value in sorted(values.items()) if isinstance(values, Mapping) else ():
        yield f"{group}: {name.replace('_', ' ')}", value


def _outcome(members: Mapping[str, bytes], facts: Facts) -> Iterator[str]:
    counts, conclusion = facts.reconciliation["counts"], facts.reconciliation["conclusion"]
    yield "## What was found"
    yield ""
    yield _cell(conclusion["answer"])
    yield ""
    yield from _facts_table((name.replace("_", " "), counts[name]) for name in sorted(counts))
    chosen = conclusion["interpretation"]
    yield f"Verdicts on the reading `{chosen}`, which the study concludes for; all readings are in"
    yield "`results/verdicts.csv`."
    yield ""
    name = "results/verdicts.csv"
    columns = ("claim", "printed", "measured", "verdict")
    rows = parse_table(name, text_of(name, members[name]))
    yield from _table(
        columns, ([row[c] for c in columns] for row in rows if row["interpretation"] == chosen)
    )


def _limits(facts: Facts) -> Iterator[str]:
    yield "## What was not checked"
    yield ""
    yield "- That the study quotes the paper and its sources rightly: that is for people to do."
    yield "- Accuracy, training, or anything that needs the weights: networks ran with random ones."
    yield "- Latencies: true of the device above on that day, and compared with nothing."
    for text in facts.reconciliation["conclusion"].get("undecided", ()):
        yield f"- Undecided: {_cell(text)}"
    yield ""


def _artifacts(members: Mapping[str, bytes]) -> Iterator[str]:
    yield "## Inputs and artifacts"
    yield ""
    shown = (n for n in sorted(members) if not n.startswith("code/workflow/") and "fonts/" not in n)
    yield from _table(("file", "bytes", "SHA-256"), (_artifact(n, members[n]) for n in shown))
    yield "The library's files are in `SHA256SUMS`."
    yield ""


def _artifact(name: str, data: bytes) -> tuple[str, str, str]:
    return name, str(len(data)), digest(data)


def _closing(facts: Facts) -> Iterator[str]:
    yield "## How to verify, cite and correct"
    yield ""
    yield "`python -m reconcile verify FILE` checks this archive; README.md says what it does."
    yield "Cite the paper and these results: `results/CITATION.cff`, `results/references.bib`."
    yield f"Licence: {facts.tool['license']}."
    yield ""
    yield "An archive is never changed. A correction is a new version, with an archive of its own;"
    yield "`code/CITATION.cff` names whom to write to, where that is known."
