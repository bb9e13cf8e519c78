"""Runs each .tflite of a folder in the official interpreter and compares what it gives with what it gave in Node."""

import json
import os
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

folder = sys.argv[1]


def values(tensor):
    data = np.fromfile(os.path.join(folder, tensor["file"]), dtype=tensor["dtype"])
    return data.reshape(tensor["shape"]) if "shape" in tensor else data


def check(case):
    try:
        kernels = OpResolverType.BUILTIN_REF if case.get("referenceKernels") else OpResolverType.AUTO
        interpreter = Interpreter(os.path.join(folder, case["file"]), experimental_op_resolver_type=kernels)
        runner = interpreter.get_signature_runner("serving_default")
        results = runner(**{tensor["name"]: values(tensor) for tensor in case["inputs"]})
    except Exception as error:  # whatever the interpreter dislikes is the verdict
        return {"name": case["name"], "problem": f"{type(error).__name__}: {error}", "error": 0}
    worst = 0.0
    shares = {}
    for tensor in case["outputs"]:
        expected = values(tensor).astype("float64").ravel()
        actual = results[tensor["name"]].astype("float64").ravel()
        if actual.shape != expected.shape:
            problem = f"output {tensor['name']} has {actual.size} values, expected {expected.size}"
            return {"name": case["name"], "problem": problem, "error": 0}
        shares = compared(actual, expected, tensor["shape"], case.get("step"))
        both = np.isnan(actual) & np.isnan(expected) | (actual == expected)
        difference = np.where(both, 0, np.abs(actual - expected))
        finite = np.abs(expected[np.isfinite(expected)])
        error = difference.max(initial=0) / (finite.max(initial=0) or 1.0)
        worst = max(worst, error if np.isfinite(error) else 1e9)
        if not error <= case["tolerance"]:
            problem = f"output {tensor['name']} differs by {error:.2e}"
            return {"name": case["name"], "problem": problem, "error": worst}
    return {"name": case["name"], "problem": "", "error": worst, **shares}


def compared(actual, expected, shape, step):
    """Shares of rows with the same class, and of values within one step of the quantized output."""
    rows = lambda values: values.reshape(-1, shape[-1]).argmax(-1) if shape else values
    result = {"top1": float((rows(actual) == rows(expected)).mean())}
    if step:
        result["within"] = float((np.abs(actual - expected) <= step * 1.001).mean())
    return result


with open(os.path.join(folder, "manifest.json")) as manifest:
    print("\n" + json.dumps([check(case) for case in json.load(manifest)]))
