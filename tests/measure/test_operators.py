"""What operators are: counted, taken apart, harmless, or named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from counted import macs_of
from torch import Tensor

from reconcile.measure.operators import HARMLESS_NAMES, Sort, folded, sort_of

aten = torch.ops.aten
MULTIPLY = (
    *("_fft_r2c", "_fft_c2c", "_cdist_forward", "linalg_lu_factor_ex", "ormqr"),
    *("linalg_inv_ex", "linalg_matrix_exp", "_linalg_svd", "cholesky_solve", "_pdist_forward"),
    *("_native_multi_head_attention", "_sparse_sparse_matmul", "_foreach_mm"),
)
"""Some of those that multiply and add and have no formula."""


def operators() -> Iterator[Any]:
    """Every overload of torch's own operators that can be called."""
    for name in torch._C._dispatch_get_all_op_names():
        if name.startswith("aten::"):
            base, _, overload = name[6:].partition(".")
            found = getattr(aten, base, None)
            if found is not None and hasattr(found, overload or "default"):
                yield getattr(found, overload or "default")


def test_the_list_is_of_operators_there_are() -> None:
    """Every harmless name is one of torch's, so that a list for another torch shows."""
    names = {folded(func.overloadpacket.__name__) for func in operators()}
    assert {name for name in HARMLESS_NAMES if "." not in name} <= names


def test_every_operator_is_of_one_sort() -> None:
    """Formula, composite, harmless and unknown exclude each other."""
    for func in operators():
        sort = sort_of(func)
        kinds = (sort.formula is not None, sort.composite, sort.harmless, sort.unknown)
        assert sum(kinds) == 1, func


@pytest.mark.parametrize("name", MULTIPLY)
def test_what_multiplies_is_named(name: str) -> None:
    """No tag and no list makes an operator harmless that multiplies and adds."""
    packet = getattr(aten, name)
    assert all(sort_of(getattr(packet, overload)).unknown for overload in packet.overloads())


def test_spellings_of_one_operator() -> None:
    """In place, into a given tensor and copied, an operator stays what it is."""
    for func in (aten.addmm_.default, aten.addmm.out, aten.baddbmm_.default, aten.addmv_.default):
        assert sort_of(func).formula is not None
    for func in (aten.relu_.default, aten.add_.Tensor, aten.t_copy.default, aten.eq_.Tensor):
        assert sort_of(func).harmless


def test_an_operator_of_somebody_elses_is_unknown() -> None:
    """Nothing is known about an operator that a network brings along."""

    @torch.library.custom_op("reconcile_test::mystery", mutates_args=())
    def mystery(x: Tensor) -> Tensor:
        return x.clone()

    assert sort_of(torch.ops.reconcile_test.mystery.default) == Sort("reconcile_test.mystery")


def meta(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """A tensor without memory."""
    return torch.empty(*shape, dtype=dtype, device="meta")


FORMULAS: dict[str, tuple[Any, tuple[Any, ...], Any, int]] = {
    # name: operator, arguments, result, multiply-adds by hand
    "matrix and vector": (aten.addmv.default, (meta(4), meta(4, 6), meta(6)), meta(4), 24),
    "sum of batches": (
        aten.addbmm.default, (meta(3, 5), meta(2, 3, 4), meta(2, 4, 5)), meta(3, 5), 2 * 60,
    ),
    "with activation": (
        aten._addmm_activation.default, (meta(5), meta(3, 4), meta(4, 5)), meta(3, 5), 60,
    ),
    "outer": (aten.addr.default, (meta(3, 5), meta(3), meta(5)), meta(3, 5), 15),
    "experts": (aten._grouped_mm.default, (meta(7, 4), meta(3, 4, 5)), meta(7, 5), 7 * 4 * 5),
    "experts by columns": (
        aten._grouped_mm.default, (meta(3, 6, 4), meta(4, 9)), meta(6, 9), 6 * 4 * 9,
    ),
    "experts by inner": (aten._grouped_mm.default, (meta(6, 8), meta(8, 9)), meta(2, 6, 9), 432),
    "eight bits": (
        aten._weight_int8pack_mm.default,
        (meta(3, 4), meta(5, 4, dtype=torch.int8), meta(5)), meta(3, 5), 60,
    ),
    "four bits": (
        aten._weight_int4pack_mm.default,
        (meta(3, 32), meta(1, 1, 32, 4, dtype=torch.int32), 32, meta(1, 8, 2)), meta(3, 8), 768,
    ),
    "transposed convolution": (
        aten.convolution.default,
        (meta(1, 4, 5, 5), meta(4, 3, 2, 2), None, [2, 2], [0, 0], [1, 1], True, [0, 0], 1),
        meta(1, 3, 10, 10), 25 * 4 * 3 * 4,
    ),
    "grouped convolution": (
        aten.convolution.default,
        (meta(2, 6, 8), meta(4, 3, 3), None, [1], [0], [1], False, [0], 2), meta(2, 4, 6),
        2 * 6 * 4 * 3 * 3,
    ),
    "bags with weights": (
        aten._embedding_bag.default,
        (meta(10, 4), meta(6), meta(2), False, 0, False, meta(6)), (meta(2, 4),), 6 * 4,
    ),
    "bags": (aten._embedding_bag.default, (meta(10, 4), meta(6), meta(2)), (meta(2, 4),), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas(name: str) -> None:
    """A formula gives what was worked out by hand."""
    func, args, result, expected = FORMULAS[name]
    assert macs_of(func, args, {}, result) == expected


def test_what_is_stored_sparse() -> None:
    """Of a sparse matrix only what is stored is multiplied, which the meta device cannot know."""
    sparse, dense = torch.eye(4).to_sparse(), torch.ones(4, 6)
    assert macs_of(aten.mm.default, (sparse, dense), {}, None) == 4 * 6
    assert macs_of(aten.mm.default, (torch.ones(3, 4), sparse), {}, None) == 4 * 3
    assert macs_of(aten.mm.default, (sparse.to("meta"), dense.to("meta")), {}, None) is None
