"""The data model of a study: what a paper prints, how it can be read, what is known besides.

These are the keys that users write in ``studies/<study>/study.yaml``; ``study.load`` loads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import Field, StringConstraints

from reconcile.study.printed import PrintedNumber, parse_printed, parse_within
from reconcile.study.printed_tables import PrintedTable
from reconcile.study.yamlfile import (
    ARGUMENT_PATTERN,
    AXIS_PATTERN,
    DOI_PATTERN,
    NETWORK_PATTERN,
    Argument,
    Arguments,
    Counting,
    Day,
    Digits,
    Expression,
    Id,
    Link,
    Relation,
    Scale,
    Strict,
    Text,
    Within,
    is_number,
)

Values = range
"""Values of an argument; a field is called as the type is."""
SINGLE = "main"
"""The network name of an interpretation that has one network only."""


class Paper(Strict):
    """The bibliography of the paper under examination."""

    title: Text = Field(description="Title as printed.")
    authors: list[Text] = Field(
        min_length=1, description="Authors in printed order, 'Given Family'."
    )
    year: int = Field(ge=1800, le=2200, description="Year of publication.")
    venue: Text = Field(description="Journal, proceedings or series.")
    url: Link = Field(description="Where the paper can be read.")
    doi: Annotated[str, StringConstraints(pattern=DOI_PATTERN)] | None = Field(
        None, description="DOI without the resolver's address, when the paper has one."
    )


class Source(Strict):
    """Who said something, and where it can be read."""

    name: Text = Field(description="Person, project or document.")
    url: Link | None = Field(None, description="Permalink: commit, file and lines where possible.")


class Statement(Strict):
    """Something the paper says about the network that is no count."""

    id: Id = Field(description="Identifier, unique among statements.")
    quote: Text = Field(description="The paper's words.")
    where: Text = Field(description="Section, figure or table.")
    argument: Annotated[str, StringConstraints(min_length=1)] | None = Field(
        None, description="The network argument that the statement fixes."
    )
    value: Argument = Field(description="The value it fixes, or the number it states.")
    relation: Relation = Field(
        "equals", description="How an argument must stand to a number: about is within `within`."
    )
    within: Within | None = Field(
        None, description='What `about` is taken to mean: a number, or a share such as "5%".'
    )

    def denied_by(self, value: Argument) -> bool:
        """Whether an argument of this value is not what the paper says."""
        if self.relation == "equals":
            return value != self.value
        if not (is_number(value) and is_number(self.value)):
            return True
        given, said = Fraction(str(value)), Fraction(str(self.value))
        if self.relation == "about":
            return abs(given - said) > parse_within(self.within or 0, said)
        return given > said if self.relation == "at-most" else given < said


class Claim(Strict):
    """One number that the paper prints."""

    id: Id = Field(description="Identifier; the report's anchor is #claim-<id>.")
    quote: Text = Field(description="The paper's words around the number.")
    where: Text = Field(description="Section, figure or table.")
    printed: Digits = Field(description='The number exactly as printed, in quotes: "60 million".')
    quantity: Expression = Field(
        description="A quantity (neurons, parameters, macs, ...) with `of`, or an expression."
    )
    of: Text | None = Field(
        None, description="Layer, quoted pattern of layers, or `network` for the whole."
    )
    network: Id = Field(
        SINGLE, description="Which network of a reading that has several (default: main)."
    )
    unit: Annotated[int | float, Field(ge=1e-30, le=1e30)] | None = Field(
        None, description="Unit of the last meaningful digit when it is not the last printed one."
    )
    unit_reason: Text | None = Field(None, description="Why that unit; required with `unit`.")
    scale: Scale | None = Field(
        None, description='What the digits count in where a head says so: million, 1024, "2^20".'
    )
    zeros: Literal["open"] | None = Field(
        None, description="open: the last zeros may be no digits; a weaker verdict of its own."
    )
    zeros_reason: Text | None = Field(None, description="Why that may be; required with `zeros`.")
    relation: Relation = Field(
        "equals", description="'no more than' is at-most, 'over' at-least, 'some' is about."
    )
    within: Within | None = Field(
        None, description='What `about` is taken to mean: a number, or a share such as "5%".'
    )
    version: Text | None = Field(
        None, description="Which version of the paper prints it, where they differ: v1, erratum."
    )
    printed_by: Source | None = Field(
        None, description="Who prints it where that is not the paper; the outcome leaves it out."
    )
    title: Text | None = Field(None, description="Short name of the counting `quantity` states.")
    countings: list[Counting] = Field(
        default_factory=list, description="Other ways in which the number may have been counted."
    )

    @property
    def expression(self) -> str:
        """The claim's own counting as one expression."""
        return self.quantity if self.of is None else f"{self.quantity}({self.of!r})"

    @property
    def number(self) -> PrintedNumber:
        """The digits, read; ValueError where they are none (of a study that was not checked)."""
        return parse_printed(self.printed, self.unit, self.scale, open_zeros=self.zeros is not None)

    @property
    def tolerance(self) -> Fraction:
        """How far from the printed number `about` reaches."""
        return parse_within(self.within or 0, self.number.value)

    @property
    def place(self) -> str:
        """Where it stands, with the version of the paper, or who else prints it."""
        where = f"{self.where} ({self.version})" if self.version else self.where
        return f"{self.printed_by.name}, {where}" if self.printed_by else where


class Slip(Strict):
    """A slip of arithmetic or typing that turns a measured number into the printed one."""

    claim: Id = Field(description="The claim that the slip explains.")
    right: Expression = Field(description="The right calculation; must equal the measured number.")
    written: Expression = Field(description="The same with the slip; must give the printed number.")
    says: Text = Field(description="The slip in words.")


class Interpretation(Strict):
    """One candidate reading of the paper: arguments for its network, and who proposed it."""

    id: Id = Field(description="Identifier; the report's anchor is #interpretation-<id>.")
    title: Text = Field(description="The reading in a few words.")
    network: Arguments = Field(
        default_factory=dict, description="Network arguments that differ from the shared ones."
    )
    networks: dict[Id, Arguments] = Field(
        default_factory=dict, description="For a reading of several sizes: arguments by network."
    )
    assumes: list[Text] = Field(
        default_factory=list, description="What it assumes that the paper does not say."
    )
    proposed_by: list[Source] = Field(
        min_length=1, description="Who proposed or shipped it, or 'constructed for this study'."
    )
    slip: Slip | None = Field(None, description="A slip that this reading declares.")


class SweptInterpretation(Interpretation):
    """An interpretation that a sweep generated; users never write one."""


class AxisRange(Strict):
    """Whole numbers from first to last."""

    first: int = Field(description="First value.")
    last: int = Field(description="Last value; it belongs to the axis.")
    step: Annotated[int, Field(ge=1)] = Field(1, description="Step between values.")


Axis = Annotated[list[Argument], Field(min_length=1)] | AxisRange


class Sweep(Strict):
    """A grid of network arguments: every combination is an interpretation."""

    title: Text = Field(description="What is swept, in a few words.")
    axes: Annotated[
        dict[Annotated[str, StringConstraints(pattern=AXIS_PATTERN)], Axis],
        Field(min_length=1),
    ] = Field(
        description="Values of each argument, or of network.argument, which is an argument of that "
        "network alone: a list, or first, last and step."
    )
    network: Arguments = Field(
        default_factory=dict, description="Further arguments, the same in every combination."
    )
    networks: dict[Id, Arguments] = Field(
        default_factory=dict, description="For readings of several sizes: arguments by network."
    )
    placement: Literal["auto", "meta"] = Field(
        "meta", description="meta: shapes and counts only; auto: run and time each combination."
    )
    picture: Annotated[list[str], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Two axes to draw, across and down; those with the most effect otherwise."
    )
    assumes: list[Text] = Field(default_factory=list, description="What every combination assumes.")
    proposed_by: list[Source] = Field(min_length=1, description="Who proposed the grid.")


class Evidence(Strict):
    """A fact from outside the paper that supports or excludes interpretations."""

    id: Id = Field(description="Identifier; the report's anchor is #evidence-<id>.")
    title: Text = Field(description="The fact in a few words.")
    source: Annotated[list[Source], Field(min_length=1)] = Field(description="Where it stands.")
    says: Text = Field(description="One sentence in the study's own words.")
    supports: list[Id] = Field(default_factory=list, description="Interpretations it supports.")
    excludes: list[Id] = Field(default_factory=list, description="Interpretations it excludes.")
    check: Expression | None = Field(
        None,
        description="Expression that must be true of every supported reading and false of every "
        "excluded one; with neither list it must simply be true.",
    )


class Consistency(Strict):
    """A check of the paper against itself: a sum, product or share of printed numbers."""

    id: Id = Field(description="Identifier, unique among these checks.")
    says: Text = Field(description="What is computed, in words.")
    compute: Expression = Field(description="Expression over printed(claim) and stated(statement).")
    claim: Id = Field(description="The claim the result should agree with.")


class SlipSearch(Strict):
    """Look for slips that turn the right product or sum into the printed number of a claim."""

    claim: Id = Field(description="The claim that no reading reproduces.")
    interpretation: Id = Field(description="The reading whose measurements give the factors.")
    factors: dict[Id, Expression] = Field(
        default_factory=dict, description="Named factors of the right product, as expressions."
    )
    terms: dict[Id, Expression] = Field(
        default_factory=dict, description="Named terms of the right sum, as expressions."
    )
    vocabulary: list[Annotated[int, Field(ge=1, le=10**12)]] = Field(
        min_length=1, max_length=100, description="Numbers that the paper prints."
    )
    divisor: Expression | None = Field(
        None, description="State the chance among multiples of this number as well."
    )


class Stated(Strict):
    """Kernel and stride as the paper states them."""

    kernel: Annotated[int, Field(ge=1, le=1000)] = Field(description="Side of the kernel, pixels.")
    stride: Annotated[int, Field(ge=1, le=1000)] = Field(description="Stride, pixels.")


Bounds = Annotated[list[Annotated[int, Field(ge=0, le=4096)]], Field(min_length=2, max_length=2)]


class GeometrySearch(Strict):
    """Look for layer geometries that give the printed number of a claim."""

    claim: Id = Field(description="The claim whose number of neurons is looked for.")
    kind: Literal["square-maps", "rectangular-maps", "separate-axes"] = Field(
        description="Square inputs; inputs of any two sides; square inputs, each axis on its own."
    )
    channels: list[Annotated[int, Field(ge=1)]] = Field(
        default_factory=list, description="Kernel counts that may be; any when left out."
    )
    stated: Stated | None = Field(None, description="Hits that keep these are counted apart.")
    inputs: Bounds | None = Field(None, description="Input sides, first and last.")
    input_sides: list[Annotated[int, Field(ge=1, le=4096)]] = Field(
        default_factory=list, description="Input sides one by one, in place of `inputs`."
    )
    kernels: Bounds = Field(description="Kernel sides, first and last.")
    strides: Bounds = Field(description="Strides, first and last.")
    paddings: Bounds = Field(
        default=[0, 0], description="Padding of each side, first and last, below the kernel."
    )
    free_sides: bool = Field(
        False, description="Padding left and right (top and bottom) each on its own."
    )


class StatedTerm(Strict):
    """Something that may be there some number of times beside what a reading counts."""

    size: Expression = Field(description="What it adds to a network where it is there once.")
    least: Annotated[int, Field(ge=-100, le=100)] = Field(0, description="Fewest times.")
    most: Annotated[int, Field(ge=-100, le=100)] | None = Field(
        None, description="Most times; the search's `most` when left out."
    )


class DerivedTerms(Strict):
    """Terms that are products of some numbers, each once a layer and once a network."""

    of: Annotated[dict[Id, Expression], Field(min_length=1, max_length=6)] = Field(
        description="Named numbers of a network: width: argument(d_model)."
    )
    layers: Expression = Field(description="How many layers the network has.")
    degree: Annotated[int, Field(ge=1, le=2)] = Field(
        1, description="How many of the numbers a product has at most."
    )


INPUT_SIDE = "input_side"
"""What is solved for where a network takes no size and `inputs` give one: the last sizes of the
first input, those that are alike, but for its first two."""


class Solve(Strict):
    """Look for the values of one argument at which printed numbers come out."""

    id: Id = Field(description="Identifier, unique among these searches.")
    argument: Annotated[str, StringConstraints(pattern=ARGUMENT_PATTERN)] = Field(
        description="The network argument to solve for, a whole number; `input_side` of `inputs`."
    )
    range: AxisRange = Field(description="Which values may be: first, last and step.")
    interpretation: Id = Field(description="The reading that gives all other arguments.")
    claims: Annotated[list[Text], Field(min_length=1)] = Field(
        description="The numbers that must come out: ids or patterns of claims."
    )

    @property
    def values(self) -> Values:
        """Every value that may be."""
        return Values(self.range.first, self.range.last + 1, self.range.step)


class TermSearch(Strict):
    """Look for terms that bring the printed numbers of several networks of a reading out."""

    id: Id = Field(description="Identifier, unique among these searches.")
    interpretation: Id = Field(description="The reading that the terms are added to.")
    claims: Annotated[list[Text], Field(min_length=1)] = Field(
        description="The numbers that must come out: ids or patterns of claims."
    )
    terms: Annotated[dict[Id, Expression | StatedTerm], Field(max_length=20)] = Field(
        default_factory=dict, description="Terms by name: what each adds where it is there once."
    )
    derived: DerivedTerms | None = Field(None, description="Terms made of products.")
    most: Annotated[int, Field(ge=1, le=100)] = Field(
        12, description="How often a term may be there at most."
    )


NONE = "none"
"""What a conclusion names where it is for no reading."""


class Reason(Strict):
    """One reason for the conclusion, and where what it rests on can be looked up."""

    text: Text = Field(description="One or two sentences, with {references} for numbers.")
    see: list[Text] = Field(
        default_factory=list,
        description="What it rests on: evidence:<id>, claim:<id>, consistency:<id>, reading:<id>, "
        "or search:<claim> and search:<id> for a search.",
    )


class Conclusion(Strict):
    """What the study's author concludes; its numbers are references that must resolve."""

    interpretation: Id = Field(
        description="The reading chosen, which evidence may not exclude; `none` where none is."
    )
    answer: Text = Field(description="The answer in one sentence, with {references} for numbers.")
    hedge: Text | None = Field(
        None,
        description="What is measured, what is inferred and what stays open, in one line under "
        "the answer; without it, the report composes one of counts.",
    )
    reasons: list[Reason] = Field(
        default_factory=list, description="Three to five reasons, the strongest first."
    )
    text: Text | None = Field(
        None, description="The reasons as one text, where they are not told one by one."
    )
    undecided: list[Text] = Field(
        default_factory=list,
        description="What could not be decided, with {references} for numbers.",
    )
    holds: list[Expression] = Field(
        default_factory=list,
        description="Expressions over the results that must be true: readings('conv*') == 0.",
    )

    def texts(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Every text whose references are to be replaced, with its place below the conclusion."""
        for key in ("answer", "hedge", "text"):
            if text := getattr(self, key):
                yield (key,), text
        for i, reason in enumerate(self.reasons):
            yield ("reasons", i, "text"), reason.text
        for i, text in enumerate(self.undecided):
            yield ("undecided", i), text


class CheckedBy(Strict):
    """Who held a study against its sources."""

    by: Text = Field(description="The person who opened the sources and compared.")
    date: Day = Field(description='When, in quotes: "2026-05-03".')


class Reply(Strict):
    """What an author of the paper, or a reader, answers."""

    text: Text = Field(description="The reply, word for word or as its writer agreed to.")
    who: Text = Field(description="Who replies: a name, and whether an author of the paper.")
    link: Link = Field(description="Where the reply can be read.")
    date: Day = Field(description='When it was written, in quotes: "2026-05-03".')


class Correction(Strict):
    """What an earlier version of a study said otherwise."""

    said: Text = Field(description="What the earlier version said.")
    why: Text = Field(description="What it says now, and why it changed.")
    date: Day = Field(description='When it changed, in quotes: "2026-05-03".')


class Input(Strict):
    """One input of the network; of a batch of any size one is measured."""

    name: Annotated[str, StringConstraints(pattern=ARGUMENT_PATTERN)] | None = Field(
        None, description="Argument of `forward`; without a name, inputs are given in their order."
    )
    shape: list[Annotated[int, Field(ge=1)]] = Field(
        min_length=1, description="Sizes, as in [1, 3, 224, 224]."
    )
    batch: Literal["first", "second", "none"] | None = Field(
        None,
        description="Which axis is its batch (default: the first; where an input begins with 1, "
        "all are used as they are).",
    )
    dtype: Literal["float32", "float64", "float16", "bfloat16", "complex64", "int64", "bool"] = (
        Field("float32", description="Type of its elements.")
    )
    range: list[float] | None = Field(
        None,
        min_length=2,
        max_length=2,
        description="Smallest and largest value that is drawn (default: 0 and 1).",
    )
    value: float | None = Field(None, description="The one value that every element has.")


class Study(Strict):
    """One paper under examination."""

    title: Text = Field(description="Short name of the study, as in 'AlexNet'.")
    paper: Paper = Field(description="The paper under examination.")
    question: Text = Field(description="What the study settles, in one or two sentences.")
    checked: CheckedBy | None = Field(
        None, description="Who checked quotes, numbers and credits against their sources, and when."
    )
    replies: list[Reply] = Field(
        default_factory=list,
        description="Replies of the paper's authors and of readers; they stand beside the answer.",
    )
    corrections: list[Correction] = Field(
        default_factory=list, description="What earlier versions of this study said otherwise."
    )
    network: Annotated[str, StringConstraints(pattern=NETWORK_PATTERN)] = Field(
        description="File and class of the network, network.py:AlexNet, or an installed package "
        "and its class or function: torchvision.models:alexnet."
    )
    inputs: list[Input] = Field(
        default_factory=list,
        description="What the network is given (default: what its `example_inputs` returns).",
    )
    placement: Literal["auto", "meta"] = Field(
        "auto", description="meta: shapes and counts only, nothing is allocated or timed."
    )
    receptive_fields: bool = Field(
        True,
        description="Whether they are measured: of deep networks they take longer than all else.",
    )
    arguments: Arguments = Field(
        default_factory=dict, description="Network arguments shared by all readings."
    )
    argument_help: dict[str, Text] = Field(
        default_factory=dict, description="What each network argument means, for the report."
    )
    statements: list[Statement] = Field(default_factory=list, description="What the paper states.")
    claims: list[Claim] = Field(
        default_factory=list, description="The numbers the paper prints, one by one."
    )
    tables: list[PrintedTable] = Field(
        default_factory=list, description="Whole tables of the paper, whose cells are claims."
    )
    interpretations: list[Interpretation] = Field(
        default_factory=list, description="The candidate readings."
    )
    sweep: Sweep | None = Field(None, description="A grid that generates interpretations.")
    evidence: list[Evidence] = Field(default_factory=list, description="Facts from outside.")
    consistency: list[Consistency] = Field(
        default_factory=list, description="Checks of the paper against itself."
    )
    parts: dict[Id, Annotated[list[Text], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Parts of the network by name: patterns of layers, or of layer.tensor.",
    )
    slips: list[SlipSearch] = Field(default_factory=list, description="Searches for slips.")
    geometries: list[GeometrySearch] = Field(
        default_factory=list, description="Searches for geometries."
    )
    terms: list[TermSearch] = Field(
        default_factory=list, description="Searches for terms across networks."
    )
    solve: list[Solve] = Field(
        default_factory=list, description="Searches for the value of an argument."
    )
    conclusion: Conclusion = Field(description="The author's conclusion.")

    @property
    def own_readings(self) -> list[Interpretation]:
        """The interpretations that the study names, without those that its sweep generates."""
        return [r for r in self.interpretations if not isinstance(r, SweptInterpretation)]

    @property
    def swept_readings(self) -> list[Interpretation]:
        """The interpretations that its sweep generates: those that the study does not name."""
        return [r for r in self.interpretations if isinstance(r, SweptInterpretation)]

    def claim(self, claim_id: str) -> Claim:
        """The claim with this id; KeyError if there is none."""
        return next_by_id(self.claims, claim_id)


class Concluded:
    """What a study's reconciliation concludes on, for whatever is made of it.

    Attributes:
        reconciliation: the content of ``reconciliation.json``.
    """

    reconciliation: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The name of the study's folder."""
        return str(self.reconciliation["study"])

    @property
    def chosen(self) -> str:
        """The interpretation that the study concludes on; empty where it concludes on none."""
        chosen = str(self.reconciliation["conclusion"]["interpretation"])
        return "" if chosen == NONE else chosen

    @property
    def leading(self) -> str:
        """The interpretation that what shows only one is of: that one, or what ranks first."""
        return self.chosen or str(self.reconciliation["ranking"][0]["interpretation"])


def claims_named(study: Study, patterns: Iterable[str]) -> list[Claim]:
    """The claims that ids or patterns name, in the study's order."""
    wanted = list(patterns)
    return [c for c in study.claims if any(fnmatchcase(c.id, pattern) for pattern in wanted)]


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


Item = TypeVar("Item", bound=_Identified)


def next_by_id(items: Iterable[Item], wanted: str) -> Item:
    """The first item whose id is ``wanted``; KeyError if there is none."""
    for item in items:
        if item.id == wanted:
            return item
    raise KeyError(wanted)
