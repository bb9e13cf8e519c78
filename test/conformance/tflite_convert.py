"""Builds graphs with TensorFlow, converts them with tf.lite.TFLiteConverter, and says how large the files are."""

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


def read(tensor):
    return np.fromfile(os.path.join(folder, tensor["file"]), dtype=tensor["dtype"]).reshape(tensor["shape"])


def padding(size, out, window, stride, pads):
    """SAME or VALID where they mean the same as the explicit padding, as a Keras model would have them."""
    if not any(pads):
        return "VALID"
    same = True
    for axis in (0, 1):
        total = max((out[axis] - 1) * stride[axis] + window[axis] - size[axis], 0)
        same &= out[axis] == -(-size[axis] // stride[axis]) and pads[2 * axis] == total // 2
    return "SAME" if same else [[0, 0], pads[:2], pads[2:], [0, 0]]


def window(x, attrs, filter_size, out):
    return padding(x.shape[1:3], out[1:3], filter_size, attrs["strides"], list(attrs["pads"]))


def conv(x, w, a, out):
    return tf.nn.conv2d(x, w, a["strides"], window(x, a, w.shape[:2], out), dilations=a["dilations"])


def depthwise(x, w, a, out):
    return tf.nn.depthwise_conv2d(x, w, [1, *a["strides"], 1], window(x, a, w.shape[:2], out))


def norm(x, mean, variance, offset, scale, a):
    if x.shape.rank != 4:
        return tf.nn.batch_normalization(x, mean, variance, offset, scale, a["epsilon"])
    y, _, _ = tf.compat.v1.nn.fused_batch_norm(
        x, scale, offset, mean=mean, variance=variance, epsilon=a["epsilon"], is_training=False
    )
    return y


RULES = {
    "Add": lambda i, a, o: i[0] + i[1],
    "AvgPool": lambda i, a, o: tf.nn.avg_pool2d(i[0], a["filterSize"], a["strides"], window(i[0], a, a["filterSize"], o)),
    "BatchMatMul": lambda i, a, o: tf.matmul(i[0], i[1], a["transposeA"], a["transposeB"]),
    "Conv2D": lambda i, a, o: conv(i[0], i[1], a, o),
    "DepthwiseConv2dNative": lambda i, a, o: depthwise(i[0], i[1], a, o),
    "FusedBatchNorm": lambda i, a, o: norm(*i, a),
    "MaxPool": lambda i, a, o: tf.nn.max_pool2d(i[0], a["filterSize"], a["strides"], window(i[0], a, a["filterSize"], o)),
    "Mean": lambda i, a, o: tf.reduce_mean(i[0], a["axes"], a["keepDims"]),
    "Pad": lambda i, a, o: tf.pad(i[0], np.reshape(a["paddings"], [-1, 2])),
    "Relu": lambda i, a, o: tf.nn.relu(i[0]),
    "Relu6": lambda i, a, o: tf.nn.relu6(i[0]),
    "ClipByValue": lambda i, a, o: tf.nn.relu6(i[0]),
    "Reshape": lambda i, a, o: tf.reshape(i[0], o),
    "Tanh": lambda i, a, o: tf.tanh(i[0]),
}


def build(case):
    constants = {tensor["name"]: tf.constant(read(tensor)) for tensor in case["constants"]}

    @tf.function(input_signature=[tf.TensorSpec(case["input"]["shape"], tf.float32, "x")])
    def model(x):
        values = dict(constants, x=x)
        for node in case["nodes"]:
            inputs = [values[name] for name in node["inputs"]]
            values[node["output"]] = RULES[node["op"]](inputs, node["attrs"], node["shape"])
        return {"logits": values[case["output"]]}

    return model


def convert(model, precision, samples):
    converter = tf.lite.TFLiteConverter.from_concrete_functions([model.get_concrete_function()], tf.Module())
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "integer":
        converter.representative_dataset = lambda: ([sample] for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter.convert()


def run(content, samples):
    interpreter = Interpreter(model_content=content)
    runner = interpreter.get_signature_runner()
    return np.concatenate([runner(x=sample)["logits"] for sample in samples])


def describe(content, reference, samples):
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    operators = [op["op_name"] for op in interpreter._get_ops_details() if op["op_name"] != "DELEGATE"]
    results = run(content, samples)
    error = np.abs(results - reference).mean() / np.abs(reference).max()
    agreement = (results.argmax(-1) == reference.argmax(-1)).mean()
    return {"bytes": len(content), "operators": len(operators), "error": float(error), "agreement": float(agreement)}


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
    interpreters = [Interpreter(model_content=contents[i], num_threads=1) for i in order]
    for interpreter in interpreters:
        interpreter.allocate_tensors()
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
    model = build(case)
    samples = np.split(read(case["samples"]), case["samples"]["shape"][0])
    reference = np.concatenate([model(tf.constant(sample))["logits"].numpy() for sample in samples])
    result = {"name": case["name"]}
    for precision, file in case["ours"].items():
        with open(os.path.join(folder, file), "rb") as ours:
            contents = [ours.read(), convert(model, precision, samples)]
        pair = dict(zip(("ours", "theirs"), (describe(content, reference, samples) for content in contents)))
        if case.get("rounds", 0) > 0:
            times = latencies(contents, samples[0], case["rounds"])
            for side, values in zip(("ours", "theirs"), times):
                pair[side]["ms"] = statistics.median(values)
            pair["latencyRatio"] = statistics.median(a / b for a, b in zip(*times))
        result[precision] = pair
    return result


with open(os.path.join(folder, "manifest.json")) as manifest:
    print("\n" + json.dumps([compare(case) for case in json.load(manifest)]))
