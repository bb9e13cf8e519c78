"""Fifteen nets as ONNX files to be trained, with what PyTorch computes of them: logits, gradients, and five steps of Adam.

    python3 zoo_train.py FOLDER [NAME...]

Batch normalizations are nodes of their own and train; nothing is dropped at random.
"""

import json
import sys
import warnings
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.ops import StochasticDepth
from zoo_data import photos, sounds
from zoo_nets import TORCHVISION, Encoder, Recurrent, Waves, zoo

warnings.filterwarnings("ignore")
BATCH, SIZE, CLASSES, RATE = 4, 64, 20, 1e-3


class UNet(nn.Module):
    """Down and up again with skips; a class for each pixel, and their mean as the class of the picture."""

    def __init__(self):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, 1, 1), nn.BatchNorm2d(o), nn.ReLU())
        self.a, self.b, self.c = block(3, 12), block(12, 24), block(24, 48)
        self.up1, self.up2 = nn.ConvTranspose2d(48, 24, 2, 2), nn.ConvTranspose2d(24, 12, 2, 2)
        self.d, self.e, self.head = block(48, 24), block(24, 12), nn.Conv2d(12, CLASSES, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 2))
        y = self.up1(self.c(F.max_pool2d(b, 2)))
        y = self.up2(self.d(torch.cat([b, y], 1)))
        return self.head(self.e(torch.cat([a, y], 1))).mean((2, 3))


class Detector(nn.Module):
    """As SSD has it: classes and boxes from each of two maps."""

    def __init__(self):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, 2, 1), nn.BatchNorm2d(o), nn.ReLU6())
        self.first, self.second = nn.Sequential(block(3, 16), block(16, 32)), block(32, 48)
        self.classes = nn.ModuleList([nn.Conv2d(32, CLASSES, 3, 1, 1), nn.Conv2d(48, CLASSES, 3, 1, 1)])
        self.boxes = nn.ModuleList([nn.Conv2d(32, 4, 3, 1, 1), nn.Conv2d(48, 4, 3, 1, 1)])

    def forward(self, x):
        first = self.first(x)
        maps = [first, self.second(first)]
        joined = lambda heads: torch.cat([head(one).flatten(2) for head, one in zip(heads, maps)], 2)
        return joined(self.classes).mean(2), joined(self.boxes)


def classes(net, width):
    """With a head for all classes."""
    net.head = nn.Linear(width, CLASSES)
    return net


def waves():
    net = Waves()
    net.net[-1] = nn.Linear(32, CLASSES)
    return net


NETS = {
    "resnet18": lambda: zoo.resnet18(num_classes=CLASSES),
    **{name: TORCHVISION[name] for name in ("mobilenet-v2", "mobilenet-v3-small", "efficientnet-b0", "shufflenet-v2")},
    **{name: TORCHVISION[name] for name in ("regnet-y", "convnext", "vit", "squeezenet")},
    "u-net": UNet,
    "two-heads": Detector,
    "lstm": lambda: classes(Recurrent(nn.LSTM), 32),
    "gru": lambda: classes(Recurrent(nn.GRU), 32),
    "encoder": lambda: classes(Encoder(), 64),
    "audio": waves,
}
RECURRENT = {"lstm": [0, 3, 1, 2], "gru": [1, 0, 2]}


def inputs(name):
    if name == "audio":
        return sounds(BATCH, 2048, 16000)[:, None]
    if name in RECURRENT or name == "encoder":
        return 10 * sounds(BATCH, 24 * 64, 16000).reshape(BATCH, 24, 64)
    return photos(BATCH, SIZE)


def made(name, x):
    torch.manual_seed(0)
    net = NETS[name]()
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None
            nn.init.uniform_(module.weight, 0.5, 1.5)
        if getattr(module, "bias", None) is not None and isinstance(module.bias, torch.Tensor):
            nn.init.normal_(module.bias, 0, 0.1)
        if isinstance(module, (nn.Dropout, StochasticDepth)):
            module.p = 0.0
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
            nn.init.normal_(module.in_proj_bias, 0, 0.1)
    with torch.no_grad():
        net.train()(x)
        for key, parameter in net.named_parameters():
            if key.endswith("layer_scale"):
                parameter.fill_(0.5)
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 0.1
    return net


def logits_of(net, x):
    answer = net(x)
    return answer[0] if isinstance(answer, tuple) else answer


def gradients(net, x, y):
    net.zero_grad()
    logits = logits_of(net, x)
    F.cross_entropy(logits, y).backward()
    return logits


def as_stored(name, parameters):
    """As the file has them: torch's exporter puts the gates of a recurrent layer in ONNX' order, and both biases into one."""
    if name not in RECURRENT:
        return parameters
    order, found = RECURRENT[name], {}
    gates = lambda w: np.concatenate([np.split(w, len(order))[g] for g in order])
    for key, value in parameters.items():
        if not key.startswith("cell."):
            found[key] = value
    found["W"], found["R"] = gates(parameters["cell.weight_ih_l0"])[None], gates(parameters["cell.weight_hh_l0"])[None]
    biases = [gates(parameters[f"cell.bias_{kind}_l0"]) for kind in ("ih", "hh")]
    found["B"] = np.concatenate(biases)[None]
    return found


def numbers(name, net, of):
    return as_stored(name, {key: of(parameter).detach().numpy().copy() for key, parameter in net.named_parameters()})


def main(folder, only):
    entries = []
    for name in NETS:
        if only and name not in only:
            continue
        x = torch.from_numpy(np.float32(inputs(name)))
        y = torch.arange(BATCH) * 3 % CLASSES
        net = made(name, x)
        mode = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": name in RECURRENT}
        outputs = ["logits", "boxes"] if name == "two-heads" else ["logits"]
        named = {"input_names": ["x"], "output_names": outputs, "dynamic_axes": {"x": {0: "batch"}}}
        torch.onnx.export(deepcopy(net).eval(), x[:2], folder / f"{name}.onnx", dynamo=False, **mode, **named)
        before = numbers(name, net, lambda p: p)
        logits = gradients(deepcopy(net).train(), x, y)
        copy = deepcopy(net).train()
        gradients(copy, x, y)
        gradient = numbers(name, copy, lambda p: p.grad if p.grad is not None else torch.zeros_like(p))
        copy = deepcopy(net).train()
        optimizer = torch.optim.Adam(copy.parameters(), lr=RATE, eps=1e-4)
        for _ in range(5):
            gradients(copy, x, y)
            optimizer.step()
        after = numbers(name, copy, lambda p: p)
        arrays = {f"{kind}/{key}": v for kind, of in (("p", before), ("g", gradient), ("a", after)) for key, v in of.items()}
        np.savez(folder / f"{name}.npz", x=x.numpy(), logits=logits.detach().numpy(), **arrays)
        entries.append({"name": name, "labels": y.tolist(), "rate": RATE})
        print(name, file=sys.stderr, flush=True)
    print(json.dumps(entries))


main(Path(sys.argv[1]), sys.argv[2:])
