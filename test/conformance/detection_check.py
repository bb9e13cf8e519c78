"""Average precision and recall of boxes by pycocotools: reads cases.json of a folder and prints a JSON list."""

import contextlib
import io
import json
import sys

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def coco_of(pictures, classes):
    boxes = [(i, *box) for i, picture in enumerate(pictures) for box in picture["boxes"]]
    annotations = [
        {
            "id": 1 + n,
            "image_id": i,
            "category_id": label,
            "bbox": [x, y, w, h],
            "iscrowd": more[0] if more else 0,
            "area": more[1] if len(more) > 1 else w * h,
        }
        for n, (i, label, x, y, w, h, *more) in enumerate(boxes)
    ]
    coco = COCO()
    coco.dataset = {
        "info": {},
        "images": [{"id": i, "height": p["height"], "width": p["width"]} for i, p in enumerate(pictures)],
        "categories": [{"id": c, "name": str(c)} for c in range(classes)],
        "annotations": annotations,
    }
    coco.createIndex()
    return coco


def mean_known(values):
    known = values[values > -1]
    return float(np.mean(known)) if known.size else -1


def f1_by_threshold(check):
    """F1 of all classes together at an overlap of 0.5, of detections with a score of 0.01, 0.02, … 0.99 or more; -1 where there is nothing."""
    whole = [own for own in check.evalImgs if own is not None and own["aRng"] == [0, 1e10]]
    boxes = sum(int(np.sum(np.array(own["gtIgnore"]) == 0)) for own in whole)
    scores = np.concatenate([np.array(own["dtScores"]) for own in whole] or [[]])
    counted = np.concatenate([np.array(own["dtIgnore"][0]) == 0 for own in whole] or [[]]).astype(bool)
    right = np.concatenate([np.array(own["dtMatches"][0]) > 0 for own in whole] or [[]]).astype(bool)
    found = []
    for i in range(1, 100):
        given = counted & (scores >= i / 100)
        total = int(given.sum()) + boxes
        found.append(2 * int((given & right).sum()) / total if total else -1)
    return found


def figures(case):
    pictures, classes = case["pictures"], case["classes"]
    truth = coco_of(pictures, classes)
    detections = [
        {"image_id": i, "category_id": label, "score": score, "bbox": box}
        for i, picture in enumerate(pictures)
        for label, score, *box in picture["detections"]
    ]
    check = COCOeval(truth, truth.loadRes(detections), "bbox")
    check.evaluate()
    check.accumulate()
    check.summarize()
    precision, recall, scores = (check.eval[key] for key in ("precision", "recall", "scores"))
    return {
        "stats": check.stats.tolist(),
        "f1": f1_by_threshold(check),
        "classes": [
            {
                "ap": mean_known(precision[:, :, c, 0, 2]),
                "ap50": mean_known(precision[0, :, c, 0, 2]),
                "ar100": mean_known(recall[:, c, 0, 2]),
                "precision": precision[0, :, c, 0, 2].tolist(),
                "score": scores[0, :, c, 0, 2].tolist(),
            }
            for c in range(classes)
        ],
    }


with open(f"{sys.argv[1]}/cases.json") as file:
    cases = json.load(file)
with contextlib.redirect_stdout(io.StringIO()):
    found = [figures(case) for case in cases]
print(json.dumps(found))
