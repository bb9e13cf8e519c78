"""Runs streaming .tflite files of a folder hop by hop in the official interpreter, beside the answers that are expected."""

import json
import os
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

folder = sys.argv[1]


def values(name, shape):
    return np.fromfile(os.path.join(folder, name), dtype="float32").reshape(shape)


def answers(file, hops):
    """Answers to the hops of each sequence [hops, ...], which begins with a past of zeros."""
    result = []
    for sequence in hops:
        interpreter = Interpreter(os.path.join(folder, file))
        interpreter.allocate_tensors()
        (source,) = interpreter.get_input_details()
        (target,) = interpreter.get_output_details()
        row = []
        for hop in sequence:
            interpreter.set_tensor(source["index"], hop[None])
            interpreter.invoke()
            row.append(interpreter.get_tensor(target["index"])[0].ravel())
        result.append(row)
    return np.array(result)


def check(case):
    hops = values(case["hops"], case["hopsShape"])
    expected = values(case["expected"], case["expectedShape"])
    actual = answers(case["stream"], hops)[:, case["from"] : case["to"]]
    result = {"name": case["name"], "error": float(np.abs(actual - expected).max()), "compared": int(actual.shape[1])}
    if "whole" in case:
        windows = values(case["windows"], case["windowsShape"])
        whole = answers(case["whole"], windows)
        result["steps"] = float(np.abs(whole - actual).max() / case["step"])
        result["same"] = float((np.abs(whole - actual) < case["step"] / 2).mean())
    return result


with open(os.path.join(folder, "manifest.json")) as manifest:
    print("\n" + json.dumps([check(case) for case in json.load(manifest)]))
