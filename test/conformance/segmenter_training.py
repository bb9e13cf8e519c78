"""The training of test/conformance/segmenter-training.test.ts in PyTorch: prints JSON.

    python3 segmenter_training.py FOLDER float32|float64

The student is bench/torch_nets.py's, from the weights that Limbeck began with; rows and learning rate of each step are Limbeck's.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
from torch_nets import V2, Lraspp, Same  # noqa: E402

IGNORED = 255
folder = Path(sys.argv[1])
DTYPE = getattr(torch, sys.argv[2])
about = json.loads((folder / "about.json").read_text())
SIZE, STRIDE, CLASSES, BATCH = about["size"], about["stride"], about["classes"], about["batch"]


def numbers(name, shape, dtype=np.float32):
    return np.fromfile(folder / f"{name}.bin", dtype).reshape(shape)


def channels_first(values):
    return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))


def state_of(name):
    values, found, offset = np.fromfile(folder / f"{name}.bin", np.float32), {}, 0
    for one in json.loads((folder / f"{name}.json").read_text()):
        count = math.prod(one["shape"])
        found[one["name"]] = torch.from_numpy(values[offset : offset + count].reshape(one["shape"]).copy())
        offset += count
    assert offset == len(values)
    return found


def layer_names():
    yield "stem"
    block = 0
    for expansion, _, repeats, _ in V2[:5]:
        for _ in range(repeats):
            block += 1
            parts = ["depthwise", "project"] if expansion == 1 else ["expand", "depthwise", "project"]
            yield from (f"block{block}_{part}" for part in parts)
    yield from ("head", "context", "logits_high", "logits_skip")


def tensors_of(net):
    """Tensors of the net by the name that Limbeck gives them, with the order of axes that turns Limbeck's into PyTorch's."""
    names, found, name = layer_names(), {}, None
    for module in net.modules():
        if isinstance(module, Same):
            name = next(names)
            depthwise = module.groups > 1
            found[f"{name}/{'depthwise_kernel' if depthwise else 'kernel'}"] = (module.weight, (2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
            if module.bias is not None:
                found[f"{name}/bias"] = (module.bias, None)
        elif isinstance(module, torch.nn.BatchNorm2d):
            keys = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
            found |= {f"{name}_bn/{ours}": (getattr(module, theirs), None) for ours, theirs in keys.items()}
    assert next(names, None) is None
    return found


def net_of(state, dtype=torch.float32):
    net = Lraspp(about["alpha"], about["filters"], CLASSES).to(dtype)
    tensors = tensors_of(net)
    assert sorted(tensors) == sorted(state)
    with torch.no_grad():
        for name, (tensor, order) in tensors.items():
            value = state[name].to(dtype)
            tensor.copy_(value if order is None else value.permute(order))
    return net


pictures = channels_first(numbers("pictures", (-1, SIZE, SIZE, 3)))
shares = channels_first(numbers("shares", (-1, SIZE // STRIDE, SIZE // STRIDE, CLASSES)))
order = torch.tensor(about["order"]).view(-1, BATCH)


def loss_of(net, rows, dtype=torch.float32):
    """Cross-entropy with the shares of the classes in each cell, the mean over all pixels with a class."""
    there = shares[rows].to(dtype)
    return -(there * net(pictures[rows].to(dtype)).log_softmax(1)).sum() / there.sum()


def trained(dtype, steps):
    net = net_of(state_of("begin"), dtype).train()
    decayed = [p for p in net.parameters() if p.ndim > 1]
    rest = [p for p in net.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": about["decay"]}, {"params": rest, "weight_decay": 0}])
    losses, first = [], None
    for rows, rate in list(zip(order, about["rates"]))[:steps]:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        loss = loss_of(net, rows, dtype)
        loss.backward()
        if first is None:
            first = {name: tensor.grad.clone() for name, (tensor, _) in tensors_of(net).items() if tensor.requires_grad}
        optimizer.step()
        losses.append(loss.item())
    return net, losses, first


def mean_iou(net):
    seen, masks = channels_first(numbers("seen", (-1, SIZE, SIZE, 3))), numbers("masks", (-1, SIZE, SIZE), np.uint8)
    with torch.no_grad():
        answers = net.eval()(seen)
        given = F.interpolate(answers, scale_factor=STRIDE, mode="bilinear", align_corners=False).argmax(1).numpy()
    known = masks != IGNORED
    counts = np.bincount(masks[known].astype(np.int64) * CLASSES + given[known], minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    right, union = np.diag(counts), counts.sum(0) + counts.sum(1) - np.diag(counts)
    return float((right[union > 0] / union[union > 0]).mean())


def apart(gradients, exact):
    off = sum(float((gradients[name].double() - exact[name]).square().sum()) for name in exact)
    return math.sqrt(off / sum(float(one.square().sum()) for one in exact.values()))


net, losses, _ = trained(DTYPE, len(order))
exact, single = (trained(dtype, 1)[2] for dtype in (torch.float64, torch.float32))
tensors, gradient = tensors_of(net), state_of("gradient")
ours = {name: value if tensors[name][1] is None else value.permute(tensors[name][1]) for name, value in gradient.items()}
result = {"gradient": apart(ours, exact), "gradient32": apart(single, exact), "losses": losses}
print(json.dumps({**result, "theirs": mean_iou(net.float()), "ours": mean_iou(net_of(state_of("end")))}))
