"""Checks each model of a folder with ONNX' own checker, and compares what Python's ONNX Runtime gives with what ours gave."""
import os

import numpy as np
import onnx
import onnxruntime as ort

from verdicts import judge


def tensor(folder, entry):
    dtype = np.dtype(entry["dtype"])
    values = np.fromfile(os.path.join(folder, entry["file"]), dtype=np.uint8).view(dtype)
    return values.reshape(entry["shape"])


def relative_error(actual, expected):
    if actual.shape != expected.shape:
        raise ValueError(f"shape {actual.shape} instead of {expected.shape}")
    if actual.dtype != expected.dtype:
        raise ValueError(f"type {actual.dtype} instead of {expected.dtype}")
    if actual.size == 0:
        return 0.0
    a, e = actual.astype(np.float64), expected.astype(np.float64)
    same = (a == e) | (np.isnan(a) & np.isnan(e))
    if same.all():
        return 0.0
    scale = max(1.0, float(np.abs(e[np.isfinite(e)]).max(initial=0.0)))
    return float(np.where(same, 0.0, np.abs(a - e)).max() / scale)


def check(folder, case):
    path = os.path.join(folder, case["file"])
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feeds = {entry["name"]: tensor(folder, entry) for entry in case["inputs"]}
    names = [entry["name"] for entry in case["outputs"]]
    error = 0.0
    for entry, actual in zip(case["outputs"], session.run(names, feeds)):
        wrong = relative_error(np.asarray(actual), tensor(folder, entry))
        if not wrong <= case["tolerance"]:
            raise ValueError(f"output {entry['name']} differs by {wrong:.3g}")
        error = max(error, wrong)
    return error


judge(check)
