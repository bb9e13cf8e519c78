"""Runs source files and what was made of them on the same samples: ONNX Runtime for .onnx, the official interpreter for .tflite.

    python3 zoo_check.py FOLDER NAME

Beside our int8 TFLite file stands the one that LiteRT's own quantizer makes of our float32 file.
"""

import json
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort
from ai_edge_quantizer import quantizer, recipe
from ai_edge_litert.interpreter import Interpreter
from zoo_data import batches_of

folder, name = sys.argv[1:]
ort.set_default_logger_severity(3)


def onnx_answers(file, batches):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = {one.name for one in session.get_inputs()}
    runs = [session.run(None, {key: x for key, x in feeds.items() if key in names}) for feeds in batches]
    return {one.name: [run[i] for run in runs] for i, one in enumerate(session.get_outputs())}


def steps_of(detail):
    """Scale and zero point of an input or output in 8 bits; None for floats."""
    scale, zero = detail["quantization"]
    return (scale, zero) if np.issubdtype(detail["dtype"], np.integer) and scale > 0 else None


def tflite_answers(file, batches):
    """LiteRT's quantizer leaves inputs and outputs in 8 bits: their steps are taken here."""
    runner = Interpreter(model_path=file, num_threads=2).get_signature_runner()
    fed, given = runner.get_input_details(), runner.get_output_details()

    def fitting(name, x):
        steps, dtype = steps_of(fed[name]), fed[name]["dtype"]
        if steps is None:
            # int64 is int32 there.
            return x.astype(dtype)
        limits = np.iinfo(dtype)
        return np.clip(np.round(x / steps[0]) + steps[1], limits.min, limits.max).astype(dtype)

    def number(name, y):
        steps = steps_of(given[name])
        return y if steps is None else (y.astype(np.float32) - steps[1]) * np.float32(steps[0])

    runs = [runner(**{name: fitting(name, feeds[name]) for name in fed}) for feeds in batches]
    return {name: [number(name, run[name]) for run in runs] for name in given}


def likeness(expected, actual):
    """Signal to noise in dB and the largest error, as it is and as a share of the range, of the output that has the least of the first."""
    worst = None
    for name in expected:
        a = np.concatenate([x.ravel() for x in expected[name]]).astype(np.float64)
        b = np.concatenate([x.ravel() for x in actual[name]]).astype(np.float64)
        if a.shape != b.shape:
            return {"output": name, "sqnr": -999.0, "error": 999.0}
        noise, signal = ((a - b) ** 2).sum(), (a**2).sum()
        sqnr = 999.0 if noise == 0 else -999.0 if signal == 0 else float(10 * np.log10(signal / noise))
        spread = float(np.ptp(a)) or float(np.abs(a).max()) or 1.0
        furthest = float(np.abs(a - b).max())
        one = {"output": name, "sqnr": sqnr, "error": furthest / spread, "absolute": furthest}
        if worst is None or one["sqnr"] < worst["sqnr"]:
            worst = one
    return worst


def quantized_by_litert(file, to, calibration, batches):
    """What the file of 8-bit weights and activations answers that LiteRT's quantizer makes; else None, and why there is none that runs."""
    try:
        signature, ends = next(iter(Interpreter(model_path=file).get_signature_list().items()))
        calibrating = [{name: feeds[name] for name in ends["inputs"]} for feeds in calibration]
        made = quantizer.Quantizer(file, recipe.static_wi8_ai8())
        made.quantize(made.calibrate({signature: calibrating})).export_model(to, overwrite=True)
        return tflite_answers(to, batches), ""
    except Exception as error:
        return None, f"{type(error).__name__}: {error}".splitlines()[0][:200]


def check(case):
    at = lambda file: os.path.join(folder, file)
    source, files = at(name + ".onnx"), dict(case["files"])
    with open(at(name + ".found.json")) as found:
        said = json.load(found).get("said", {})
    read = lambda file: batches_of(onnx.load(source), dict(np.load(file)), said)
    batches = calibration = read(at(name + ".npz"))
    if os.path.exists(at(name + ".held.npz")):
        batches = read(at(name + ".held.npz"))
    expected = onnx_answers(source, batches)
    # A net that answers the same to all is like any other that does.
    still = [key for key, runs in expected.items() if len(runs) > 1 and all(np.array_equal(runs[0], x) for x in runs)]
    answers = lambda file: (tflite_answers if file.endswith(".tflite") else onnx_answers)(at(file), batches)
    found = {kind: likeness(expected, answers(file)) for kind, file in files.items()}
    why = ""
    if "fp32.tflite" in files:
        theirs, why = quantized_by_litert(at(files["fp32.tflite"]), at(name + ".litert.tflite"), calibration, batches)
        if theirs is not None:
            found["litert.tflite"] = likeness(expected, theirs)
    return {"name": name, "found": found, "still": still, "notQuantizedByLitert": why}


with open(os.path.join(folder, name + ".made.json")) as made:
    print("\n" + json.dumps(check(json.load(made))))
