"""Small PyTorch models, each exported the ways a user would: prints what PyTorch makes of them.

    python3 student_write.py FOLDER

For each model, in evaluation and in training mode of its batch norms and with those folded as exporters do it: logits, the gradient
of every weight for a batch, and the weights after five steps of Adam.
"""
import json
import sys
import warnings
from copy import deepcopy
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

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
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
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
        self.width, self.heads = width, heads
        self.patch = nn.Conv2d(3, width, 4, 4)
        self.position = nn.Parameter(torch.zeros(1, 4, width))
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.gamma = nn.Parameter(torch.ones(width))
        self.fc = nn.Linear(width, CLASSES)

    def split(self, x):
        return x.reshape(-1, 4, self.heads, self.width // self.heads).transpose(1, 2)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2) + self.position
        y = self.norm1(x)
        q, k, v = self.split(self.query(y)), self.split(self.key(y)), self.split(self.value(y))
        weights = (q @ k.transpose(-1, -2) / (self.width // self.heads) ** 0.5).softmax(-1)
        x = x + self.gamma * self.out((weights @ v).transpose(1, 2).reshape(-1, 4, self.width))
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


class StandardizedConv2d(nn.Conv2d):
    """As timm's ScaledStdConv2d, whose weights are standardized for each output at every call."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.gain = nn.Parameter(torch.full((self.out_channels,), 0.3))

    def forward(self, x):
        weight = F.batch_norm(self.weight.reshape(1, self.out_channels, -1), None, None, weight=self.gain, training=True, momentum=0.0, eps=1e-6)
        return F.conv2d(x, weight.reshape_as(self.weight), self.bias, self.stride, self.padding, self.dilation, self.groups)


class NFNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = StandardizedConv2d(3, 8, 3, 2, 1)
        self.group = StandardizedConv2d(8, 12, 3, padding=1, groups=2)
        self.fc = nn.Linear(12, CLASSES)

    def forward(self, x):
        y = F.gelu(self.stem(x)) * 1.7
        return self.fc((F.gelu(self.group(y)) * 1.7).mean((2, 3)))


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


def measured(model, x, y, training):
    copy = deepcopy(model).train(training)
    logits, grads = gradients(copy, x, y)
    weights = [{"name": n, "shape": list(p.shape), "values": floats([p])} for n, p in copy.named_parameters()]
    for weight, grad in zip(weights, grads):
        weight["gradient"] = floats([grad])
    moved = {n: floats([b]) for n, b in copy.named_buffers() if b.is_floating_point()}
    copy = deepcopy(model).train(training)
    # What has no gradient but rounding must not be blown up by the division.
    optimizer = torch.optim.Adam(copy.parameters(), lr=1e-2, eps=1e-4)
    for _ in range(5):
        gradients(copy, x, y)
        optimizer.step()
    for weight, parameter in zip(weights, copy.parameters()):
        weight["adam"] = floats([parameter])
    return {"logits": floats([logits]), "weights": weights, "statistics": moved}


def folded(model):
    """Batch norms as part of the layer before them, which is what most exported files hold."""
    copy = deepcopy(model).eval()
    before = None
    for name, module in list(copy.named_modules()):
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            fuse = fuse_conv_bn_eval if isinstance(before[1], nn.Conv2d) else fuse_linear_bn_eval
            copy.set_submodule(before[0], fuse(before[1], module))
            copy.set_submodule(name, nn.Identity())
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            before = (name, module)
    return copy.requires_grad_(True)


manifest = []
for seed, kind in enumerate([ResNet, MobileNet, Transformer, Mlp, NFNet]):
    torch.manual_seed(seed)
    model = kind().eval()
    settle(model)
    x, y = torch.randn(6, 3, 8, 8), torch.randint(CLASSES, (6,))
    name = kind.__name__.lower()
    named = {"input_names": ["image"], "output_names": ["scores"]}
    dynamic = {"dynamic_shapes": ({0: torch.export.Dim("batch")},), "verbose": False}
    axes = {"dynamo": False, "dynamic_axes": {"image": {0: "batch"}, "scores": {0: "batch"}}}
    keep = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    exports = {"dynamo": dynamic, "legacy": axes, "preserved": {**axes, **keep}}
    for file, options in exports.items():
        torch.onnx.export(model, (x,), str(folder / f"{name}-{file}.onnx"), **named, **options)
    entry = {"name": name, "files": [f"{name}-{file}.onnx" for file in exports], "x": floats([x]), "labels": y.tolist()}
    entry["eval"], entry["train"] = measured(model, x, y, False), measured(model, x, y, True)
    entry["folded"] = measured(folded(model), x, y, False)
    manifest.append(entry)
(folder / "manifest.json").write_text(json.dumps(manifest))
print(json.dumps({"models": len(manifest)}))
