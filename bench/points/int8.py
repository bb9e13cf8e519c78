#!/usr/bin/env python3
"""int8 files of points beside their float file, and beside what onnxruntime.quantization makes of it.

    npm run bench:points -- --run checkpoints/points [--data datasets/puppets]

Reads exports/distilled.onnx, -int8.onnx and -int8.tflite of a run of recipes/points.yaml. The ranges of onnxruntime.quantization come from as many pictures
of the training split as the recipe has samples; all files answer for the test split, which nothing was fitted to. For each picture it takes the share of
points within 1, 2 and 4 pixels of those of the float file, and prints the median and the mean over pictures; then PCK against the labels. TFLite files
are opened by the official interpreter.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
PIXELS = (1, 2, 4)
PCK = 0.05

INTERPRETER = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
model, given, out = sys.argv[1:]
interpreter = Interpreter(model)
pictures = np.load(given)
detail = interpreter.get_input_details()[0]
interpreter.resize_tensor_input(detail["index"], [1, *pictures.shape[1:]])
interpreter.allocate_tensors()
answers = []
for picture in pictures:
    interpreter.set_tensor(detail["index"], picture[None])
    interpreter.invoke()
    answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].copy())
np.save(out, np.stack(answers))
"""


def split(folder, name, limit=None):
    """Pictures [n, height, width, 3] from 0 to 255, and places [n, points, 3] in pixels with their visibility."""
    with open(folder / f"{name}.csv") as file:
        rows = list(csv.reader(file))[1:][:limit]
    pictures = [np.asarray(Image.open(folder / row[0]).convert("RGB"), np.float32) for row in rows]
    places = np.array([[float(value or 0) for value in row[1:]] for row in rows]).reshape(len(rows), -1, 3)
    return np.stack(pictures), places


def prepared(model, pictures):
    """Pictures as the file says that it takes them."""
    metadata = {entry.key: entry.value for entry in onnx.load(model).metadata_props}
    own = json.loads(metadata["preprocessing"])
    if tuple(own["shape"]) != pictures.shape[1:]:
        sys.exit(f"{model} takes {own['shape']}, and the pictures are {pictures.shape[1:]}")
    return ((pictures * own["scale"] - own["mean"]) / own["std"]).astype(np.float32)


def decoded(logits, points, side):
    """Places [n, points, 2] in pixels: the middles of the most probable column and row."""
    rows = logits.reshape(len(logits), points, 2, -1)
    return (rows.argmax(-1) + 0.5) * side / rows.shape[-1]


def with_onnx(model, x):
    session = ort.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {session.get_inputs()[0].name: part})[0] for part in np.array_split(x, 20)])


def with_interpreter(model, x, folder):
    np.save(folder / "x.npy", x)
    python = ROOT / ".venv/tflite/bin/python"
    command = [python, "-c", INTERPRETER, model, folder / "x.npy", folder / "y.npy"]
    subprocess.run([str(word) for word in command], check=True, stderr=subprocess.DEVNULL)
    return np.load(folder / "y.npy")


def quantized(model, x, folder):
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.rest = iter(x)
            self.name = ort.InferenceSession(str(model)).get_inputs()[0].name

        def get_next(self):
            sample = next(self.rest, None)
            return None if sample is None else {self.name: sample[None]}

    ready, out = folder / "ready.onnx", folder / "int8.onnx"
    quant_pre_process(str(model), str(ready), skip_symbolic_shape=True)
    quantize_static(str(ready), str(out), Reader(), quant_format=QuantFormat.QDQ, per_channel=True)
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=pathlib.Path, default=ROOT / "checkpoints/points")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "datasets/puppets")
    options = parser.parse_args()
    exports = options.run / "exports"
    model = exports / "distilled.onnx"
    pictures, labels = split(options.data, "test")
    samples = json.loads((options.run / "report.json").read_text())["recipe"]["quantize"]
    count = (samples[0] if isinstance(samples, list) else samples)["samples"]
    x, calibration = prepared(model, pictures), prepared(model, split(options.data, "train", count)[0])
    points, side = labels.shape[1], pictures.shape[2]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        theirs = quantized(model, calibration, folder)
        files = {
            "float32 ONNX": (model, with_onnx(model, x)),
            "int8 ONNX": (exports / "distilled-int8.onnx", with_onnx(exports / "distilled-int8.onnx", x)),
            "int8 TFLite": (
                exports / "distilled-int8.tflite",
                with_interpreter(exports / "distilled-int8.tflite", x, folder),
            ),
            "onnxruntime.quantization": (theirs, with_onnx(theirs, x)),
        }
        usual = decoded(files["float32 ONNX"][1], points, side)
        seen = labels[..., 2] > 0
        heads = [f"within {n} px, median" for n in PIXELS] + [f"within {n} px, mean" for n in PIXELS]
        print("| file | kB |", " | ".join(heads), "| PCK |")
        print("| --- | ---: |" + " ---: |" * (len(heads) + 1))
        for name, (file, logits) in files.items():
            own = decoded(logits, points, side)
            off = np.linalg.norm(own - usual, axis=-1)
            shares = [(off <= n).mean(1) for n in PIXELS]
            right = np.linalg.norm(own - labels[..., :2], axis=-1)[seen] <= PCK * side
            figures = [100 * np.median(share) for share in shares] + [100 * share.mean() for share in shares]
            texts = " | ".join(f"{value:.1f} %" for value in figures)
            print(f"| {name} | {file.stat().st_size / 1000:.1f} | {texts} | {100 * right.mean():.2f} % |")


main()
