#!/usr/bin/env python3
"""PyTorch's side of bench/recipe.ts: trains the student of a recipe eagerly, its teacher asked at every step.

    python3 bench/torch_recipe.py SPEC.json [--check] [--layout nchw|nhwc]

bench/recipe.ts writes SPEC.json: files, rows of the splits, student, loss, optimizer and the learning rate of every step.
The data lies ready in memory and augmentation works on whole batches, so nothing holds the step back. With --check the
teacher is compared with ONNX Runtime and both memory formats are timed, without training to the end.
"""
import argparse
import copy
import gzip
import json
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from onnx_module import OnnxModule


def read_idx(path):
    data = (gzip.open if path.endswith(".gz") else open)(path, "rb").read()
    dims = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(dims)


class Split:
    """Samples [n, 1, height, width] as the models see them, and labels [n]."""

    def __init__(self, spec, rows):
        norm = spec["normalization"]
        images = torch.from_numpy(read_idx(spec["images"])[rows]).float().unsqueeze(1)
        self.x = (images * norm["scale"] - norm["mean"][0]) / norm["std"][0]
        self.y = torch.from_numpy(read_idx(spec["labels"])[rows].astype(np.int64))


class DsCnn(nn.Module):
    """The net of src/networks/models/ds-cnn.ts."""

    def __init__(self, o, classes):
        super().__init__()
        width = lambda base: max(8, int(base * o["width"] / 8 + 0.5) * 8)
        layers, last = [], 1
        for filters, stride in zip((16, 32, 64), o["strides"]):
            layers += self.conv(last, width(filters), 3, stride)
            last = width(filters)
        for i in range(o["depth"]):
            layers += self.conv(last, last, 3, groups=last)
            layers += self.conv(last, width(96 if i == 0 else 128), 1)
            last = width(96 if i == 0 else 128)
        self.body = nn.Sequential(*layers)
        self.logits = nn.Linear(last, classes)

    @staticmethod
    def conv(inputs, outputs, size, stride=1, groups=1):
        conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(outputs, eps=1e-3), nn.ReLU(inplace=True)]

    def forward(self, x):
        return self.logits(self.body(x).mean((2, 3)))


def shifted(x, by, black):
    n, _, h, w = x.shape
    grown = F.pad(x, (by,) * 4, value=black)
    rows = torch.randint(0, 2 * by + 1, (n, 1)) + torch.arange(h)
    columns = torch.randint(0, 2 * by + 1, (n, 1)) + torch.arange(w)
    return grown[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def cut_out(x, side, black):
    n, _, h, w = x.shape
    span = lambda size: (torch.arange(size) - torch.randint(0, size, (n, 1))).abs() < side / 2
    return x.masked_fill((span(h)[:, :, None] & span(w)[:, None, :])[:, None], black)


def augmented(x, steps, black):
    for step in steps:
        (kind, value), = step.items()
        if kind in ("shift", "crop") and not isinstance(value, dict):
            x = shifted(x, int(value), black)
        elif kind == "flip":
            x = torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, x.flip(3 if value == "horizontal" else 2), x)
        elif kind == "cutout":
            x = cut_out(x, value, black)
        else:
            raise ValueError(f"augment {step}: not known to this benchmark")
    return x


def loss_of(spec, student, teacher, labels):
    hard = F.cross_entropy(student, labels, label_smoothing=spec["labelSmoothing"])
    if spec["loss"] == "kd-standardized":
        norm = lambda x: (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True)
        student, teacher = norm(student), norm(teacher)
    t = spec["temperature"]
    soft = F.kl_div(F.log_softmax(student / t, 1), F.log_softmax(teacher / t, 1), reduction="batchmean", log_target=True)
    return spec["alpha"] * t * t * soft + (1 - spec["alpha"]) * hard


def optimizer_of(o, model):
    spare = o["decay"] == "matrices"
    groups = [
        {"params": [p for p in model.parameters() if not spare or p.ndim > 1], "weight_decay": o["weightDecay"]},
        {"params": [p for p in model.parameters() if spare and p.ndim <= 1], "weight_decay": 0},
    ]
    groups = [group for group in groups if group["params"]]
    if o["type"] in ("adam", "adamw"):
        make = torch.optim.AdamW if o["type"] == "adamw" else torch.optim.Adam
        return make(groups, lr=o["learningRate"], betas=(0.9, 0.999), eps=1e-8)
    if o["type"] in ("sgd", "momentum", "nesterov"):
        momentum = 0 if o["type"] == "sgd" else o["momentum"]
        return torch.optim.SGD(groups, lr=o["learningRate"], momentum=momentum, nesterov=o["type"] == "nesterov")
    raise ValueError(f"optimizer {o['type']}: not known to this benchmark")


class Training:
    def __init__(self, spec, layout):
        torch.manual_seed(spec["seed"])
        self.spec = spec
        self.format = torch.channels_last if layout == "nhwc" else torch.contiguous_format
        self.teacher = OnnxModule(spec["teacher"]).eval().to(memory_format=self.format)
        self.student = DsCnn(spec["student"], spec["classes"]).to(memory_format=self.format)
        self.average = copy.deepcopy(self.student) if spec["ema"] else None
        self.optimizer = optimizer_of(spec["optimizer"], self.student)
        norm = spec["normalization"]
        self.black = -norm["mean"][0] / norm["std"][0]
        self.done = 0

    def step(self, x, labels):
        spec = self.spec
        for group in self.optimizer.param_groups:
            group["lr"] = spec["learningRates"][self.done % len(spec["learningRates"])]
        x = augmented(x, spec["augment"], self.black).contiguous(memory_format=self.format)
        with torch.inference_mode():
            answer = self.teacher(x)
        loss = loss_of(spec, self.student(x), answer.clone(), labels)
        self.optimizer.zero_grad()
        loss.backward()
        if spec["optimizer"].get("clipNorm"):
            nn.utils.clip_grad_norm_(self.student.parameters(), spec["optimizer"]["clipNorm"])
        self.optimizer.step()
        if self.average is not None:
            decay = min(spec["ema"], (1 + self.done) / (10 + self.done))
            with torch.no_grad():
                torch._foreach_lerp_(list(self.average.parameters()), list(self.student.parameters()), 1 - decay)
                for ours, theirs in zip(self.average.buffers(), self.student.buffers()):
                    ours.copy_(theirs)
        self.done += 1
        return loss.item()

    def accuracy(self, split):
        model = (self.average or self.student).eval()
        with torch.inference_mode():
            parts = zip(split.x.split(256), split.y.split(256))
            right = sum((model(x.contiguous(memory_format=self.format)).argmax(1) == y).sum().item() for x, y in parts)
        self.student.train()
        return right / len(split.y)

    def run(self, train, validation):
        best, batch, steps = 0.0, self.spec["batchSize"], self.spec["steps"]
        while self.done < steps:
            for rows in torch.randperm(len(train.y)).split(batch):
                if self.done >= steps:
                    break
                self.step(train.x[rows], train.y[rows])
            best = max(best, self.accuracy(validation))
        return best


def check(spec, train, validation):
    import onnxruntime

    teacher = OnnxModule(spec["teacher"]).eval()
    x = validation.x[:64]
    session = onnxruntime.InferenceSession(spec["teacher"], providers=["CPUExecutionProvider"])
    fed = (x.permute(0, 2, 3, 1) if teacher.channels_last else x).contiguous().numpy()
    expected = torch.from_numpy(session.run([teacher.output], {teacher.input: fed})[0])
    with torch.inference_mode():
        error = (teacher(x) - expected).abs().max().item()
        right = (teacher(x).argmax(1) == validation.y[:64]).float().mean().item()
    times = {}
    for layout in ("nchw", "nhwc"):
        training = Training(spec, layout)
        batch = (train.x[: spec["batchSize"]], train.y[: spec["batchSize"]])
        for i in range(9):
            if i == 3:
                start = time.perf_counter()
            training.step(*batch)
        times[layout] = (time.perf_counter() - start) / 6
    # Moving statistics count as parameters in Limbeck.
    parameters = sum(v.numel() for v in training.student.state_dict().values() if v.ndim > 0)
    layout = min(times, key=times.get)
    return {"teacherError": error, "teacherAccuracy": right, "parameters": parameters, "layout": layout}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spec")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--layout", choices=["nchw", "nhwc"], default="nchw")
    args = parser.parse_args()
    with open(args.spec) as file:
        spec = json.load(file)
    torch.set_num_threads(spec["threads"])
    train, validation = (Split(spec, np.fromfile(spec[name], np.int32)) for name in ("trainRows", "validationRows"))
    if args.check:
        print(json.dumps(check(spec, train, validation)))
        return
    training = Training(spec, args.layout)
    start = time.perf_counter()
    accuracy = training.run(train, validation)
    seconds = time.perf_counter() - start
    print(json.dumps({"trainSeconds": seconds, "validation": accuracy, "steps": training.done, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
