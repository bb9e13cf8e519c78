"""Median latency of TFLite files at batch 1 on one thread in the LiteRT of PyPI, in turns, and each beside the first:

    npm run bench:litert -- FILE... [--seconds 10] [--ops] [--without-amx]

--ops prints the fastest time of each kind of operator instead, every operator in a file of its own. --without-amx hides the matrix unit of
Intel's processors from XNNPACK, which then computes int8 with AVX-512 as on other processors.
What LiteRT for WebAssembly and TensorFlow Lite 2.9 say of a file, `limbeck bench` prints.
"""
import argparse
import collections
import ctypes
import importlib.metadata
import platform
import random
import statistics
import struct
import time

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

CALLS = 100
OPERATORS = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}


def hide_amx():
    """Refuses this process the request for AMX (arch_prctl, ARCH_REQ_XCOMP_PERM) by a filter of seccomp's: load, compare, return."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise SystemExit("--without-amx is for Linux on x86-64")
    load, equal, answer, refuse, allow = 0x20, 0x15, 0x06, 0x00050001, 0x7FFF0000
    lines = [(load, 0, 0, 0), (equal, 0, 3, 158), (load, 0, 0, 16), (equal, 0, 1, 0x1023), (answer, 0, 0, refuse), (answer, 0, 0, allow)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in lines))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(lines), ctypes.addressof(code)))
    call = ctypes.CDLL(None, use_errno=True).prctl
    if call(38, 1, 0, 0, 0) != 0 or call(22, 2, program, 0, 0) != 0:
        raise SystemExit("--without-amx: the system refuses filters of calls")


def opened(**file):
    interpreter = Interpreter(**file, num_threads=1)
    interpreter.allocate_tensors()
    draw = np.random.default_rng(0)
    for one in interpreter.get_input_details():
        values = draw.random(one["shape"]) * (100 if np.issubdtype(one["dtype"], np.integer) else 1)
        interpreter.set_tensor(one["index"], values.astype(one["dtype"]))
    return interpreter


def seconds_of(interpreter, calls=CALLS):
    start = time.perf_counter()
    for _ in range(calls):
        interpreter.invoke()
    return (time.perf_counter() - start) / calls


def interval_of(ratios):
    """95 % interval of the median by the bootstrap."""
    draw = random.Random(0)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(1000))
    return medians[25], medians[974]


def print_latencies(files, seconds):
    interpreters = [opened(model_path=file) for file in files]
    for one in interpreters:
        seconds_of(one)
    end = time.perf_counter() + seconds
    turns = []
    while time.perf_counter() < end or len(turns) < 10:
        turns.append([seconds_of(one) for one in interpreters])
    print(f"ai-edge-litert {importlib.metadata.version('ai-edge-litert')}, {len(turns)} turns of {CALLS} calls")
    for i, file in enumerate(files):
        median = statistics.median(turn[i] for turn in turns)
        line = f"{file}: {1e6 * median:.1f} µs"
        if i > 0:
            ratios = [turn[i] / turn[0] for turn in turns]
            low, high = interval_of(ratios)
            line += f", {statistics.median(ratios):.3f} of the first's time (95 % interval {low:.3f} to {high:.3f})"
        print(line)


def operators_of(path):
    """(kind, interpreter) of each operator of a file; convolutions by the size of their filters."""
    with open(path, "rb") as file:
        content = file.read()
    read = lambda: schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    for i in range(len(read().subgraphs[0].operators)):
        model = read()
        graph = model.subgraphs[0]
        operator = graph.operators[i]
        code = model.operatorCodes[operator.opcodeIndex]
        kind = OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)]
        if "CONV" in kind:
            kind += " {}×{}".format(*graph.tensors[operator.inputs[1]].shape[1:3])
        is_fed = lambda tensor: model.buffers[graph.tensors[tensor].buffer].data is None
        graph.operators = [operator]
        graph.inputs = np.array([one for one in operator.inputs if one >= 0 and is_fed(one)], np.int32)
        graph.outputs = np.array(operator.outputs, np.int32)
        model.signatureDefs = []
        builder = flatbuffers.Builder()
        builder.Finish(model.Pack(builder), b"TFL3")
        yield kind, opened(model_content=bytes(builder.Output()))


def print_operators(files, seconds):
    all_files = [list(operators_of(file)) for file in files]
    best = [[float("inf")] * len(each) for each in all_files]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for times, each in zip(best, all_files):
            for i, (_, interpreter) in enumerate(each):
                times[i] = min(times[i], seconds_of(interpreter, 3))
    sums = [collections.Counter() for _ in files]
    for total, times, each in zip(sums, best, all_files):
        for time_of, (kind, _) in zip(times, each):
            total[kind] += 1e6 * time_of
    print(f"| operator, µs | {' | '.join(files)} |\n|---{'|--:' * len(files)}|")
    for kind in sorted(set().union(*sums), key=lambda kind: -max(total[kind] for total in sums)):
        print(f"| {kind} | {' | '.join(f'{total[kind]:.0f}' for total in sums)} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--ops", action="store_true")
    parser.add_argument("--without-amx", action="store_true")
    args = parser.parse_args()
    if args.without_amx:
        hide_amx()
    (print_operators if args.ops else print_latencies)(args.files, args.seconds)


main()
