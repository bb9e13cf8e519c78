"""Trains a small CNN with batch norm on digits as CSV and exports it, the ways a PyTorch user would: prints its accuracies.

    python3 teacher_write.py FOLDER    # FOLDER/train.csv, the digit in the last column

teacher.onnx: torch.onnx.export as it comes, for one sample; dynamic.onnx: with the batch as a symbolic dimension.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
folder = Path(sys.argv[1])
table = np.loadtxt(folder / "train.csv", delimiter=",", skiprows=1, dtype=np.float32)
x = torch.from_numpy(table[:, :-1] / 16).reshape(-1, 1, 8, 8)
y = torch.from_numpy(table[:, -1]).long()

conv = lambda inputs, outputs: [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
head = [nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.2), nn.Linear(32 * 16, 10)]
model = nn.Sequential(*conv(1, 16), *conv(16, 32), *head)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(6):
    for rows in torch.randperm(len(y)).split(64):
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
model.eval()
torch.onnx.export(model, (x[:1],), str(folder / "teacher.onnx"))
batch = {"input": {0: "batch"}, "logits": {0: "batch"}}
names = {"input_names": ["input"], "output_names": ["logits"]}
torch.onnx.export(model, (x[:2],), str(folder / "dynamic.onnx"), dynamo=False, dynamic_axes=batch, **names)
with torch.inference_mode():
    accuracy = (model(x).argmax(1) == y).float().mean().item()
print(json.dumps({"accuracy": accuracy, "files": sorted(path.name for path in folder.iterdir())}))
