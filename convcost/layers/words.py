"""Names of PyTorch, Keras, ONNX, Caffe and Darknet, and the names in a spec that they correspond to.

Other names of a layer are on its class (``also`` and ``special``). This module has the names of what is not a layer
here, and the names of fields, which many layers share. Only error messages use it.

Sources: the names of torch.nn (pytorch.org/docs/stable/nn.html), of keras.layers (keras.io/api/layers) and of the
ONNX operators (onnx.ai/onnx/operators).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_NO_ACTIVATION = "convcost has no such activation yet; `activation` lists those it has"
_NO_FUNCTION = "convcost has no such function of each element yet"
_NO_SHAPES = "leave it out: a spec computes sizes in expressions, as x.c, x.h and x.w"
_NO_COST = "leave it out: what it does is not counted"

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "did you mean 'depthwise_conv'?": ("Depthwise", "DepthwiseConv", "dw_conv"),
    "did you mean 'depthwise_separable_conv'?": ("SeparableConv", "Separable", "SeparableConvolution"),
    "did you mean 'pointwise_conv'?": ("Pointwise", "pw_conv"),
    "did you mean 'squeeze_excite'?": ("SE", "SEBlock", "SELayer", "SEModule", "SqueezeExcitation"),
    "did you mean 'conv_bn_act'?": ("ConvNormActivation", "ConvModule", "CBA"),
    "did you mean 'basic_residual'?": ("BasicBlock",),
    "did you mean 'bottleneck_residual'?": ("BottleneckBlock",),
    "did you mean 'multi_head_attention'?": ("MHA", "MHSA", "MultiheadSelfAttention"),
    "convcost has no such recurrent layer yet; `rnn`, `lstm` and `gru` are there": ("ConvLSTM",),
    "write the layer itself, with `bidirectional: true` or `layers: 2` where it applies": (
        *("Bidirectional", "StackedRNNCells", "TimeDistributed"),
    ),
    "write it with `attention`, or with `matmul` and `softmax`": (
        *("AdditiveAttention", "GroupQueryAttention", "GroupedQueryAttention", "Transformer"),
        *("TransformerEncoder", "TransformerEncoderLayer", "TransformerDecoder", "TransformerDecoderLayer"),
    ),
    "write products of two activations with `matmul`, products with weights with `linear`": ("Einsum",),
    "convcost has no bilinear layer yet": ("Bilinear",),
    "convcost has no embedding yet": ("Embedding", "EmbeddingBag"),
    "leave it out where it is folded into the weights; convcost does not count the cost of making them": (
        *("SpectralNorm", "SpectralNormalization", "WeightNorm"),
    ),
    "convcost has no such normalisation yet; `convcost layers` lists those it has": ("Normalization", "ReduceL2"),
    "convcost has no such pooling yet; `global_max_pool` makes 1x1": ("AdaptiveMaxPool", "AdaptiveMaxPooling"),
    "convcost has no such pooling yet": ("LPPool", "FractionalMaxPool", "SPP", "ROIPool", "ROIAlign"),
    "convcost has no such merge yet; `add` has the cost of one operation per element": ("Average",),
    "convcost has no such reduction yet; `mean` and `max` go along any axis": ("ReduceSum", "ReduceProd", "ReduceMin"),
    _NO_ACTIVATION: (
        *("ELU", "SELU", "CELU", "Mish", "Softplus", "Softsign", "GLU", "LogSigmoid", "Hardtanh", "Hardshrink"),
        *("Softshrink", "Tanhshrink", "Threshold", "ThresholdedRelu", "RReLU", "Softmin", "AdaptiveLogSoftmaxWithLoss"),
    ),
    _NO_FUNCTION: ("Sqrt", "Pow", "Exp", "Log", "Reciprocal", "Neg", "Abs", "Ceil", "Floor", "Sin", "Cos", "Erf"),
    _NO_SHAPES: (
        *("Constant", "ConstantOfShape", "Shape", "Size", "Range", "Gather", "GatherND", "GatherElements", "Cast"),
        *("Where", "Equal", "Not", "Mod", "Less", "Greater", "And", "Or", "NonZero", "ScatterND", "ScatterElements"),
        *("Expand", "Tile", "RepeatVector"),
    ),
    "leave it out: number formats are options of the commands, as --dtype int8": (
        *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QuantStub", "DeQuantStub"),
    ),
    _NO_COST: (
        *("TopK", "ArgMax", "ArgMin", "NonMaxSuppression", "NMS", "ReverseSequence", "Masking", "Discretization"),
        *("ActivityRegularization", "GaussianNoise", "Rescaling", "Resizing", "RandomFlip", "RandomCrop"),
    ),
    "write `when`, `repeat` or `for` beside a step": ("If", "Loop", "Scan", "While"),
    "a list of steps is a chain; `do: [steps]` groups some": ("Sequential", "ModuleList", "ModuleDict", "Module"),
    "write `input: [3, 224, 224]` above the layers": ("InputLayer", "Data", "Placeholder"),
    "write blocks of your own under `blocks`, or state the cost with `custom`": ("Lambda", "Layer"),
    "convcost has no unfold yet": ("Unfold", "Fold", "im2col"),
}

FIELDS: dict[str, tuple[str, ...]] = {
    "hidden": ("hidden_size", "units", "num_units", "hidden_dim"),
    "projection": ("proj_size",),
    "heads": ("num_heads", "n_heads", "num_attention_heads"),
    "out": (
        *("filters", "num_filters", "out_channels", "output_channels", "num_output", "channels_out", "planes"),
        *("out_features", "units", "num_units", "O"),
    ),
    "window": ("window_size", "win_size"),
    "causal": ("is_causal", "use_causal_mask"),
    "kernel": ("kernel_size", "kernel_shape", "ksize", "pool_size", "filter_size", "window", "window_size", "k", "K"),
    "stride": ("strides", "subsample", "s"),
    "padding": ("pads", "pad", "auto_pad", "border_mode"),
    "dilation": ("dilations", "dilation_rate", "atrous_rate", "rate"),
    "groups": ("group", "num_groups", "cardinality", "feature_group_count", "G"),
    "bias": ("use_bias", "has_bias", "bias_term"),
    "ceil_mode": ("ceil",),
    "count_include_pad": ("include_pad", "count_include_padding"),
    "slope": ("negative_slope", "alpha"),
    "rate": ("p", "drop_rate", "dropout_rate", "drop_prob", "dropout_ratio", "ratio"),
    "scale": ("gamma", "affine"),
    "shift": ("beta", "center"),
    "affine": ("elementwise_affine",),
    "size": ("output_size", "out_size", "local_size"),
    "to": ("target_shape", "new_shape", "shape"),
    "start": ("begin", "starts"),
    "parts": ("chunks", "sections", "num_splits", "num_outputs", "num_or_size_splits"),
    "factor": ("scale_factor", "scales", "upscale_factor"),
    "mode": ("interpolation", "upsample_mode"),
    "sides": ("padding", "pads", "pad"),
    "kind": ("activation", "act", "function"),
}

NO_FIELDS: dict[str, tuple[str, ...]] = {
    "leave it out: what comes in is known": (
        *("in_channels", "in_features", "input_channels", "input_dim", "input_shape", "input_size", "num_features"),
        *("num_channels", "normalized_shape", "batch_input_shape", "num_parameters"),
    ),
    "leave it out: it does not change the cost": (
        *("eps", "epsilon", "momentum", "inplace", "trainable", "training", "track_running_stats", "padding_mode"),
        *("data_format", "device", "dtype", "seed", "axis", "dim", "return_indices", "storage_order", "align_corners"),
        *("approximate", "kernel_initializer", "bias_initializer", "beta_initializer", "gamma_initializer"),
        *("kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint"),
        *("noise_shape", "weight_decay"),
    ),
    "write the activation as a step of its own": ("activation", "act", "nonlinearity"),
    "write it beside the layer, as {conv: {...}, name: stem}": ("name",),
}


def plain(word: str) -> str:
    """``word`` without the differences between spellings of one name: capitals, separators, axes, a module prefix.

    >>> plain("nn.BatchNorm2d"), plain("batch_norm"), plain("Conv2DTranspose")
    ('batchnorm', 'batchnorm', 'convtranspose')
    """
    last = re.split(r"[.:]", word.partition("(")[0])[-1]
    return re.sub(r"[123]d", "", re.sub(r"[^a-z0-9]", "", last.lower()))


def field_hint(word: str, known: Collection[str]) -> str:
    """The way from a ``word`` of another tool to the field it means; empty where it is not known.

    Args:
        word: what was written as the name of a field or parameter.
        known: the names that the layer or block has.
    """
    meant = field_meant(word, known)
    if meant:
        return f"did you mean '{meant}'?"
    return next((hint for hint, words in NO_FIELDS.items() if word.lower() in words), "")


def field_meant(word: str, known: Collection[str]) -> str:
    """The field among ``known`` that another tool calls ``word``; empty where there is none."""
    spellings = {word, word.lower()}
    return next((name for name, words in FIELDS.items() if name in known and spellings & set(words)), "")
