"""What an executed operator does: how many multiply-adds, none, or some that nothing here counts.

Every operator is of one of four sorts. A product has a formula, from here or from
``torch.utils.flop_counter``. A composite is taken apart into others, as FlopCounterMode does. A
harmless one multiplies nothing by the convention of this project: what works on each element by
itself, moves, picks, sorts or reduces elements, draws or makes them, activates, pools, normalises,
interpolates or takes a norm. torch's own tags tell most of these, and ``HARMLESS_NAMES`` lists the
rest; a test holds it against torch's own list of operators. Anything else is unknown, and named
wherever data goes into it, so that a total never leaves something out without a word.

A multiply-add of complex numbers counts as one, and so does one of zeros, except in a product whose
operand is stored sparse: only what is stored is multiplied there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch._ops import HigherOrderOperator
from torch.utils.flop_counter import flop_registry

CONV, FC, RECURRENT, MIXING = "conv", "fc", "recurrent", ""
"""The kind of layer that a product with weights makes; attention mixes data with data."""
HARMLESS_NAMESPACES = ("aten", "prim", "prims", "profiler")
"""Where torch's own operators live; nothing is known about those that a network brings along."""

_MAKE = """
    _efficientzerotensor _new_zeros_with_same_feature_meta _lazy_clone _copy_from
    _copy_from_and_resize arange bartlett_window blackman_window copy empty_like empty_permuted
    empty_strided eye fft_fftfreq fft_rfftfreq fill full full_like hamming_window hann_window
    kaiser_window lift linspace logspace new_empty new_empty_strided new_full new_ones new_zeros
    ones ones_like range resize resize_as _resize_output scalar_tensor set tril_indices triu_indices
    zero zeros zeros_like _to _pin_memory affine_grid_generator cudnn_affine_grid_generator complex
    polar empty_quantized _empty_per_channel_affine_quantized _cudnn_init_dropout_state
    _cudnn_rnn_flatten_weight
"""
_DRAW = """
    _fused_dropout _masked_scale _sample_dirichlet _standard_gamma bernoulli binomial cauchy
    exponential geometric log_normal multinomial native_dropout normal normal_functional poisson
    rand_like randint randint_like randn_like random randperm uniform rrelu_with_noise
    rrelu_with_noise_functional _fill_mem_eff_dropout_mask _philox_key_fold_in _philox_key_split
    _philox_normal _philox_uniform
"""
_MOVE = """
    _chunk_cat _index_put_impl _reshape _stack _unsafe_index _unsafe_index_put _unsafe_masked_index
    _unsafe_masked_index_put_accumulate _unsafe_view _pack_padded_sequence as_strided_scatter
    block_diag cat channel_shuffle col2im constant_pad_nd diag_embed diagonal_scatter embedding
    embedding_renorm flip gather im2col index index_add index_copy index_fill index_put index_reduce
    index_select masked_scatter masked_select pixel_shuffle pixel_unshuffle put reflection_pad1d
    reflection_pad2d reflection_pad3d repeat repeat_interleave replication_pad1d replication_pad2d
    replication_pad3d roll rot90 scatter scatter_add scatter_reduce segment_reduce select_scatter
    slice_scatter stack take to_padded_tensor tril triu unsafe_split unsafe_split_with_sizes
    _nested_tensor_from_mask _nested_tensor_from_tensor_list _nested_from_padded_tensor
    _jagged_to_padded_dense_forward _padded_dense_to_jagged_forward
"""
_PICK = """
    _aminmax _unique _unique2 _is_all_true _is_any_true bincount bucketize cummax cummin cumprod
    cumsum hash_tensor histc histogram lu_unpack _histogramdd_bin_edges _histogramdd_from_bin_cts
    _histogramdd_from_bin_tensors isin kthvalue logcumsumexp _logcumsumexp median mode nanmedian
    nonzero nonzero_static searchsorted sort topk trace unique_consecutive unique_dim
    unique_dim_consecutive
"""
_ACTIVATE = """
    _log_softmax _masked_softmax _prelu_kernel _safe_softmax _softmax _add_relu
    _nested_tensor_softmax_with_shape _thnn_fused_gru_cell _thnn_fused_lstm_cell floor_divide glu
    hardswish log_sigmoid_forward log_softmax softmax _transform_bias_rescale_qkv __irshift__
"""
_POOL = """
    _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d
    adaptive_avg_pool3d avg_pool1d _upsample_lanczos2d_aa adaptive_max_pool2d adaptive_max_pool3d
    avg_pool2d avg_pool3d fractional_max_pool2d fractional_max_pool3d max_pool2d_with_indices
    max_pool3d_with_indices max_unpool2d max_unpool3d mkldnn_adaptive_avg_pool2d mkldnn_max_pool2d
    mkldnn_max_pool3d quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d grid_sampler_2d
    grid_sampler_3d _grid_sampler_2d_cpu_fallback cudnn_grid_sampler upsample_bicubic2d
    upsample_bilinear2d upsample_linear1d upsample_nearest1d upsample_nearest2d upsample_nearest3d
    upsample_trilinear3d _upsample_bicubic2d_aa _upsample_bilinear2d_aa _upsample_nearest_exact1d
    _upsample_nearest_exact2d _upsample_nearest_exact3d
"""
_NORMALISE = """
    _batch_norm_no_update _batch_norm_with_update _batch_norm_with_update_functional _fused_rms_norm
    _native_batch_norm_legit _native_batch_norm_legit_functional
    _native_batch_norm_legit_no_training _weight_norm_interface batch_norm_elemt
    batch_norm_gather_stats batch_norm_gather_stats_with_counts batch_norm_stats
    batch_norm_update_stats cudnn_batch_norm dist linalg_cross miopen_batch_norm native_batch_norm
    native_group_norm native_layer_norm native_norm norm quantized_batch_norm renorm std std_mean
    var var_mean
"""
_LOSE = """
    _ctc_loss binary_cross_entropy binary_cross_entropy_with_logits huber_loss mse_loss
    multi_margin_loss multilabel_margin_loss_forward nll_loss2d_forward nll_loss_forward
    smooth_l1_loss soft_margin_loss
"""
_STORE = """
    _coalesce _coalesced _convert_indices_from_coo_to_csr _convert_indices_from_csr_to_coo
    _convert_weight_to_int4pack _convert_weight_to_int4pack_for_cpu _dyn_quant_pack_4bit_weight
    _fake_quantize_learnable_per_channel_affine _fake_quantize_learnable_per_tensor_affine
    _fake_quantize_per_tensor_affine_cachemask_tensor_qparams _make_per_channel_quantized_tensor
    _make_per_tensor_quantized_tensor _mkldnn_reshape _mkldnn_transpose
    _sparse_coo_tensor_with_dims_and_tensors _sparse_csr_sum _spdiags _to_dense _to_sparse
    _to_sparse_bsc _to_sparse_bsr _to_sparse_csc _to_sparse_csr _to_sparse_semi_structured
    copy_sparse_to_sparse dequantize fake_quantize_per_channel_affine_cachemask
    fake_quantize_per_tensor_affine_cachemask int_repr mkldnn_reorder_conv2d_weight
    mkldnn_reorder_conv3d_weight q_per_channel_scales q_per_channel_zero_points quantize_per_channel
    quantize_per_tensor quantize_per_tensor_dynamic resize_as_sparse sparse_compressed_tensor
    sparse_mask sparse_resize sparse_resize_and_clear to_mkldnn _functional_assert_async
    _functional_assert_scalar _functional_sym_constrain_range
    _functional_sym_constrain_range_for_size
"""
_ELSEWHERE = """
    torchvision.nms torchvision.roi_align torchvision.roi_pool torchvision.ps_roi_align
    torchvision.ps_roi_pool quantized.quantize quantized.dequantize quantized.add quantized.add_relu
    quantized.add_scalar quantized.batch_norm1d quantized.batch_norm2d quantized.batch_norm3d
    quantized.cat quantized.celu quantized.elu quantized.group_norm quantized.hardswish
    quantized.instance_norm quantized.layer_norm quantized.leaky_relu quantized.max_pool1d
    quantized.max_pool2d quantized.mul quantized.mul_relu quantized.mul_scalar quantized.prelu
    quantized.relu6 quantized.sigmoid quantized.softmax quantized.threshold
"""
_LISTS = (_MAKE, _DRAW, _MOVE, _PICK, _ACTIVATE, _POOL, _NORMALISE, _LOSE, _STORE, _ELSEWHERE)
HARMLESS_NAMES = frozenset(" ".join(_LISTS).split())


@dataclass(frozen=True)
class Formula:
    """How a product is counted.

    Attributes:
        macs: multiply-adds from its arguments, keywords and result; None where it cannot tell.
        operands: positions of the arguments that are multiplied; the first is data by custom.
        kind: kind of a layer whose weights are multiplied so.
        windows: position of the weights of a convolution, whose dimensions tell the map's.
    """

    macs: Callable[[Any, Any, Any], int | None]
    operands: tuple[int, ...] = (0, 1)
    kind: str = FC
    windows: int | None = None


@dataclass(frozen=True)
class Sort:
    """One operator as the counter treats it: by formula, as composite, as harmless, or unknown.

    Attributes:
        name: how a report calls it.
        formula: of a product.
        composite: whether others make it up.
        harmless: whether it multiplies nothing.
        view: whether its result looks at the memory of what it takes.
        pointwise: whether it works on each element by itself.
        reduces: whether it makes one element of many along some dimensions.
        multiplies: whether it multiplies element by element.
        sums: position of the tensor of which it sums elements.
        keeps: positions of tensors of which its result holds the elements, along the same axes: as
            they are, scaled, masked, padded, or some of them.
        adds: whether it adds two tensors, element by element.
        joins: whether it puts tensors side by side.
        cuts: whether its result is a part of what it takes, with all its axes.
        writes: whether it writes into what it takes.
        looks_up: whether it picks rows of a table.
        map_axes: how many axes the map has that it works on, if it says so.
        normalises: whether it normalises with weights.
    """

    name: str
    formula: Formula | None = None
    composite: bool = False
    harmless: bool = False
    view: bool = False
    pointwise: bool = False
    reduces: bool = False
    multiplies: bool = False
    sums: int | None = None
    keeps: tuple[int, ...] = ()
    adds: bool = False
    joins: bool = False
    cuts: bool = False
    writes: bool = False
    looks_up: bool = False
    map_axes: int = 0
    normalises: bool = False

    @property
    def unknown(self) -> bool:
        """Whether it may multiply and add without a formula."""
        return not (self.formula or self.composite or self.harmless)


def _stored(matrix: Tensor) -> int | None:
    """Elements of a matrix that are multiplied; None where only its values would tell."""
    if matrix.layout == torch.strided:
        return matrix.numel()
    return None if matrix.is_meta else int(matrix._nnz())


def _matrices(first: int) -> Formula:
    """A product of matrices, or batches of them, at two positions: each element of one meets a row.

    Where the second is stored sparse, each of its elements meets a column of the first.
    """

    def macs(args: Any, kwargs: Any, result: Any) -> int | None:
        one, other = args[first], args[first + 1]
        if other.layout == torch.strided:
            stored = _stored(one)
            return None if stored is None else stored * other.shape[-1]
        stored = _stored(other) if one.layout == torch.strided else None
        return None if stored is None else stored * one.shape[-2]

    return Formula(macs, (first, first + 1))


def _matrix_vector(first: int) -> Formula:
    return Formula(lambda args, kwargs, result: _stored(args[first]), (first, first + 1))


def _outer(args: Any, kwargs: Any, result: Any) -> int:
    return int(args[1].numel() * args[2].numel())


def _linear(args: Any, kwargs: Any, result: Any) -> int:
    """Each element of the input meets every output feature, however the weights are packed."""
    return int(args[0].numel() * result.shape[-1])


def _convolution(*, transposed: bool | None = None) -> Formula:
    """The weights are applied at each position: of the output, or of the input if transposed.

    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016), section 4.
    None for ``transposed`` reads it from the arguments of aten.convolution.
    """

    def macs(args: Any, kwargs: Any, result: Any) -> int:
        given, weights = args[0], args[1]
        turned = args[6] if transposed is None else transposed
        positions = given if turned else result
        dimensions = weights.ndim - 2
        batch = math.prod(positions.shape[: positions.ndim - dimensions - 1])
        return int(batch * math.prod(positions.shape[-dimensions:]) * weights.numel())

    return Formula(macs, kind=CONV, windows=1)


def _convolution_in_time(args: Any, kwargs: Any, result: Any) -> int:
    """conv_tbc: (time, batch, channels), weights (kernel, in, out)."""
    return int(result.shape[0] * result.shape[1] * args[1].numel())


def _grouped(args: Any, kwargs: Any, result: Any) -> int:
    """Groups of rows with a matrix each (a mixture of experts), or matrices with groups of columns.

    (rows, k) x (groups, k, n), (groups, m, k) x (k, columns), (m, k) x (k, n) in groups of k, or
    plain batches: what is in no group of its own meets each element of the other once.
    """
    one, other = args[0], args[1]
    if one.ndim > other.ndim:
        return int(one.shape[-2] * other.numel())
    return int(one.numel() * other.shape[-1])


def _attention(args: Any, kwargs: Any, result: Any) -> int:
    """Queries times keys, and the weights times values; heads may share keys and values."""
    query, key, value = args[:3]
    return int(math.prod(query.shape[:-1]) * key.shape[-2] * (query.shape[-1] + value.shape[-1]))


def _trilinear(args: Any, kwargs: Any, result: Any) -> int:
    """Three tensors, multiplied element by element and summed: each weight is met once a row.

    The lists say where each of them gets dimensions of size one before it is spread.
    """
    shapes = []
    for given, added in zip(args[:3], args[3:6], strict=True):
        shape = list(given.shape)
        for place in added:
            shape.insert(place, 1)
        shapes.append(shape)
    return math.prod(torch.broadcast_shapes(*shapes))


def _recurrent(sequence: Tensor, weights: Any) -> int:
    """Each step multiplies the input and the state by their matrices; biases have one dimension."""
    steps = sequence.shape[0] * sequence.shape[1]
    return int(steps * sum(w.numel() for w in weights if isinstance(w, Tensor) and w.ndim > 1))


def _weighted_bags(args: Any, kwargs: Any, result: Any) -> int:
    """A sum of table rows multiplies only where each has a weight (``per_sample_weights``)."""
    weights = args[6] if len(args) > 6 else kwargs.get("per_sample_weights")  # noqa: PLR2004
    return 0 if weights is None else int(weights.numel() * args[0].shape[-1])


def _packed_convolution(args: Any, kwargs: Any, result: Any) -> int:
    weights, _ = args[1].unpack()
    return int(math.prod(result.shape[2:]) * result.shape[0] * weights.numel())


_SDPA = Formula(_attention, (0, 1, 2), MIXING)
CONVOLVES, TURNED = _convolution(transposed=False), _convolution(transposed=True)
_PRODUCTS: dict[str, Formula] = {
    **dict.fromkeys(("mm", "bmm", "_int_mm", "hspmm", "_sparse_mm"), _matrices(0)),
    **dict.fromkeys(("addmm", "baddbmm", "addbmm", "_addmm_activation"), _matrices(1)),
    **dict.fromkeys(("_sparse_addmm", "sspaddmm"), _matrices(1)),
    "mv": _matrix_vector(0),
    "addmv": _matrix_vector(1),
    **dict.fromkeys(("dot", "vdot"), _matrix_vector(0)),
    "addr": Formula(_outer, (1, 2)),
    "_trilinear": Formula(_trilinear, (0, 1, 2)),
    "convolution": _convolution(),
    "_convolution": _convolution(),
    "convolution_overrideable": _convolution(),
    **dict.fromkeys(
        (
            *("cudnn_convolution", "cudnn_convolution_relu", "cudnn_convolution_add_relu"),
            *("miopen_convolution", "miopen_convolution_relu", "miopen_convolution_add_relu"),
            *("miopen_depthwise_convolution", "mkldnn_convolution", "_nnpack_spatial_convolution"),
            *("_conv_depthwise2d", "conv_depthwise3d", "_mps_convolution", "slow_conv3d_forward"),
            *("_slow_conv2d_forward", "slow_conv_dilated2d", "slow_conv_dilated3d"),
        ),
        CONVOLVES,
    ),
    **dict.fromkeys(
        (
            *("cudnn_convolution_transpose", "miopen_convolution_transpose"),
            *("slow_conv_transpose2d", "slow_conv_transpose3d", "_mps_convolution_transpose"),
        ),
        TURNED,
    ),
    "torchvision.deform_conv2d": CONVOLVES,
    "conv_tbc": Formula(_convolution_in_time, kind=CONV),
    **dict.fromkeys(("_grouped_mm", "_scaled_grouped_mm", "_scaled_grouped_mm_v2"),
                    Formula(_grouped)),
    **dict.fromkeys(("_scaled_mm", "_scaled_mm_v2"), _matrices(0)),
    **dict.fromkeys(
        (
            *("_weight_int8pack_mm", "_weight_int4pack_mm", "_weight_int4pack_mm_for_cpu"),
            *("_weight_int4pack_mm_with_scales_and_zeros", "_mixed_dtypes_linear"),
            *("_dyn_quant_matmul_4bit", "mkldnn_linear", "linear", "quantized.linear"),
            *("quantized.linear_relu", "quantized.linear_dynamic"),
            *("quantized.linear_relu_dynamic", "quantized.linear_dynamic_fp16"),
        ),
        Formula(_linear),
    ),
    **dict.fromkeys(
        ("quantized.conv1d", "quantized.conv2d", "quantized.conv3d", "quantized.conv2d_relu",
         "quantized.conv1d_relu", "quantized.conv3d_relu"),
        Formula(_packed_convolution, kind=CONV, windows=1),
    ),
    **dict.fromkeys(
        (
            *("_scaled_dot_product_flash_attention", "_scaled_dot_product_efficient_attention"),
            *("_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_cudnn_attention"),
            *("_scaled_dot_product_fused_attention_overrideable", "higher_order.flex_attention"),
            "_scaled_dot_product_attention_math_for_mps",
        ),
        _SDPA,
    ),
    "mkldnn_rnn_layer": Formula(lambda a, k, r: _recurrent(a[0], a[1:3]), (), RECURRENT),
    "_cudnn_rnn": Formula(lambda a, k, r: _recurrent(a[0], a[1]), (), RECURRENT),
    "miopen_rnn": Formula(lambda a, k, r: _recurrent(a[0], a[1]), (), RECURRENT),
    "_embedding_bag": Formula(_weighted_bags, (0,), "embedding"),
    "_embedding_bag_forward_only": Formula(_weighted_bags, (0,), "embedding"),
}  # fmt: skip

_SUMS = {
    **dict.fromkeys(("sum", "nansum", "mean", "cumsum", "trace"), 0),
    **dict.fromkeys(("index_add", "scatter_add", "scatter_reduce", "index_reduce"), 3),
    "segment_reduce": 0,
}
_KEEPS = {
    **dict.fromkeys(("clone", "_to", "contiguous", "neg", "lift_fresh"), (0,)),
    **dict.fromkeys(("div", "divide", "true_divide", "masked_fill", "constant_pad_nd"), (0,)),
    **dict.fromkeys(("index", "index_select"), (0,)),
    "where": (1, 2),
}
_ADDS = frozenset(("add", "sub", "subtract"))
_CUTS = frozenset(("slice", "split", "split_with_sizes", "unsafe_split"))
_JOINS = frozenset(("cat", "stack", "_stack"))
_NORMS = frozenset(
    (
        *("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training"),
        *("_batch_norm_no_update", "_batch_norm_with_update", "cudnn_batch_norm"),
        *("native_layer_norm", "native_group_norm", "_fused_rms_norm"),
    )
)
_COMPOSITE = "CompositeImplicitAutograd"


def folded(name: str) -> str:
    """The name under which an operator is looked up: without the marks of writing in place."""
    name = name.removesuffix("_copy")
    return name.removesuffix("_") if not name.endswith("__") else name


@cache
def sort_of(func: Any) -> Sort:
    """What an operator is; found once for each."""
    if isinstance(func, HigherOrderOperator):
        name = f"higher_order.{func.name()}"
        return Sort(name, _PRODUCTS.get(name))
    namespace, _, base = str(func.overloadpacket).partition(".")
    core = namespace in HARMLESS_NAMESPACES
    short = folded(base) if core else f"{namespace}.{base}"
    formula = _PRODUCTS.get(short) or _torchs_formula(func)
    composite = formula is None and torch._C._dispatch_has_kernel_for_dispatch_key(
        func.name(), _COMPOSITE
    )
    return Sort(
        f"{namespace}.{short}" if core else short,
        formula,
        composite,
        harmless=not (formula or composite) and _is_harmless(func, namespace, short),
        view=func.is_view,
        pointwise=core and _is_tagged_so(short, torch.Tag.pointwise),
        reduces=core and _is_tagged_so(short, torch.Tag.reduction),
        multiplies=short in ("mul", "multiply"),
        sums=_SUMS.get(short),
        keeps=_KEEPS.get(short, ()),
        adds=short in _ADDS,
        joins=short in _JOINS,
        cuts=short in _CUTS,
        writes=func._schema.is_mutable,
        looks_up=short == "embedding",
        map_axes=_map_axes(short),
        normalises=short in _NORMS,
    )


def _map_axes(short: str) -> int:
    """How many axes the map has that a pooling, padding or interpolation works on; 0 if none."""
    if short in ("pixel_shuffle", "pixel_unshuffle"):
        return 2
    found = re.search(r"(?:pool|pad|upsample_\w+|grid_sampler_)([123])d", short)
    return int(found[1]) if found else 0


def _torchs_formula(func: Any) -> Formula | None:
    """A formula that comes with torch: for backward passes, and for what later versions bring."""
    counted = flop_registry.get(func.overloadpacket)
    if counted is None:
        return None

    def macs(args: Any, kwargs: Any, result: Any) -> int:
        # torch counts a multiply and an addition as two operations.
        return int(counted(*args, **kwargs, out_val=result)) // 2

    return Formula(macs, (), MIXING)


def _is_harmless(func: Any, namespace: str, short: str) -> bool:
    if namespace not in HARMLESS_NAMESPACES:
        return short in HARMLESS_NAMES
    return namespace != "aten" or short in HARMLESS_NAMES or any(map(_is_tagged, _siblings(short)))


def _siblings(short: str) -> list[Any]:
    """All overloads of an operator, in place and out of place; only some of them have the tags."""
    packets = (getattr(torch.ops.aten, name, None) for name in (short, f"{short}_"))
    return [getattr(p, overload) for p in packets if p is not None for overload in p.overloads()]


def _is_tagged_so(short: str, tag: torch.Tag) -> bool:
    return any(tag in func.tags for func in _siblings(short))


def _is_tagged(func: Any) -> bool:
    """Whether torch says that it works on each element, reduces, or looks at memory otherwise.

    What takes no tensor makes one, and what returns none only asks.
    """
    if func.is_view or torch.Tag.pointwise in func.tags or torch.Tag.reduction in func.tags:
        return True
    schema = func._schema
    takes = any("Tensor" in str(argument.type) for argument in schema.arguments)
    return not takes or not any("Tensor" in str(result.type) for result in schema.returns)
