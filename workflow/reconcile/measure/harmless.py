"""torch's operators that multiply nothing and that no tag tells apart from those that do.

By the convention of this project pooling, normalisation, interpolation, activation, distances and
losses are no multiply-adds; making, moving, picking, sorting, joining and drawing elements are none
anyway. A test holds this list against torch's own list of operators.
"""

from __future__ import annotations

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
    adaptive_avg_pool3d avg_pool1d _upsample_lanczos2d_aa adaptive_max_pool2d
    adaptive_max_pool3d avg_pool2d avg_pool3d fractional_max_pool2d fractional_max_pool3d
    max_pool2d_with_indices max_pool3d_with_indices max_unpool2d max_unpool3d
    mkldnn_adaptive_avg_pool2d mkldnn_max_pool2d
    mkldnn_max_pool3d quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d
    grid_sampler_2d grid_sampler_3d _grid_sampler_2d_cpu_fallback cudnn_grid_sampler
    upsample_bicubic2d upsample_bilinear2d upsample_linear1d upsample_nearest1d upsample_nearest2d
    upsample_nearest3d upsample_trilinear3d _upsample_bicubic2d_aa _upsample_bilinear2d_aa
    _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d
"""
_NORMALISE = """
    _batch_norm_no_update _batch_norm_with_update _batch_norm_with_update_functional
    _fused_rms_norm _native_batch_norm_legit _native_batch_norm_legit_functional
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
    sparse_mask sparse_resize sparse_resize_and_clear to_mkldnn
    _functional_assert_async _functional_assert_scalar _functional_sym_constrain_range
    _functional_sym_constrain_range_for_size
"""
_ELSEWHERE = """
    torchvision.nms torchvision.roi_align torchvision.roi_pool torchvision.ps_roi_align
    torchvision.ps_roi_pool quantized.quantize quantized.dequantize quantized.add
    quantized.add_relu quantized.add_scalar quantized.batch_norm1d quantized.batch_norm2d
    quantized.batch_norm3d quantized.cat quantized.celu quantized.elu quantized.group_norm
    quantized.hardswish quantized.instance_norm quantized.layer_norm quantized.leaky_relu
    quantized.max_pool1d quantized.max_pool2d quantized.mul quantized.mul_relu
    quantized.mul_scalar quantized.prelu quantized.relu6 quantized.sigmoid quantized.softmax
    quantized.threshold
"""
HARMLESS_NAMES = frozenset(
    " ".join(
        (
            *(_MAKE, _DRAW, _MOVE, _PICK, _ACTIVATE, _POOL, _NORMALISE, _LOSE, _STORE),
            _ELSEWHERE,
        )
    ).split()
)
