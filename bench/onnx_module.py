"""An ONNX classifier as a PyTorch module, for torch_recipe.py: each node becomes one eager call, as in a net written by hand."""
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F


class OnnxModule(nn.Module):
    """Holds the initializers as buffers. Raises ValueError for an operator that it does not know."""

    def __init__(self, path):
        super().__init__()
        graph = onnx.load(path).graph
        known = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in graph.initializer}
        self.input = next(one.name for one in graph.input if one.name not in known)
        self.output = graph.output[0].name
        self.nodes = []
        for node in graph.node:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "Constant":
                known[node.output[0]] = torch.from_numpy(numpy_helper.to_array(attributes["value"]).copy())
            elif node.op_type in OPS:
                self.nodes.append((OPS[node.op_type], attributes, list(node.input), list(node.output)[0]))
            else:
                raise ValueError(f"{path}: no PyTorch call is known here for {node.op_type}")
        self.names = {name: f"value{i}" for i, name in enumerate(known)}
        for name, value in known.items():
            self.register_buffer(self.names[name], value)
        size = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim]
        self.channels_last = len(size) == 4 and size[3] in (1, 3) and size[1] not in (1, 3)

    def forward(self, x):
        """x: [batch, channels, height, width]"""
        values = {name: getattr(self, at) for name, at in self.names.items()}
        values[self.input] = x.permute(0, 2, 3, 1) if self.channels_last else x
        for call, attributes, inputs, output in self.nodes:
            values[output] = call(attributes, *[values[name] if name else None for name in inputs])
        return values[self.output]


def padded(a, x, value=0.0):
    """x with ONNX' pads (starts, then ends) where they differ, and the padding that the call itself can add."""
    if a.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise ValueError(f"auto_pad {a['auto_pad']} is not known here")
    top, left, bottom, right = a.get("pads", [0, 0, 0, 0])
    if top == bottom and left == right:
        return x, (top, left)
    return F.pad(x, (left, right, top, bottom), value=value), (0, 0)


def conv(a, x, weight, bias=None):
    x, padding = padded(a, x)
    return F.conv2d(x, weight, bias, a.get("strides", 1), padding, a.get("dilations", 1), a.get("group", 1))


def max_pool(a, x):
    x, padding = padded(a, x, float("-inf"))
    return F.max_pool2d(x, a["kernel_shape"], a.get("strides"), padding)


def average_pool(a, x):
    x, padding = padded(a, x)
    return F.avg_pool2d(x, a["kernel_shape"], a.get("strides"), padding, count_include_pad=bool(a.get("count_include_pad", 0)))


def gemm(a, x, weight, bias=None):
    x = x.t() if a.get("transA") else x
    weight = weight if a.get("transB") else weight.t()
    if a.get("alpha", 1) != 1 or a.get("beta", 1) != 1:
        raise ValueError("Gemm with alpha or beta is not known here")
    return F.linear(x, weight, bias)


def reduce_mean(a, x, axes=None):
    axes = a.get("axes") if axes is None else axes.tolist()
    return x.mean(axes, keepdim=bool(a.get("keepdims", 1)))


def reshape(a, x, shape):
    sizes = shape.tolist()
    return x.reshape([x.shape[i] if size == 0 else size for i, size in enumerate(sizes)])


def batch_norm(a, x, scale, bias, mean, variance):
    return F.batch_norm(x, mean, variance, scale, bias, eps=a.get("epsilon", 1e-5))


OPS = {
    "Conv": conv,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "ReduceMean": reduce_mean,
    "BatchNormalization": batch_norm,
    "Relu": lambda a, x: F.relu(x),
    "Clip": lambda a, x, low=None, high=None: x.clamp(low, high),
    "Add": lambda a, x, y: x + y,
    "Sub": lambda a, x, y: x - y,
    "Mul": lambda a, x, y: x * y,
    "Div": lambda a, x, y: x / y,
    "Gemm": gemm,
    "MatMul": lambda a, x, y: x @ y,
    "Reshape": reshape,
    "Flatten": lambda a, x: x.flatten(a.get("axis", 1)),
    "Squeeze": lambda a, x, axes: x.squeeze(tuple(axes.tolist())),
    "Transpose": lambda a, x: x.permute(a["perm"]),
    "Identity": lambda a, x: x,
}
