"""Rules of hunt_operators.py for what moves a window over a length or a picture."""
import math

import numpy as np
import onnxruntime
import torch
from hunt_rules import root, rule
from onnx import TensorProto, helper
from torch.nn import functional as F


def pads_of(n, x, kernel, strides, dilations):
    """As many before as after, twice, for each axis."""
    kind = n.get("auto_pad", "NOTSET")
    rank = len(kernel)
    if kind == "NOTSET":
        pads = n.get("pads", [0] * 2 * rank)
        return list(zip(pads[:rank], pads[rank:]))
    if kind == "VALID":
        return [(0, 0)] * rank
    pairs = []
    for size, k, stride, dilation in zip(x.shape[2:], kernel, strides, dilations):
        total = max(0, (math.ceil(size / stride) - 1) * stride + (k - 1) * dilation + 1 - size)
        small, large = total // 2, total - total // 2
        pairs.append((small, large) if kind == "SAME_UPPER" else (large, small))
    return pairs


def padded(x, pairs, value=0.0):
    return F.pad(x, [end for pair in reversed(pairs) for end in pair], value=value)


def steps(n, rank):
    return list(n.get("strides", [1] * rank)), list(n.get("dilations", [1] * rank))


@rule("Conv")
def conv(n, x, w, b=None):
    kernel = w.shape[2:]
    strides, dilations = steps(n, len(kernel))
    x = padded(x, pads_of(n, x, kernel, strides, dilations))
    function = {1: F.conv1d, 2: F.conv2d}[len(kernel)]
    return function(x, w, b, stride=strides, dilation=dilations, groups=n.get("group", 1))


@rule("ConvTranspose")
def transposed(n, x, w, b=None):
    rank = x.dim() - 2
    strides, dilations = steps(n, rank)
    function = {1: F.conv_transpose1d, 2: F.conv_transpose2d}[rank]
    y = function(x, w, None, stride=strides, dilation=dilations, groups=n.get("group", 1))
    wanted = n.shapes[0][2:]
    kind = n.get("auto_pad", "NOTSET")
    begins = n.get("pads", [0] * 2 * rank)[:rank]
    if kind.startswith("SAME") or "output_shape" in n.a:
        extra = n.get("output_padding", [0] * rank)
        totals = [max(0, size + more - out) for size, more, out in zip(y.shape[2:], extra, wanted)]
        begins = [total // 2 if kind == "SAME_UPPER" else total - total // 2 for total in totals]
    pairs = [(-begin, out - (size - begin)) for begin, size, out in zip(begins, y.shape[2:], wanted)]
    y = padded(y, pairs)
    return y if b is None else y + b.reshape(-1, *[1] * rank)


@rule("MaxPool")
def max_pool(n, x):
    kernel = list(n.get("kernel_shape"))
    strides, dilations = steps(n, len(kernel))
    wanted = n.shapes[0][2:]
    pairs = pads_of(n, x, kernel, strides, dilations)
    reach = [(out - 1) * s + (k - 1) * d + 1 for out, s, k, d in zip(wanted, strides, kernel, dilations)]
    pairs = [(begin, r - size - begin) for (begin, _), r, size in zip(pairs, reach, x.shape[2:])]
    function = {1: F.max_pool1d, 2: F.max_pool2d}[len(kernel)]
    return function(padded(x, pairs, -torch.inf), kernel, strides, 0, dilations)


def linear_map(n, shape, more=(), **attributes):
    """What ONNX Runtime makes of each pixel alone, for operators that are linear and treat channels alike: [pixels in, pixels out]."""
    count = math.prod(shape)
    pixels = np.eye(count, dtype=np.float32).reshape(count, 1, *shape)
    proto = type(n.proto)()
    proto.CopyFrom(n.proto)
    kept = [one for one in proto.attribute if one.name not in attributes]
    del proto.attribute[:]
    proto.attribute.extend(kept)
    proto.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())
    value = helper.make_tensor_value_info
    stored = [helper.make_tensor(name, kind, list(array.shape), array.flatten()) for name, kind, array in more]
    x, y = value(proto.input[0], TensorProto.FLOAT, pixels.shape), value(proto.output[0], TensorProto.FLOAT, None)
    graph = helper.make_graph([proto], "pixels", [x], [y], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", n.opset)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {proto.input[0]: pixels})[0].reshape(count, -1))


def mapped(x, matrix, out):
    return (x.flatten(2) @ matrix.to(x.dtype)).reshape(*x.shape[:2], *out)


@rule("AveragePool")
def average_pool(n, x):
    return mapped(x, linear_map(n, x.shape[2:]), n.shapes[0][2:])


@rule("LpPool")
def lp_pool(n, x):
    p = n.get("p", 2)
    sums = mapped(x.abs() ** p, linear_map(n, x.shape[2:], p=1), n.shapes[0][2:])
    return root(sums, p)


@rule("Resize", "Upsample")
def resize(n, x, *more):
    arrays = []
    for name, one in zip(n.proto.input[1:], more):
        if one is None:
            continue
        is_whole = not one.dtype.is_floating_point
        array = one.detach().numpy().astype(np.int64 if is_whole else np.float32)
        if is_whole and array.size == x.dim():
            array = np.concatenate([[math.prod(x.shape[2:]), 1], array[2:]])
        arrays.append((name, TensorProto.INT64 if is_whole else TensorProto.FLOAT, array))
    return mapped(x, linear_map(n, x.shape[2:], arrays), n.shapes[0][2:])


@rule("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(n, x):
    axes = tuple(range(2, x.dim()))
    if n.op == "GlobalAveragePool":
        return x.mean(axes, keepdim=True)
    if n.op == "GlobalMaxPool":
        return x.amax(axes, keepdim=True)
    p = n.get("p", 2)
    return root((x.abs() ** p).sum(axes, keepdim=True), p)


@rule("LRN")
def local_response(n, x):
    size = n.get("size")
    squares = F.pad(x * x, (0, 0, 0, 0, (size - 1) // 2, size // 2))
    sums = squares.unfold(1, size, 1).sum(-1)
    return x / (n.get("bias", 1.0) + n.get("alpha", 1e-4) / size * sums) ** n.get("beta", 0.75)


@rule("GridSample")
def grid_sample(n, x, grid):
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(n.get("mode", "bilinear"), n.get("mode", "bilinear"))
    aligned = bool(n.get("align_corners", 0))
    return F.grid_sample(x, grid, mode, n.get("padding_mode", "zeros"), aligned)
