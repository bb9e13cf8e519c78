"""Writes models of Keras as .keras and .h5 files, with what Keras answers to a random input and the gradients of a loss.

The gradients are written as the weights of a second model of the same layers, so that a reader of one reads the other.
"""
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
from keras import applications as A
from keras import layers as L

PICTURE, SERIES, ROW, VOLUME = (8, 7, 4), (6, 5), (5,), (5, 5, 5, 2)
CLASSES = 3


def chain(shape, *layers, dtype="float32"):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def layer_models():
    """Name, model, and what its input is: "floats" or the number of ids."""
    for layer in (
        *(L.ReLU(**extra) for extra in ({}, {"max_value": 1.0}, {"negative_slope": 0.2}, {"threshold": 0.5}, {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.25})),
        L.PReLU(shared_axes=[1, 2]),
        *(L.Conv2D(**{"filters": 4, "kernel_size": 3, **extra}) for extra in ({}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2}, {"dilation_rate": (1, 2), "padding": "same"}, {"groups": 2}, {"groups": 4, "use_bias": False}, {"activation": "relu"}, {"strides": (2, 3), "kernel_size": (1, 2)})),
        *(L.Conv2DTranspose(**{"filters": 3, "kernel_size": 3, **extra}) for extra in ({}, {"strides": 2}, {"strides": 2, "padding": "same"}, {"strides": 2, "output_padding": 1}, {"strides": (2, 3), "padding": "same", "output_padding": (1, 0)}, {"kernel_size": 2, "strides": 3, "padding": "same"}, {"kernel_size": 2, "strides": 3}, {"kernel_size": 4, "strides": 2, "padding": "same"})),
        *(L.DepthwiseConv2D(**{"kernel_size": 3, **extra}) for extra in ({}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2, "padding": "same"}, {"depth_multiplier": 2, "activation": "relu"}, {"use_bias": False})),
        *(L.SeparableConv2D(**{"filters": 5, "kernel_size": 3, **extra}) for extra in ({}, {"strides": 2}, {"depth_multiplier": 2, "padding": "same"})),
        L.Cropping2D(((1, 2), (0, 1))),
        L.Cropping2D(1),
        L.ZeroPadding2D(((1, 0), (2, 1))),
        L.CenterCrop(4, 5),
        L.UpSampling2D(),
        L.UpSampling2D((2, 3)),
        L.UpSampling2D((3, 2), interpolation="bilinear"),
        L.Resizing(5, 9),
        L.Resizing(5, 9, interpolation="nearest"),
        L.BatchNormalization(),
        L.BatchNormalization(center=False, epsilon=0.1),
        L.BatchNormalization(scale=False),
        L.LayerNormalization(),
        L.LayerNormalization(axis=[2, 3]),
        L.GroupNormalization(2),
        L.GroupNormalization(-1),
        L.UnitNormalization(),
        L.UnitNormalization(axis=[1, 2]),
        L.Rescaling(0.5, offset=0.1),
        L.Rescaling([0.5, 0.25, 0.1, 2.0], offset=[0.1, 0.2, 0.3, 0.4]),
        L.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 3.0, 4.0]),
        L.Normalization(mean=0.25, variance=4.0, axis=None),
        L.MaxPooling2D(),
        L.MaxPooling2D(3, strides=2, padding="same"),
        L.AveragePooling2D(3, strides=2, padding="same"),
        L.AveragePooling2D((2, 3), strides=1),
        L.GlobalAveragePooling2D(),
        L.GlobalAveragePooling2D(keepdims=True),
        L.GlobalMaxPooling2D(),
        L.Reshape((4, -1)),
        L.Permute((3, 1, 2)),
        L.SpatialDropout2D(0.5),
        L.RandomFlip(),
        L.TimeDistributed(L.Dense(3)),
        L.TimeDistributed(L.Conv1D(3, 3, activation="relu")),
        L.EinsumDense("abcd,de->abce", output_shape=(8, 7, 6), bias_axes="e"),
        L.Softmax(axis=1),
    ):
        yield layer.__class__.__name__, chain(PICTURE, layer), None
    for layer in (
        *(L.Conv1D(**{"filters": 3, "kernel_size": 3, **extra}) for extra in ({}, {"strides": 2}, {"dilation_rate": 2}, {"padding": "causal"}, {"padding": "same"}, {"padding": "causal", "dilation_rate": 2}, {"groups": 5, "filters": 10})),
        L.Conv1DTranspose(3, 3, strides=2, padding="same"),
        L.SeparableConv1D(4, 3),
        L.DepthwiseConv1D(3, depth_multiplier=2),
        L.ZeroPadding1D((1, 2)),
        L.Cropping1D((1, 2)),
        L.UpSampling1D(3),
        L.MaxPooling1D(2),
        L.AveragePooling1D(3, strides=2, padding="same"),
        L.GlobalAveragePooling1D(),
        L.GlobalMaxPooling1D(keepdims=True),
        L.BatchNormalization(),
        L.RMSNormalization(),
        *(kind(4, **extra) for kind in (L.LSTM, L.GRU, L.SimpleRNN) for extra in ({}, {"return_sequences": True}, {"go_backwards": True, "return_sequences": True}, {"use_bias": False, "activation": "relu"})),
        L.GRU(4, reset_after=False),
        *(L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode=mode) for mode in ("concat", "sum", "ave", "mul")),
        L.Bidirectional(L.GRU(3)),
        L.Bidirectional(L.LSTM(3), backward_layer=L.LSTM(3, activation="relu", go_backwards=True)),
        L.EinsumDense("...x,xy->...y", output_shape=4, bias_axes="y"),
        L.Dense(4, use_bias=False),
    ):
        yield layer.__class__.__name__, chain(SERIES, layer), None
    names = "linear relu relu6 elu selu gelu sigmoid hard_sigmoid softplus softsign tanh softmax log_softmax silu mish leaky_relu exponential hard_silu celu log_sigmoid hard_tanh tanh_shrink"
    for name in names.split():
        yield f"Dense {name}", chain(ROW, L.Dense(6, activation=name)), None
    for layer in (L.RepeatVector(3), L.LeakyReLU(0.1), L.ELU(0.5), L.Dropout(0.5), L.GaussianNoise(0.1), L.Flatten(), L.BatchNormalization()):
        yield layer.__class__.__name__, chain(ROW, layer), None
    for layer in (L.Conv3D(3, 2), L.MaxPooling3D(2), L.ZeroPadding3D(1), L.GlobalAveragePooling3D(), L.UpSampling3D(2), L.Cropping3D(1)):
        yield layer.__class__.__name__, chain(VOLUME, layer), None
    yield "Embedding", chain((6,), L.Embedding(11, 4), L.GlobalAveragePooling1D(), dtype="int32"), 11
    yield "Embedding masked", chain((6,), L.Embedding(11, 4, mask_zero=True), L.LSTM(3), dtype="int32"), 11
    yield "Masking", chain(SERIES, L.Masking(0.5), L.LSTM(3)), None


def joined_models():
    picture, series = keras.Input(PICTURE), keras.Input(SERIES)
    a, b = L.Conv2D(4, 3, padding="same")(picture), L.Conv2D(4, 3, padding="same", activation="relu")(picture)
    for layer in (L.Add(), L.Multiply(), L.Average(), L.Maximum(), L.Minimum(), L.Subtract(), L.Concatenate(), L.Concatenate(axis=1)):
        yield layer.__class__.__name__, keras.Model(picture, layer([a, b])), None
    se = L.Dense(4, activation="sigmoid")(L.Reshape((1, 1, 4))(L.GlobalAveragePooling2D()(a)))
    yield "squeeze and excitation", keras.Model(picture, L.Multiply()([a, se])), None
    yield "operators", keras.Model(picture, (a * 0.5 + b) / 2.0 - 1.0 / (keras.ops.square(a) + 3.0)), None
    yield "MultiHeadAttention", keras.Model(series, L.MultiHeadAttention(2, 3)(series, series)), None
    yield "MultiHeadAttention of three", keras.Model(series, L.MultiHeadAttention(3, 2, value_dim=4, output_shape=7)(series, L.Dense(6)(series), L.Dense(8)(series))), None
    yield "MultiHeadAttention causal", keras.Model(series, L.MultiHeadAttention(2, 3)(series, series, use_causal_mask=True)), None
    shared = L.Dense(5, activation="tanh")
    yield "shared layer", keras.Model(series, shared(shared(series))), None
    inner = keras.Sequential([keras.Input(PICTURE), L.Conv2D(3, 3), L.BatchNormalization(), L.ReLU()], name="inner")
    yield "nested model", keras.Model(picture, L.Conv2D(2, 1)(inner(picture))), None
    frozen = keras.Sequential([L.Conv2D(3, 3, name="conv"), L.BatchNormalization(name="norm")], name="base")
    frozen.trainable = False
    yield "frozen nested", keras.Sequential([keras.Input(PICTURE), L.Rescaling(0.5), frozen, L.ReLU()]), None
    x = keras.Input(SERIES)
    whole, h, c = L.LSTM(4, return_state=True, return_sequences=True)(x)
    yield "states", keras.Model(x, L.LSTM(4)(whole, initial_state=[h, c])), None
    yield "Dot", keras.Model(series, L.Dot(axes=(2, 2))([L.Dense(4)(series), L.Dense(4)(series)])), None
    yield "Lambda", keras.Model(series, L.Lambda(lambda t: t * 2)(series)), None
    mixed = keras.Sequential([keras.Input(PICTURE), L.Conv2D(4, 3, dtype="float64")], name="float64")
    yield "float64", mixed, None


NETS = {
    "VGG16": (A.VGG16, 32), "ResNet50": (A.ResNet50, 32), "ResNet50V2": (A.ResNet50V2, 32), "InceptionV3": (A.InceptionV3, 75),
    "Xception": (A.Xception, 71), "MobileNet": (A.MobileNet, 32), "MobileNetV2": (A.MobileNetV2, 32), "MobileNetV3Small": (A.MobileNetV3Small, 32), "MobileNetV3Large": (A.MobileNetV3Large, 32),
    "DenseNet121": (A.DenseNet121, 32), "EfficientNetB0": (A.EfficientNetB0, 32), "EfficientNetV2B0": (A.EfficientNetV2B0, 32),
    "NASNetMobile": (A.NASNetMobile, 32), "ConvNeXtTiny": (A.ConvNeXtTiny, 32), "InceptionResNetV2": (A.InceptionResNetV2, 75),
}


def net(name):
    make, size = NETS[name]
    more = {"alpha": 0.35} if name == "MobileNetV2" else {}
    return make(weights=None, input_shape=(size, size, 3), classes=CLASSES, classifier_activation=None, **more)


def perturb(model, rng, is_deep):
    """Weights that are none of the first ones; of deep nets such that answers stay in a range."""
    for weight in model.weights:
        shape, name = weight.shape, weight.path.split("/")[-1]
        value = rng.normal(size=shape)
        if "int" in weight.dtype or "seed" in weight.path or name == "count":
            continue
        if "variance" in name:
            value = np.abs(value) + 0.5
        elif name == "gamma" or name == "scale":
            value = 1 + 0.3 * value
        elif is_deep and len(shape) > 1:
            value = value * np.sqrt(2 / max(1, np.prod(shape[:-1]) if "depthwise" not in name else np.prod(shape[:2])))
        else:
            value = 0.5 * value
        weight.assign(value)


def case(folder, number, name, model, ids, is_deep=False):
    rng = np.random.default_rng(number)
    head = model if is_deep else keras.Sequential([model, L.Flatten(), L.Dense(CLASSES)])
    if not is_deep:
        head.build(model.input_shape)
    perturb(head, rng, is_deep)
    shape = (2, *head.input_shape[1:])
    x = rng.integers(0, ids, shape) if ids else rng.normal(size=shape) * (50 if is_deep else 1)
    x = x.astype("int32" if ids else "float32")
    pull = rng.normal(size=(2, CLASSES)).astype("float32")
    with tf.GradientTape() as tape:
        weights = [w.value for w in head.weights]
        for value in weights:
            tape.watch(value)
        y = head(x, training=False)
        loss = tf.reduce_sum(tf.cast(y, "float32") * pull)
    grads = tape.gradient(loss, weights)
    place = os.path.join(folder, str(number))
    os.mkdir(place)
    head.save(os.path.join(place, "model.keras"))
    head.save(os.path.join(place, "model.h5"))
    for weight, grad in zip(head.weights, grads):
        if grad is not None and "int" not in weight.dtype:
            weight.assign(tf.convert_to_tensor(grad))
    head.save(os.path.join(place, "gradients.keras"))
    x.astype("float32").tofile(os.path.join(place, "x.bin"))
    np.asarray(y, "float32").tofile(os.path.join(place, "y.bin"))
    pull.tofile(os.path.join(place, "pull.bin"))
    return {"name": name, "x": list(x.shape), "ids": bool(ids)}


def main(folder, *names):
    keras.utils.set_random_seed(0)
    cases = []
    if names:
        for name in names:
            cases.append(case(folder, len(cases), name, net(name), None, True))
            keras.backend.clear_session()
    else:
        for name, model, ids in [*layer_models(), *joined_models()]:
            cases.append(case(folder, len(cases), name, model, ids))
    with open(os.path.join(folder, "cases.json"), "w") as file:
        json.dump(cases, file)
    print(json.dumps(cases))


main(*sys.argv[1:])
