"""Builds Keras models with the weights of ours, converts them with tf.lite.TFLiteConverter, and compares the files."""

import json
import os
import statistics
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

folder = sys.argv[1]
keras = tf.keras
layers = keras.layers


def read(tensor):
    return np.fromfile(os.path.join(folder, tensor["file"]), dtype=tensor["dtype"]).reshape(tensor["shape"])


def window(config):
    return {key: config[key] for key in ("kernel_size", "strides", "padding", "use_bias")}


LAYERS = {
    "Add": lambda c: layers.Add(),
    "BatchNormalization": lambda c: layers.BatchNormalization(epsilon=c["epsilon"]),
    "Conv2D": lambda c: layers.Conv2D(c["filters"], **window(c)),
    "Dense": lambda c: layers.Dense(c["units"]),
    "DepthwiseConv2D": lambda c: layers.DepthwiseConv2D(**window(c)),
    "Flatten": lambda c: layers.Flatten(),
    "GlobalAveragePooling2D": lambda c: layers.GlobalAveragePooling2D(),
    "MaxPooling2D": lambda c: layers.MaxPooling2D(c["pool_size"], c["strides"], c["padding"]),
    "ReLU": lambda c: layers.ReLU(max_value=c.get("max_value")),
}


def build(case, batch):
    """The model as a user of Keras would write it."""
    values = {}
    for layer in case["layers"]:
        config = layer["config"]
        if layer["class_name"] == "InputLayer":
            values[config["name"]] = x = keras.Input(config["batch_input_shape"][1:], batch_size=batch)
            continue
        made = LAYERS[layer["class_name"]](config)
        inputs = [values[origin] for origin, *_ in layer["inbound_nodes"][0]]
        values[config["name"]] = y = made(inputs[0] if len(inputs) == 1 else inputs)
        made.set_weights([read(weight) for weight in layer["weights"]])
    return keras.Model(x, y)


def convert(model, precision, samples):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "integer":
        converter.representative_dataset = lambda: ([sample] for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()


def opened(content):
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def classes(interpreter, samples):
    ends = [details[0]["index"] for details in (interpreter.get_input_details(), interpreter.get_output_details())]
    found = []
    for sample in samples:
        interpreter.set_tensor(ends[0], sample)
        interpreter.invoke()
        found.append(interpreter.get_tensor(ends[1]).argmax())
    return np.array(found)


def timed(interpreter, calls):
    """Milliseconds of this thread's processor time, which other programs do not lengthen, for one inference."""
    start = time.thread_time()
    for _ in range(calls):
        interpreter.invoke()
    return 1000 * (time.thread_time() - start) / calls


def latencies(contents, sample, rounds):
    """Milliseconds by file, in turn, each round in the other order than the one before.

    Each file is loaded twice, first and last of four: where its memory comes to lie changes its time by some percent.
    """
    order = (0, 1, 1, 0)
    interpreters = [opened(contents[i]) for i in order]
    for interpreter in interpreters:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], sample)
    # A round long enough for the clock: 20 ms or more.
    calls = [max(1, int(20 / max(timed(interpreter, 5), 1e-3))) for interpreter in interpreters]
    times = [[], []]
    for turn in range(rounds):
        sums = [0.0, 0.0]
        for at in range(4) if turn % 2 == 0 else range(3, -1, -1):
            sums[order[at]] += timed(interpreters[at], calls[at])
        for values, total in zip(times, sums):
            values.append(total / 2)
    return times


def compare(case):
    batches = {kind: np.split(read(case[kind]["x"]), case[kind]["x"]["shape"][0]) for kind in ("calibration", "held")}
    held = read(case["held"]["x"])
    float_classes = build(case, None).predict(held, verbose=0).argmax(-1)
    labels = read(case["held"]["labels"])
    model = build(case, 1)
    result = {"name": case["name"]}
    for precision, file in case["ours"].items():
        with open(os.path.join(folder, file), "rb") as ours:
            contents = [ours.read(), convert(model, precision, batches["calibration"])]
        theirs = f"{case['name']}-{precision}-theirs.tflite"
        with open(os.path.join(folder, theirs), "wb") as written:
            written.write(contents[1])
        pair = {"file": theirs}
        hits = []
        for side, content in zip(("ours", "theirs"), contents):
            interpreter = opened(content)
            operators = [op for op in interpreter._get_ops_details() if op["op_name"] != "DELEGATE"]
            found = classes(interpreter, batches["held"])
            hits.append(found == (labels if case["trained"] else float_classes))
            pair[side] = {
                "bytes": len(content),
                "operators": len(operators),
                "agreement": float((found == float_classes).mean()),
            }
            if case["trained"]:
                pair[side]["accuracy"] = float(hits[-1].mean())
        pair["onlyOurs"], pair["onlyTheirs"] = int((hits[0] & ~hits[1]).sum()), int((hits[1] & ~hits[0]).sum())
        if case["rounds"] > 0:
            times = latencies(contents, batches["held"][0], case["rounds"])
            for side, values in zip(("ours", "theirs"), times):
                pair[side]["ms"] = statistics.median(values)
            pair["latencyRatio"] = statistics.median(a / b for a, b in zip(*times))
        result[precision] = pair
    return result


with open(os.path.join(folder, "manifest.json")) as manifest:
    print("\n" + json.dumps([compare(case) for case in json.load(manifest)]))
