#!/usr/bin/env python3
"""PyTorch's side of bench/step.ts: times one eager training step of a net and prints one JSON line.

    python3 bench/torch_step.py MODEL [--batch 128] [--steps 50] [--threads 2] [--optimizer adam|sgd] [--device cpu|cuda]
                             [--layout nchw|nhwc|best]

The nets are those of bench/nets.ts. Forward, loss, backward and optimizer step are timed together, as is loss.item(),
since a training loop reads the loss. With --layout best both memory formats run and the faster one counts.
"""
import argparse
import json
import resource
import time

import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    """A list of layers, each with the ReLU, pooling or residual that the name says."""

    def __init__(self, name):
        super().__init__()
        self.layers = nn.ModuleList()
        self.name = name
        build = {"mlp": self.mlp, "cnn": self.cnn, "cnn-bn": self.cnn, "dscnn": self.dscnn, "resnet8": self.resnet8}
        self.body = build[name]()

    def conv(self, inputs, outputs, size=3, stride=1, groups=1, norm=True):
        steps = [nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=not norm)]
        return nn.Sequential(*steps, nn.BatchNorm2d(outputs)) if norm else steps[0]

    def mlp(self):
        return nn.Sequential(nn.Linear(784, 800), nn.ReLU(), nn.Linear(800, 800), nn.ReLU(), nn.Linear(800, 10))

    def cnn(self):
        norm = self.name == "cnn-bn"
        first = [self.conv(1, 32, norm=norm), nn.ReLU(), nn.MaxPool2d(2)]
        second = [self.conv(32, 64, norm=norm), nn.ReLU(), nn.MaxPool2d(2)]
        return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(7 * 7 * 64, 10))

    def dscnn(self):
        layers = [self.conv(1, 32, stride=2), nn.ReLU()]
        for inputs in (32, 64, 64, 64):
            layers += [self.conv(inputs, inputs, groups=inputs), nn.ReLU(), self.conv(inputs, 64, size=1), nn.ReLU()]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))

    def resnet8(self):
        blocks = [Residual(self, a, b, stride) for a, b, stride in ((16, 16, 1), (16, 32, 2), (32, 64, 2))]
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
        return nn.Sequential(self.conv(1, 16), nn.ReLU(), *blocks, *head)

    def forward(self, x):
        return self.body(x)


class Residual(nn.Module):
    def __init__(self, net, inputs, outputs, stride):
        super().__init__()
        self.main = nn.Sequential(net.conv(inputs, outputs, stride=stride), nn.ReLU(), net.conv(outputs, outputs))
        same = inputs == outputs and stride == 1
        self.skip = nn.Identity() if same else net.conv(inputs, outputs, size=1, stride=stride)

    def forward(self, x):
        return F.relu(self.main(x) + self.skip(x))


def ms_per_step(args, memory_format):
    torch.manual_seed(0)
    net = Net(args.model).to(device=args.device, memory_format=memory_format)
    shape = (args.batch, 784) if args.model == "mlp" else (args.batch, 1, 28, 28)
    x = torch.randn(shape, device=args.device)
    if args.model != "mlp":
        x = x.to(memory_format=memory_format)
    y = torch.randint(0, 10, (args.batch,), device=args.device)
    if args.optimizer == "adam":
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    else:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    for _ in range(5):
        step()
    times = []
    for _ in range(args.steps):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2] * 1e3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=["mlp", "cnn", "cnn-bn", "dscnn", "resnet8"])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--optimizer", choices=["adam", "sgd"], default="adam")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--layout", choices=["nchw", "nhwc", "best"], default="best")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    formats = {"nchw": [torch.contiguous_format], "nhwc": [torch.channels_last]}
    formats["best"] = [torch.contiguous_format] + ([] if args.model == "mlp" else [torch.channels_last])
    ms = min(ms_per_step(args, f) for f in formats[args.layout])
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps({"model": args.model, "ms_per_step": round(ms, 3), "torch": torch.__version__, "peak_rss_mb": peak}))


if __name__ == "__main__":
    main()
