"""Models of Keras, what Keras says of them, and what PyTorch counts while Keras runs them: ``tests/data/keras``.

    KERAS_BACKEND=torch python tests/keras_models.py layers          # small models, into layers.json.gz
    KERAS_BACKEND=torch python tests/keras_models.py applications    # keras.applications
    python tests/keras_models.py keras2                              # models of Keras 2, where that is installed

The first two need keras (3.15 here) and torch. Each model is written with what ``count_params`` says, the shapes of its
outputs, and the MACs that ``torch.utils.flop_counter.FlopCounterMode`` counts while Keras runs it on zeros. The last
needs tensorflow 2.15; its MACs are half the operations that the profiler of TensorFlow counts for convolutions and
matrix products; it does not see those in loops.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

os.environ.setdefault("KERAS_BACKEND", "torch")
DATA = Path(__file__).resolve().parent / "data" / "keras"
LEFT_OUT = ("_initializer", "_regularizer", "_constraint")
UNUSED = ("dtype", "registered_name", "seed", "compile_config", "synchronized", "quantization_config")
APPLICATIONS = (
    "ConvNeXtTiny",
    "DenseNet121",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "InceptionResNetV2",
    "InceptionV3",
    "MobileNet",
    "MobileNetV2",
    "MobileNetV3Large",
    "ResNet50",
    "ResNet50V2",
    "VGG16",
    "Xception",
)


def slim(tree: Any) -> Any:
    """A description without what no cost depends on: how weights begin, are regularised, and in which type they are."""
    if isinstance(tree, dict):
        kept = {key: value for key, value in tree.items() if not key.endswith(LEFT_OUT) and key not in UNUSED}
        return {key: slim(value) for key, value in kept.items()}
    return [slim(item) for item in tree] if isinstance(tree, list) else tree


def facts(model: Any, sizes: tuple[int, ...]) -> dict[str, Any]:
    """What Keras says of a model, and the MACs that PyTorch counts in a run on one sample of zeros."""
    import torch  # noqa: PLC0415 - not where the tests read the data
    from torch.utils.flop_counter import FlopCounterMode  # noqa: PLC0415

    inputs = []
    for tensor in model.inputs:
        given = iter(sizes)
        shape = [1, *(next(given) if size is None else size for size in tensor.shape[1:])]
        kind = torch.int64 if "int" in str(tensor.dtype) else torch.float32
        inputs.append(torch.zeros(shape, dtype=kind))
    plain = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)  # PyTorch counts no fused attention
    with torch.no_grad(), plain, FlopCounterMode(display=False) as counter:
        made = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = made if isinstance(made, list | tuple) else [made]
    return {
        "params": model.count_params(),
        "trainable": sum(weight.numel() for weight in map(_value, model.trainable_weights)),
        "macs": counter.get_total_flops() // 2,
        "outputs": [list(output.shape) for output in outputs],
    }


def _value(weight: Any) -> Any:
    return weight.value


def models() -> Iterator[tuple[str, Callable[[], Any], tuple[int, ...]]]:  # noqa: C901, PLR0915 - a list of models
    """Small models: names, what makes them, and sizes in place of those that they leave open."""
    import keras  # noqa: PLC0415
    from keras import layers as L  # noqa: N812, PLC0415 - as everywhere
    from keras import ops  # noqa: PLC0415

    def single(
        name: str, shape: tuple[int | None, ...], *rows: Any, sizes: tuple[int, ...] = (), dtype: str = "float32"
    ) -> Any:
        def made() -> Any:
            x = entering = keras.Input(shape, dtype=dtype)
            for row in rows:
                x = row()(x) if callable(row) and not isinstance(row, keras.layers.Layer) else row(x)
            return keras.Model(entering, x)

        return name, made, sizes

    def graph(
        name: str, build: Callable[..., Any], *shapes: tuple[int | None, ...], sizes: tuple[int, ...] = ()
    ) -> Any:
        def made() -> Any:
            entering = [keras.Input(shape) for shape in shapes]
            return keras.Model(entering, build(*entering))

        return name, made, sizes

    for axes in (1, 2, 3):
        shape = (17, 13, 11)[:axes]
        conv = getattr(L, f"Conv{axes}D")
        back = getattr(L, f"Conv{axes}DTranspose")
        yield single(f"conv{axes}d", (*shape, 4), lambda conv=conv: conv(6, 3, strides=2, activation="relu"))
        yield single(
            f"conv{axes}d same", (*shape, 4), lambda conv=conv: conv(6, 3, strides=2, padding="same", use_bias=False)
        )
        yield single(
            f"conv{axes}d dilated groups", (*shape, 4), lambda conv=conv: conv(6, 3, dilation_rate=2, groups=2)
        )
        yield single(f"conv{axes}d transpose valid", (*shape, 4), lambda back=back: back(5, 3, strides=2))
        yield single(f"conv{axes}d transpose short", (*shape, 4), lambda back=back: back(5, 2, strides=3))
        yield single(
            f"conv{axes}d transpose same", (*shape, 4), lambda back=back: back(5, 3, strides=2, padding="same")
        )
        yield single(
            f"conv{axes}d transpose output_padding",
            (*shape, 4),
            lambda back=back: back(5, 3, strides=2, padding="same", output_padding=1),
        )
        for name in (
            "MaxPooling",
            "AveragePooling",
            "GlobalMaxPooling",
            "GlobalAveragePooling",
            "ZeroPadding",
            "Cropping",
            "UpSampling",
        ):
            layer = getattr(L, f"{name}{axes}D")
            given = (2,) if name == "AveragePooling" else ()
            yield single(
                f"{name}{axes}D", (*shape, 4), lambda layer=layer, given=given: layer(*given), lambda: L.Dense(3)
            )
        pool = getattr(L, f"MaxPooling{axes}D")
        yield single(f"MaxPooling{axes}D same", (*shape, 4), lambda pool=pool: pool(3, strides=2, padding="same"))
        yield single(
            f"GlobalMaxPooling{axes}D kept",
            (*shape, 4),
            lambda axes=axes: getattr(L, f"GlobalMaxPooling{axes}D")(keepdims=True),
        )
    yield single("conv1d causal", (17, 4), lambda: L.Conv1D(6, 3, padding="causal", dilation_rate=2))
    yield single("conv2d open", (None, None, 3), lambda: L.Conv2D(6, (3, 5), strides=(2, 1)), sizes=(19, 23))
    yield single("depthwise1d", (17, 4), lambda: L.DepthwiseConv1D(3, depth_multiplier=2, activation="tanh"))
    yield single("depthwise2d", (17, 13, 4), lambda: L.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False))
    yield single("separable1d", (17, 4), lambda: L.SeparableConv1D(6, 3, depth_multiplier=2))
    yield single(
        "separable2d", (17, 13, 4), lambda: L.SeparableConv2D(6, 3, padding="same", activation="swish", use_bias=False)
    )
    yield single(
        "pad pairs", (17, 13, 4), lambda: L.ZeroPadding2D(((1, 2), (3, 0))), lambda: L.Cropping2D(((0, 4), (2, 1)))
    )
    yield single("bilinear", (7, 5, 4), lambda: L.UpSampling2D((2, 3), interpolation="bilinear"))
    yield single("dense", (4,), lambda: L.Dense(5, activation="softmax"))
    yield single("dense of maps", (6, 5, 4), lambda: L.Dense(7, use_bias=False))
    yield single(
        "einsum dense", (6, 8), lambda: L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 5), bias_axes="de")
    )
    yield single("einsum dense dots", (6, 5, 8), lambda: L.EinsumDense("...x,xy->...y", output_shape=4, bias_axes="y"))
    for name, made in {
        "batch norm": lambda: L.BatchNormalization(),
        "batch norm bare": lambda: L.BatchNormalization(scale=False, center=False),
        "batch norm axis 1": lambda: L.BatchNormalization(axis=1),
        "layer norm": lambda: L.LayerNormalization(),
        "layer norm axes": lambda: L.LayerNormalization(axis=(1, 3)),
        "layer norm scale": lambda: L.LayerNormalization(center=False),
        "group norm": lambda: L.GroupNormalization(2),
        "group norm instance": lambda: L.GroupNormalization(-1, scale=False),
        "rms norm": lambda: L.RMSNormalization(),
        "unit norm": lambda: L.UnitNormalization(axis=-1),
        "normalization": lambda: L.Normalization(),
        "rescaling": lambda: L.Rescaling(1 / 255, offset=-1.0),
        "prelu": lambda: L.PReLU(),
        "prelu shared": lambda: L.PReLU(shared_axes=(1, 2)),
        "prelu half": lambda: L.PReLU(shared_axes=(1,)),
        "relu 6": lambda: L.ReLU(max_value=6.0),
        "relu slope": lambda: L.ReLU(negative_slope=0.1, max_value=3.0),
        "leaky": lambda: L.LeakyReLU(),
        "elu": lambda: L.ELU(),
        "softmax": lambda: L.Softmax(axis=(1, 2)),
        "gelu": lambda: L.Activation("gelu"),
        "mish": lambda: L.Activation("mish"),
        "reshape": lambda: L.Reshape((15, -1)),
        "permute": lambda: L.Permute((3, 1, 2)),
        "flatten": lambda: L.Flatten(),
        "dropout": lambda: L.SpatialDropout2D(0.1),
        "resizing": lambda: L.Resizing(9, 4),
        "center crop": lambda: L.CenterCrop(3, 2),
        "random flip": lambda: L.RandomFlip(),
        "adaptive": lambda: L.AdaptiveAveragePooling2D((3, 5)),
    }.items():
        yield single(name, (6, 5, 4), made, lambda: L.Dense(3))
    yield single("repeat", (4,), lambda: L.RepeatVector(3), lambda: L.Dense(5))
    yield single("embedding", (7,), lambda: L.Embedding(11, 6), lambda: L.Dense(3), dtype="int32")
    yield single(
        "encoding", (7,), lambda: L.CategoryEncoding(9, output_mode="multi_hot"), lambda: L.Dense(3), dtype="int32"
    )
    for name, layer in {"lstm": L.LSTM, "gru": L.GRU, "rnn": L.SimpleRNN}.items():
        yield single(name, (7, 5), lambda layer=layer: layer(6))
        yield single(
            f"{name} steps",
            (7, 5),
            lambda layer=layer: layer(6, return_sequences=True, go_backwards=True, use_bias=False),
        )
        for mode in ("concat", "sum", "ave"):
            yield single(
                f"{name} both {mode}",
                (7, 5),
                lambda layer=layer, mode=mode: L.Bidirectional(layer(6), merge_mode=mode),
                lambda: L.Dense(2),
            )
    yield single("gru before", (7, 5), lambda: L.GRU(6, reset_after=False))
    for axes in (1, 2):
        conv_lstm = getattr(L, f"ConvLSTM{axes}D")
        shape = (3, *(9, 8)[:axes], 2)
        yield single(
            f"conv lstm {axes}d", shape, lambda layer=conv_lstm: layer(4, 3, padding="same", return_sequences=True)
        )
        yield single(f"conv lstm {axes}d last", shape, lambda layer=conv_lstm: layer(4, 3, strides=2, use_bias=False))
    yield single("cell", (7, 5), lambda: L.RNN(L.LSTMCell(6), return_sequences=True))
    yield single(
        "lstm both steps", (7, 5), lambda: L.Bidirectional(L.LSTM(6, return_sequences=True)), lambda: L.Dense(2)
    )
    yield single("time dense", (7, 5), lambda: L.TimeDistributed(L.Dense(3, activation="relu")))
    yield single(
        "time conv",
        (3, 9, 8, 4),
        lambda: L.TimeDistributed(L.Conv2D(6, 3, activation="relu")),
        lambda: L.LayerNormalization(),
    )
    yield single("time flatten", (3, 4, 2), lambda: L.TimeDistributed(L.Flatten()), lambda: L.LSTM(4))
    yield graph(
        "time model",
        lambda x: L.TimeDistributed(keras.Sequential([L.Input((9, 8, 4)), L.Conv2D(6, 3), L.GlobalAveragePooling2D()]))(
            x
        ),
        (3, 9, 8, 4),
    )
    yield graph("states", lambda x: L.LSTM(4, return_state=True, return_sequences=True)(x), (7, 5))
    yield graph("attention of heads", lambda q, v: L.MultiHeadAttention(3, 4, value_dim=5)(q, v), (6, 8), (9, 7))
    yield graph(
        "attention with keys",
        lambda q, v, k: L.MultiHeadAttention(3, 4, output_shape=11)(q, v, key=k),
        (6, 8),
        (9, 7),
        (9, 5),
    )
    yield graph("grouped attention", lambda q: L.GroupQueryAttention(4, 6, 2)(q, q), (6, 8))
    yield graph("attention", lambda q, v: L.Attention()([q, v]), (6, 8), (9, 8))
    yield graph("attention scale", lambda q, v: L.Attention(use_scale=True)([q, v]), (6, 8), (9, 8))
    for name, layer in {
        "add": L.Add,
        "subtract": L.Subtract,
        "multiply": L.Multiply,
        "average": L.Average,
        "maximum": L.Maximum,
        "minimum": L.Minimum,
    }.items():
        yield graph(name, lambda a, b, layer=layer: L.Dense(2)(layer()([a, b])), (6, 5, 4), (6, 5, 4))
    yield graph("multiply by channels", lambda a, b: L.Multiply()([a, b]), (6, 5, 4), (1, 1, 4))
    yield graph("add of ranks", lambda a, b: L.Add()([a, b]), (6, 5, 4), (4,))
    yield graph("concatenate", lambda a, b: L.Dense(2)(L.Concatenate()([a, b])), (6, 5, 4), (6, 5, 3))
    yield graph("concatenate rows", lambda a, b: L.Concatenate(axis=1)([a, b]), (6, 5, 4), (2, 5, 4))
    yield graph("dot", lambda a, b: L.Dot(axes=(2, 1))([a, b]), (6, 5), (5, 7))
    yield graph("dot of rows", lambda a, b: L.Dot(axes=1)([a, b]), (6,), (6,))

    def shared(x: Any) -> Any:
        layer, norm = L.Conv2D(4, 3, padding="same"), L.BatchNormalization()
        return norm(layer(norm(layer(x))))

    yield graph("shared layers", shared, (6, 5, 4))

    def nested(x: Any) -> Any:
        entering = keras.Input((6, 5, 4))
        inner = keras.Model(entering, L.Conv2D(4, 3, padding="same", activation="relu")(entering), name="inner")
        outer = keras.Sequential([L.Conv2D(4, 1), L.ReLU()], name="outer")
        return [outer(inner(x)), inner(outer(x))]

    yield graph("nested models", nested, (6, 5, 4))
    yield graph("nested output", lambda x: keras.Sequential([L.Dense(3)])(x), (4,))

    def operations(x: Any) -> Any:
        y = ops.relu(x * 2.0 + 1) / (ops.sqrt(ops.abs(x)) + 1e-3)
        y = ops.mean(y, axis=(1, 2), keepdims=True) + y
        y = ops.concatenate([y, ops.silu(y)], axis=-1)
        return L.Dense(3)(ops.reshape(y[:, :4, ::2], (-1, 12, 8)))

    yield graph("operations", operations, (6, 5, 4))

    def products(x: Any) -> Any:
        q, k = L.Dense(8)(x), L.Dense(8)(x)
        scores = ops.softmax(ops.matmul(q, ops.transpose(k, (0, 2, 1))), axis=-1)
        heads = ops.einsum("bij,bjc->bic", scores, x)
        first, last = ops.split(heads, 2, axis=-1)
        return [ops.squeeze(ops.expand_dims(first, 1), 1), ops.stack([first, last], axis=1)[:, 0]]

    yield graph("products", products, (6, 4))

    def channels_first(x: Any) -> Any:
        word = {"data_format": "channels_first"}
        y = L.Conv2D(6, 3, strides=2, activation="relu", **word)(x)
        y = L.BatchNormalization(axis=1)(y)
        y = L.DepthwiseConv2D(3, padding="same", **word)(y)
        y = L.MaxPooling2D(**word)(L.ZeroPadding2D(1, **word)(y))
        return L.Dense(3)(L.GlobalAveragePooling2D(**word)(L.UpSampling2D(**word)(y)))

    yield graph("channels first", channels_first, (4, 17, 13))

    def mixed(x: Any) -> Any:
        y = L.Permute((3, 1, 2))(L.Conv2D(5, 3)(L.Conv2D(6, 3)(x)))
        y = L.Conv2D(7, 3, data_format="channels_first")(y)
        return L.Dense(2)(L.Flatten()(y))

    yield graph("channels of both orders", mixed, (9, 8, 4))


PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "Conv2DBackpropInput")


def keras2() -> None:
    """Write models of Keras 2."""
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415
    from keras import layers as L  # noqa: N812, PLC0415

    def counted(model: Any) -> int:
        shapes = [[1, *(size or 224 for size in tensor.shape[1:])] for tensor in model.inputs]
        function = tf.function(model).get_concrete_function([tf.TensorSpec(shape, tf.float32) for shape in shapes])
        profiler = tf.compat.v1.profiler
        options = {**profiler.ProfileOptionBuilder.float_operation(), "output": "none"}
        profile = profiler.profile(function.graph, cmd="op", options=options)
        waiting, total = [profile], 0
        while waiting:
            node = waiting.pop()
            waiting += node.children
            total += node.float_ops if node.name in PRODUCTS else 0
        return total // 2

    def nested() -> Any:
        entering = keras.Input((8,))
        inner = keras.Model(entering, L.Dense(8)(entering), name="inner")
        x = keras.Input((8,))
        y = inner(x)
        z = inner(y)
        return keras.Model(x, [z, y, L.Add()([y, z])])

    def operations() -> Any:
        x = keras.Input((None, None, 3))
        y = tf.reduce_mean(tf.nn.relu(x * 2.0 + 1.0), [1, 2])
        y = tf.concat([y, y], -1)
        return keras.Model(x, L.Dense(3)(tf.expand_dims(y, 1)[:, 0]))

    def sequence() -> Any:
        x = keras.Input((7, 8))
        y = L.Bidirectional(L.GRU(3, reset_after=False, return_sequences=True))(L.LSTM(4, return_sequences=True)(x))
        return keras.Model(x, L.MultiHeadAttention(2, 3)(y, value=y))

    def local() -> Any:
        x = keras.Input((9, 9, 3))
        return keras.Model(x, L.LocallyConnected2D(4, 3, activation="relu")(x))

    def unnamed() -> Any:
        first = L.Conv2D(4, 3, activation="relu", input_shape=(9, 9, 3))
        return keras.Sequential([first, L.Flatten(), keras.Sequential([L.Dense(5)]), L.Dense(2, activation="softmax")])

    made = {f.__name__: f for f in (nested, operations, sequence, local, unnamed)}
    for name in ("EfficientNetB0", "MobileNetV3Small", "NASNetMobile"):
        made[name] = getattr(keras.applications, name)
    rows = []
    for name, build in made.items():
        keras.backend.clear_session()
        model = build() if name.islower() else build(weights=None)
        row = {"name": name, "params": model.count_params(), "macs": None if name == "sequence" else counted(model)}
        outputs = model.outputs if name != "unnamed" else [model.output]
        row["outputs"] = [[size or 1 for size in output.shape] for output in outputs]
        row["sizes"] = [224] * sum(size is None for tensor in model.inputs for size in tensor.shape[1:])
        print(row)
        rows.append({**row, "model": slim(json.loads(model.to_json()))})
    lines = ",\n".join(json.dumps(item, separators=(",", ":")) for item in rows)
    text = f'{{"keras": "{keras.__version__}", "tensorflow": "{tf.__version__}", "models": [\n{lines}\n]}}\n'
    (DATA / "keras2.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def main() -> None:
    """Write the data anew."""
    if sys.argv[1:] == ["keras2"]:
        keras2()
        return
    import keras  # noqa: PLC0415
    import torch  # noqa: PLC0415

    DATA.mkdir(parents=True, exist_ok=True)
    versions = {"keras": keras.__version__, "torch": torch.__version__.partition("+")[0]}
    if sys.argv[1:] == ["applications"]:
        rows = {}
        for name in APPLICATIONS:
            keras.backend.clear_session()
            model = getattr(keras.applications, name)(weights=None)
            rows[name] = {**facts(model, (224, 224)), "input": [size or 224 for size in model.input_shape[1:]]}
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
                for member, text in (("metadata.json", versions), ("config.json", slim(json.loads(model.to_json())))):
                    entry = zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0))
                    archive.writestr(entry, json.dumps(text, separators=(",", ":")), zipfile.ZIP_DEFLATED, 9)
            (DATA / f"{name}.keras").write_bytes(packed.getvalue())
            print(name, rows[name])
        (DATA / "applications.json").write_text(json.dumps({**versions, "models": rows}, indent=1) + "\n", "utf-8")
        return
    made = []
    for name, build, sizes in models():
        keras.backend.clear_session()
        keras.config.set_image_data_format("channels_last")
        try:
            model = build()
            known = facts(model, sizes)
        except Exception as error:  # noqa: BLE001 - some layers are in newer versions only
            print("left out:", name, f"{type(error).__name__}: {error}"[:300])
            continue
        made.append({"name": name, **known, "sizes": list(sizes), "model": slim(json.loads(model.to_json()))})
    lines = ",\n".join(json.dumps(item, separators=(",", ":")) for item in made)
    text = f'{{"keras": "{versions["keras"]}", "torch": "{versions["torch"]}", "models": [\n{lines}\n]}}\n'
    (DATA / "layers.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    print(len(made), "models")


if __name__ == "__main__":
    main()
