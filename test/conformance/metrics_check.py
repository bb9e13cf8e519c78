"""The figures of regression and of several labels, by scikit-learn: reads cases.json of a folder and prints a JSON list."""

import json
import sys

import numpy as np
from sklearn import metrics
from sklearn.calibration import calibration_curve


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


with open(f"{sys.argv[1]}/cases.json") as file:
    cases = json.load(file)
print(json.dumps([{"regression": regression, "labels": labels}[c["task"]](c) for c in cases]))
