"""Losses of segmentation in PyTorch, in float64, with the gradient by the student's logits: prints a list of {loss, gradient}.

    python3 segmentation_loss.py FOLDER    # FOLDER/cases.json

Masks have the size of the grid here: a pixel for each cell, 255 without a class.
"""

import json
import sys
from pathlib import Path

import torch
from torch.nn import functional

IGNORED = 255


def dice(logits, masks, classes):
    """segmentation_models_pytorch 0.5, losses/dice.py: mode multiclass, from_logits, ignore_index, smooth 0, eps 1e-7."""
    batch = logits.shape[0]
    known = (masks != IGNORED).view(batch, -1)
    given = logits.softmax(1).view(batch, classes, -1) * known.unsqueeze(1)
    flat = masks.view(batch, -1)
    there = functional.one_hot((flat * known).long(), classes).permute(0, 2, 1) * known.unsqueeze(1)
    both = (given * there).sum(dim=(0, 2))
    score = 2 * both / (given + there).sum(dim=(0, 2)).clamp_min(1e-7)
    return ((1 - score) * (there.sum(dim=(0, 2)) > 0)).mean()


def channel_wise(student, teacher, temperature):
    """mmrazor 1.0, models/losses/cwd.py, where the loss of a batch is its sum over the number of channels and of samples."""
    n, c, h, w = student.shape
    soft = functional.softmax(teacher.view(-1, h * w) / temperature, dim=1)
    log = functional.log_softmax
    whole = (soft * log(teacher.view(-1, h * w) / temperature, dim=1) - soft * log(student.view(-1, h * w) / temperature, dim=1)).sum()
    return whole * temperature**2 / (c * n)


def verdict(case):
    double = dict(dtype=torch.float64)
    student = torch.tensor(case["student"], **double).permute(0, 3, 1, 2).contiguous().requires_grad_()
    teacher = torch.tensor(case["teacher"], **double).permute(0, 3, 1, 2).contiguous()
    masks = torch.tensor(case["masks"])
    weight = None if case["weights"] is None else torch.tensor(case["weights"], **double)
    loss = functional.cross_entropy(student, masks, weight=weight, ignore_index=IGNORED)
    if case["dice"] is not None:
        loss = loss + case["dice"] * dice(student, masks, student.shape[1])
    if case["loss"] == "cwd-logits":
        loss = (1 - case["alpha"]) * loss + case["alpha"] * channel_wise(student, teacher, case["temperature"])
    loss.backward()
    return {"loss": loss.item(), "gradient": student.grad.permute(0, 2, 3, 1).flatten().tolist()}


cases = json.loads((Path(sys.argv[1]) / "cases.json").read_text())
print(json.dumps([verdict(case) for case in cases]))
