"""Small PyTorch models, each exported the ways a user would: prints what PyTorch makes of them.

    python3 student_write.py FOLDER

For each model, in evaluation and in training mode of its batch norms: logits and the gradient of every weight for a batch, and for
training mode the weights after five steps of Adam. Weights are written next to the files as float32, in the order of the manifest.
"""
import json
import sys
import warnings
from copy import deepcopy
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
folder = Path(sys.argv[1])
CLASSES = 4


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs, momentum=0.3)
        self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.down(x))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        self.blocks = nn.Sequential(Residual(8, 8, 1), Residual(8, 12, 2))
        self.fc = nn.Linear(12, CLASSES)

    def forward(self, x):
        return self.fc(self.blocks(self.stem(x)).mean((2, 3)))


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.reduce = nn.Conv2d(channels, 4, 1)
        self.expand = nn.Conv2d(4, channels, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.expand(F.relu(self.reduce(F.adaptive_avg_pool2d(x, 1)))))


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(3, 12, 1, bias=False), nn.BatchNorm2d(12), nn.Hardswish())
        self.depthwise = nn.Conv2d(12, 12, 3, 2, 1, groups=12, bias=False)
        self.bn = nn.BatchNorm2d(12)
        self.se = SqueezeExcite(12)
        self.project = nn.Sequential(nn.Conv2d(12, 6, 1, bias=False), nn.BatchNorm2d(6))
        self.scale = nn.Parameter(torch.full((6, 1, 1), 0.5))
        self.head = nn.Conv2d(6, CLASSES, 1)

    def forward(self, x):
        y = F.hardswish(self.bn(self.depthwise(self.expand(x))))
        y = self.project(self.se(y)) * self.scale
        return F.adaptive_avg_pool2d(self.head(y), 1).flatten(1)


class Transformer(nn.Module):
    """One encoder block before its mean, on patches, with a position for each: attention written out, two heads."""

    def __init__(self, width=12, heads=2):
        super().__init__()
        self.heads = heads
        self.patch = nn.Conv2d(3, width, 4, 4)
        self.position = nn.Parameter(torch.zeros(1, 4, width))
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.gamma = nn.Parameter(torch.ones(width))
        self.fc = nn.Linear(width, CLASSES)

    def split(self, x):
        return x.reshape(-1, 4, self.heads, x.shape[-1] // self.heads).transpose(1, 2)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2) + self.position
        y = self.norm1(x)
        q, k, v = self.split(self.query(y)), self.split(self.key(y)), self.split(self.value(y))
        weights = (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1)
        x = x + self.gamma * self.out((weights @ v).transpose(1, 2).reshape(-1, 4, x.shape[-1]))
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return self.fc(self.norm3(x).mean(1))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(192, 10), nn.BatchNorm1d(10), nn.PReLU(), nn.Linear(10, 10), nn.Tanh())
        self.shared = nn.Linear(10, 10)
        self.fc = nn.Linear(10, CLASSES)

    def forward(self, x):
        y = self.net(x)
        return self.fc(self.shared(F.silu(self.shared(y))))


def settle(model):
    """No weight is what it began as, no batch norm the identity: as in a model that has been trained."""
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if not tensor.is_floating_point():
                continue
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2)
            else:
                tensor.add_(0.1 * torch.randn_like(tensor))


def floats(tensors):
    return [value for tensor in tensors for value in tensor.detach().flatten().tolist()]


def gradients(model, x, y):
    model.zero_grad()
    logits = model(x)
    F.cross_entropy(logits, y).backward()
    return logits, [p.grad for p in model.parameters()]


manifest = []
for seed, kind in enumerate([ResNet, MobileNet, Transformer, Mlp]):
    torch.manual_seed(seed)
    model = kind()
    settle(model)
    x, y = torch.randn(6, 3, 8, 8), torch.randint(CLASSES, (6,))
    name = kind.__name__.lower()
    named = {"input_names": ["image"], "output_names": ["scores"]}
    files = []
    model.eval()
    torch.onnx.export(model, (x,), str(folder / f"{name}-dynamo.onnx"), dynamic_shapes=({0: torch.export.Dim("batch")},), verbose=False, **named)
    # As it comes, the first exporter folds batch norms into the convolutions; a user who wants to train keeps them apart.
    keep = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    for file, options in [("legacy", {}), ("preserved", keep)]:
        axes = {"image": {0: "batch"}, "scores": {0: "batch"}}
        torch.onnx.export(model, (x,), str(folder / f"{name}-{file}.onnx"), dynamo=False, dynamic_axes=axes, **named, **options)
    files = [f"{name}-{file}.onnx" for file in ("dynamo", "legacy", "preserved")]
    entry = {"name": name, "files": files, "x": floats([x]), "labels": y.tolist(), "weights": []}
    entry["weights"] = [{"name": n, "shape": list(p.shape), "values": floats([p])} for n, p in model.named_parameters()]
    entry["hasNorms"] = any(isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)) for m in model.modules())
    for mode in ("eval", "train"):
        copy = deepcopy(model).train(mode == "train")
        logits, grads = gradients(copy, x, y)
        entry[mode] = {"logits": floats([logits]), "gradients": [floats([g]) for g in grads]}
        entry[mode]["buffers"] = {n: floats([b]) for n, b in copy.named_buffers() if b.is_floating_point()}
    for mode in ("eval", "train"):
        copy = deepcopy(model).train(mode == "train")
        optimizer = torch.optim.Adam(copy.parameters(), lr=1e-2)
        for _ in range(5):
            gradients(copy, x, y)
            optimizer.step()
        entry[mode]["adam"] = [floats([p]) for p in copy.parameters()]
    manifest.append(entry)
(folder / "manifest.json").write_text(json.dumps(manifest))
print(json.dumps({"models": len(manifest)}))
