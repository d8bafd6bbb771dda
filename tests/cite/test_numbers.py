"""Numbers and tables for write-ups are the measured ones, and a write-up compiles with them."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from support import PROJECT

from reconcile.cite.latex import command_name, number, read_macros
from reconcile.cite.numbers import (
    CITATION_FILES,
    load_numbers,
    numbers,
    numbers_tex,
    write_citations,
)
from reconcile.tables.contract import layer_quantities

STUDY = PROJECT / "studies" / "alexnet"
WRITE_UP = r"""
\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage{lmodern,booktabs,graphicx,url}
\input{numbers}
\input{tables}
\begin{document}
The paper prints \rcClaimConvOnePrinted{} neurons; measured were \rcCeilConvOneNeurons{}, or
$\rcCeilConvOneNeurons$ in a formula, which \rcCeilClaimConvOneVerdict{} it. No layer has more than
\rcClaimConvShareMeasured{} of the \rcCeilNetworkParameters{} parameters~\cite{PAPER,reconcile}.
\begin{table}\centering\scriptsize\rcTableClaims\caption{\rcConclusionAnswer}\end{table}
\begin{table}\centering\tiny\rcTableRanking\end{table}
\begin{table}\centering\tiny\rcTableLayers\end{table}
\begin{table}\centering\tiny\rcTableTotals\end{table}
\begin{figure}\includegraphics[width=\linewidth]{figures/neurons.pdf}\end{figure}
\nocite{*}\bibliographystyle{plain}\bibliography{references}
\end{document}
"""


@pytest.fixture(scope="module")
def written(alexnet_results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The citation files of the AlexNet study."""
    out = tmp_path_factory.mktemp("cite") / "alexnet"
    shutil.copytree(alexnet_results, out)
    write_citations(STUDY, out, PROJECT / "CITATION.cff")
    return out


def macros_of(folder: Path) -> dict[str, str]:
    """The commands in a folder's numbers.tex."""
    return read_macros((folder / "numbers.tex").read_text(encoding="utf-8"))


def rows(file: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_file_is_written(written: Path) -> None:
    """Numbers, tables, BibTeX, CSL-JSON and CITATION.cff."""
    assert all((written / name).stat().st_size for name in CITATION_FILES)
    assert json.loads((written / "references.json").read_text(encoding="utf-8"))


def test_every_measured_number_is_a_command(written: Path) -> None:
    """Each count of each layer and network of each reading has a command with its value."""
    macros = macros_of(written)
    for row in rows(written / "layers.csv"):
        for quantity in layer_quantities():
            if row[quantity]:
                name = command_name(row["interpretation"], row["layer"], quantity)
                assert macros[name] == number(row[quantity])
    for row in rows(written / "totals.csv"):
        for quantity in ("neurons", "conv_neurons", "parameters", "macs", "connections"):
            if row[quantity]:
                name = command_name(row["interpretation"], "network", quantity)
                assert macros[name] == number(row[quantity])


def test_every_verdict_is_a_command(written: Path) -> None:
    """So has each verdict, and each measured number that it is about."""
    macros = macros_of(written)
    for row in rows(written / "verdicts.csv"):
        name = command_name(row["interpretation"], "claim", row["claim"])
        assert macros[f"{name}Verdict"] == row["verdict"]
        assert rf"\rcnum{{{row['measured']}}}" in macros[f"{name}Measured"]


def test_short_names_are_of_the_conclusion(written: Path) -> None:
    """Without a reading's name a command speaks of the reading that the study concludes for."""
    macros = macros_of(written)
    chosen = load_numbers(written).chosen
    assert macros["rcConvOneNeurons"] == macros[command_name(chosen, "conv1", "neurons")]
    assert macros["rcConvOneNeurons"] == r"\rcnum{290400}{290{,}400}"
    assert macros["rcClaimConvOnePrinted"] == "253,440"


def test_percentages(written: Path) -> None:
    """Where the paper prints a percentage, the measured share is shown as one."""
    shown = macros_of(written)["rcClaimConvShareMeasured"]
    assert shown.startswith(r"\rcnum{0.0145")
    assert shown.endswith(r"{1.45\%}")


def test_large_sweeps(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more layers than TeX can hold, only the conclusion's have commands; verdicts stay."""
    monkeypatch.setattr(numbers, "MAX_LAYER_ROWS", 10)
    macros = read_macros(numbers_tex(load_numbers(written)))
    assert "rcConvOneNeurons" in macros
    assert "rcCeilConvOneNeurons" not in macros
    assert "rcCeilClaimConvOneVerdict" in macros


def test_same_results_same_bytes(written: Path, tmp_path: Path) -> None:
    """Written again elsewhere, every file has the same bytes."""
    again = tmp_path / "elsewhere"
    shutil.copytree(written, again)
    write_citations(STUDY, again, PROJECT / "CITATION.cff")
    for name in CITATION_FILES:
        assert (again / name).read_bytes() == (written / name).read_bytes()


def latexmk(folder: Path, source: str) -> str:
    """Compile a document and return its text."""
    (folder / "paper.tex").write_text(source, encoding="utf-8")
    command = ["latexmk", "-pdf", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    log = (folder / "paper.log").read_text(encoding="utf-8", errors="replace")
    assert "undefined" not in log
    shown = ["pdftotext", "-layout", "paper.pdf", "-"]
    return subprocess.run(shown, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.slow
def test_write_up_compiles(written: Path, tmp_path: Path) -> None:
    """A LaTeX write-up with numbers, tables, a figure and references compiles without complaint."""
    from reconcile.report.figures.write import write_figures
    from reconcile.report.read import read_results
    from reconcile.study.config import ReportOptions

    write_figures(read_results(STUDY, written), PROJECT / "templates", ReportOptions().max_readings)
    folder = tmp_path / "paper"
    shutil.copytree(written, folder)
    key = (written / "references.bib").read_text(encoding="utf-8").split("{")[1].split(",")[0]
    text = " ".join(latexmk(folder, WRITE_UP.replace("PAPER", key)).split())
    assert "prints 253,440 neurons; measured were 290,400, or" in text
    assert "1.45% of the 60,965,224 parameters" in text
    assert "Krizhevsky" in text
    assert "Warning" not in (folder / "paper.blg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_command_can_be_typeset(written: Path, tmp_path: Path) -> None:
    """Every command in numbers.tex can be used in text, with whatever it holds."""
    shutil.copy(written / "numbers.tex", tmp_path)
    used = "\n\n".join(rf"\{name}{{}}" for name in macros_of(written))
    source = (
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{lmodern}\input{numbers}"
        rf"\begin{{document}}{used}\end{{document}}"
    )
    assert "explained-by-slip" in latexmk(tmp_path, source)


@pytest.mark.slow
def test_numbers_can_be_formatted_otherwise(written: Path, tmp_path: Path) -> None:
    """A write-up that defines rcnum itself gets the plain digits, as siunitx wants them."""
    shutil.copy(written / "numbers.tex", tmp_path)
    source = (
        r"\documentclass{article}\newcommand{\rcnum}[2]{<#1>}\input{numbers}"
        r"\begin{document}\texttt{\rcConvOneNeurons}\end{document}"
    )
    assert "<290400>" in latexmk(tmp_path, source)
