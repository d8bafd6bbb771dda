"""Load a study and check what no single key can show: that everything it names is there."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from reconcile.errors import Fault, InputError, not_there
from reconcile.files import refuse_links
from reconcile.proc import nothing_collected
from reconcile.study.expressions import (
    ERRORS,
    RESULTS,
    ExpressionError,
    evaluate,
    networks_named,
    over_claims,
    parse,
    references,
)
from reconcile.study.model import (
    INPUT_SIDE,
    NONE,
    SINGLE,
    Claim,
    Study,
    SweptInterpretation,
    claims_named,
)
from reconcile.study.plan import (
    MAX_COMBINATIONS,
    MAX_COUNTINGS,
    PaperScope,
    computed,
    network_file_of,
    networks_of,
    size_of,
    with_networks,
    with_swept,
)
from reconcile.study.printed_tables import OF, claims_in, networks_in, problems_in
from reconcile.study.yamlfile import (
    Argument,
    Arguments,
    Places,
    build,
    is_number,
    line_of,
    load_yaml,
)
from reconcile.tables.contract import NETWORK, PARTS, QUANTITIES

STUDY_FILE = "study.yaml"
REFERENCE = re.compile(r"\{([^{}]*)\}")
REFERENCES = "{claim:<id>}, {consistency:<id>} and {<interpretation>.<layer>.<quantity>}"
"""What a conclusion's text may refer to."""
Place = tuple[str | int, ...]
Problem = tuple[Place, str]
Networks = dict[str, dict[str, Argument]]


def load_study(folder: Path) -> Study:
    """Read and check ``<folder>/study.yaml``.

    Raises:
        InputError: one fault for each thing that is wrong, with file, line and key, or for each
            link in the folder.
    """
    try:
        # Looking for cycles takes a third of the time, and more the more studies were loaded.
        with nothing_collected():
            return _load(folder)
    except InputError:
        raise
    except Exception as error:
        reason = f"cannot be checked: {type(error).__name__}: {str(error)[:200]}"
        raise InputError.of(folder / STUDY_FILE, reason) from error


def _load(folder: Path) -> Study:
    file = folder / STUDY_FILE
    if file.exists():  # a folder that is no study's says that, and nothing of what is in it
        refuse_links(folder)
    data, places = load_yaml(file)
    study, written, problems = _with_tables(build(Study, data, places, file))
    problems += _sweep_problems(study)
    if not problems:
        study = with_swept(study)
        problems = list(_problems(study)) or list(_paper_problems(study))
    network_file = network_file_of(study)
    if network_file and not (folder / network_file).is_file():
        problems.append((("network",), f"there is no file {folder / network_file}"))
    if problems:
        told = ((_written_place(place, study, written), message) for place, message in problems)
        raise InputError(*(_fault(p, places, file) for p in _once_a_table(told)))
    return study


def fault_in(folder: Path, place: Place, message: str) -> Fault:
    """A fault found after loading, with the line of the key it belongs to."""
    file = folder / STUDY_FILE
    data, places = load_yaml(file)
    study, written, _ = _with_tables(build(Study, data, places, file))
    return _fault((_written_place(place, study, written), message), places, file)


def _fault(problem: Problem, places: Places, file: Path) -> Fault:
    place, message = problem
    return Fault(file, line_of(place, places), ".".join(map(str, place)), message)


def _with_tables(study: Study) -> tuple[Study, list[Place], list[Problem]]:
    """The study with what its tables claim and the networks that they define.

    Returns:
        The study, the place of each claim that a table made, and what is wrong with the tables.
    """
    claims, written, networks = list(study.claims), list[Place](), dict[str, Arguments]()
    problems = list(_duplicate_ids(("tables",), [table.id for table in study.tables]))
    for t, table in enumerate(study.tables):
        problems += ((("tables", t, *at), problem) for at, problem in problems_in(table))
        for at, name, arguments in networks_in(table):
            if networks.setdefault(name, arguments) != arguments:
                message = f"another row or column has other arguments for {name!r}"
                problems.append((("tables", t, *at), message))
        for at, found in claims_in(table):
            if isinstance(found, str):
                problems.append((("tables", t, *at), found))
            else:
                claims.append(Claim(**found))
                written.append(("tables", t, *at))
    readings = [with_networks(reading, networks) for reading in study.interpretations]
    sweep = study.sweep and with_networks(study.sweep, networks)
    update = {"claims": claims, "interpretations": readings, "sweep": sweep}
    return study.model_copy(update=update), written, problems


def _written_place(place: Place, study: Study, written: list[Place]) -> Place:
    """Where in the file a claim stands, which may be the cell of a table."""
    own = len(study.claims) - len(written)
    if place[:1] != ("claims",) or len(place) == 1 or int(place[1]) < own:
        return place
    return written[int(place[1]) - own]


def _once_a_table(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Of what is wrong with many cells of a table in the same way, the first."""
    seen: set[Problem] = set()
    for place, message in problems:
        kind = place[:2] if place[:1] == ("tables",) else place
        if (kind, message) not in seen:
            seen.add((kind, message))
            yield place, message


def _sweep_problems(study: Study) -> Iterator[Problem]:
    if study.sweep is None:
        return
    size = size_of(study.sweep)
    if not 0 < size <= MAX_COMBINATIONS:
        message = f"gives {size:,} combinations; accepted are 1 to {MAX_COMBINATIONS:,}"
        yield ("sweep", "axes"), message
    else:
        asked = size * sum(map(partial(_numbers_asked, study), study.claims))
        if asked > MAX_COUNTINGS:
            message = f"asks for {asked:,} numbers, each of a combination and a claim's counting"
            yield ("sweep", "axes"), f"{message}; accepted are {MAX_COUNTINGS:,}"
    for axis in study.sweep.axes:
        if network := axis.rpartition(".")[0]:
            yield from _unknown(("sweep", "axes", axis), network, study.sweep.networks, "network")
    for i, name in enumerate(study.sweep.picture or []):
        yield from _unknown(("sweep", "picture", i), name, study.sweep.axes, "axis")


def _numbers_asked(study: Study, claim: Claim) -> int:
    """How many numbers a claim asks of a reading: its countings, and those its errors are over."""
    counts = [claim.expression, *(counting.count for counting in claim.countings)]
    errors = (named for text in counts if _is_parsed(text) for _, named in over_claims(text))
    return len(counts) + sum(len(claims_named(study, named)) for named in errors)


def _problems(study: Study) -> Iterator[Problem]:
    if not study.claims:
        yield ("claims",), "a study has at least one claim, here or in `tables`"
        return
    yield from _duplicates(study)
    yield from _claim_problems(study)
    yield from _interpretation_problems(study)
    yield from _statement_problems(study)
    yield from _reference_problems(study)
    yield from _expression_problems(study)
    yield from _network_problems(study)
    yield from _conclusion_problems(study)


def _duplicates(study: Study) -> Iterator[Problem]:
    for key in ("statements", "claims", "interpretations", "evidence", "consistency"):
        yield from _duplicate_ids((key,), [item.id for item in getattr(study, key)])
    for i, claim in enumerate(study.claims):
        yield from _duplicate_ids(("claims", i, "countings"), [c.id for c in claim.countings])


def _duplicate_ids(place: Place, ids: Sequence[str]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for i, item_id in enumerate(ids):
        first = seen.get(item_id.lower())
        seen[item_id.lower()] = item_id
        if first is not None:
            differs = f"differs from {first!r} only in capitals"
            told = "is used twice" if first == item_id else differs
            yield (*place, i, "id"), f"the id {item_id!r} {told}"


def _claim_problems(study: Study) -> Iterator[Problem]:
    for i, claim in enumerate(study.claims):
        for key, problem in _number_problems(claim):
            yield ("claims", i, key), problem
        if claim.of is not None and claim.quantity not in QUANTITIES:
            accepted = f"{', '.join(QUANTITIES)}; in a table an expression with {OF} in it as well"
            yield (
                ("claims", i, "quantity"),
                f"with `of` this must be a quantity, not {claim.quantity!r}; accepted: {accepted}",
            )


def _number_problems(claim: Claim) -> Iterator[tuple[str, str]]:
    """What is wrong with the digits of a claim, and with the keys that say how to read them."""
    for key in ("unit", "zeros"):
        if (getattr(claim, key) is None) != (getattr(claim, f"{key}_reason") is None):
            yield key, f"`{key}` and `{key}_reason` stand together or not at all"
    if (claim.relation == "about") != (claim.within is not None):
        yield "within", "`relation: about` and `within` stand together or not at all"
    try:
        number = claim.number
    except ValueError as error:
        yield "printed", str(error)
        return
    if claim.zeros and claim.relation != "equals":
        yield "zeros", f"a claim that says {claim.relation} has no use for open zeros"
    if claim.zeros and (claim.unit is not None or not number.zeros):
        yield "zeros", f"{claim.printed} has no zeros that may be open: no last ones, or a `unit`"
    vague = number.approximate and number.unit == 1 and claim.unit is None
    if vague and claim.relation == "equals" and not claim.zeros:
        yield (
            "printed",
            f'"{claim.printed}" does not say how near: give `relation: about` with `within`, or a '
            "`unit`",
        )


def _interpretation_problems(study: Study) -> Iterator[Problem]:
    if not study.interpretations:
        yield ("interpretations",), "a study has at least one interpretation, or a `sweep`"
    yield from _argument_problems(list(_told_apart(study)))
    for i, reading in enumerate(study.interpretations):
        if reading.slip is not None:
            place: Place = ("interpretations", i, "slip", "claim")
            yield from _unknown(place, reading.slip.claim, _ids(study.claims), "claim")


def _told_apart(study: Study) -> Iterator[tuple[Place, Networks]]:
    """The networks of every reading; of a sweep, whose combinations are alike, of the first."""
    for i, reading in enumerate(study.interpretations):
        swept = isinstance(reading, SweptInterpretation)
        yield ("sweep",) if swept else ("interpretations", i), networks_of(study, reading)
        if swept:
            return


def _argument_problems(readings: list[tuple[Place, Networks]]) -> Iterator[Problem]:
    """Every network takes the same arguments; who has a name that others lack has misspelt it."""
    given = [(place, set(own)) for place, networks in readings for own in networks.values()]
    names = Counter(name for _, own in given for name in own)
    partly = {name for name, count in names.items() if count < len(given)}
    strange = {name for name in partly if _is_misspelt(name, names, len(given))}
    blamed: set[Place] = set()
    for place, own in given:
        if place not in blamed and (wrong := sorted(own & strange)):
            blamed.add(place)
            near = difflib.get_close_matches(wrong[0], names.keys() - strange, n=1)
            hint = f", did you mean {near[0]!r}?" if near else "."
            yield (
                place,
                f"gives {wrong[0]!r}, which few others do{hint} All take the same ones",
            )
    for place, own in given:
        if place not in blamed and (missing := sorted(partly - strange - own)):
            blamed.add(place)
            told = ", ".join(missing)
            yield place, f"gives no value for {told}; set it here or under `arguments`"


def _is_misspelt(name: str, names: Mapping[str, int], networks: int) -> bool:
    """Whether fewer than half of the networks take the argument, or half and others a like one."""
    like = difflib.get_close_matches(name, names.keys() - {name}, n=1)
    return 2 * names[name] < networks or (2 * names[name] == networks and bool(like))


def _statement_problems(study: Study) -> Iterator[Problem]:
    names = set(study.arguments)
    for _, networks in _told_apart(study):
        names.update(*networks.values())
    for i, statement in enumerate(study.statements):
        if (statement.relation == "about") != (statement.within is not None):
            message = "`relation: about` and `within` stand together or not at all"
            yield ("statements", i, "within"), message
        if statement.relation != "equals" and not is_number(statement.value):
            yield ("statements", i, "value"), f"must be a number to be {statement.relation}"
        if statement.argument is not None:
            place: Place = ("statements", i, "argument")
            yield from _unknown(place, statement.argument, names, "network argument")
    for name in study.argument_help:
        yield from _unknown(("argument_help", name), name, names, "network argument")


def _network_problems(study: Study) -> Iterator[Problem]:
    """A claim is of a network that some reading has, unless what it counts names others or none."""
    for i, given in enumerate(study.inputs):
        if given.batch == "second" and len(given.shape) == 1:
            yield ("inputs", i, "batch"), f"the shape {given.shape} has no second axis"
    there = _network_names(study)
    for i, claim in enumerate(study.claims):
        counts = [claim.expression, *(counting.count for counting in claim.countings)]
        needed = any(None in networks_named(text) for text in counts if _is_parsed(text))
        if claim.network not in there and (needed or claim.network != SINGLE):
            hint = ". Say which one the claim is of" if claim.network == SINGLE else ""
            yield ("claims", i, "network"), not_there("network", claim.network, there) + hint


def _network_names(study: Study) -> set[str]:
    return {name for _, networks in _told_apart(study) for name in networks}


def _is_parsed(text: str) -> bool:
    try:
        parse(text)
    except ExpressionError:
        return False
    return True


def _reference_problems(study: Study) -> Iterator[Problem]:
    readings, claims = _ids(study.interpretations), _ids(study.claims)
    for i, item in enumerate(study.evidence):
        for key in ("supports", "excludes"):
            for j, wanted in enumerate(getattr(item, key)):
                yield from _unknown(("evidence", i, key, j), wanted, readings, "interpretation")
        for wanted in sorted(set(item.supports) & set(item.excludes)):
            yield ("evidence", i, "excludes"), f"{wanted!r} is both supported and excluded"
    for key in ("consistency", "slips", "geometries"):
        for i, item in enumerate(getattr(study, key)):
            yield from _unknown((key, i, "claim"), item.claim, claims, "claim")
    yield from (
        (("parts", name), f"{name!r} is a part that is known already: {PARTS[name]}")
        for name in sorted(study.parts.keys() & PARTS.keys())
    )
    for i, search in enumerate(study.slips):
        place = ("slips", i, "interpretation")
        yield from _unknown(place, search.interpretation, readings, "interpretation")
        if bool(search.factors) == bool(search.terms):
            yield ("slips", i), "give either `factors` or `terms`"
    for i, wanted in enumerate(study.geometries):
        if bool(wanted.inputs) == bool(wanted.input_sides):
            yield ("geometries", i), "give either `inputs` or `input_sides`"
    yield from _term_problems(study, readings)
    yield from _solve_problems(study, readings)
    chosen = study.conclusion.interpretation
    yield from _unknown(
        ("conclusion", "interpretation"), chosen, {*readings, NONE}, "interpretation"
    )
    for i, reading in enumerate(study.own_readings):
        if reading.id == NONE:
            message = f"{NONE!r} is what a conclusion names that is for no reading"
            yield ("interpretations", i, "id"), message


def _term_problems(study: Study, readings: set[str]) -> Iterator[Problem]:
    yield from _duplicate_ids(("terms",), [search.id for search in study.terms])
    for i, search in enumerate(study.terms):
        yield from _unknown(
            ("terms", i, "interpretation"), search.interpretation, readings, "interpretation"
        )
        yield from _pattern_problems(study, ("terms", i, "claims"), search.claims)
        if not search.terms and search.derived is None:
            yield ("terms", i), "give `terms`, `derived` or both"
        for name, term in search.terms.items():
            most = search.most if isinstance(term, str) or term.most is None else term.most
            if not isinstance(term, str) and term.least > most:
                yield ("terms", i, "terms", name), f"at least {term.least} times, at most {most}"


def _solve_problems(study: Study, readings: set[str]) -> Iterator[Problem]:
    yield from _duplicate_ids(("solve",), [search.id for search in study.solve])
    for i, wanted in enumerate(study.solve):
        place: Place = ("solve", i, "interpretation")
        yield from _unknown(place, wanted.interpretation, readings, "interpretation")
        yield from _pattern_problems(study, ("solve", i, "claims"), wanted.claims)
        if wanted.range.first > wanted.range.last:
            yield ("solve", i, "range"), "is empty: `first` is larger than `last`"
        names = {
            name
            for reading in study.interpretations
            if reading.id == wanted.interpretation
            for arguments in networks_of(study, reading).values()
            for name in arguments
        }
        if names:
            argument = ("solve", i, "argument")
            if study.inputs and len(study.inputs[0].shape) > 1:
                names.add(INPUT_SIDE)
            yield from _unknown(argument, wanted.argument, names, "network argument")
        for claim in claims_named(study, wanted.claims):
            if not _is_parsed(claim.expression):
                continue
            for function in ("printed", "stated", *ERRORS):
                for name in references(claim.expression, function):
                    told = f"{claim.id} counts with {function}({name}), which is not measured"
                    yield ("solve", i, "claims"), told


def _pattern_problems(study: Study, place: Place, patterns: Sequence[str]) -> Iterator[Problem]:
    """Every pattern names claims, and each of these says what its number equals."""
    for j, pattern in enumerate(patterns):
        named = claims_named(study, [pattern])
        if not named:
            yield (*place, j), not_there("claim", pattern, _ids(study.claims))
        for claim in named:
            if claim.relation != "equals":
                yield (*place, j), f"{claim.id} says {claim.relation}: no one number to come out"


def _conclusion_problems(study: Study) -> Iterator[Problem]:
    """What the references of the conclusion name is there, as far as nothing need be measured."""
    for place, text in study.conclusion.texts():
        for reference in REFERENCE.findall(text):
            problem = _unresolved(study, reference)
            if problem is not None:
                yield ("conclusion", *place), f"{{{reference}}} does not resolve: {problem}"
    if not (study.conclusion.reasons or study.conclusion.text):
        yield ("conclusion",), "give `reasons` or `text`"
    known = _told_of(study)
    for i, reason in enumerate(study.conclusion.reasons):
        for j, see in enumerate(reason.see):
            kind, _, name = see.partition(":")
            place = ("conclusion", "reasons", i, "see", j)
            if kind in known:
                yield from _unknown(place, name, known[kind], kind)
            else:
                accepted = ", ".join(f"{kind}:<id>" for kind in known)
                yield place, f"{see!r} leads nowhere; accepted are {accepted}"


def _told_of(study: Study) -> dict[str, set[str]]:
    """What a reason can lead to, by kind."""
    return {
        "evidence": _ids(study.evidence),
        "claim": _ids(study.claims),
        "consistency": _ids(study.consistency),
        "reading": _ids(study.own_readings),
        "search": {s.claim for s in study.slips}
        | {g.claim for g in study.geometries}
        | _ids([*study.terms, *study.solve]),
    }


def _unresolved(study: Study, reference: str) -> str | None:
    kind, colon, name = reference.partition(":")
    known = {"claim": _ids(study.claims), "consistency": _ids(study.consistency)}
    if colon and kind not in known:
        return f"accepted are {REFERENCES}"
    if colon:
        return None if name in known[kind] else not_there(kind, name, known[kind])
    path, _, quantity = reference.rpartition(".")
    readings = _ids(study.interpretations)
    if not path:
        return f"accepted are {REFERENCES}"
    if not any(path.startswith(f"{reading}.") for reading in readings):
        return not_there("interpretation", path.partition(".")[0], readings)
    return None if quantity in QUANTITIES else not_there("quantity", quantity, QUANTITIES)


def _ids(items: Iterable[Any]) -> set[str]:
    return {item.id for item in items}


def _unknown(place: Place, wanted: str, known: Iterable[str], what: str) -> Iterator[Problem]:
    known = set(known)
    if wanted not in known:
        yield place, not_there(what, wanted, known)


def _expressions(study: Study) -> Iterator[tuple[Place, str]]:
    for i, claim in enumerate(study.claims):
        if claim.of is None or claim.quantity in QUANTITIES:
            yield ("claims", i, "quantity"), claim.expression
        for j, counting in enumerate(claim.countings):
            yield ("claims", i, "countings", j, "count"), counting.count
    for i, reading in enumerate(study.interpretations):
        if reading.slip is not None:
            yield ("interpretations", i, "slip", "right"), reading.slip.right
            yield ("interpretations", i, "slip", "written"), reading.slip.written
    for i, item in enumerate(study.evidence):
        if item.check is not None:
            yield ("evidence", i, "check"), item.check
    for i, check in enumerate(study.consistency):
        yield ("consistency", i, "compute"), check.compute
    yield from _searched_expressions(study)
    for i, text in enumerate(study.conclusion.holds):
        yield ("conclusion", "holds", i), text


def _searched_expressions(study: Study) -> Iterator[tuple[Place, str]]:
    for i, search in enumerate(study.slips):
        for name, text in (search.factors | search.terms).items():
            kind = "factors" if search.factors else "terms"
            yield ("slips", i, kind, name), text
        if search.divisor is not None:
            yield ("slips", i, "divisor"), search.divisor
    for i, sought in enumerate(study.terms):
        for name, term in sought.terms.items():
            yield ("terms", i, "terms", name), term if isinstance(term, str) else term.size
        if sought.derived is not None:
            yield ("terms", i, "derived", "layers"), sought.derived.layers
            for name, text in sought.derived.of.items():
                yield ("terms", i, "derived", "of", name), text


def _expression_problems(study: Study) -> Iterator[Problem]:
    claims = _ids(study.claims)
    known = {"printed": claims, "stated": _ids(study.statements)}
    networks = _network_names(study)
    for place, text in _expressions(study):
        try:
            parse(text)
        except ExpressionError as error:
            bare = re.fullmatch(r"\w+", text) and text in QUANTITIES
            yield place, f"{text!r} needs `of` (a layer or `{NETWORK}`)" if bare else str(error)
            continue
        for function, names in known.items():
            for name in references(text, function):
                what = "claim" if function == "printed" else "statement"
                if what == "statement" or not any(fnmatchcase(claim, name) for claim in names):
                    yield from _unknown(place, name, names, what)
        for network in sorted(networks_named(text) - {None, *networks}, key=str):
            yield from _unknown(place, str(network), networks, "network")
        yield from _over_claims_problems(study, place, text)


def _paper_problems(study: Study) -> Iterator[Problem]:
    """What can be computed of the paper alone is, and is what it should be."""
    for i, check in enumerate(study.consistency):
        try:
            computed(study, check)
        except ExpressionError as error:
            yield ("consistency", i, "compute"), str(error)
    for i, item in enumerate(study.evidence):
        if item.check is None or item.supports or item.excludes:
            continue
        try:
            evaluate(item.check, PaperScope(study))
        except ExpressionError as error:
            yield ("evidence", i, "check"), str(error)


def _over_claims_problems(study: Study, place: Place, text: str) -> Iterator[Problem]:
    """Functions over claims name some, and stand where their answer is known."""
    for function, patterns in over_claims(text):
        if function in RESULTS and place[0] != "conclusion":
            yield place, f"{function}() counts results; only `conclusion.holds` can"
        for pattern in patterns:
            named = claims_named(study, [pattern])
            if not named:
                yield place, not_there("claim", pattern, _ids(study.claims))
            for claim in named if function in ERRORS else []:
                if problem := _no_error(claim):
                    yield place, f"{function}({pattern}): {claim.id} {problem}"


def _no_error(claim: Claim) -> str | None:
    """Why nothing can be off from a claim's number by a share of it."""
    if claim.relation != "equals" or not _is_a_share_of(claim):
        return "prints no number that a reading could be off by a share of"
    if claim.countings:
        return "may be counted in several ways"
    if _is_parsed(claim.expression) and any(f in ERRORS for f, _ in over_claims(claim.expression)):
        return "is such a number itself"
    return None


def _is_a_share_of(claim: Claim) -> bool:
    try:
        return claim.number.value != 0
    except ValueError:
        return True  # what is wrong with the digits is told where they stand
