"""Rules of hunt_operators.py for what moves values, and for constants."""
import math

import numpy as np
import torch
from hunt_rules import numbers, rule, whole
from onnx import numpy_helper
from torch.nn import functional as F


@rule("Constant")
def constant(n):
    return torch.from_numpy(numpy_helper.to_array(n.a["value"]).copy())


def taken(x, axis, at):
    return x.index_select(axis, torch.tensor(np.array(at, np.int64)))


@rule("Transpose")
def transpose(n, x):
    return x.permute(n.get("perm", list(reversed(range(x.dim())))))


@rule("Reshape")
def reshape(n, x, shape):
    return x.reshape([x.shape[i] if size == 0 else size for i, size in enumerate(numbers(shape))])


@rule("Flatten")
def flatten(n, x):
    return x.reshape(math.prod(x.shape[: n.get("axis", 1)]), -1)


@rule("Squeeze", "Unsqueeze", "Expand")
def same_values(n, x, *more):
    return torch.broadcast_to(x, n.shapes[0]) if n.op == "Expand" else x.reshape(n.shapes[0])


@rule("Concat")
def concat(n, *inputs):
    return torch.cat(inputs, n.get("axis"))


@rule("Split")
def split(n, x, sizes=None):
    return torch.split(x, [shape[n.get("axis", 0)] for shape in n.shapes], n.get("axis", 0))


@rule("Slice")
def slices(n, x, *more):
    starts, ends, axes, by = (numbers(one) for one in more) if more else (n.get("starts"), n.get("ends"), n.get("axes"), [1] * 9)
    for start, end, axis, step in zip(starts, ends, axes, by):
        end = None if step < 0 and end < -x.shape[axis] else end
        x = taken(x, whole(x, axis), np.arange(x.shape[axis])[start:end:step])
    return x


@rule("Gather")
def gather(n, x, at):
    axis = whole(x, n.get("axis", 0))
    at = at % x.shape[axis]
    return taken(x, axis, at.flatten().numpy()).reshape(*x.shape[:axis], *at.shape, *x.shape[axis + 1 :])


@rule("GatherElements")
def gather_elements(n, x, at):
    return torch.gather(x, n.get("axis", 0), at)


@rule("Pad")
def pad(n, x, pads=None, value=None, axes=None):
    pads = list(n.get("pads")) if pads is None else numbers(pads)
    value = n.get("value", 0.0) if value is None else float(value)
    axes = range(x.dim()) if axes is None else [whole(x, axis) for axis in numbers(axes)]
    for axis, before, after in zip(axes, pads, pads[len(pads) // 2 :]):
        size = x.shape[axis]
        x = taken(x, axis, np.arange(size)[max(0, -before) : size + min(0, after)])
        before, after = max(0, before), max(0, after)
        if n.get("mode", "constant") != "constant":
            x = taken(x, axis, np.pad(np.arange(x.shape[axis]), (before, after), n.get("mode")))
            continue
        x = F.pad(x, [0, 0] * (x.dim() - 1 - axis) + [before, after], value=value)
    return x


@rule("Tile")
def tile(n, x, repeats):
    return x.repeat(numbers(repeats))


@rule("CumSum")
def cumulated(n, x, axis):
    axis = int(axis)
    turned = x.flip(axis) if n.get("reverse", 0) else x
    y = turned.cumsum(axis) - (turned if n.get("exclusive", 0) else 0)
    return y.flip(axis) if n.get("reverse", 0) else y


@rule("TopK")
def top(n, x, k):
    return torch.topk(x, int(k), n.get("axis", -1), bool(n.get("largest", 1)))


@rule("Trilu")
def triangle(n, x, k=None):
    return (torch.triu if n.get("upper", 1) else torch.tril)(x, 0 if k is None else int(k))


@rule("DepthToSpace", "SpaceToDepth")
def blocks(n, x):
    b, (batch, c, h, w) = n.get("blocksize"), x.shape
    if n.op == "SpaceToDepth":
        y = x.reshape(batch, c, h // b, b, w // b, b).permute(0, 3, 5, 1, 2, 4)
    elif n.get("mode", "DCR") == "DCR":
        y = x.reshape(batch, b, b, c // b**2, h, w).permute(0, 3, 4, 1, 5, 2)
    else:
        y = x.reshape(batch, c // b**2, b, b, h, w).permute(0, 1, 4, 2, 5, 3)
    return y.reshape(n.shapes[0])
