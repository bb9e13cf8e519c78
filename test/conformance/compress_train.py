"""Trains a net on Fashion-MNIST at 32x32 and writes it as ONNX, with the pictures as it is fed them.

    python3 compress_train.py FASHION-MNIST FOLDER EPOCHS [resnet18 | resnet-small | vgg | mobilenet-v2]
"""

import gzip
import os
import sys
import time

import numpy as np
import torch
import torchvision

data, folder, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])
name = sys.argv[4] if len(sys.argv) > 4 else "resnet18"
MEAN, STD = 0.286, 0.353


def vgg():
    """Convolutions of 3x3 one after another, without shortcuts, and a dense layer of 256 before the last."""
    layers, channels = [], 3
    for width, count in ((32, 1), (64, 2), (128, 2)):
        for _ in range(count):
            layers += [torch.nn.Conv2d(channels, width, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(width), torch.nn.ReLU()]
            channels = width
        layers.append(torch.nn.MaxPool2d(2))
    ends = [torch.nn.Flatten(), torch.nn.Linear(128 * 16, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10)]
    return torch.nn.Sequential(*layers, *ends)


def mobilenet():
    net = torchvision.models.mobilenet_v2(num_classes=10, width_mult=0.5, dropout=0)
    # Made for 224 pixels: of 32 nothing would be left before the end.
    net.features[0][0].stride = (1, 1)
    return net


class Block(torch.nn.Module):
    """Two convolutions of 3x3 beside a shortcut."""

    def __init__(self, inner, outer, stride):
        super().__init__()
        conv = lambda a, b, size, stride: [torch.nn.Conv2d(a, b, size, stride, size // 2, bias=False), torch.nn.BatchNorm2d(b)]
        self.way = torch.nn.Sequential(*conv(inner, outer, 3, stride), torch.nn.ReLU(), *conv(outer, outer, 3, 1))
        self.short = torch.nn.Sequential(*conv(inner, outer, 1, stride)) if stride > 1 else torch.nn.Identity()

    def forward(self, x):
        return torch.relu(self.way(x) + self.short(x))


def small():
    """A residual net of 12 million multiply-accumulates, which is trained in minutes."""
    stem = [torch.nn.Conv2d(3, 32, 3, 2, 1, bias=False), torch.nn.BatchNorm2d(32), torch.nn.ReLU()]
    blocks = [Block(32, 32, 1), Block(32, 64, 2), Block(64, 128, 2)]
    ends = [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(128, 10)]
    return torch.nn.Sequential(*stem, *blocks, *ends)


NETS = {"resnet-small": small, "resnet18": lambda: torchvision.models.resnet18(num_classes=10), "vgg": vgg, "mobilenet-v2": mobilenet}


def read(name, skip):
    with gzip.open(os.path.join(data, name)) as file:
        return np.frombuffer(file.read(), np.uint8, offset=skip)


def split(name):
    pictures = read(f"{name}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    padded = np.pad(pictures, ((0, 0), (2, 2), (2, 2)))
    return padded, read(f"{name}-labels-idx1-ubyte.gz", 8).astype(np.int64)


def fed(pictures):
    """[n, 3, 32, 32] of 8-bit pictures."""
    return np.repeat(((pictures.astype(np.float32) / 255 - MEAN) / STD)[:, None], 3, 1)


def augmented(x, rng):
    """Moved by up to two pixels each way and mirrored, as padded crops are."""
    moved = np.stack([np.roll(one, tuple(rng.integers(-2, 3, 2)), (0, 1)) for one in x])
    return np.where(rng.random(len(x))[:, None, None] < 0.5, moved[:, :, ::-1], moved)


def main():
    # More threads than cores that the process may use wait for each other.
    if hasattr(os, "sched_getaffinity"):
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    (x, y), (x_test, y_test) = split("train"), split("t10k")
    net = NETS[name]()
    batch, steps = 128, len(x) // 128 * epochs
    optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, steps, pct_start=0.25)
    start = time.time()
    for epoch in range(epochs):
        net.train()
        order = rng.permutation(len(x))
        for at in range(0, len(x) - batch + 1, batch):
            rows = order[at : at + batch]
            loss = torch.nn.functional.cross_entropy(
                net(torch.from_numpy(fed(augmented(x[rows], rng)))), torch.from_numpy(y[rows])
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        net.eval()
        with torch.no_grad():
            right = sum(
                (net(torch.from_numpy(fed(x_test[at : at + 500]))).argmax(1).numpy() == y_test[at : at + 500]).sum()
                for at in range(0, len(x_test), 500)
            )
        print(f"epoch {epoch + 1}: {right / 100:.2f} % of test, {time.time() - start:.0f} s", file=sys.stderr, flush=True)
    write(net, x, x_test, y_test)


def write(net, x, x_test, y_test):
    os.makedirs(folder, exist_ok=True)
    example = torch.from_numpy(fed(x_test[:2]))
    # Batch norms as nodes of their own: they are trained on while the net is made narrower.
    options = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    names = {"input_names": ["image"], "output_names": ["logits"], "dynamic_axes": {"image": {0: "n"}, "logits": {0: "n"}}}
    torch.onnx.export(net, example, os.path.join(folder, f"{name}-preserved.onnx"), dynamo=False, **options, **names)
    torch.onnx.export(net, example, os.path.join(folder, f"{name}.onnx"), dynamo=False, **names)
    np.savez(os.path.join(folder, "samples.npz"), x=fed(x[:20000]))
    np.savez(os.path.join(folder, "test.npz"), x=fed(x_test), y=y_test)


main()
