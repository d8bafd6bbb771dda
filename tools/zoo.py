"""Count the networks of the zoos that are installed, and write docs/zoo.md.

Slow; `make zoo` runs it. What torchinfo says of the same networks stands beside.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import torch
from torchinfo import summary

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import zoo_models
from zoo_models import Counted, Model

PAGE = Path(__file__).resolve().parents[1] / "docs" / "zoo.md"
HEAD = """# Zoo

Networks that others wrote, built without weights and counted on the meta device (`make zoo`; torch
{torch}). Parameters are always torch's own sum. Multiply-adds stand beside those of torch's
FlopCounterMode and torchinfo: **bold** where a tool says something else, `-` where it fails.
torchinfo counts a bias as a multiply-add and misses products outside of layers. What no formula
counts is named. (fvcore does not run on the meta device; tests hold ours against it on values.)

| package | network | parameters | multiply-adds | {tools} | not counted |
|---|---|---|---|---|---|---|
"""
TOOLS = "FlopCounterMode | torchinfo"


def _line(model: Model) -> str:
    found = zoo_models.count(model)
    macs = found.total("macs")
    others = (found.macs, _torchinfo(model))
    cells = (model.package, f"`{model.name}`", f"{found.total('parameters'):,}", f"{macs:,}")
    told = (_cell(other, macs) for other in others)
    _check(model, found)
    return f"| {' | '.join((*cells, *told, ', '.join(sorted(found.uncounted))))} |"


def _check(model: Model, found: Counted) -> None:
    if found.total("parameters") != found.parameters:
        print(f"{model.name}: parameters differ from torch's", file=sys.stderr)


def _cell(other: int | None, macs: int) -> str:
    if other is None:
        return "-"
    return f"{other:,}" if other == macs else f"**{other:,}**"


def _torchinfo(model: Model) -> int | None:
    network, inputs = zoo_models.build(model)
    try:
        found = summary(network, input_data=list(inputs), device="meta", verbose=0)
    except Exception:
        return None
    return int(found.total_mult_adds)


def _lines() -> Iterator[str]:
    for model in chain(zoo_models.own(), zoo_models.torchvision(), zoo_models.timm()):
        try:
            yield _line(model)
        except Exception as error:
            told = str(error).strip().partition("\n")[0][:60]
            yield f"| {model.package} | `{model.name}` | | | | | not run: {told} |"
        print(model.package, model.name, file=sys.stderr, flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    PAGE.write_text(
        HEAD.format(torch=torch.__version__, tools=TOOLS) + "\n".join(_lines()) + "\n", "utf-8"
    )
