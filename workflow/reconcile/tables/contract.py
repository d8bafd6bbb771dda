"""The files in ``results/<study>/`` and the columns of its tables: the contract with users.

Every file stands here once, every column of a table once, every quantity once, with all that is
known of it: type, unit, whether it names the row, whether rows add up to a total, whether two runs
must agree on it, what it means. Reading, writing, checking, summing, comparing, the documentation
and an archive's metadata take it from here. Needs no pandas, so that a host that only measures can
write the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

NETWORK, ROOT, INPUT = "network", "root", "input"
"""Reserved names of layers: the whole network, the outermost module by itself, what goes in."""

KINDS = (
    *("conv", "fc", "recurrent", "attention", "embedding", "dropout", "pool", "norm"),
    *("activation", "functional", "other"),
)
COUNTED_KINDS = ("conv", "fc", "recurrent", "attention")
"""A network's neurons are those of its convolutional, fully connected, recurrent and attention
layers."""

MEASURED = ("measured", "measured-on-meta")
"""The statuses under which a network has counts."""
STATUSES = (
    *MEASURED,
    *("does-not-build", "does-not-run", "out-of-memory", "counts-disagree"),
    *("not-deterministic", "timed-out", "killed"),
)
FITS = ("matches", "matches-rounded", "matches-truncated")
"""The verdicts under which a reading satisfies a claim: no other dissolves a conflict."""
WEAKLY = "matches-zeros"
"""Fits only if the last zeros of the printed number are no digits; a conflict stays one."""
SLIP, CONTRADICTS, NOT_MEASURED = "explained-by-slip", "contradicts", "not-measured"
VERDICTS = (*FITS, WEAKLY, SLIP, CONTRADICTS, NOT_MEASURED)
"""From best to worst."""
AS_STATED = "as-stated"
"""The counting that a claim's own ``quantity`` and ``of`` describe."""
READINGS, COMBINATIONS = "readings", "combinations"
"""Whose conflicts they are: the study's own readings', and its sweep's."""
HOLDS, FAILS, NOT_COMPUTED = "holds", "fails", "not-computed"
"""How the check of an item of evidence comes out."""

AGREE, EXPLAINED, CONTRADICTED, UNDECIDED = "agree", "explained", "contradicted", "undecided"
STUDY_OUTCOMES = (AGREE, EXPLAINED, CONTRADICTED, UNDECIDED)
"""What came out of a whole study; ``judge.conclusion`` has the rule."""

TRAINABLE, FROZEN, BUFFER = "trainable", "frozen", "buffer"
"""How a network holds a tensor."""
OF_TENSORS: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "parameters": lambda row: row["held"] == TRAINABLE,
    "all_parameters": lambda row: row["held"] != BUFFER,
    "frozen": lambda row: row["held"] == FROZEN,
    "used_parameters": lambda row: row["held"] == TRAINABLE and row["used"] == "yes",
    "buffers": lambda row: row["held"] == BUFFER,
}
"""The quantities that are counted tensor by tensor, and which rows of tensors.csv count."""
MULTIPLIED = ("macs", "connections")
"""The quantities that lack what was not counted."""
PARTS = {
    "biases": "biases of the layers that multiply",
    "norms": "gains and shifts of normalisations",
    "shifts": "the shifts of these alone",
    "embeddings": "tables that are looked up, but for positions",
    "positions": "tables of positions",
    "tokens": "learned tokens: class, mask, distillation",
    "first": "the first layer that multiplies",
    "classifier": "the last one",
    "fully-connected": "fully connected layers",
    "shortcuts": "projections on shortcuts",
    "auxiliary": "auxiliary heads",
    "statistics": "means and variances of batch normalisations",
    "counters": "whole numbers that are kept: batches seen, indices",
    "buffers": "whatever else is kept and not trained",
    "frozen": "parameters that are not trained",
    "unused": "parameters that the forward pass does not read",
    "shared": "parameters that several layers hold",
}
"""The parts of a network to which a tensor may belong; one may belong to several."""
FAMILIES = {
    "parameters": (
        *("parameters", "all_parameters", "real_parameters", "used_parameters"),
        *("frozen", "buffers"),
    ),
    "multiply-adds": ("macs", "flops", "data_macs"),
    "neurons": ("neurons", "inputs"),
    "connections": ("connections",),
    "sizes": ("channels", "height", "width", "depth", "length", "features"),
    "receptive fields": (
        *(
            f"{name}{axis}"
            for name in ("receptive_field", "effective_stride", "effective_padding")
            for axis in ("", "_depth", "_height", "_width")
        ),
        *("seen", "positions"),
    ),
    "layers": ("layers", "calls"),
    "memory": ("weight_bytes", "output_bytes"),
}
"""Kinds of numbers, by which studies can be looked up, and the quantities of each."""
OTHER_FAMILY = "other"
"""The kind of what is computed of the paper's own numbers, and of quantities of no kind."""
SOLVED_BY = ("scan", "polynomial", "monotone", "residues")
"""How the values of an argument were chosen that were measured to solve for it."""
TERM_PARTS = (
    *("found", "coefficient", "sum", "together", "solution", "otherwise"),
    *("box", "smooth", "halves"),
)
"""What a search for terms says, in order: the solutions, what they share, how much it means."""

PARTLY = ("does-not-run", "out-of-memory", "timed-out", "killed")
"""The statuses under which layers that ran before a network failed may have rows."""

FIGURES = ("windows", "sweep", "neurons", "latency-layers", "latency-networks", "coverage")
"""Every figure that a report may have; each is ``figures/<name>.svg`` and ``.pdf``."""
COLUMN = "-column"
"""What the name of the same figure as wide as a paper's column ends with."""

Type = Literal["text", "word", "integer", "number", "list"]
"""A word is one of a few; a list is of ids, with spaces between."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its head.
        says: what it means, in one line.
        type: what its cells hold; an empty cell says that the column does not apply.
        unit: of a number.
        words: those that a word may be.
        key: whether it belongs to what names the row.
        sums: of a total, the column of the layers that it adds up, and the kinds of layers.
        sentence: whether it is written for people, in words that another release may choose anew:
            on all else, but in a record, two runs of one study must agree.
    """

    name: str
    says: str
    type: Type = "text"
    unit: str = ""
    words: tuple[str, ...] = ()
    key: bool = False
    sums: tuple[str, tuple[str, ...]] | None = None
    sentence: bool = False


@dataclass(frozen=True)
class ResultFile:
    """A file that a run leaves in ``results/<study>/``.

    Attributes:
        name: its name there.
        says: what it holds, in one line.
        rule: the rule that writes it; its name may go on (``measure_batch``).
        record: whether it holds what is true of one run only.
        drawn: whether it is drawn from such files, and therefore differs between runs too.
        data: whether the report lists and attaches it.
        columns: of a table.
    """

    name: str
    says: str
    rule: str
    record: bool = False
    drawn: bool = False
    data: bool = True
    columns: tuple[Column, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that name a row."""
        return tuple(column.name for column in self.columns if column.key)

    def head(self, *, sentences: bool = True) -> tuple[str, ...]:
        """The names of the columns, with or without those written for people."""
        return tuple(c.name for c in self.columns if sentences or not c.sentence)


@dataclass(frozen=True)
class Quantity:
    """Something that can be asked of a layer or a network.

    Attributes:
        name: how expressions, columns and LaTeX commands call it.
        says: what is counted, with the convention.
        words: the same in a few words, for "... of conv1".
        heading: of its column in a table of a write-up.
        total: "sum" over all layers, "counted" over the kinds that ``neurons`` counts, None for
            what only a layer has.
        multiple_of: the quantity that it is a multiple of, and the factor; it has no column then.
        table: the table that holds it, of a row a layer unless it is another.
        counted_by: ``module:function`` that counts it in the measuring process, from the module
            and its row (``measure.counting.Row``); None for what that row has itself.
        seen: whether it is of what an output sees of the input, and so no count: a run on the meta
            device may not know it.
    """

    name: str
    says: str
    words: str = ""
    heading: str = ""
    total: Literal["sum", "counted"] | None = None
    multiple_of: tuple[str, int] | None = None
    table: str = "layers.csv"
    counted_by: str | None = None
    seen: bool = False


QUANTITIES: dict[str, Quantity] = {}
"""What can be asked of a layer or network, by name."""
FILES: dict[str, ResultFile] = {}
"""Every file of a study's results, by name, in the order of the pipeline."""
OF_ALL: dict[str, ResultFile] = {}
"""What ``results/`` holds of all studies together, by name; a name with a slash is a folder."""


def register_quantity(quantity: Quantity) -> None:
    """Make a quantity known: it has its columns, can be claimed, is reported and has its commands.

    Raises:
        ValueError: there is one of this name.
    """
    if quantity.name in QUANTITIES:
        raise ValueError(f"there is a quantity {quantity.name!r} already")
    QUANTITIES[quantity.name] = quantity
    if quantity.multiple_of is not None or quantity.table != "layers.csv":
        return
    column = Column(quantity.name, quantity.says, "integer")
    _add_columns("layers.csv", column)
    if quantity.total is not None:
        kinds = COUNTED_KINDS if quantity.total == "counted" else ()
        _add_columns("totals.csv", replace(column, sums=(quantity.name, kinds)))


def _add_columns(file: str, *columns: Column) -> None:
    FILES[file] = replace(FILES[file], columns=(*FILES[file].columns, *columns))


def tables() -> dict[str, ResultFile]:
    """The tables by file name."""
    return {name: file for name, file in FILES.items() if file.columns}


def passes_of_layers(repeats: int) -> int:
    """In how many passes the layers are timed: a third of those in which the network is, or one.

    They need passes of their own, since their hooks would be part of the network's time.
    """
    return -(-repeats // 3)


def head_of(table: str) -> tuple[str, ...]:
    """The names of a table's columns, in order."""
    return (FILES.get(table) or OF_ALL[table]).head()


def layer_quantities() -> list[str]:
    """The quantities that have a column in layers.csv, in its order."""
    return [name for name in head_of("layers.csv") if name in QUANTITIES]


def total_quantities() -> list[str]:
    """The numbers of a whole network, in the order of totals.csv."""
    return [c.name for c in FILES["totals.csv"].columns if c.type == "integer"]


def summed() -> Iterator[tuple[Column, tuple[str, tuple[str, ...]]]]:
    """The columns of totals.csv that add up one of layers.csv: which, and of which kinds (all)."""
    return ((column, column.sums) for column in FILES["totals.csv"].columns if column.sums)


def _result(name: str, says: str, rule: str, *columns: Column, **known: bool) -> None:
    FILES[name] = ResultFile(name, says, rule, columns=columns, **known)


def _rendered(name: str, says: str, rule: str = "render_report", *, drawn: bool = False) -> None:
    _result(name, says, rule, drawn=drawn, data=False)


def _quantity(name: str, says: str, words: str = "", **known: Any) -> None:
    register_quantity(Quantity(name, says, words, **known))


_READING = Column("interpretation", "id of the reading", key=True)
_OF_A_NETWORK = (
    _READING,
    Column("network", "`main` unless the reading has several", key=True),
)
_LAYER = Column("layer", "name of the layer", key=True)
_CLAIM = Column("claim", "id of the claim", key=True)
_PRINTED = (
    Column("printed", "the digits as the paper prints them"),
    Column("printed_value", "the number they denote", "number"),
    Column("rounded_low", "least number that rounds to them", "number"),
    Column("rounded_high", "numbers below this one round to them", "number"),
    Column("truncated_low", "least number that is cut to them", "number"),
    Column("truncated_high", "numbers below this one are cut to them", "number"),
)
_VERDICT = Column("verdict", "how the two stand to each other", "word", words=VERDICTS)
_SEARCH = (
    _CLAIM,
    Column("kind", "what was varied", key=True),
    Column("searched", "the same in words", key=True, sentence=True),
    Column("tried", "combinations that were computed", "integer"),
    Column("found", "what came out, in words", sentence=True),
    Column("hit", "one combination that gives the number; empty where none does", key=True),
)

_CANDIDATES = (
    *_SEARCH,
    Column("interpretations", "readings that the search cannot tell apart", "list", key=True),
    Column("expression", "what gives the number, to be pasted into a study"),
    Column("value", "the number that it gives", "number"),
    Column("fit", "how that stands to the digits", "word", words=(*FITS, WEAKLY, "one-edit")),
    Column("cost", "how many things must be assumed; less is likelier", "integer"),
    Column(
        "by_chance",
        "how many candidates would fit a number of this precision that has nothing to do with them",
        "number",
    ),
)

_result(
    "interpretations.json",
    "every interpretation with the full arguments of its networks",
    "instantiate",
)
_result("settings.json", "how they are to be measured, as the run began", "instantiate", data=False)
_result(
    "layers.csv",
    "a row per layer of every network: kind, output size, what it counts",
    "measure",
    *_OF_A_NETWORK,
    _LAYER,
    Column("kind", "what the layer is", "word", words=(INPUT, *KINDS)),
    Column("also", "further names of the same layer", "list"),
    Column("class", "its class, if that is one of torch.nn itself"),
    Column("sees_all", "axes of the input that each of its outputs sees whole", "list"),
    Column("outputs", "the different shapes of its outputs, without the batch", "list"),
    Column(
        "uncounted",
        "operators whose multiply-adds no formula counts, each with the elements that went in",
        "list",
    ),
    Column("note", "what should be known of its counts", sentence=True),
)
_result(
    "totals.csv",
    "a row per network: whether it was measured, its totals, why not",
    "measure",
    *_OF_A_NETWORK,
    Column("status", "whether it was measured", "word", words=STATUSES),
    Column("message", "why not, or what was not counted", sentence=True),
    Column("uncounted", "as in layers.csv, of all layers together", "list"),
)
_result(
    "tensors.csv",
    "a row per parameter and buffer of the first 64 readings: which part of the network it is",
    "measure",
    *_OF_A_NETWORK,
    Column("layer", "name of the layer that counts it", key=True),
    Column("tensor", "its name in the layer", key=True),
    Column("parts", "the parts of the network that it belongs to", "list"),
    Column("elements", "how many numbers it holds", "integer"),
    Column("held", "how the network holds it", "word", words=(TRAINABLE, FROZEN, BUFFER)),
    Column("used", "whether the forward pass read it", "word", words=("yes", "no")),
    Column("layers", "how many layers hold it", "integer"),
)
_result(
    "coverage.csv",
    "input positions that can influence the first weighted layer, by gradient",
    "measure",
    *_OF_A_NETWORK,
    _LAYER,
    Column("height", "of the layer's input", "integer", "pixels"),
    Column("width", "of the layer's input", "integer", "pixels"),
    Column("positions", "height x width", "integer", "pixels"),
    Column("seen", "how many of them reach the layer's output", "integer", "pixels"),
)
_result(
    "windows.csv",
    "first and last windows of that layer along a row: which pixels they see",
    "measure",
    *_OF_A_NETWORK,
    _LAYER,
    Column("window", "number of the window in its row, from 0", "integer", key=True),
    Column("windows", "how many there are in a row", "integer"),
    Column("first", "first input column that it sees; -1 for none", "integer"),
    Column("last", "last input column that it sees; -1 for none", "integer"),
    Column("size", "width of the kernel", "integer", "pixels"),
    Column("zeros", "how many of its columns lie outside the image", "integer", "pixels"),
)
_result(
    "outputs.csv",
    "three numbers of each network's output for seeded weights and inputs",
    "measure",
    *_OF_A_NETWORK,
    Column("mean", "mean of the output", "number"),
    Column("rms", "root of its mean square", "number"),
    Column("largest", "its largest element", "number"),
    record=True,
)
_result(
    "timings.csv",
    "latency per layer and in total, peak memory",
    "measure",
    *_OF_A_NETWORK,
    Column("layer", "name of the layer; `network` is the plain forward pass", key=True),
    Column("device", "where it ran", "word", words=("cpu", "cuda")),
    Column("repeats", "timed passes; of layers a third", "integer"),
    Column("median_ms", "median of the repeats", "number", "ms"),
    Column("q1_ms", "first quartile", "number", "ms"),
    Column("q3_ms", "third quartile", "number", "ms"),
    Column("peak_memory_bytes", "of the network", "integer", "bytes"),
    record=True,
)
_result(
    "solutions_measured.csv",
    "counts at the values of an argument that a study solves for, and how these were chosen",
    "measure",
    Column("search", "id of the search", key=True),
    Column("claim", "id of the claim", key=True),
    Column("value", "of the argument", "integer", key=True),
    Column("measured", "the measured number; empty where there was no network or count", "number"),
    Column("method", "how the values were chosen", "word", words=SOLVED_BY),
    Column("step", "between values that belong together", "integer"),
)
_result(
    "verdicts.csv",
    "a row per interpretation and claim",
    "reconcile",
    _READING,
    _CLAIM,
    *_PRINTED,
    Column("measured", "the measured number, by the counting that fits best", "number"),
    _VERDICT,
    Column("reason", "why", sentence=True),
    Column("counting", "the counting that gave the verdict; `as-stated` is the claim's own"),
    Column("rounds", "whether the number rounds to the digits", "word", words=("yes", "no")),
    Column("cuts", "whether the number is cut to the digits", "word", words=("yes", "no")),
)
_result(
    "countings.csv",
    "every counting of every claim under every interpretation",
    "reconcile",
    _READING,
    _CLAIM,
    Column("counting", "id of the counting; `as-stated` is the claim's own", key=True),
    Column("title", "what is counted", sentence=True),
    Column("measured", "the measured number", "number"),
    _VERDICT,
)
_result(
    "consistency.csv",
    "the paper checked against itself, before any network is built",
    "check_paper",
    Column("check", "id of the check", key=True),
    Column("claim", "id of the claim it should agree with"),
    *_PRINTED,
    Column("computed", "what the paper's other numbers give", "number"),
    _VERDICT,
    Column("says", "what is computed, in the study's words", sentence=True),
    Column("reason", "why the verdict", sentence=True),
)
_result(
    "evidence.csv",
    "every item of evidence and the outcome of its check",
    "reconcile",
    Column("evidence", "id of the item", key=True),
    Column("source", "who says it"),
    Column("url", "where it stands", "list"),
    Column("supports", "readings that it supports", "list"),
    Column("excludes", "readings that it excludes", "list"),
    Column("supported_combinations", "of the sweep, how many it supports by its check", "integer"),
    Column("excluded_combinations", "of the sweep, how many it excludes by its check", "integer"),
    Column("check", "the expression that was computed"),
    Column("outcome", "how it came out", "word", words=(HOLDS, FAILS, NOT_COMPUTED)),
    Column("wrong", "readings for which it came out wrong", "list"),
    Column("unmeasured", "readings for which it could not be computed", "list"),
    Column("says", "the fact, in the study's words", sentence=True),
    Column("detail", "what the check found, in words", sentence=True),
)
_result(
    "conflicts.csv",
    "smallest sets of claims that no reading, or no combination of the sweep, satisfies together",
    "reconcile",
    Column("scope", "whose conflict it is", "word", words=(READINGS, COMBINATIONS), key=True),
    Column("claims", "ids of the claims", "list", key=True),
    Column("size", "how many claims they are", "integer"),
    Column("candidates", "of how many readings or combinations a claim was measured", "integer"),
    Column("says", "the same in a sentence", sentence=True),
)
_result(
    "slips.csv",
    "slips of arithmetic and typing that were searched, and every hit",
    "search",
    *_SEARCH,
    Column("expression", "how it gives the number"),
    Column("cost", "how much is changed; less is likelier", "number"),
    Column("rewrites", "the hit that it is, written differently; empty where it is its own"),
    Column(
        "chance",
        "probability that a search of this size hits an arbitrary number of as many digits",
        "number",
    ),
    Column(
        "chance_of_multiples", "the same among multiples of the divisor that is stated", "number"
    ),
)
_result(
    "geometries.csv",
    "geometries of the layer that were searched, and every map that has the number",
    "search",
    *_SEARCH,
    Column("geometries", "how many geometries give the map", "integer"),
    Column("square_inputs", "how many of them have a square input", "integer"),
    Column("keeping", "how many keep the stated kernel and stride", "integer"),
    Column("example", "one of them, in words", sentence=True),
)
for _name, _says in (
    ("parts", "parts of a network left out or counted once more, where no reading gives a number"),
    ("conventions", "what tools and conventions say, where no reading gives a number"),
    ("units", "other units and scopes of what was measured, where no reading gives a number"),
    ("digits", "measured numbers whose digits are one edit away from a printed one"),
):
    _result(f"{_name}.csv", _says, "search", *_CANDIDATES)
_result(
    "terms.csv",
    "terms that bring the printed numbers of several networks out: what is determined, solutions",
    "search",
    Column("search", "id of the search", key=True),
    Column("digits", "how the digits are read", "word", words=("rounded", "cut"), key=True),
    Column("part", "what the row says", "word", words=TERM_PARTS, key=True),
    Column("name", "of which term, sum, claim, solution, box or chance", key=True),
    Column("least", "least number over all solutions", "number"),
    Column("most", "most over all solutions", "number"),
    Column("count", "solutions, spellings, printed numbers or invented tables that fit", "integer"),
    Column("of", "of how many", "integer"),
    Column("claims", "ids of the claims that do not come out", "list"),
    Column("expression", "what a solution adds, as an expression of the study"),
    Column("says", "the same in words", sentence=True),
)
_result(
    "solutions.csv",
    "values of an argument at which printed numbers come out, one by one and together",
    "search",
    Column("search", "id of the search", key=True),
    Column("claim", "id of the claim; empty for all of them together", key=True),
    Column("digits", "how the digits are read", "word", words=("rounded", "cut"), key=True),
    Column("argument", "name of the argument"),
    Column("intervals", "values: one, first..last or first..last/step", "list"),
    Column("values", "how many these are", "integer"),
    Column("method", "how the values to measure were chosen", "word", words=SOLVED_BY),
    Column("measured", "values that were measured", "integer"),
    Column("searched_first", "first value of which something is known", "integer"),
    Column("searched_last", "last of them", "integer"),
    Column("says", "the same in words", sentence=True),
)
_result(
    "reconciliation.json",
    "counts, ranking with its reasons, groups of equal counts, conclusion",
    "reconcile",
)
_result(
    "record.json",
    "device, versions, command, times and seeds of this run",
    "measure",
    record=True,
)
_rendered("options.json", "what the report shows, and who answers for it")
_rendered("report.html", "the reconciliation report, for browsers", drawn=True)
_rendered("report.pdf", "the reconciliation report, for paper", "render_pdf", drawn=True)
_rendered("numbers.tex", "a LaTeX command for every number and verdict")
_rendered("tables.tex", "tables for write-ups")
_rendered("references.bib", "the paper, its sources and the tool, for BibTeX")
_rendered("numbers.csv", "every number by study, reading, place and quantity: an index")
_rendered("numbers.json", "the same, for Markdown and Quarto")
_rendered("references.json", "the same, for pandoc, Zotero and citeproc")
_rendered("CITATION.cff", "how to cite these results")

for _name, _says, _columns in (
    ("index.html", "the atlas: a line for each study that has results", ()),
    (
        "claims.csv",
        "a row for each claim of every study that has results",
        (
            Column("study", "name of the study's folder", key=True),
            _CLAIM,
            *_PRINTED[:1],
            Column("value", "the number they denote", "number"),
            Column("verdict", "how the measured number stands to it", "word", words=VERDICTS),
            Column("reading", "id of the reading concluded on, or of the best for the claim"),
            Column("measured", "what was measured of that reading", "number"),
            Column("address", "where the report of the study says how, from `results/`"),
        ),
    ),
    ("claims/", "the same as pages of at most 1,000 claims", ()),
):
    OF_ALL[_name] = ResultFile(_name, _says, "render_index", data=False, columns=_columns)

_quantity(
    "channels",
    "channels (maps) of the output; of tokens, the width of their vectors; empty, as every "
    "size, where it is not known or differs from output to output",
    words="number of maps",
)
_quantity("height", "height of the output map; number of tokens", words="height of the map")
_quantity("width", "width of the output map; 1 for tokens", words="width of the map")
_quantity(
    "neurons",
    "elements of the outputs for one input, summed over the calls; of an attention or a module "
    "of the study's own, those that products with its weights gave; of a recurrent layer, "
    "those at each step; a network's are those of its convolutional, fully connected, "
    "recurrent and attention layers",
    words="neurons",
    total="counted",
)
_add_columns(
    "totals.csv",
    Column(
        "conv_neurons",
        "neurons of the convolutions alone",
        "integer",
        sums=("neurons", ("conv",)),
    ),
)
_quantity(
    "parameters",
    "elements of trainable tensors; one that two layers share counts once, in the first",
    words="parameters",
    total="sum",
)
_quantity(
    "macs",
    "multiply-adds for one input; bias additions, activations, pooling and normalisation none",
    words="multiply-adds (MACs)",
    heading="MACs",
    total="sum",
)
_quantity(
    "flops",
    "2 x macs: a multiply-add is two operations",
    words="FLOPs (2 × MACs)",
    multiple_of=("macs", 2),
)
_quantity(
    "connections",
    "links into the outputs: a multiply-add is one and so is a bias",
    words="connections",
    total="sum",
)
for _name, _says, _words in (
    ("depth", "depth of the output map of three dimensions", "depth of the map"),
    ("length", "length of the output map of one dimension; number of tokens", "length"),
    ("features", "width of the vectors that a layer of tokens or vectors returns", "features"),
):
    _quantity(_name, _says, _words)
_quantity(
    "layers",
    "1 for a layer that ran; over a pattern or a kind, how many they are",
    words="number of layers",
    total="sum",
)
for _name, _says, _words in (
    ("calls", "how often it ran, or another module used its weights", "number of calls"),
    (
        "all_parameters",
        "elements of all its parameters, those that are not trained too; shared ones once, packed "
        "ones by what they stand for",
        "parameters, frozen ones too",
    ),
    ("frozen", "of these, those that are not trained", "frozen parameters"),
    (
        "buffers",
        "elements that it keeps and does not train (statistics of a batch normalisation, masks of "
        "pruning), but no whole numbers: no counters, no indices",
        "elements of buffers",
    ),
    (
        "real_parameters",
        "trainable parameters in real numbers: a complex one is two",
        "parameters in real numbers",
    ),
    (
        "used_parameters",
        "trainable parameters of tensors that the forward pass read",
        "parameters used in the forward pass",
    ),
    (
        "inputs",
        "elements of what it was given first, for one input, times the calls",
        "elements at the input",
    ),
    (
        "data_macs",
        "of macs, those of products of data with data: the scores of attention and what they weigh",
        "multiply-adds of data with data",
    ),
    ("weight_bytes", "memory of all its parameters", "bytes of parameters"),
    ("output_bytes", "memory of its outputs, summed over the calls", "bytes of outputs"),
):
    _quantity(_name, _says, _words, total="sum")
for _name, _says, _words in (
    (
        "receptive_field",
        "input positions that one output sees, were the input large enough; empty where it sees "
        "all of it, or where this is not known (a reading of a sweep, say)",
        "receptive field",
    ),
    (
        "effective_stride",
        "input positions from one output to the next",
        "effective stride",
    ),
    (
        "effective_padding",
        "input positions that the first output reaches beyond the edge",
        "effective padding",
    ),
):
    _quantity(_name, f"{_says}; alike along all axes", words=_words, seen=True)
    for _axis in ("depth", "height", "width"):
        _quantity(
            f"{_name}_{_axis}",
            f"the same along the {_axis}",
            words=f"{_words} ({_axis})",
            seen=True,
        )
_quantity(
    "seen",
    "input positions (height x width) that can influence the first weighted layer",
    table="coverage.csv",
)
_quantity("positions", "input positions (height x width) there are", table="coverage.csv")
