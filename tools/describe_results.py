"""Write the files and columns of docs/results.md from the contract that the library keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from reconcile.tables.contract import FILES, OF_ALL, Column, ResultFile, tables

PAGE = Path(__file__).resolve().parents[1] / "docs" / "results.md"
BEGIN, END = "<!-- From the contract: tools/describe_results.py -->", "<!-- Until here. -->"


def described(page: str) -> str:
    """The page with its three generated parts as the contract has them."""
    for lines in (_files(), _columns(tables().values()), _of_all()):
        before, _, rest = page.partition(f"{BEGIN}\n")
        _, _, after = rest.partition(f"{END}\n")
        # Marked by other words until all are done, so that each pair is found once.
        page = f"{before}\0{chr(10).join(lines)}\n\1{after}"
    return page.replace("\0", f"{BEGIN}\n").replace("\1", f"{END}\n")


def _files() -> Iterator[str]:
    yield "| file | written by | what it holds |"
    yield "|---|---|---|"
    for name, file in FILES.items():
        kind = ": record" if file.record else ""
        yield f"| `{name}` | `{file.rule}` | {file.says}{kind} |"
    figures = (
        "the figures of the report, each as SVG and PDF, as wide as a page and (`-column`) as a "
        "column; empty where nothing can be drawn"
    )
    yield f"| `figures/` | `render_report` | {figures} |"


def _of_all() -> Iterator[str]:
    yield "| file | written by | what it holds |"
    yield "|---|---|---|"
    yield from (f"| `{f.name}` | `{f.rule}` | {f.says} |" for f in OF_ALL.values())
    yield ""
    yield from _columns(file for file in OF_ALL.values() if file.columns)


def _columns(files: Iterable[ResultFile]) -> Iterator[str]:
    for file in files:
        yield f"### `{file.name}`"
        yield ""
        yield "| column | holds | what it means |"
        yield "|---|---|---|"
        yield from (f"| `{c.name}` | {_type(c)} | {c.says}{_role(c)} |" for c in file.columns)
        yield ""


def _type(column: Column) -> str:
    if column.type == "word":
        return ", ".join(f"`{word}`" for word in column.words)
    kinds = {"integer": "whole number", "list": "ids, with spaces between"}
    kind = kinds.get(column.type, column.type)
    return f"{kind}, {column.unit}" if column.unit else kind


def _role(column: Column) -> str:
    if column.sums is not None:
        name, kinds = column.sums
        of = f" of kind {' and '.join(kinds)}" if kinds else ""
        return f"; the sum of `{name}` over the layers{of}"
    return "; names the row" if column.key else ""


if __name__ == "__main__":
    PAGE.write_text(described(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
