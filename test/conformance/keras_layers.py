"""Writes Keras layers as model.json files of tfjs-layers, each with what Keras makes of a random input.

The keys of a layer are those that Keras itself writes; around them stands what Keras 2 wrote, which tfjs-layers reads.
"""
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
from keras import layers as L

PICTURE, SERIES, ROW, VOLUME = (7, 6, 4), (6, 5), (5,), (5, 5, 5, 2)


def variants():
    """Layer, input shape. What tfjs-layers knows, with every setting that changes what is computed."""
    for extra in ({}, {"max_value": 1.0}, {"negative_slope": 0.2}, {"threshold": 0.5}, {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.25}, {"negative_slope": 0.3, "max_value": 6.0}):
        yield L.ReLU(**extra), PICTURE
    for slope in (0.1, 0.3):
        yield L.LeakyReLU(negative_slope=slope), ROW
    yield L.PReLU(alpha_initializer="random_normal", shared_axes=[1, 2]), PICTURE
    for alpha in (1.0, 0.5):
        yield L.ELU(alpha=alpha), ROW
    yield L.Softmax(), ROW
    yield L.Softmax(axis=1), SERIES
    for extra in ({}, {"strides": 2}, {"dilation_rate": 2}, {"padding": "causal"}, {"padding": "same"}, {"groups": 5, "filters": 10}):
        yield L.Conv1D(**{"filters": 3, "kernel_size": 3, **extra}), SERIES
    for extra in ({}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2}, {"dilation_rate": (1, 2), "padding": "same"}, {"groups": 2}, {"use_bias": False}, {"data_format": "channels_first"}):
        yield L.Conv2D(**{"filters": 4, "kernel_size": 3, **extra}), PICTURE
    for extra in ({}, {"strides": 2}, {"strides": 2, "padding": "same"}, {"strides": 2, "output_padding": 1}, {"strides": 2, "output_padding": 0}, {"strides": (2, 3), "padding": "same", "output_padding": (1, 0)}, {"strides": 3, "padding": "same", "output_padding": 2, "activation": "relu"}, {"dilation_rate": 2}, {"kernel_size": 2, "strides": 3}):
        yield L.Conv2DTranspose(**{"filters": 3, "kernel_size": 3, **extra}), PICTURE
    for extra in ({}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2}, {"dilation_rate": 2, "padding": "same"}, {"dilation_rate": (2, 1), "depth_multiplier": 2, "activation": "relu"}, {"use_bias": False, "dilation_rate": 2}):
        yield L.DepthwiseConv2D(**{"kernel_size": 3, **extra}), PICTURE
    for extra in ({}, {"strides": 2}, {"dilation_rate": 2}, {"depth_multiplier": 2, "padding": "same"}):
        yield L.SeparableConv2D(**{"filters": 4, "kernel_size": 3, **extra}), PICTURE
    for extra in ({}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2}):
        yield L.Conv3D(**{"filters": 3, "kernel_size": 2, **extra}), VOLUME
    yield L.Cropping2D(((1, 2), (0, 1))), PICTURE
    for extra in ({}, {"size": (2, 3)}, {"interpolation": "bilinear"}, {"interpolation": "bilinear", "size": (3, 2)}, {"interpolation": "bicubic"}):
        yield L.UpSampling2D(**extra), PICTURE
    yield L.ZeroPadding2D(((1, 0), (2, 1))), PICTURE
    for rate in (L.Dropout(0.5), L.GaussianNoise(0.1), L.GaussianDropout(0.2), L.AlphaDropout(0.1)):
        yield rate, ROW
    yield L.SpatialDropout1D(0.5), SERIES
    for activation in ("linear", "relu", "relu6", "elu", "selu", "gelu", "sigmoid", "hard_sigmoid", "softplus", "softsign", "tanh", "softmax", "log_softmax", "swish", "silu", "mish", "leaky_relu", "exponential", "hard_silu"):
        yield L.Dense(4, activation=activation), ROW
        yield L.Activation(activation), ROW
    yield L.Dense(4, use_bias=False), SERIES
    yield L.Flatten(), PICTURE
    yield L.Flatten(data_format="channels_first"), PICTURE
    yield L.RepeatVector(3), ROW
    yield L.Reshape((3, -1)), PICTURE
    yield L.Permute((2, 1)), SERIES
    for extra in ({}, {"center": False}, {"scale": False}, {"axis": 1}, {"epsilon": 0.1}):
        yield L.BatchNormalization(**extra), PICTURE
    for extra in ({}, {"axis": (1, 2)}, {"rms_scaling": True, "center": False}, {"rms_scaling": True}, {"scale": False}, {"epsilon": 0.1}):
        yield L.LayerNormalization(**extra), SERIES
    for kind in (L.MaxPooling1D, L.AveragePooling1D):
        for extra in ({}, {"strides": 1, "padding": "same"}, {"data_format": "channels_first"}):
            yield kind(**{"pool_size": 2, **extra}), SERIES
    for kind in (L.MaxPooling2D, L.AveragePooling2D):
        for extra in ({}, {"pool_size": 3, "strides": 2, "padding": "same"}, {"pool_size": 3, "padding": "same", "strides": 1}, {"data_format": "channels_first"}):
            yield kind(**{"pool_size": 2, **extra}), PICTURE
    for kind in (L.GlobalAveragePooling1D, L.GlobalMaxPooling1D):
        for extra in ({}, {"keepdims": True}, {"data_format": "channels_first"}):
            yield kind(**extra), SERIES
    for kind in (L.GlobalAveragePooling2D, L.GlobalMaxPooling2D):
        for extra in ({}, {"keepdims": True}, {"data_format": "channels_first"}):
            yield kind(**extra), PICTURE
    for extra in ({}, {"return_sequences": True}, {"go_backwards": True}, {"activation": "relu"}):
        yield L.SimpleRNN(3, **extra), SERIES
        yield L.LSTM(3, **extra), SERIES
        yield L.GRU(3, reset_after=False, **extra), SERIES
    yield L.GRU(3), SERIES
    yield L.LSTM(3, recurrent_activation="hard_sigmoid"), SERIES
    for mode in ("concat", "sum", "ave", "mul"):
        yield L.Bidirectional(L.LSTM(3), merge_mode=mode), SERIES
    yield L.Bidirectional(L.LSTM(3), backward_layer=L.LSTM(3, activation="relu", go_backwards=True)), SERIES
    yield L.TimeDistributed(L.Dense(3)), SERIES
    yield L.TimeDistributed(L.ReLU(negative_slope=0.5)), SERIES
    yield L.Rescaling(0.5, offset=0.1), PICTURE
    for extra in ({}, {"interpolation": "nearest"}, {"crop_to_aspect_ratio": True}):
        yield L.Resizing(5, 9, **extra), PICTURE
    yield L.CenterCrop(4, 4), PICTURE
    yield L.Masking(0.5), SERIES


def plain(value):
    """Without what Keras 3 adds around names: a dtype policy is a type, an initializer has its class and settings."""
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "DTypePolicy":
        return value["config"]["name"]
    return {key: plain(one) for key, one in value.items() if key not in ("module", "registered_name", "build_config")}


def names_of(layer, weights):
    """As Keras 2 and tfjs-layers call them."""
    if isinstance(layer, L.Bidirectional):
        inner = layer.forward_layer.name.removeprefix("forward_")
        half = len(weights) // 2
        return [f"{layer.name}/{'forward' if i < half else 'backward'}_{inner}/{w.name}" for i, w in enumerate(weights)]
    prefix = "depthwise_" if isinstance(layer, L.DepthwiseConv2D) else ""
    return [f"{layer.name}/{prefix if w.name == 'kernel' else ''}{w.name}" for w in weights]


def main(path):
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    cases = []
    for layer, shape in variants():
        try:
            model = keras.Sequential([keras.Input(shape), layer])
            for weight in model.weights:
                value = rng.normal(size=weight.shape).astype("float32")
                weight.assign(np.abs(value) + 0.5 if "variance" in weight.name else value)
            x = rng.normal(size=(2, *shape)).astype("float32")
            y = np.asarray(model(x))
        except Exception:  # Keras itself does not compute it here.
            continue
        config = plain(layer.get_config())
        config["batch_input_shape"] = [None, *shape]
        if isinstance(layer, L.Bidirectional):
            for key in ("layer", "backward_layer"):
                inner = config[key]["config"]
                inner["name"] = inner["name"].removeprefix("forward_").removeprefix("backward_")
        for version in ("2.15.0", "3.15.1"):
            name = type(layer).__name__
            if version.startswith("2") and "hard_sigmoid" in json.dumps(config):
                continue  # What Keras 3 computes with under this name is not what Keras 2 meant.
            number = len(cases)
            folder = os.path.join(path, str(number))
            os.mkdir(folder)
            weights = list(zip(names_of(layer, model.weights), (np.asarray(weight) for weight in model.weights)))
            with open(os.path.join(folder, "weights.bin"), "wb") as file:
                for _, value in weights:
                    file.write(value.astype("float32").tobytes())
            manifest = [{"name": key, "shape": list(value.shape), "dtype": "float32"} for key, value in weights]
            topology = {
                "keras_version": version,
                "backend": "tensorflow",
                "model_config": {"class_name": "Sequential", "config": {"name": "m", "layers": [{"class_name": name, "config": config}]}},
            }
            with open(os.path.join(folder, "model.json"), "w") as file:
                json.dump({"modelTopology": topology, "weightsManifest": [{"paths": ["weights.bin"], "weights": manifest}]}, file)
            x.tofile(os.path.join(folder, "x.bin"))
            y.astype("float32").tofile(os.path.join(folder, "y.bin"))
            said = {key: value for key, value in config.items() if key != "name" and not isinstance(value, dict)}
            cases.append({"name": f"{name} {json.dumps(said)} of Keras {version}", "x": list(x.shape), "y": list(y.shape)})
    print(json.dumps(cases))


main(sys.argv[1])
