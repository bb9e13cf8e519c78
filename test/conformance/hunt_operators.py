"""ONNX' operators in PyTorch, as far as hunt/ draws them: written from the specification, each once, for any float type.

A rule is called with its node and the tensors that it reads, None where an input is left out.
"""
import math

import hunt_places  # noqa: F401
import hunt_windows  # noqa: F401
import torch
from hunt_rules import RULES, numbers, root, rule, whole
from torch.nn import functional as F

# Functions of one number.
SIMPLE = {
    **{"Relu": torch.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "Softsign": F.softsign, "Abs": torch.abs},
    **{"Neg": torch.neg, "Sin": torch.sin, "Cos": torch.cos, "Tan": torch.tan, "Asin": torch.asin, "Acos": torch.acos},
    **{"Atan": torch.atan, "Sinh": torch.sinh, "Cosh": torch.cosh, "Asinh": torch.asinh, "Acosh": torch.acosh},
    **{"Atanh": torch.atanh, "Exp": torch.exp, "Log": torch.log, "Sqrt": torch.sqrt, "Erf": torch.erf},
    **{"Reciprocal": torch.reciprocal, "Identity": lambda x: x},
}
for name, function in SIMPLE.items():
    RULES[name] = lambda n, x, function=function: function(x)


@rule("Softplus")
def softplus(n, x):
    return torch.log1p(torch.exp(-x.abs())) + torch.relu(x)


@rule("Mish")
def mish(n, x):
    return x * torch.tanh(softplus(n, x))


@rule("LeakyRelu")
def leaky(n, x):
    return torch.where(x < 0, n.get("alpha", 0.01) * x, x)


@rule("Elu")
def elu(n, x):
    return torch.where(x < 0, n.get("alpha", 1.0) * (torch.exp(x.clamp(max=0)) - 1), x)


@rule("Celu")
def celu(n, x):
    alpha = n.get("alpha", 1.0)
    return torch.where(x < 0, alpha * (torch.exp(x.clamp(max=0) / alpha) - 1), x)


@rule("Selu")
def selu(n, x):
    alpha, gamma = n.get("alpha", 1.67326319217681884765625), n.get("gamma", 1.05070102214813232421875)
    return gamma * torch.where(x < 0, alpha * (torch.exp(x.clamp(max=0)) - 1), x)


@rule("HardSigmoid")
def hard_sigmoid(n, x):
    return (n.get("alpha", 0.2) * x + n.get("beta", 0.5)).clamp(0, 1)


@rule("HardSwish")
def hard_swish(n, x):
    return x * (x / 6 + 0.5).clamp(0, 1)


@rule("Swish")
def swish(n, x):
    return x * torch.sigmoid(n.get("alpha", 1.0) * x)


@rule("Gelu")
def gelu(n, x):
    if n.get("approximate", "none") == "tanh":
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


@rule("Shrink")
def shrink(n, x):
    limit, bias = n.get("lambd", 0.5), n.get("bias", 0.0)
    return torch.where(x < -limit, x + bias, torch.where(x > limit, x - bias, torch.zeros_like(x)))


@rule("Clip")
def clip(n, x, low=None, high=None):
    low, high = n.get("min", low), n.get("max", high)
    x = x if low is None else torch.where(x < low, torch.as_tensor(low, dtype=x.dtype), x)
    return x if high is None else torch.where(x > high, torch.as_tensor(high, dtype=x.dtype), x)


@rule("PRelu")
def prelu(n, x, slope):
    return torch.where(x < 0, slope * x, x)


@rule("Softmax", "LogSoftmax")
def softmax(n, x):
    function = torch.softmax if n.op == "Softmax" else torch.log_softmax
    if n.opset >= 13:
        return function(x, n.get("axis", -1))
    axis = whole(x, n.get("axis", 1))
    return function(x.reshape(math.prod(x.shape[:axis]), -1), 1).reshape(x.shape)


# Functions of several.
@rule("Add", "Sub", "Mul", "Div", "Pow", "Greater", "Less")
def binary(n, a, b):
    kinds = {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div, "Pow": torch.pow}
    return {**kinds, "Greater": torch.gt, "Less": torch.lt}[n.op](a, b)


@rule("Max", "Min", "Sum", "Mean")
def several(n, *inputs):
    together = {"Max": torch.maximum, "Min": torch.minimum}.get(n.op, torch.add)
    y = inputs[0]
    for one in inputs[1:]:
        y = together(y, one)
    return y / len(inputs) if n.op == "Mean" else y


@rule("Where")
def where(n, condition, a, b):
    return torch.where(condition, a, b)


# Products.
@rule("MatMul")
def matmul(n, a, b):
    return torch.matmul(a, b)


@rule("Gemm")
def gemm(n, a, b, c=None):
    a = a.T if n.get("transA", 0) else a
    b = b.T if n.get("transB", 0) else b
    y = n.get("alpha", 1.0) * (a @ b)
    return y if c is None else y + n.get("beta", 1.0) * c


@rule("Einsum")
def einsum(n, *inputs):
    return torch.einsum(n.get("equation"), *inputs)


@rule("Attention")
def attention(n, q, k, v, mask=None):
    heads = lambda x, count: x.reshape(x.shape[0], x.shape[1], count, -1).transpose(1, 2)
    count, shared = n.get("q_num_heads"), n.get("kv_num_heads")
    q, k, v = heads(q, count), heads(k, shared), heads(v, shared)
    k, v = (one.repeat_interleave(count // shared, 1) for one in (k, v))
    scores = q @ k.transpose(2, 3) * n.get("scale", q.shape[-1] ** -0.5)
    cap = n.get("softcap", 0.0)
    scores = cap * torch.tanh(scores / cap) if cap else scores
    scores = scores if mask is None else scores + mask
    if n.get("is_causal", 0):
        later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(later, -torch.inf)
    y = torch.softmax(scores, -1) @ v
    return y.transpose(1, 2).reshape(y.shape[0], y.shape[2], -1)


# Norms.
@rule("BatchNormalization")
def batch_norm(n, x, scale, offset, mean, variance):
    mean, variance = (None, None) if n.is_training else (mean.detach(), variance.detach())
    return F.batch_norm(x, mean, variance, scale, offset, n.is_training, 0.0, n.get("epsilon", 1e-5))


def normed(x, axes, epsilon):
    mean = x.mean(axes, keepdim=True)
    variance = ((x - mean) ** 2).mean(axes, keepdim=True)
    return (x - mean) / torch.sqrt(variance + epsilon)


def by_channel(x, one):
    return one.reshape(1, -1, *[1] * (x.dim() - 2))


@rule("InstanceNormalization")
def instance_norm(n, x, scale, offset):
    y = normed(x, tuple(range(2, x.dim())), n.get("epsilon", 1e-5))
    return y * by_channel(x, scale) + by_channel(x, offset)


@rule("GroupNormalization")
def group_norm(n, x, scale, offset):
    groups = n.get("num_groups")
    y = normed(x.reshape(x.shape[0], groups, -1), (2,), n.get("epsilon", 1e-5)).reshape(x.shape)
    if n.opset < 21:
        scale, offset = (one.repeat_interleave(x.shape[1] // groups) for one in (scale, offset))
    return y * by_channel(x, scale) + by_channel(x, offset)


@rule("LayerNormalization")
def layer_norm(n, x, scale, offset=None):
    axes = tuple(range(whole(x, n.get("axis", -1)), x.dim()))
    y = normed(x, axes, n.get("epsilon", 1e-5)) * scale
    return y if offset is None else y + offset


@rule("RMSNormalization")
def rms_norm(n, x, scale):
    axes = tuple(range(whole(x, n.get("axis", -1)), x.dim()))
    return x / torch.sqrt((x * x).mean(axes, keepdim=True) + n.get("epsilon", 1e-5)) * scale


@rule("LpNormalization")
def lp_norm(n, x):
    axis, p = n.get("axis", -1), n.get("p", 2)
    sums = (x.abs() ** p).sum(axis, keepdim=True)
    return x / torch.where(sums > 0, sums, 1.0) ** (1 / p)


@rule("MeanVarianceNormalization")
def mean_variance(n, x):
    axes = tuple(n.get("axes", [0, 2, 3]))
    centred = x - x.mean(axes, keepdim=True)
    return centred / (torch.sqrt((centred**2).mean(axes, keepdim=True)) + 1e-9)


REDUCTIONS = {
    **{"Mean": torch.mean, "Sum": torch.sum, "Max": torch.amax, "Min": torch.amin, "LogSumExp": torch.logsumexp},
    "L1": lambda x, axes, keepdim: x.abs().sum(axes, keepdim),
    "L2": lambda x, axes, keepdim: root((x * x).sum(axes, keepdim), 2),
    "SumSquare": lambda x, axes, keepdim: (x * x).sum(axes, keepdim),
    "LogSum": lambda x, axes, keepdim: x.sum(axes, keepdim).log(),
}


@rule(*(f"Reduce{kind}" for kind in (*REDUCTIONS, "Prod")))
def reduce(n, x, axes=None):
    axes = numbers(axes) if axes is not None else n.get("axes", list(range(x.dim())))
    keepdim = bool(n.get("keepdims", 1))
    if n.op != "ReduceProd":
        return REDUCTIONS[n.op[6:]](x, tuple(axes), keepdim)
    for axis in sorted((whole(x, axis) for axis in axes), reverse=True):
        x = x.prod(axis, keepdim)
    return x


# Recurrent layers.
ACTIVATIONS = {b"Sigmoid": torch.sigmoid, b"Tanh": torch.tanh, b"Relu": torch.relu}


@rule("LSTM", "GRU", "RNN")
def recurrent(n, x, w, r, b=None, lengths=None, h0=None, c0=None):
    hidden, both, batch = n.get("hidden_size"), w.shape[0], x.shape[1]
    usual = {"LSTM": [b"Sigmoid", b"Tanh", b"Tanh"], "GRU": [b"Sigmoid", b"Tanh"], "RNN": [b"Tanh"]}[n.op]
    names = n.get("activations", usual * both)
    outputs, hs, cs = [], [], []
    for d in range(both):
        f = [ACTIVATIONS[name] for name in names[d * len(usual) : (d + 1) * len(usual)]]
        is_reverse = d == 1 or n.get("direction", "forward") == "reverse"
        wb, rb = (torch.zeros(w.shape[1], dtype=x.dtype),) * 2 if b is None else b[d].chunk(2)
        h = torch.zeros(batch, hidden, dtype=x.dtype) if h0 is None else h0[d]
        c = torch.zeros(batch, hidden, dtype=x.dtype) if c0 is None else c0[d]
        seen = []
        for t in reversed(range(len(x))) if is_reverse else range(len(x)):
            a, u = x[t] @ w[d].T + wb, h @ r[d].T
            if n.op == "RNN":
                h = f[0](a + u + rb)
            elif n.op == "LSTM":
                i, o, forget, cell = (a + u + rb).chunk(4, 1)
                c = f[0](forget) * c + f[0](i) * f[1](cell)
                h = f[0](o) * f[2](c)
            else:
                (az, ar, ah), (uz, ur, uh), (bz, br, bh) = a.chunk(3, 1), u.chunk(3, 1), rb.chunk(3)
                z, reset = f[0](az + uz + bz), f[0](ar + ur + br)
                if n.get("linear_before_reset", 0):
                    new = f[1](ah + reset * (uh + bh))
                else:
                    new = f[1](ah + (reset * h) @ r[d][2 * hidden :].T + bh)
                h = (1 - z) * new + z * h
            seen.append(h)
        outputs.append(torch.stack(seen[::-1] if is_reverse else seen))
        hs.append(h)
        cs.append(c)
    return torch.stack(outputs, 1), torch.stack(hs), torch.stack(cs)
