#!/usr/bin/env python3
"""PyTorch's side of recipes/points.yaml: the same net on the same labelled pictures without a teacher, for as much processor time.

    .venv/bin/python bench/points/torch_simcc.py --seconds S [--run checkpoints/points] [--repeats 3]

The net of src/networks/models/key-points.ts with its defaults; SimCC's loss of RTMPose (Jiang et al. 2023): KL to Gaussians around the labels. AdamW with
one cycle, flips that swap left and right, as the recipe has them. It learns for S seconds of processor time on one thread, and prints PCK on the test split.
"""
import argparse
import csv
import json
import pathlib
import time

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

ROOT = pathlib.Path(__file__).parents[2]
V2 = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1)]
ALPHA, FILTERS, MAPS, BATCH, PCK = 0.35, 48, 4, 8, 0.05


def channels(filters):
    """A multiple of 8 that is no more than a tenth below, as the published nets have it."""
    wanted = filters * ALPHA
    near = max(8, int(wanted + 4) // 8 * 8)
    return near + 8 if near < 0.9 * wanted else near


def conv(given, out, kernel=1, stride=1, groups=1, activation=True):
    layers = [nn.Conv2d(given, out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(out, eps=1e-3)]
    return nn.Sequential(*layers, *([nn.ReLU6()] if activation else []))


class Residual(nn.Module):
    def __init__(self, given, out, expansion, stride):
        super().__init__()
        inner = given * expansion
        parts = [conv(given, inner)] if expansion > 1 else []
        self.body = nn.Sequential(*parts, conv(inner, inner, 3, stride, inner), conv(inner, out, activation=False))
        self.is_added = stride == 1 and given == out

    def forward(self, x):
        return x + self.body(x) if self.is_added else self.body(x)


def separable(filters, given):
    return nn.Sequential(conv(given, given, 5, groups=given), conv(given, filters))


class Points(nn.Module):
    """[n, 3, side, side] to logits [n, points, 2, places]."""

    def __init__(self, points, side):
        super().__init__()
        self.stem = conv(3, channels(32), 3, 2)
        last, rows = channels(32), []
        for expansion, filters, repeats, stride in V2:
            blocks = []
            for i in range(repeats):
                blocks.append(Residual(last, channels(filters), expansion, stride if i == 0 else 1))
                last = channels(filters)
            rows.append(nn.Sequential(*blocks))
        self.rows = nn.ModuleList(rows)
        self.fine, self.coarse = conv(channels(32), FILTERS), conv(last, FILTERS)
        self.joined, self.neck = separable(FILTERS, FILTERS), separable(FILTERS, FILTERS)
        self.maps = conv(FILTERS, points * MAPS)
        self.points = points
        self.axes = nn.ModuleList([nn.Linear(2 * MAPS * side // 4, 2 * side) for _ in range(2)])

    def forward(self, x):
        levels, y = [], self.stem(x)
        for row in self.rows:
            y = row(y)
            levels.append(y)
        larger = lambda z: F.interpolate(z, scale_factor=2, mode="bilinear", align_corners=False)
        y = self.joined(self.fine(levels[2]) + larger(self.coarse(levels[-1])))
        y = self.maps(self.neck(larger(y)))
        y = y.reshape(len(y), self.points, MAPS, *y.shape[2:])
        rows = [torch.cat([y.amax(axis).flatten(2), y.mean(axis).flatten(2)], 2) for axis in (3, 4)]
        return torch.stack([dense(row) for dense, row in zip(self.axes, rows)], 2)


def split(folder, name, count=None):
    with open(folder / f"{name}.csv") as file:
        head, *rows = csv.reader(file)
    rows = rows[:count]
    pictures = np.stack([np.asarray(Image.open(folder / row[0]).convert("RGB"), np.float32) / 255 for row in rows])
    places = np.array([[float(value or 0) for value in row[1:]] for row in rows], np.float32).reshape(len(rows), -1, 3)
    names = [word[:-2] for word in head[1::3]]
    other = {"left": "right", "right": "left"}
    partner = [names.index(" ".join(other.get(word, word) for word in name.split())) for name in names]
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(places), partner


def loss_of(logits, labels, side):
    places = logits.shape[-1]
    middles = torch.arange(places) + 0.5
    wanted = labels[..., :2] * places / side
    targets = torch.softmax(-0.5 * ((middles - wanted[..., None]) / (places / 16) ** 0.5) ** 2, -1)
    each = F.kl_div(F.log_softmax(logits, -1), targets, reduction="none").sum(-1)
    seen = (labels[..., 2] > 0).float()[..., None]
    return (each * seen).sum() / (2 * seen.sum())


def train(x, labels, partner, test, seconds, seed):
    torch.manual_seed(seed)
    side = x.shape[-1]
    net = Points(labels.shape[1], side)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.004, weight_decay=1e-4)
    steps, most, peak = 0, 0.004, 0.3
    began = time.process_time()
    while (used := (time.process_time() - began) / seconds) < 1:
        rate = most * (0.04 + 0.96 * (used / peak if used < peak else 0.5 * (1 + np.cos(np.pi * (used - peak) / (1 - peak)))))
        optimizer.param_groups[0]["lr"] = rate
        chosen = torch.randint(len(x), (BATCH,))
        pictures, own = x[chosen], labels[chosen]
        flipped = torch.rand(BATCH) < 0.5
        mirrored = own[:, partner].clone()
        mirrored[..., 0] = side - mirrored[..., 0]
        own = torch.where(flipped[:, None, None], mirrored, own)
        pictures = torch.where(flipped[:, None, None, None], pictures.flip(3), pictures)
        loss = loss_of(net(pictures), own, side)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 10)
        optimizer.step()
        steps += 1
    net.eval()
    with torch.no_grad():
        logits = torch.cat([net(part) for part in test[0].split(50)])
    places = (logits.argmax(-1) + 0.5) * side / logits.shape[-1]
    off = (places - test[1][..., :2]).norm(dim=-1)[test[1][..., 2] > 0]
    weights = sum(parameter.numel() for parameter in net.parameters())
    return 100 * (off <= PCK * side).float().mean().item(), steps, weights


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=pathlib.Path, default=ROOT / "checkpoints/points")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "datasets/puppets")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--labelled", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    x, labels, partner = split(options.data, "train", options.labelled)
    test = split(options.data, "test")
    scores = []
    for seed in range(options.repeats):
        score, steps, weights = train(x, labels, partner, test, options.seconds, seed)
        scores.append(score)
        print(f"seed {seed}: PCK {score:.2f} %, {steps} steps, {weights} parameters", flush=True)
    print(f"PyTorch without a teacher, {options.labelled} labels, {options.seconds:.0f} s of processor time: {np.mean(scores):.2f} %")
    report = json.loads((options.run / "report.json").read_text())
    for row in report["models"]:
        if row["id"] in ("scratch", "distilled", "distilled-int8-tflite"):
            print(f"Limbeck, {row['id']}: {100 * row['score']['test']:.2f} %")


main()
