#!/usr/bin/env python3
"""torchdistill's side of bench/torchdistill.ts.

    python3 bench/torchdistill/pair.py SPEC.json teacher        trains the teacher in PyTorch, writes teacher.pt and teacher.onnx
    python3 bench/torchdistill/pair.py SPEC.json LOSS SEED      distills a student with torchdistill's DistillationBox

Prints a JSON object. torchdistill's loop, losses, hooks and data loader are used as its examples do; the epoch with the best validation
accuracy is the one that is tested, as there. Data lie ready in memory.
"""
import copy
import json
import os
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import RandomSampler, SequentialSampler, TensorDataset

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from torch_recipe import Split  # noqa: E402


class Unit(nn.Sequential):
    def __init__(self, inputs, outputs, size, stride):
        conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
        nn.init.kaiming_normal_(conv.weight)
        super().__init__(conv, nn.BatchNorm2d(outputs, eps=1e-3))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first, self.second = Unit(inputs, outputs, 3, stride), Unit(outputs, outputs, 3, 1)
        self.shortcut = nn.Identity() if stride == 1 and inputs == outputs else Unit(inputs, outputs, 1, stride)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class ResNet(nn.Module):
    """The net of src/networks/models/resnet.ts."""

    def __init__(self, depth, width, strides, classes):
        super().__init__()
        last = 16
        self.stem = nn.Sequential(Unit(1, last, 3, strides[0]), nn.ReLU())
        for stage, (filters, stride) in enumerate(zip((16, 32, 64), strides[1:]), 1):
            blocks = []
            for i in range((depth - 2) // 6):
                outputs = max(8, int(filters * width / 8 + 0.5) * 8)
                blocks.append(Block(last, outputs, stride if i == 0 else 1))
                last = outputs
            setattr(self, f"stage{stage}", nn.Sequential(*blocks))
        self.logits = nn.Linear(last, classes)
        nn.init.xavier_uniform_(self.logits.weight)
        nn.init.zeros_(self.logits.bias)

    def stages(self, x):
        x = self.stem(x)
        for stage in (self.stage1, self.stage2, self.stage3):
            x = stage(x)
            yield x

    def forward(self, x):
        return self.logits(list(self.stages(x))[-1].mean((2, 3)))


class WithStages(nn.Module):
    """Logits, and the outputs of the three stages."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        stages = list(self.model.stages(x))
        return (self.model.logits(stages[-1].mean((2, 3))), *stages)


def net(spec, kind):
    return ResNet(spec[kind]["depth"], spec[kind]["width"], spec[kind]["strides"], spec["classes"])


@torch.inference_mode()
def accuracy(model, split):
    model.eval()
    right = sum((model(x).argmax(1) == y).sum().item() for x, y in zip(split.x.split(256), split.y.split(256)))
    return right / len(split.y)


def split_of(spec, name):
    return Split({**spec["files"][name], "normalization": spec["normalization"]}, np.fromfile(spec["rows"][name], np.int32))


def train_teacher(spec):
    torch.manual_seed(0)
    model, train, test = net(spec, "teacher"), split_of(spec, "train"), split_of(spec, "test")
    steps = spec["teacherEpochs"] * -(-len(train.y) // spec["batchSize"])
    optimizer = torch.optim.SGD(model.parameters(), **spec["sgd"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(spec["teacherEpochs"]):
        model.train()
        for rows in torch.randperm(len(train.y)).split(spec["batchSize"]):
            optimizer.zero_grad()
            F.cross_entropy(model(train.x[rows]), train.y[rows]).backward()
            optimizer.step()
            schedule.step()
    result = {"test": accuracy(model, test)}
    torch.save(model.state_dict(), os.path.join(spec["folder"], "teacher.pt"))
    names = ["logits", "stage1", "stage2", "stage3"]
    axes = {name: {0: "batch"} for name in ["x", *names]}
    file = os.path.join(spec["folder"], "teacher.onnx")
    torch.onnx.export(WithStages(model).eval(), (train.x[:1],), file, dynamo=False, input_names=["x"], output_names=names, dynamic_axes=axes)
    return result


def criterion(spec, loss):
    """The sum that Limbeck's loss of this name is; alpha weighs the labels in torchdistill and the teacher in Limbeck."""
    numbers = spec["losses"][loss]
    logits = {f"{side}_module_{part}": value for side in ("student", "teacher") for part, value in (("path", "."), ("io", "output"))}
    kd = {"temperature": numbers["temperature"], "alpha": 1 - numbers["alpha"], "beta": numbers["alpha"]}
    terms = {"kd": {"criterion": {"key": "KDLoss", "kwargs": {**logits, **kd}}, "weight": 1}}
    stages = numbers.get("stages", [])
    if loss == "attention":
        pairs = {
            stage: {"teacher": {"io": "output", "path": stage}, "student": {"io": "output", "path": stage}, "weight": 1} for stage in stages
        }
        terms["at"] = {"criterion": {"key": "ATLoss", "kwargs": {"at_pairs": pairs, "mode": "code"}}, "weight": numbers["featureWeight"]}
    if loss == "sp":
        paths = {"student_output_path": stages[0], "teacher_output_path": stages[0], "reduction": "batchmean"}
        terms["sp"] = {"criterion": {"key": "SPKDLoss", "kwargs": paths}, "weight": numbers["featureWeight"]}
    return {"key": "WeightedSumLoss", "kwargs": {"sub_terms": terms}}, stages


def distill(spec, loss, seed):
    from torchdistill.core.distillation import get_distillation_box

    torch.manual_seed(seed)
    teacher, student = net(spec, "teacher"), net(spec, "student")
    teacher.load_state_dict(torch.load(os.path.join(spec["folder"], "teacher.pt")))
    teacher.eval()
    train, validation, test = (split_of(spec, name) for name in ("train", "validation", "test"))
    terms, stages = criterion(spec, loss)
    loader = lambda name, sampler: {
        "dataset_id": name,
        "sampler": {"class_or_func": sampler, "kwargs": {}},
        "kwargs": {"batch_size": spec["batchSize"], "num_workers": 0, "drop_last": False},
    }
    steps = spec["epochs"] * -(-len(train.y) // spec["batchSize"])
    hooks = {"forward_proc": "forward_batch_only", "forward_hook": {"input": [], "output": stages}}
    config = {
        "num_epochs": spec["epochs"],
        "train_data_loader": loader("train", RandomSampler),
        "val_data_loader": loader("validation", SequentialSampler),
        "teacher": {**hooks, "requires_grad": False},
        "student": {**hooks, "requires_grad": True},
        "optimizer": {"key": "SGD", "kwargs": dict(spec["sgd"])},
        "scheduler": {"key": "CosineAnnealingLR", "kwargs": {"T_max": steps}, "scheduling_step": 1},
        "criterion": terms,
    }
    data = {"train": TensorDataset(train.x, train.y), "validation": TensorDataset(validation.x, validation.y)}
    box = get_distillation_box(teacher, student, data, config, torch.device("cpu"), None, False, 1)
    best, weights, start = -1.0, None, time.perf_counter()
    for epoch in range(spec["epochs"]):
        box.pre_epoch_process(epoch=epoch)
        for x, y, more in box.train_data_loader:
            box.post_forward_process(loss=box.forward_process(x, y, more))
        box.post_epoch_process(metrics=None)
        found = accuracy(student, validation)
        if found > best:
            best, weights = found, copy.deepcopy(student.state_dict())
    seconds = time.perf_counter() - start
    box.clean_modules()
    student.load_state_dict(weights)
    parameters = sum(v.numel() for v in weights.values() if v.ndim > 0)
    return {"seconds": seconds, "validation": best, "test": accuracy(student, test), "parameters": parameters}


def main():
    spec = json.load(open(sys.argv[1]))
    torch.set_num_threads(spec["threads"])
    print(json.dumps(train_teacher(spec) if sys.argv[2] == "teacher" else distill(spec, sys.argv[2], int(sys.argv[3]))))


if __name__ == "__main__":
    main()
