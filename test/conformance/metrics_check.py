"""The figures of classes, of regression, of several labels and of masks, by scikit-learn and PyTorch: reads cases.json of a folder and prints a JSON list."""

import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
from sklearn import metrics
from sklearn.calibration import calibration_curve


def classes(case):
    """ROC AUC, macro F1 and log loss of the softmax of logits; classes that no sample has count in no mean."""
    truth, logits = np.array(case["targets"]), np.array(case["answers"], dtype=np.float64)
    # Softmax rounds probabilities that are equal differently, by which scikit-learn would tell them apart.
    chance = np.round(torch.softmax(torch.tensor(logits), -1).numpy(), 13)
    given = logits.argmax(1)
    if logits.shape[1] == 2:
        auc = metrics.roc_auc_score(truth, chance[:, 1])
    else:
        auc = np.mean([metrics.roc_auc_score(truth == c, chance[:, c]) for c in np.unique(truth)])
        if len(np.unique(truth)) == logits.shape[1]:
            assert abs(auc - metrics.roc_auc_score(truth, chance, multi_class="ovr")) < 1e-12
    return {
        "roc-auc": float(auc),
        "macro-f1": metrics.f1_score(truth, given, average="macro"),
        "log-loss": metrics.log_loss(truth, chance, labels=list(range(logits.shape[1]))),
    }


def regression(case):
    truth, given = np.array(case["targets"]), np.array(case["answers"])
    return [
        {
            "mae": metrics.mean_absolute_error(truth[:, c], given[:, c]),
            "rmse": metrics.root_mean_squared_error(truth[:, c], given[:, c]),
            "r2": metrics.r2_score(truth[:, c], given[:, c]),
            "bias": float(np.mean(given[:, c] - truth[:, c])),
        }
        for c in range(truth.shape[1])
    ]


def reliability(truth, chance, bins=10):
    """Expected calibration error from scikit-learn's calibration curve, and its points."""
    share, mean = calibration_curve(truth, chance, n_bins=bins, strategy="uniform")
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], chance), minlength=bins)
    counts = counts[counts > 0]
    ece = float(np.sum(counts * np.abs(share - mean)) / len(truth))
    return {"ece": ece, "share": share.tolist(), "probability": mean.tolist(), "samples": counts.tolist()}


def labels(case):
    truth, logits = np.array(case["targets"]), np.array(case["answers"])
    given = (logits > 0).astype(int)
    used = [c for c in range(truth.shape[1]) if truth[:, c].any() or given[:, c].any()]
    return {
        "macroF1": metrics.f1_score(truth[:, used], given[:, used], average="macro", zero_division=0),
        "rightDecisions": float(np.mean(truth == given)),
        "reliability": [
            reliability(truth[:, c], 1 / (1 + np.exp(-logits[:, c]))) for c in range(truth.shape[1])
        ],
        "averagePrecision": [
            metrics.average_precision_score(truth[:, c], logits[:, c]) if truth[:, c].any() else None
            for c in range(truth.shape[1])
        ],
    }


def masks(case):
    """Masks of resized logits, IoU and Dice of each class, and cross-entropy with the shares of the classes in each cell."""
    rows, columns, classes, stride = (case[key] for key in ("rows", "columns", "classes", "stride"))
    logits = torch.tensor(case["answers"]).reshape(-1, rows, columns, classes).permute(0, 3, 1, 2)
    truth = torch.tensor(case["targets"]).reshape(-1, rows * stride, columns * stride)
    size = truth.shape[1:]
    given = F.interpolate(logits, size=size, mode="bilinear", align_corners=False).argmax(1)
    known = truth != 255
    y, p = truth[known].numpy(), given[known].numpy()
    seen = sorted(set(y) | set(p))
    iou = dict(zip(seen, metrics.jaccard_score(y, p, labels=seen, average=None)))
    dice = dict(zip(seen, metrics.f1_score(y, p, labels=seen, average=None)))
    one_hot = torch.stack([(truth == c).float() for c in range(classes)], 1)
    share = F.avg_pool2d(one_hot, stride)
    labelled = share.sum(1)
    soft = share / labelled.clamp(min=1e-6).unsqueeze(1)
    loss = F.cross_entropy(logits, soft, reduction="none")
    return {
        "given": given.flatten().tolist(),
        "meanIou": float(np.mean([iou[c] for c in seen])),
        "iou": [float(iou[c]) if c in iou else None for c in range(classes)],
        "dice": [float(dice[c]) if c in dice else None for c in range(classes)],
        "loss": float((loss * labelled).sum() / labelled.sum()),
    }


with open(f"{sys.argv[1]}/cases.json") as file:
    cases = json.load(file)
print(json.dumps([{"classes": classes, "regression": regression, "labels": labels, "masks": masks}[c["task"]](c) for c in cases]))
