"""Networks counted in this process, as plain rows and as an expression's scope."""

from __future__ import annotations

from typing import Any

import torch
from support import study_data, write_study
from torch import Tensor, nn

from reconcile.judge.measurements import Measurements, ReadingScope
from reconcile.measure.counting import cells_of, count_layers
from reconcile.measure.operators import sort_of
from reconcile.measure.tensors import tensor_rows
from reconcile.search.candidates import NetworkFacts
from reconcile.study.load import load_study
from reconcile.tables.contract import head_of, summed
from reconcile.tables.frames import table

KEY = {"interpretation": "floor", "network": "main"}


class Counted:
    """One network: its rows, and what evaluates an expression on it."""

    def __init__(self, network: nn.Module, *inputs: Tensor) -> None:
        model = network.eval()
        rows, _ = count_layers(model, inputs)
        self.layers: list[dict[str, Any]] = [KEY | cells_of(row) for row in rows]
        self.tensors: list[dict[str, Any]] = [KEY | row for row in tensor_rows(model, rows)]
        self.facts = NetworkFacts(self.layers, self.tensors)

    def scope(self, folder: Any, **more: Any) -> ReadingScope:
        """The network as the reading ``floor`` of the tiny study."""
        totals = KEY | {"status": "measured"}
        for column, (name, kinds) in summed():
            own = (row for row in self.layers if not kinds or row["kind"] in kinds)
            totals[column.name] = sum(row[name] for row in own)  # type: ignore[assignment]
        measured = Measurements(
            table("layers.csv", _known("layers.csv", self.layers)),
            table("totals.csv", [totals]),
            table("coverage.csv", []),
            table("outputs.csv", []),
            table("tensors.csv", self.tensors),
        )
        study = load_study(write_study(folder / "tiny", study_data() | more))
        return ReadingScope(study, study.interpretations[0], measured)


def _known(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    columns = head_of(name)
    return [{key: value for key, value in row.items() if key in columns} for row in rows]


class Words(nn.Module):
    """Words and positions, a block with a frozen norm, an output tied to the words."""

    def __init__(self) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(100, 8), nn.Embedding(16, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.mix = nn.Linear(8, 32)
        self.back = nn.Linear(32, 8)
        self.norm = nn.LayerNorm(8).requires_grad_(False)
        self.lm_head = nn.Linear(8, 100, bias=False)
        self.lm_head.weight = self.wte.weight
        self.pooler = nn.Linear(8, 8)

    def forward(self, tokens: Tensor) -> Tensor:
        """A number for each word."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        mixed = self.wte(tokens) + self.wpe(places)
        mixed, _ = self.attention(mixed, mixed, mixed, need_weights=False)
        return self.lm_head(self.norm(self.back(self.mix(mixed))))


class Images(nn.Module):
    """A block whose shortcut projects, with statistics, then classes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.body = nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=False)
        self.downsample = nn.Conv2d(4, 8, 1, stride=2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, 10)

    def forward(self, image: Tensor) -> Tensor:
        """Its classes."""
        maps = self.norm(self.stem(image)).relu()
        return self.fc(self.pool(self.body(maps) + self.downsample(maps)).flatten(1))


def words() -> Counted:
    """``Words`` on five of them."""
    return Counted(Words(), torch.zeros(1, 5, dtype=torch.int64))


def images() -> Counted:
    """``Images`` on one of 8 x 8."""
    return Counted(Images(), torch.zeros(1, 3, 8, 8))


def macs_of(func: Any, args: Any, kwargs: Any, result: Any) -> int | None:
    """Multiply-adds of one executed operator; None for one that has no formula."""
    formula = sort_of(func).formula
    return formula.macs(args, kwargs, result) if formula else None
