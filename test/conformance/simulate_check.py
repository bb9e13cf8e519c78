"""Integer inference in NumPy: reads the int8 ONNX files of a folder, computes them node by node from the definitions of the
operators, and says how far the 8-bit tensors that ONNX Runtime gave lie from that.

What is dequantized keeps its integers and scale. A convolution or product of two such tensors is a sum of products of
integers, with the bias as an integer of the product of both scales (ONNX' QLinearConv; Jacob et al. 2018, section 2.2).
Nothing here is shared with the program that wrote the files, nor with ONNX Runtime.
"""
import json
import os
import sys

import numpy as np
import onnx
from onnx import numpy_helper


class Quantized:
    """Integers q of real values scale * (q - zero); `scale` along `axis` where it has more than one."""

    def __init__(self, q, scale, zero, axis):
        self.q, self.scale, self.zero, self.axis = q.astype(np.int64), scale.astype(np.float64), zero, axis

    def steps(self):
        return self.q - self._spread(np.asarray(self.zero, dtype=np.int64))

    def real(self):
        return self.steps() * self._spread(self.scale)

    def _spread(self, values):
        if values.ndim == 0 or values.size == 1:
            return values.reshape(())
        shape = [1] * self.q.ndim
        shape[self.axis] = values.size
        return values.reshape(shape)


def real(value):
    return value.real() if isinstance(value, Quantized) else np.asarray(value, dtype=np.float64)


def quantize(node, value, scale, zero):
    limits = np.iinfo(zero.dtype)
    # np.rint rounds half to even, as QuantizeLinear is defined.
    q = np.rint((real(value).astype(np.float32) / scale).astype(np.float64)) + zero
    return np.clip(q, limits.min, limits.max).astype(zero.dtype)


def dequantize(node, q, scale, zero=None):
    axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
    return Quantized(q, scale, np.zeros_like(q, shape=scale.shape) if zero is None else zero, axis)


def convolve(x, w, pads, strides, dilations, group):
    """Sums of products of integers: x [n, c, h, w], w [out, c / group, kh, kw]."""
    x = np.pad(x, [(0, 0), (0, 0), (pads[0], pads[2]), (pads[1], pads[3])])
    kh, kw = w.shape[2:]
    h = (x.shape[2] - dilations[0] * (kh - 1) - 1) // strides[0] + 1
    v = (x.shape[3] - dilations[1] * (kw - 1) - 1) // strides[1] + 1
    parts = []
    for xs, ws in zip(np.split(x, group, 1), np.split(w, group, 0)):
        total = np.zeros((x.shape[0], ws.shape[0], h, v), dtype=np.int64)
        for i in range(kh):
            for j in range(kw):
                rows = slice(i * dilations[0], i * dilations[0] + strides[0] * (h - 1) + 1, strides[0])
                columns = slice(j * dilations[1], j * dilations[1] + strides[1] * (v - 1) + 1, strides[1])
                total += np.einsum("nchw,oc->nohw", xs[:, :, rows, columns], ws[:, :, i, j])
        parts.append(total)
    return np.concatenate(parts, 1)


def accumulated(sums, scales, bias, shape):
    """Real values of integer sums of these scales; the bias is rounded to the same steps."""
    scales = scales.reshape(shape) if scales.size > 1 else scales
    if bias is None:
        return sums * scales
    steps = np.rint(real(bias).reshape(shape) / scales)
    return (sums + steps.astype(np.int64)) * scales


def conv(node, x, w, bias=None):
    attrs = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    sums = convolve(
        x.steps(), w.steps(), attrs.get("pads", [0] * 4), attrs.get("strides", [1, 1]),
        attrs.get("dilations", [1, 1]), attrs.get("group", 1),
    )  # fmt: skip
    return accumulated(sums, x.scale * w.scale, bias, (1, -1, 1, 1))


def gemm(node, x, w, bias=None):
    attrs = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    assert not attrs.get("transA") and attrs.get("alpha", 1) == 1 and attrs.get("beta", 1) == 1
    matrix = w.steps().T if attrs.get("transB") else w.steps()
    return accumulated(x.steps() @ matrix, x.scale * w.scale, bias, (1, -1))


def mean(node, x, axes=None):
    attrs = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    axes = attrs.get("axes") if axes is None else axes
    return real(x).mean(tuple(int(a) for a in axes), keepdims=bool(attrs.get("keepdims", 1)))


def reshape(node, x, shape):
    shape = [x.shape[i] if size == 0 else int(size) for i, size in enumerate(shape)]
    return np.reshape(x, shape)


def flatten(node, x):
    axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
    return np.reshape(x, (int(np.prod(x.shape[:axis])), -1))


OPS = {
    "QuantizeLinear": quantize,
    "DequantizeLinear": dequantize,
    "Conv": conv,
    "Gemm": gemm,
    "MatMul": gemm,
    "Relu": lambda node, x: np.maximum(real(x), 0),
    "Add": lambda node, a, b: real(a) + real(b),
    "ReduceMean": mean,
    "GlobalAveragePool": lambda node, x: real(x).mean((2, 3), keepdims=True),
    "Reshape": lambda node, x, shape: reshape(node, real(x), shape),
    "Flatten": lambda node, x: flatten(node, real(x)),
    "Transpose": lambda node, x: np.transpose(real(x), onnx.helper.get_attribute_value(node.attribute[0])),
}


def simulate(path, feeds):
    graph = onnx.load(path).graph
    values = {t.name: numpy_helper.to_array(t) for t in graph.initializer} | feeds
    for node in graph.node:
        if node.op_type not in OPS:
            raise ValueError(f"{node.op_type} is not simulated")
        given = [values[name] for name in node.input if name != ""]
        values[node.output[0]] = OPS[node.op_type](node, *given)
    return values


def tensor(folder, entry):
    values = np.fromfile(os.path.join(folder, entry["file"]), dtype=entry["dtype"])
    return values.reshape(entry["shape"])


def check(folder, case):
    path = os.path.join(folder, case["file"])
    onnx.checker.check_model(path, full_check=True)
    values = simulate(path, {entry["name"]: tensor(folder, entry) for entry in case["inputs"]})
    worst, furthest, problem = 1.0, 0, ""
    for entry in case["outputs"]:
        actual, expected = tensor(folder, entry).astype(np.int64), values[entry["name"]].astype(np.int64)
        if actual.shape != expected.shape:
            return {"name": case["name"], "problem": f"{entry['name']}: {actual.shape} instead of {expected.shape}", "error": 0}
        off = np.abs(actual - expected)
        within = float(np.mean(off <= 1))
        worst, furthest = min(worst, within), max(furthest, int(off.max()))
        if within < 0.999:
            problem = problem or f"{entry['name']}: {100 * within:.3f} % of the values lie within one step"
    return {"name": case["name"], "problem": problem, "error": furthest, "within": worst}


root = sys.argv[1]
with open(os.path.join(root, "manifest.json")) as file:
    manifest = json.load(file)
print(json.dumps([check(root, case) for case in manifest]))
