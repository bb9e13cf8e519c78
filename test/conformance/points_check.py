"""Points beside pycocotools, NumPy and PyTorch: reads cases.json of a folder and prints their figures as JSON."""

import contextlib
import io
import json
import sys

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def oks(case):
    """Average precision of key points, one object and one answer in each picture."""
    names = [str(k) for k in range(len(case["sigmas"]))]
    pictures = case["pictures"]
    truth = COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": i, "height": p["height"], "width": p["width"]} for i, p in enumerate(pictures)],
        "categories": [{"id": 1, "name": "one", "keypoints": names, "skeleton": []}],
        "annotations": [
            {
                "id": 1 + i,
                "image_id": i,
                "category_id": 1,
                "iscrowd": 0,
                "bbox": [0, 0, p["width"], p["height"]],
                "area": p["area"],
                "keypoints": [value for point in p["points"] for value in point],
                "num_keypoints": sum(1 for _, _, seen in p["points"] if seen > 0),
            }
            for i, p in enumerate(pictures)
        ],
    }
    truth.createIndex()
    answers = [
        {
            "image_id": i,
            "category_id": 1,
            "keypoints": [value for x, y, _ in p["answers"] for value in (x, y, 1)],
            "score": float(np.mean([score for _, _, score in p["answers"]])),
        }
        for i, p in enumerate(pictures)
    ]
    check = COCOeval(truth, truth.loadRes(answers), "keypoints")
    check.params.kpt_oks_sigmas = np.array(case["sigmas"])
    check.evaluate()
    check.accumulate()
    check.summarize()
    return [check.stats[i] for i in (0, 1, 2, 5)]


def decoded(case):
    """Places and scores of rows of logits, [points, 3]."""
    logits = np.array(case["logits"]).reshape(-1, 2, case["bins"])
    best = logits.argmax(-1)
    probabilities = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities /= probabilities.sum(-1, keepdims=True)
    bins = np.arange(-case["bins"], case["bins"] + 1)
    peak = 1 / np.exp(-0.5 * (bins / np.sqrt(case["bins"] / 16)) ** 2).sum()
    scores = np.minimum(1, probabilities.max(-1) / peak).min(-1)
    return np.concatenate([(best + 0.5) / case["bins"], scores[:, None]], -1).ravel().tolist()


def loss(case):
    """Divergence of each row of logits from the Gaussian of its label, and the gradient of their weighted sum."""
    bins = case["bins"]
    logits = torch.tensor(case["logits"], dtype=torch.float64).reshape(-1, bins).requires_grad_()
    places = torch.tensor(case["places"], dtype=torch.float64).reshape(-1, 1) * bins
    middles = torch.arange(bins, dtype=torch.float64) + 0.5
    gaussians = torch.softmax(-0.5 * ((middles - places) / (bins / 16) ** 0.5) ** 2, -1)
    rows = torch.nn.functional.kl_div(torch.log_softmax(logits, -1), gaussians, reduction="none").sum(-1)
    (rows * torch.tensor(case["weights"], dtype=torch.float64)).sum().backward()
    return {"rows": rows.tolist(), "gradient": logits.grad.ravel().tolist()}


with open(f"{sys.argv[1]}/cases.json") as file:
    cases = json.load(file)
with contextlib.redirect_stdout(io.StringIO()):
    found = {
        "oks": [oks(case) for case in cases["oks"]],
        "decoded": [decoded(case) for case in cases["decoded"]],
        "loss": [loss(case) for case in cases["loss"]],
    }
print(json.dumps(found))
