"""Numbers and tables for write-ups are the measured ones, and a write-up compiles with them."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from support import PROJECT

from reconcile.cite import numbers
from reconcile.cite.bibliography import Tex, escape
from reconcile.cite.numbers import (
    CITATION_FILES,
    Macros,
    Numbers,
    command_name,
    latex_templates,
    load_numbers,
    number,
    read_macros,
    tables_tex,
    write_citations,
)
from reconcile.study.load import load_study
from reconcile.tables.contract import layer_quantities

STUDY, TEMPLATES = PROJECT / "studies" / "alexnet", PROJECT / "templates"
COUNTINGS = ("as-stated", "other")
RANKED = {
    "rank": 1,
    "title": "t",
    "excluded_by": [],
    "score": {"claims_contradicted": 0, "statements_denied": 0, "assumptions": 0},
}
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
    write_citations(load_study(STUDY), out)
    return out


def macros_of(folder: Path) -> dict[str, str]:
    """The commands in a folder's numbers.tex."""
    return read_macros((folder / "numbers.tex").read_text(encoding="utf-8"))


def numbers_tex(tables: Numbers) -> str:
    """numbers.tex of some tables, by the project's template."""
    return numbers.numbers_tex(tables)


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
        otherwise = "" if row["counting"] == "as-stated" else " (by another counting)"
        assert macros[f"{name}Verdict"] == row["verdict"] + otherwise
        assert rf"\rcnum{{{row['measured']}}}" in macros[f"{name}Measured"]


def test_what_was_counted_is_a_command(written: Path) -> None:
    """A number names its counting, so that no other agreement looks like the claim's own."""
    macros = macros_of(written)
    assert macros["rcCeilClaimTotalNeuronsVerdict"] == "matches-rounded (by another counting)"
    assert macros["rcCeilClaimTotalNeuronsCounting"] == "convolutional layers only"
    assert macros["rcCeilClaimConvTwoCounting"] == "neurons('conv2')"
    table = (written / "tables.tex").read_text(encoding="utf-8")
    assert "matches-rounded (by another counting)" in table


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
    write_citations(load_study(STUDY), again)
    for name in CITATION_FILES:
        assert (again / name).read_bytes() == (written / name).read_bytes()


def test_tables_are_booktabs(written: Path) -> None:
    """Each table is a command, with three rules and as many cells in every row."""
    text = (written / "tables.tex").read_text(encoding="utf-8")
    found = re.findall(r"\\newcommand\{\\(\w+)\}\{%\n(.*?\\end\{tabular\})\}\n", text, re.DOTALL)
    assert [name for name, _ in found] == [
        f"rcTable{name}" for name in ("Claims", "Ranking", "Layers", "Totals")
    ]
    for name, body in found:
        begin, top, head, middle, *rows, bottom, _ = body.splitlines()
        columns = re.fullmatch(r"\\begin\{tabular\}\{([lr]+)\}", begin)
        assert columns and (top, middle, bottom) == (r"\toprule", r"\midrule", r"\bottomrule"), name
        assert {len(line.split(" & ")) for line in (head, *rows)} == {len(columns[1])}, name
        assert all(line.endswith(r" \\") for line in (head, *rows)), name


NAMES = st.text(alphabet="aAbB019._- é層", min_size=1, max_size=4)
VALUE = st.integers(0, 3).map(str)


@st.composite
def numbers_of_any_names(draw: st.DrawFn) -> Numbers:
    """Tables of readings, networks, layers and claims whose names are likely to collide."""
    readings = draw(st.lists(NAMES | st.just("claim"), min_size=1, max_size=3, unique=True))
    networks = draw(st.lists(NAMES | st.just("main"), min_size=1, max_size=2, unique=True))
    layers = draw(st.lists(NAMES | st.just("network"), max_size=3, unique=True))
    claims = draw(st.lists(NAMES, max_size=3, unique=True))
    places = [{"interpretation": r, "network": n} for r in readings for n in networks]
    values = st.fixed_dictionaries(dict.fromkeys(("neurons", "macs"), VALUE | st.just("")))
    return Numbers(
        {
            "study": "s",
            "version": "1",
            "paper": {"title": "t"},
            "conclusion": {
                "answer": "a",
                "interpretation": draw(st.sampled_from([*readings, "none"])),
            },
            "counts": {"claims": len(claims)},
            "claims": [
                {
                    "id": name,
                    "printed": draw(VALUE),
                    "countings": [{"id": one, "title": f"as {one}"} for one in COUNTINGS],
                }
                for name in claims
            ],
        },
        [
            place | {"layer": layer, "kind": "fc"} | draw(values)
            for place in places
            for layer in layers
        ],
        [place | {"status": "measured"} | draw(values) for place in places],
        [
            {"interpretation": r, "claim": c, "printed": "1", "measured": draw(VALUE | st.just(""))}
            | {"verdict": draw(st.sampled_from(["matches", "contradicts"]))}
            | {"counting": draw(st.sampled_from(COUNTINGS))}
            for r in readings
            for c in claims
        ],
    )


def things_of(numbers: Numbers) -> Iterator[tuple[list[str], str, str]]:
    """Everything that should have a command: its name, what it is, its value."""
    for parts, value in (
        (["paper", "title"], "t"),
        (["study", "version"], "1"),
        (["conclusion", "answer"], "a"),
        (["conclusion", "interpretation"], escape(numbers.chosen or "none")),
    ):
        yield parts, f"the {parts[1]} of the {parts[0]}", value
    for name, count in numbers.reconciliation["counts"].items():
        yield ["count", name], f"the count {name!r}", number(str(count))
    for claim in numbers.reconciliation["claims"]:
        parts = ["claim", claim["id"], "printed"]
        yield parts, f"claim {claim['id']!r} as printed", claim["printed"]
    for row in (*numbers.totals, *numbers.layers, *numbers.verdicts):
        reading = row["interpretation"]
        for parts, thing, value in things_of_a_row(row):
            yield [reading, *parts], f"{thing} in reading {reading!r}", value
            if reading == numbers.chosen:
                yield parts, f"{thing} in reading {reading!r}", value


def things_of_a_row(row: Mapping[str, str]) -> Iterator[tuple[list[str], str, str]]:
    """The same of one row, without its reading."""
    if "claim" in row:
        what = f"claim {row['claim']!r}"
        if row["measured"]:
            parts = ["claim", row["claim"], "measured"]
            yield parts, f"the number measured for {what}", number(row["measured"])
        otherwise = row["measured"] and row["counting"] != "as-stated"
        verdict = f"{row['verdict']}{' (by another counting)' if otherwise else ''}"
        yield ["claim", row["claim"], "verdict"], f"the verdict on {what}", verdict
        counting = f"as {row['counting']}"
        yield ["claim", row["claim"], "counting"], f"what was counted for {what}", counting
        return
    network = [] if row["network"] == "main" else [row["network"]]
    of = f" {network[0]!r}" if network else ""
    what = f"layer {row['layer']!r}" + (" of network" + of if of else "") if "layer" in row else ""
    what, layer = what or f"the whole network{of}", row.get("layer", "network")
    if "status" in row:
        yield [*network, layer, "status"], f"the status of {what}", row["status"]
    for quantity in ("neurons", "macs"):
        if row[quantity]:
            parts = [*network, layer, quantity]
            yield parts, f"the {quantity} of {what}", number(row[quantity])


@given(numbers_of_any_names())
def test_no_command_stands_for_two_things(numbers: Numbers) -> None:
    """Whatever the names, each value has a command of its own or is named in a comment."""
    text = numbers_tex(numbers)
    macros, things = read_macros(text), defaultdict(set)
    for parts, thing, value in things_of(numbers):
        things[command_name(*parts)].add((thing, value))
    clear = {name: found for name, found in things.items() if len(found) == 1}
    assert macros == {name: value for name, ((_, value),) in clear.items()}
    comments = [line for line in text.splitlines() if line.startswith(r"% \rc")]
    told = {line.split()[1][1:]: line for line in comments if " would stand for " in line}
    assert set(told) == set(things) - set(clear)
    for name, line in told.items():
        assert all(thing in line for thing, _ in things[name])


@given(numbers_of_any_names(), st.randoms())
def test_what_is_left_out_does_not_depend_on_the_order(numbers: Numbers, random: Random) -> None:
    """The same tables in another order give the same commands and the same comments."""
    tables = [list(table) for table in (numbers.layers, numbers.totals, numbers.verdicts)]
    for rows in tables:
        random.shuffle(rows)
    again = numbers_tex(Numbers(numbers.reconciliation, *tables))
    assert sorted(again.splitlines()) == sorted(numbers_tex(numbers).splitlines())


@given(numbers_of_any_names())
def test_tables_use_no_command_that_is_not_there(numbers: Numbers) -> None:
    """tables.tex defines its own commands, uses one more, and numbers.tex defines none of them."""
    place = {"where": "p. 1", "version": "v1"}
    where = [
        claim | place | {"said": claim["printed"]} for claim in numbers.reconciliation["claims"]
    ]
    known = {**numbers.reconciliation, "claims": where, "ranking": []}
    if not numbers.chosen:
        known["ranking"] = [RANKED | {"interpretation": numbers.totals[0]["interpretation"]}]
    text = tables_tex(replace(numbers, reconciliation=known))
    own = set(re.findall(r"^\\newcommand\{\\(rc[A-Za-z]+)\}", text, re.MULTILINE))
    assert set(re.findall(r"\\(rc[A-Za-z]+)", text)) <= own | {"rcnum"}
    assert len(own) == 4
    assert not own & set(read_macros(numbers_tex(numbers)))


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
    from reconcile.report.render import write_figures
    from reconcile.report.views import read_results
    from reconcile.study.config import ReportOptions

    results = read_results(load_study(STUDY), written)
    write_figures(results, ReportOptions().max_readings)
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


@given(st.lists(st.text(max_size=20), max_size=3))
def test_names_are_letters(parts: list[str]) -> None:
    """No name, however odd, gives a command of anything but ASCII letters."""
    assert re.fullmatch("rc[A-Za-z]*", command_name(*parts))


def test_decimals_do_not_collide() -> None:
    """1.5 and 15 are two names."""
    assert command_name("a-1.5") != command_name("a-15")


def test_a_shared_command_is_left_out() -> None:
    """What would stand for two things is defined for neither, and both are named in a comment."""
    macros = Macros()
    macros.add(["pad-1"], "x", "layer 'pad-1'")
    macros.add(["clear"], "z", "layer 'clear'")
    macros.add(["pad_1"], "y", "layer 'pad_1'")
    assert macros.text().splitlines() == [
        r"\newcommand{\rcClear}{z}",
        "% Not defined, since names that differ have the same letters:",
        r"% \rcPadOne would stand for layer 'pad-1' and for layer 'pad_1'",
    ]


def test_one_thing_has_one_value() -> None:
    """The same thing twice is defined once; with two values it is not defined."""
    macros = Macros()
    for body in ("x", "x"):
        macros.add(["pad-1"], body, "layer 'pad-1'")
    assert macros.text() == "\\newcommand{\\rcPadOne}{x}\n"
    macros.add(["pad-1"], "y", "layer 'pad-1'")
    assert "\\newcommand" not in macros.text()
    assert r"% \rcPadOne would stand for several values of layer 'pad-1'" in macros.text()


def test_equal_values_do_not_make_two_things_one() -> None:
    """Two things of equal value are two: a later run may measure another."""
    macros = Macros()
    macros.add(["pad-1"], "x", "layer 'pad-1'")
    macros.add(["pad_1"], "x", "layer 'pad_1'")
    assert read_macros(macros.text()) == {}


def test_comments_are_lines_that_tex_can_read() -> None:
    """TeX stops at a line of 200,000 characters, however many names share a command."""
    macros = Macros()
    for i in range(20_000):
        macros.add(["-"], "x", f"the neurons of layer {i}")
    lines = macros.text().splitlines()
    assert max(map(len, lines)) <= 10_000
    assert all(line.startswith("%") for line in lines)
    assert all(f"layer {i}" in macros.text() for i in (0, 19_999))


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        ("290400", r"\rcnum{290400}{290{,}400}"),
        ("55", r"\rcnum{55}{55}"),
        ("0.0145", r"\rcnum{0.0145}{0.0145}"),
        ("-1234.5", r"\rcnum{-1234.5}{\ensuremath{-}1{,}234.50}"),
        ("1e-05", r"\rcnum{1e-05}{1e\ensuremath{-}05}"),
    ],
)
def test_numbers(digits: str, shown: str) -> None:
    """A number carries its plain digits for programs and grouped ones for people."""
    assert number(digits) == shown


def test_macros_are_read_back() -> None:
    """What was written is read, and a command that stands twice is refused."""
    macros = Macros()
    macros.comment("a section\nof two lines")
    macros.add(["conv1", "neurons"], number("290400"), "neurons of conv1")
    macros.add(["answer"], escape("50% {of} it"), "the answer")
    assert read_macros(macros.text()) == {
        "rcConvOneNeurons": r"\rcnum{290400}{290{,}400}",
        "rcAnswer": r"50\% \{of\} it",
    }
    with pytest.raises(ValueError, match="defined twice"):
        read_macros(macros.text() * 2)


def test_templates_escape() -> None:
    """What a template shows is text, whatever it is, but for what is LaTeX already."""
    template = latex_templates().from_string("<< a >> & << b >> & << c >>")
    assert template.render(a="50%_x", b=7, c=Tex(r"\TeX")) == r"50\%\_x & 7 & \TeX"
    with pytest.raises(UndefinedError):
        template.render(a="")


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (["conv1", "neurons"], "rcConvOneNeurons"),
        (["pad-1-2", "fc6", "macs"], "rcPadOneTwoFcSixMacs"),
        (["features.0", "width"], "rcFeaturesZeroWidth"),
        (["dropout-0.5", "network", "conv_neurons"], "rcDropoutZeroPointFiveNetworkConvNeurons"),
        (["vocab-40478_tied"], "rcVocabFourZeroFourSevenEightTied"),
        (["a.b", "c"], "rcABC"),
    ],
)
def test_names_of_commands(parts: list[str], name: str) -> None:
    """A command has letters only: digits and decimal points are spelled, words capitalised."""
    assert command_name(*parts) == name
