"""Count the networks of the zoos that are installed, and write docs/zoo.md.

Slow; `make zoo` runs it. What other tools say of the same networks stands beside. With names of
packages only their parts of the page are written anew: `python tools/zoo.py timm`.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from fvcore.nn import FlopCountAnalysis
from torchinfo import summary

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
import zoo_models
from zoo_models import CPU, Counted, Model

PAGE = Path(__file__).resolve().parents[1] / "docs" / "zoo.md"
ZOOS: dict[str, Callable[[], Iterator[Model]]] = {
    "own": zoo_models.own,
    "torchvision": zoo_models.torchvision,
    "timm": zoo_models.timm,
    "transformers": zoo_models.transformers,
}
SMALL = (8_000_000, 500_000_000)
"""Parameters and multiply-adds up to which a network is counted on values too."""
TOOLS = ("FlopCounterMode", "torchinfo", "fvcore")
COLUMNS = ("network", "parameters", "multiply-adds", *TOOLS, "device", "not counted")
HEAD = f"""# Zoo

Networks that others wrote, built without weights and counted by `make zoo` (torch
{torch.__version__}).

- **Parameters** are torch's own sum in every line; a line in which they are not says so.
- **Multiply-adds** stand beside those of other tools: **bold** where a tool says something else,
  `-` where it fails. fvcore runs on values only: no cell where a network was not counted on them.
- **Device**: `meta` where a network runs there, and `meta = CPU` where all its rows were found the
  same on values too, which is tried on small ones. `CPU` is one that looks at values or is built
  from them, as detectors and quantised networks are.
- What no formula counts is **named**: a Fourier transform.

Who is wrong where:

- FlopCounterMode does not see a product that is written element by element and summed (RAFT,
  ResNeSt, SK-Net, SwiftFormer, MobileViT-v2). It has no formula for the grouped products of experts
  (Mixtral, Qwen2-MoE: the difference is layers x tokens x experts a token x three matrices and a
  weight), none for attention as the CPU computes it (LayoutLM), and none for quantised layers: 0.
- torchinfo counts a bias as a multiply-add and misses products outside of layers: attention, and
  layers whose weights are used by a function.
- fvcore counts normalisation and interpolation too, and misses attention that is one function.
"""


def _line(model: Model) -> str:
    found = zoo_models.count(model)
    macs = found.total("macs")
    on_values = _on_values(model, found)
    others = (_cell(found.macs, macs), _cell(_torchinfo(found), macs))
    traced = "" if on_values is None else _cell(_fvcore(on_values), macs)
    named = sorted(found.uncounted)
    if found.total("parameters") != found.parameters:
        named.append("**parameters differ from torch's**")
    cells = (f"`{model.name}`", f"{found.total('parameters'):,}", f"{macs:,}")
    return _row((*cells, *others, traced, _device(found, on_values), ", ".join(named)))


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(other: int | None, macs: int) -> str:
    if other is None:
        return "-"
    return f"{other:,}" if other == macs else f"**{other:,}**"


def _on_values(model: Model, found: Counted) -> Counted | None:
    """The counts of a network on a CPU; None where that would take long."""
    if model.values:
        return found
    if any(found.total(q) > most for q, most in zip(("parameters", "macs"), SMALL, strict=True)):
        return None
    return zoo_models.count(model, CPU)


def _device(found: Counted, on_values: Counted | None) -> str:
    if on_values is None:
        return "meta"
    if on_values is found:
        return "CPU"
    return "meta = CPU" if on_values.cells == found.cells else "**meta, not CPU**"


def _torchinfo(found: Counted) -> int | None:
    try:
        device = found.inputs[0].device
        told = summary(found.built, input_data=list(found.inputs), device=device, verbose=0)
    except Exception:
        return None
    return int(told.total_mult_adds)


def _fvcore(found: Counted) -> int | None:
    try:
        told = FlopCountAnalysis(found.built, found.inputs)
        return int(told.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total())
    except Exception:
        return None


def _part(package: str) -> str:
    """The part of the page about one package; a network that fails is told in its line."""
    lines = [_row(COLUMNS), _row(("---",) * len(COLUMNS))]
    for model in ZOOS[package]():
        started = time.monotonic()
        try:
            lines.append(_line(model))
        except Exception as error:
            told = str(error).strip().partition("\n")[0][:80].replace("|", "/")
            lines.append(_row((f"`{model.name}`", *("",) * 6, f"not run: {told}")))
        print(f"{time.monotonic() - started:6.1f} s", lines[-1], file=sys.stderr, flush=True)
    return f"## {package}\n\n" + "\n".join(lines) + "\n"


def _parts_of_page() -> dict[str, str]:
    text = PAGE.read_text("utf-8") if PAGE.exists() else ""
    found = re.findall(r"^(## (\w+)\n.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return {name: part.strip() + "\n" for part, name in found}


def main() -> None:
    """Write the page, or some parts of it anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", choices=[*ZOOS, []], default=[])
    packages = parser.parse_args().packages or list(ZOOS)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    for package in packages:
        made = _part(package)
        parts = _parts_of_page() | {package: made}
        page = [HEAD, *(parts[name] for name in ZOOS if name in parts)]
        beside = PAGE.with_suffix(f".{os.getpid()}")
        beside.write_text("\n".join(page), "utf-8")
        beside.replace(PAGE)


if __name__ == "__main__":
    main()
