"""Median latency of TFLite files at batch 1 on one thread in the LiteRT of PyPI, in turns, and each beside the first:

    npm run bench:litert -- FILE... [--seconds 10]

What LiteRT for WebAssembly and TensorFlow Lite 2.9 say of a file, `limbeck bench` prints.
"""
import argparse
import importlib.metadata
import random
import statistics
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

CALLS = 100


def opened(path):
    interpreter = Interpreter(path, num_threads=1)
    interpreter.allocate_tensors()
    draw = np.random.default_rng(0)
    for one in interpreter.get_input_details():
        values = draw.random(one["shape"]) * (100 if np.issubdtype(one["dtype"], np.integer) else 1)
        interpreter.set_tensor(one["index"], values.astype(one["dtype"]))
    return interpreter


def seconds_of(interpreter):
    start = time.perf_counter()
    for _ in range(CALLS):
        interpreter.invoke()
    return (time.perf_counter() - start) / CALLS


def interval_of(ratios):
    """95 % interval of the median by the bootstrap."""
    draw = random.Random(0)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(1000))
    return medians[25], medians[974]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--seconds", type=float, default=10)
    args = parser.parse_args()
    interpreters = [opened(file) for file in args.files]
    for one in interpreters:
        seconds_of(one)
    end = time.perf_counter() + args.seconds
    turns = []
    while time.perf_counter() < end or len(turns) < 10:
        turns.append([seconds_of(one) for one in interpreters])
    print(f"ai-edge-litert {importlib.metadata.version('ai-edge-litert')}, {len(turns)} turns of {CALLS} calls")
    for i, file in enumerate(args.files):
        median = statistics.median(turn[i] for turn in turns)
        line = f"{file}: {1e6 * median:.1f} µs"
        if i > 0:
            ratios = [turn[i] / turn[0] for turn in turns]
            low, high = interval_of(ratios)
            line += f", {statistics.median(ratios):.3f} of the first's time (95 % interval {low:.3f} to {high:.3f})"
        print(line)


main()
