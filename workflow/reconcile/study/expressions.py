"""The small expression language of claims, countings and checks.

An expression is Python syntax cut down to numbers, arithmetic, comparisons and the functions named
below; it is parsed into a syntax tree, checked against a whitelist and evaluated exactly with
``fractions.Fraction``. Nothing is ever passed to ``eval``.

    neurons(conv1)                                   a quantity of one layer
    neurons('conv*') + neurons(input)                a pattern sums over the layers it matches
    parameters(network)                              the whole network
    largest(parameters, 'conv*') / parameters(network)
    width(conv1) ** 2 % 5 == 0                       a check
    argument(input_size) % 2 == 0                    a constructor argument of the reading
    macs(network, large) / macs(network, small)      two networks of a reading that has several
    printed(conv1) + printed('sizes.*.parameters')   the paper's own digits; a pattern sums
    stated(factor)                                   the value of a statement
    largest_error('a9.*')                            how far a reading is from printed numbers

What a conclusion holds counts results besides: ``readings('conv*', total) == 0``. Each function of
``RESULTS`` takes ids or patterns of claims, and counts what satisfies all of these claims.

The rows of ``layers.csv`` that an expression speaks of come from a table or from a network that was
measured this moment: what they are asked is the same. An empty cell is text without a character,
None, or what a library of tables puts there.
"""

from __future__ import annotations

import ast
import keyword
import math
import operator
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import lru_cache
from typing import Any, TypeVar

from reconcile.tables.contract import NETWORK, QUANTITIES, summed

_LOOKUPS = ("printed", "stated")
RESULTS = {
    "readings": "the study's own readings that satisfy all of these claims",
    "readings_rounded": "those that do with their digits rounded",
    "readings_cut": "those that do with their digits cut",
    "combinations": "combinations of its sweep that satisfy all of these claims",
    "combinations_rounded": "those that do with their digits rounded",
    "combinations_cut": "those that do with their digits cut",
    "conflicts": "conflicts of the study's own readings that hold all of these claims",
    "combination_conflicts": "conflicts of the combinations that hold all of these claims",
}
"""What a conclusion can count; without claims, all that were measured, or all conflicts."""
ERRORS: dict[str, Callable[[Sequence[Fraction]], Fraction]] = {
    "largest_error": max,
    "mean_error": lambda errors: sum(errors, Fraction(0)) / len(errors),
}
"""Of a reading's relative errors in claims, each ``|measured - printed| / |printed|``."""
_OVER_LAYERS: dict[str, Callable[[Sequence[Fraction]], Fraction]] = {
    "largest": max,
    "smallest": min,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "floor": lambda x: Fraction(x.__floor__()),
    "ceil": lambda x: Fraction(x.__ceil__()),
}
_OF_SEVERAL = ("min", "max")
MAX_EXPONENT = 64
MAX_BITS = 960
"""Exact numbers could grow until nothing else runs; no count comes near this, every float does."""
MAX_NESTING = 100
"""Levels of an expression; a sum of a hundred terms has as many."""


_QUOTING = "; names that are no plain words stand in quotes: 'conv*', '3a'"
Row = dict[str, Any]
OF_KIND, OF_CLASS = "kind:", "class:"
"""Select the layers of a kind (also where a layer is called so), or a class of torch.nn."""


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > MAX_EXPONENT:
        raise ExpressionError(f"an exponent must be a whole number up to {MAX_EXPONENT}")
    return base ** int(exponent)


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise ExpressionError(f"gives a number of more than {MAX_BITS} bits on the way")
    return value


_BINARY: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda a, b: Fraction(a // b),
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_DIVISIONS = (ast.Div, ast.FloorDiv, ast.Mod)
_COMPARE: dict[type[ast.AST], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class ExpressionError(ValueError):
    """The expression is not of the language, or cannot be evaluated.

    Attributes:
        place: the section of study.yaml and the item in it, where these are known.
    """

    place: tuple[str, int] | None = None


class UnknownNameError(ExpressionError):
    """A layer, claim, statement or argument that is not there; the message lists what is."""


Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    section: str, items: Sequence[Item], compute: Callable[[Item], Result]
) -> Iterator[Result]:
    """What is computed of every item of a section; an ExpressionError knows the item."""
    for place, item in enumerate(items):
        try:
            yield compute(item)
        except ExpressionError as error:
            error.place = section, place
            raise


class Scope:
    """Where an expression finds its values; by itself it knows none."""

    def quantity(self, name: str, selector: str) -> list[Fraction]:
        """The quantity of every layer that the selector names; UnknownNameError if none."""
        raise UnknownNameError(f"{name}({selector}) is not known here")

    def lookup(self, function: str, name: str) -> Any:
        """The value of ``printed(name)``, ``stated(name)`` or ``argument(name)``."""
        raise UnknownNameError(f"{function}({name}) is not known here")

    def other(self, network: str) -> Scope:
        """The scope of another network of the same reading; UnknownNameError if there is none."""
        raise UnknownNameError(f"there is no network {network!r}")

    def count(self, function: str, claims: list[str]) -> int:
        """The number that a function of ``RESULTS`` counts, of claims by id or pattern."""
        raise UnknownNameError(f"{function}({', '.join(claims)}) is not known here")

    def errors(self, claims: list[str]) -> list[Fraction]:
        """The relative error of every claim, by id or pattern; at least one."""
        raise UnknownNameError(f"the errors of {', '.join(claims)} are not known here")


@lru_cache(maxsize=4096)
def parse(text: str) -> ast.expr:
    """Parse an expression and check every node against the whitelist; the tree is shared.

    Raises:
        ExpressionError: with what is wrong and what is accepted.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text.strip(), mode="eval").body
        if _depth(tree) > MAX_NESTING:
            raise RecursionError
        _check(tree)
        _settle(tree)
    except ExpressionError:
        raise
    except (RecursionError, MemoryError):
        raise ExpressionError(f"is nested deeper than {MAX_NESTING} levels") from None
    except (SyntaxError, ValueError) as error:
        hint = _QUOTING if "(" in text else ""
        raise ExpressionError(f"is not an expression: {error.args[0]}{hint}") from None
    return tree


def _depth(tree: ast.expr) -> int:
    level, depth = [tree], 0
    while level and depth <= MAX_NESTING:
        level = [c for node in level for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
        depth += 1
    return depth


def _settle(node: ast.expr) -> None:
    """Compute whatever needs no scope: what cannot be computed is told before anything runs."""
    calls = (n for n in ast.walk(node) if isinstance(n, ast.Call))
    if all(isinstance(c.func, ast.Name) and c.func.id in _FUNCTIONS for c in calls):
        try:
            _value(node, Scope())
        except ZeroDivisionError:
            raise ExpressionError(f"{ast.unparse(node)!r} divides by zero") from None
        except TypeError:
            raise ExpressionError(f"{ast.unparse(node)!r} compares numbers with text") from None
        return
    match node:
        case ast.BinOp(op=op, right=ast.Constant(value=0)) if type(op) in _DIVISIONS:
            raise ExpressionError(f"{ast.unparse(node)!r} divides by zero")
    named = isinstance(node, ast.Call) and ast.unparse(node.func) not in _FUNCTIONS
    for child in [] if named else ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and child is not getattr(node, "func", None):
            _settle(child)


def _check(node: ast.expr) -> None:
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str() as constant):
            if isinstance(constant, float) and not math.isfinite(constant):
                raise ExpressionError("a number is too large")
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            _check(left)
            _check(right)
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            _check(operand)
        case ast.BoolOp(values=values):
            for value in values:
                _check(value)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(
            type(op) in _COMPARE for op in ops
        ):
            for value in (left, *others):
                _check(value)
        case ast.Call(func=ast.Name(id=name), args=claims, keywords=[]) if name in RESULTS:
            for claim in claims:
                _name(claim)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            _check_call(name, args)
        case _:
            raise ExpressionError(
                f"{ast.unparse(node)!r} is not accepted; an expression has numbers, + - * / // % "
                "**, comparisons, and, or, not, and functions"
            )


_TAKES = {
    **dict.fromkeys(_OVER_LAYERS, (2, 3, "a quantity, a layer pattern and, maybe, a network")),
    **dict.fromkeys(_LOOKUPS, (1, 1, "one name")),
    **dict.fromkeys(ERRORS, (1, 1000, "claims, by id or pattern")),
    "argument": (1, 3, "a name and, maybe, a position in its list and a network"),
    **dict.fromkeys(_FUNCTIONS, (1, 1, "one number")),
    **dict.fromkeys(_OF_SEVERAL, (2, 1000, "two numbers or more")),
}
"""How many arguments a function takes, and which."""
_OF_A_LAYER = (1, 2, "a layer and, maybe, a network")


def _check_call(name: str, args: list[ast.expr]) -> None:
    if name not in QUANTITIES and name not in _TAKES:
        known = ", ".join([*QUANTITIES, *_LOOKUPS, "argument", *_OVER_LAYERS, *ERRORS, *_FUNCTIONS])
        raise ExpressionError(f"{name}() is not a function; accepted are {known}")
    least, most, what = _TAKES.get(name, _OF_A_LAYER)
    if not least <= len(args) <= most:
        raise ExpressionError(f"{name}() takes {what}")
    if name in _OVER_LAYERS and ast.unparse(args[0]) not in QUANTITIES:
        raise ExpressionError(f"{name}() takes {what}")
    for place, arg in enumerate(args):
        if name in _FUNCTIONS or (name == "argument" and place > 0 and not _is_name(arg)):
            _check(arg)
        else:
            _name(arg)


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _name(node: ast.expr) -> str:
    """The name in a call: bare (``conv1``, ``features.0`` in quotes) or a quoted pattern."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Constant(value=str(name)):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{_name(value)}.{attr}"
    raise ExpressionError(f"{ast.unparse(node)!r} is no name; quote patterns: 'conv*'")


def references(text: str, function: str) -> list[str]:
    """The names that an expression passes to one function, in order (``printed`` -> claims)."""
    return [_name(args[0]) for name, args in _calls(text) if name == function]


@lru_cache(maxsize=4096)
def _calls(text: str) -> list[tuple[str, list[ast.expr]]]:
    """The functions that an expression calls, each with its arguments."""
    calls = [node for node in ast.walk(parse(text)) if isinstance(node, ast.Call)]
    return [(c.func.id, c.args) for c in calls if isinstance(c.func, ast.Name)]


@lru_cache(maxsize=4096)
def networks_named(text: str) -> frozenset[str | None]:
    """The networks that an expression speaks of; None is the one that it is asked of.

    Plain arithmetic, printed numbers and stated values are of no network.
    """
    called = _calls(text)
    return frozenset(_network(name, args) for name, args in called if _first_network(name))


def _first_network(function: str) -> int | None:
    """Which argument of a function may name a network, at the least."""
    if function in _OVER_LAYERS:
        return 2
    return 1 if function in QUANTITIES or function == "argument" else None


def _network(function: str, args: list[ast.expr]) -> str | None:
    names = [_name(arg) for arg in args[_first_network(function) :] if _is_name(arg)]
    return names[0] if names else None


def over_claims(text: str) -> list[tuple[str, list[str]]]:
    """Functions of ``RESULTS`` and ``ERRORS`` that an expression calls, with the claims of each."""
    functions = RESULTS.keys() | ERRORS.keys()
    return [(n, [_name(arg) for arg in args]) for n, args in _calls(text) if n in functions]


def spelled(text: str) -> str:
    """An expression on one line, with quotes only around names that need them."""
    return ast.unparse(_Unquoted().visit(ast.parse(text.strip(), mode="eval")))


def spelled_call(function: str, names: Sequence[str]) -> str:
    """A function of names, in the spelling of ``spelled``."""
    return spelled(f"{function}({', '.join(map(repr, names))})")


class _Unquoted(ast.NodeTransformer):
    """Takes the quotes off names in calls that are plain words."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        node.args = [_unquoted(arg) for arg in node.args]
        return node


def _unquoted(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        parts = node.value.split(".")
        if all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
            return ast.parse(node.value, mode="eval").body
    return node


def evaluate(text: str, scope: Scope) -> Any:
    """The value of an expression: a Fraction, a bool for a check, or a str argument.

    Raises:
        ExpressionError: not of the language, a division by zero, mixed types.
        UnknownNameError: it names something the scope does not have.
    """
    try:
        return _value(parse(text), scope)
    except ZeroDivisionError:
        raise ExpressionError(f"{text!r} divides by zero") from None
    except (TypeError, AttributeError):
        raise ExpressionError(f"{text!r} mixes numbers with text") from None
    except OverflowError:
        raise ExpressionError(f"{text!r} gives too large a number") from None
    except IndexError:
        raise ExpressionError(f"{text!r} asks for a position that the list does not have") from None


def number_or_none(text: str, scope: Scope) -> Fraction | None:
    """The number that an expression gives; None where it gives none."""
    try:
        value = evaluate(text, scope)
    except ExpressionError:
        return None
    return value if isinstance(value, Fraction) else None


def _value(node: ast.expr, scope: Scope) -> Any:
    match node:
        case ast.Constant(value=value):
            exact = _exact(value)
            return _bounded(exact) if isinstance(exact, Fraction) else exact
        case ast.BinOp(left=left, op=op, right=right):
            return _bounded(_BINARY[type(op)](_number(left, scope), _number(right, scope)))
        case ast.UnaryOp(op=op, operand=operand):
            return (
                not _value(operand, scope) if isinstance(op, ast.Not) else -_number(operand, scope)
            )
        case ast.BoolOp(op=op, values=values):
            truths = (bool(_value(value, scope)) for value in values)
            return all(truths) if isinstance(op, ast.And) else any(truths)
        case ast.Compare(left=left, ops=ops, comparators=others):
            values = [_value(value, scope) for value in (left, *others)]
            pairs = zip(ops, values[:-1], values[1:], strict=True)
            return all(_COMPARE[type(op)](one, other) for op, one, other in pairs)
        case ast.Call(func=ast.Name(id=name), args=args):
            return _call(name, args, scope)
    raise ExpressionError(f"{ast.unparse(node)!r} is not accepted")


def _number(node: ast.expr, scope: Scope) -> Fraction:
    """A value to calculate with; Python would also repeat, join and format text."""
    value = _value(node, scope)
    if not isinstance(value, Fraction):
        raise ExpressionError(f"{ast.unparse(node)!r} is no number to calculate with")
    return value


def _call(name: str, args: list[ast.expr], scope: Scope) -> Any:
    if _first_network(name) is not None and (network := _network(name, args)) is not None:
        scope = scope.other(network)
    if name in _OVER_LAYERS:
        return _OVER_LAYERS[name](scope.quantity(_name(args[0]), _name(args[1])))
    if name in QUANTITIES:
        return sum(scope.quantity(name, _name(args[0])), Fraction(0))
    if name in _LOOKUPS:
        return _exact(scope.lookup(name, _name(args[0])))
    if name in RESULTS or name in ERRORS:
        claims = [_name(arg) for arg in args]
        known = name in RESULTS
        return Fraction(scope.count(name, claims)) if known else ERRORS[name](scope.errors(claims))
    if name == "argument":
        value = scope.lookup(name, _name(args[0]))
        positions = [int(_number(arg, scope)) for arg in args[1:] if not _is_name(arg)]
        return _exact(value[positions[0]] if positions else value)
    return _FUNCTIONS[name](*(_number(arg, scope) for arg in args))


def _exact(value: Any) -> Any:
    """Numbers as exact fractions; a float means the decimal that was written."""
    if value is None or isinstance(value, bool | str | list):
        return value
    return Fraction(str(value)) if isinstance(value, float) else Fraction(value)


# Which rows an expression speaks of, and the number that stands in one.


def selected(rows: Mapping[str, Row], selector: str) -> list[Row]:
    """The rows of a layer by one of its names, of all that a pattern matches, of a kind or a class.

    Raises:
        UnknownNameError: there is none.
    """
    if selector in rows:
        return [rows[selector]]
    found = [row for row in rows.values() if _is_called(row, selector)]
    if not found:
        kind = selector.removeprefix(OF_KIND)
        found = [row for row in rows.values() if row["kind"] == kind]
    if not found and selector.startswith(OF_CLASS):
        wanted = selector.removeprefix(OF_CLASS)
        found = [row for row in rows.values() if row.get("class") == wanted]
    if not found:
        raise UnknownNameError(f"there is no layer {selector!r}; there are: {', '.join(rows)}")
    return found


def numbers_in(rows: list[Row], name: str, selector: str) -> list[Fraction]:
    """The quantity of each row that a selector names.

    Raises:
        ExpressionError: several rows are asked for what only one layer has.
        UnknownNameError: the cell of a row is empty.
    """
    column, factor = QUANTITIES[name].multiple_of or (name, 1)
    if QUANTITIES[column].total is None and len(rows) > 1:
        raise ExpressionError(f"{name}({selector!r}) is of one layer, but {len(rows)} match")
    return [factor * number_in(row, column, row["layer"]) for row in rows]


def number_in(row: Row, column: str, layer: str) -> Fraction:
    """The number in a cell.

    Raises:
        UnknownNameError: it is empty.
    """
    value = row.get(column)
    if not isinstance(value, int | float | Fraction | str) or value == "":
        whole = column.startswith("receptive_field") and row.get("sees_all")
        why = f", which sees all of its input ({whole})" if whole else ""
        raise UnknownNameError(f"{column} does not apply to {layer!r}{why}")
    return Fraction(value)


def count_in(row: Row, column: str) -> int:
    """The count in a cell; none where it is empty."""
    value = row.get(column)
    known = isinstance(value, int | float | Fraction | str) and value != ""
    return int(value) if known else 0  # type: ignore[arg-type]


def total_of(rows: Iterable[Row], column: str) -> int:
    """A network's total of its layers' rows, as totals.csv has it.

    Raises:
        UnknownNameError: only a layer has such a number.
    """
    sums = {total.name: source for total, source in summed()}
    if column not in sums:
        raise UnknownNameError(f"{column} does not apply to {NETWORK!r}")
    source, kinds = sums[column]
    return sum(count_in(row, source) for row in rows if not kinds or row["kind"] in kinds)


def with_own_parts(tensors: list[Row], parts: Mapping[str, Sequence[str]]) -> list[Row]:
    """The rows of ``tensors.csv`` with the parts that a study names besides.

    Args:
        tensors: the rows of one network.
        parts: patterns of layers, or of ``layer.tensor``, by part.
    """
    if not parts:
        return tensors
    return [row | {"parts": " ".join([row["parts"], *_own_parts(row, parts)])} for row in tensors]


def _own_parts(row: Row, parts: Mapping[str, Sequence[str]]) -> list[str]:
    names = row["layer"], f"{row['layer']}.{row['tensor']}"
    return [
        part
        for part, patterns in parts.items()
        if any(fnmatchcase(name, pattern) for name in names for pattern in patterns)
    ]


def _is_called(row: Row, pattern: str) -> bool:
    names = (row["layer"], *row.get("also", "").split())
    return any(fnmatchcase(name, pattern) for name in names)
