"""Runs .tflite files of one input and one output in the official interpreter, on rows of float32 one at a time: what each gives is written behind its name."""

import json
import os
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

folder = sys.argv[1]
with open(os.path.join(folder, "manifest.json")) as file:
    manifest = json.load(file)
rows = np.fromfile(os.path.join(folder, manifest["rows"]), dtype="float32").reshape(manifest["shape"])
names = {}
for name in manifest["files"]:
    runner = Interpreter(os.path.join(folder, name)).get_signature_runner("serving_default")
    (fed,) = runner.get_input_details()
    (read,) = runner.get_output_details()
    results = np.stack([runner(**{fed: row[np.newaxis]})[read] for row in rows])
    results.astype("float32").tofile(os.path.join(folder, name + ".out"))
    names[name] = [fed, read]
print("\n" + json.dumps(names))
