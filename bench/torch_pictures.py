#!/usr/bin/env python3
"""PyTorch's side of bench/pictures.ts.

    python3 bench/torch_pictures.py SPEC.json [--teacher | --reading]

Trains the student from the files, as bench/pictures.ts says it in SPEC.json: a DataLoader of two workers with torchvision's transforms, fused AdamW,
channels last, the teacher asked at every step without gradients. With --teacher it trains torchvision's net a little and writes it as the ONNX
file that both sides read; with --reading it times the DataLoader alone.
"""

import argparse
import json
import resource
import time

import torch
import torchvision
from torch.nn import functional as F
from torch_nets import mobilenet_v2
from torchvision.transforms import v2

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def loader_of(spec, split, size, is_training):
    # A smaller crop shows a part of the picture at the same scale.
    area = [share * (size / spec["size"]) ** 2 for share in spec["area"]]
    first = (
        [v2.RandomResizedCrop(size, scale=area), v2.RandomHorizontalFlip()]
        if is_training
        else [v2.Resize((size, size))]
    )
    last = [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
    data = torchvision.datasets.ImageFolder(f"{spec['pictures']}/{split}", v2.Compose([*first, *last]))
    batch = spec["batchSize"] if is_training else 256
    return torch.utils.data.DataLoader(data, batch, shuffle=is_training, num_workers=2, persistent_workers=True)


def teacher_of(spec):
    return getattr(torchvision.models, spec["teacherNet"])(num_classes=spec["classes"])


def train_teacher(spec):
    """Trained with crops of 96 pixels, which take a third of the time."""
    net = teacher_of(spec).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, fused=True)
    steps, done = spec["teacherSteps"], 0
    loader = loader_of(spec, "train", 96, True)
    while done < steps:
        for x, y in loader:
            if done == steps:
                break
            optimizer.param_groups[0]["lr"] = 1e-3 * (1 - done / steps)
            optimizer.zero_grad()
            F.cross_entropy(net(x.contiguous(memory_format=torch.channels_last)), y).backward()
            optimizer.step()
            done += 1
    net.eval()
    torch.save(net.state_dict(), spec["weights"])
    x = torch.zeros(2, 3, spec["size"], spec["size"])
    names = {"input_names": ["x"], "output_names": ["logits"], "dynamic_axes": {"x": {0: "batch"}}}
    torch.onnx.export(net.to(memory_format=torch.contiguous_format), (x,), spec["teacher"], dynamo=False, **names)
    return {"steps": done}


class Parts:
    """Seconds of each part of the work."""

    def __init__(self):
        self.seconds = {"wait": 0, "label": 0, "train": 0, "validate": 0}
        self.since = time.perf_counter()

    def end(self, part):
        now = time.perf_counter()
        self.seconds[part] += now - self.since
        self.since = now


def train(spec):
    student = mobilenet_v2(spec["classes"], spec["alpha"], spec["size"]).to(memory_format=torch.channels_last)
    teacher = teacher_of(spec).eval()
    teacher.load_state_dict(torch.load(spec["weights"]))
    teacher = teacher.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(student.parameters(), lr=1, betas=(0.9, 0.999), eps=1e-8, weight_decay=spec["weightDecay"], fused=True)  # fmt: skip
    training, validation = (loader_of(spec, split, spec["size"], split == "train") for split in ("train", "validation"))
    t, share, step, best = spec["temperature"], spec["share"], 0, 0
    parts = Parts()
    while step < len(spec["learningRates"]):
        for x, y in training:
            x = x.contiguous(memory_format=torch.channels_last)
            parts.end("wait")
            with torch.no_grad():
                answers = teacher(x)
            parts.end("label")
            optimizer.param_groups[0]["lr"] = spec["learningRates"][step]
            logits = student(x)
            soft = F.kl_div(F.log_softmax(logits / t, 1), F.log_softmax(answers / t, 1), reduction="batchmean", log_target=True)  # fmt: skip
            loss = share * t * t * soft + (1 - share) * F.cross_entropy(logits, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
            step += 1
            parts.end("train")
        student.eval()
        with torch.no_grad():
            right = sum((student(x.contiguous(memory_format=torch.channels_last)).argmax(1) == y).sum().item() for x, y in validation)  # fmt: skip
        student.train()
        best = max(best, right / len(validation.dataset))
        parts.end("validate")
    del training, validation
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    parameters = sum(v.numel() for v in student.state_dict().values() if v.ndim > 0)
    return {
        **{"validation": best, "parameters": parameters, "seconds": parts.seconds},
        "cpuSeconds": sum(one.ru_utime + one.ru_stime for one in used),
    }


def reading(spec):
    """Pictures a second of the DataLoader, whose workers have answered before."""
    loader = loader_of(spec, "train", spec["size"], True)
    passed, start = 0, 0
    for i, (x, _) in enumerate(loader):
        passed += len(x) if i >= 4 else 0
        start = time.perf_counter() if i == 3 else start
    return {"rate": passed / (time.perf_counter() - start)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("spec")
    parser.add_argument("--teacher", action="store_true")
    parser.add_argument("--reading", action="store_true")
    args = parser.parse_args()
    with open(args.spec) as file:
        spec = json.load(file)
    torch.manual_seed(1)
    torch.set_num_threads(spec["threads"])
    work = train_teacher if args.teacher else reading if args.reading else train
    print(json.dumps({**work(spec), "torch": torch.__version__}))
