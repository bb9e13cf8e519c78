"""Mean average precision of detectors' files by pycocotools, from their answers to pictures in ONNX Runtime or in LiteRT."""

import contextlib
import io
import json
import os
import sys

import numpy as np
import onnxruntime
from ai_edge_litert.interpreter import Interpreter
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

# Non-maximum suppression by which limbeck scores detectors.
LEAST, OVERLAP, MOST = 0.01, 0.6, 100


def opened(path):
    """Function that gives the outputs of a file by name for a picture [1, height, width, 3]."""
    if path.endswith(".tflite"):
        runner = Interpreter(path, num_threads=1).get_signature_runner("serving_default")
        (fed,) = runner.get_input_details()
        return lambda picture: runner(**{fed: picture})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options)
    names = [one.name for one in session.get_outputs()]
    return lambda picture: dict(zip(names, session.run(names, {session.get_inputs()[0].name: picture})))


def overlaps(box, others):
    """Intersection over union of a box with each of the others."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    both = np.prod(np.maximum(sides, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    return both / np.maximum(np.prod(box[2:] - box[:2]) + areas - both, 1e-12)


def suppressed(boxes, scores):
    """Of corners [points, 4] and probabilities [points, classes]: (class, score, corners) of the boxes that no better one of their class covers."""
    points, kinds = np.nonzero(scores >= LEAST)
    kept = []
    for i in np.argsort(-scores[points, kinds], kind="stable"):
        others = np.array([box for kind, _, box in kept if kind == kinds[i]]).reshape(-1, 4)
        if len(kept) < MOST and not np.any(overlaps(boxes[points[i]], others) > OVERLAP):
            kept.append((kinds[i], scores[points[i], kinds[i]], boxes[points[i]]))
    return kept


def detections(outputs):
    """(class, score, corners as shares of the picture) of what any of our files of detectors answers."""
    values = {name: value.astype("float64") for name, value in outputs.items()}
    if "labels" in values:
        return list(zip(values["labels"], values["scores"], values["boxes"]))
    if "location" in values:
        centre, size = np.split(values["location"][0][:, [1, 0, 3, 2]], 2, axis=1)
        return suppressed(np.concatenate([centre - size / 2, centre + size / 2], 1), values["score"][0])
    return suppressed(values["boxes"][0], 1 / (1 + np.exp(-values["scores"][0])))


def score(path, truth, pictures):
    images, kinds = truth.dataset["images"], sorted(truth.getCatIds())
    answer = opened(path)
    found = []
    for image, picture in zip(images, pictures, strict=True):
        sides = np.tile([image["width"], image["height"]], 2)
        for kind, sure, corners in detections(answer(picture[np.newaxis])):
            x0, y0, x1, y1 = (corners * sides).tolist()
            box = [x0, y0, x1 - x0, y1 - y0]
            found.append({"image_id": image["id"], "category_id": kinds[int(kind)], "score": float(sure), "bbox": box})
    check = COCOeval(truth, truth.loadRes(found), "bbox")
    check.evaluate()
    check.accumulate()
    check.summarize()
    return float(check.stats[0])


folder = sys.argv[1]
with open(os.path.join(folder, "manifest.json")) as file:
    manifest = json.load(file)
shape = manifest["shape"]
rows = np.fromfile(os.path.join(folder, manifest["rows"]), dtype="uint8").reshape(shape).astype("float32") / np.float32(255)
with contextlib.redirect_stdout(io.StringIO()):
    coco = COCO(manifest["truth"])
    scores = {name: score(os.path.join(folder, name), coco, rows) for name in manifest["files"]}
print("\n" + json.dumps(scores))
