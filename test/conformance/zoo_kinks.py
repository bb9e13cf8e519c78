"""Kinks: where the slope of a ReLU and its like jumps.

Where the input of one is as near to a kink as float32 rounds, the sign of a rounding error decides whether a gradient is passed on, and no two
programs give the same gradients: PyTorch in float32 and in float64 do not either. So gradients are compared where no input is near one.
"""

from copy import deepcopy

import numpy as np
import torch
from torch import nn

KINKS = {nn.ReLU: (0,), nn.LeakyReLU: (0,), nn.ReLU6: (0, 6), nn.Hardswish: (-3, 3), nn.Hardsigmoid: (-3, 3)}

# Float32 errors of activations of a size of 1 in these nets are below 1e-5.
CLEAR = 5e-4


def shift_of(values, kinks):
    """Smallest number to be added to all values after which none is nearer than CLEAR to a kink; or else the best within 1."""
    forbidden = np.sort(np.concatenate([kink - values for kink in kinks]))
    edges = np.concatenate([[-1], forbidden[np.abs(forbidden) < 1], [1]])
    low, high = edges[:-1], edges[1:]
    wide = high - low >= 2 * CLEAR
    if not wide.any():
        best = np.argmax(high - low)
        return (low[best] + high[best]) / 2
    shifts = np.clip(0, low[wide] + CLEAR, high[wide] - CLEAR)
    return shifts[np.argmin(np.abs(shifts))]


def clear_of_kinks(net, x):
    """Moves the biases in front of each ReLU and its like, channel by channel and layer by layer, until no input of it is near a kink."""
    copy, last = deepcopy(net).double(), []
    names = {module: name for name, module in copy.named_modules()}
    moved = {}

    def move(module, given):
        values = given[0].detach().transpose(0, 1).flatten(1).numpy()
        shifts = torch.from_numpy(np.array([shift_of(row, KINKS[type(module)]) for row in values]))
        bias = last[-1].bias.data
        assert bias.shape == shifts.shape, (names[module], names[last[-1]])
        bias += shifts
        moved[names[last[-1]]] = bias
        return (given[0] + shifts.reshape(-1, *[1] * (given[0].ndim - 2)),)

    for module in copy.modules():
        if type(module) in KINKS:
            module.register_forward_pre_hook(move)
        elif isinstance(getattr(module, "bias", None), torch.Tensor):
            module.register_forward_hook(lambda one, *_: last.append(one))
    with torch.no_grad():
        copy(x.double())
        for name, bias in moved.items():
            net.get_submodule(name).bias.copy_(bias)


def watched(net, x, dtype):
    """Of every input of a ReLU and its like the distances from its kinks, call by call."""
    copy, found = deepcopy(net).to(dtype), []

    def look(module, given):
        found.extend((given[0] - kink).detach().clone() for kink in KINKS[type(module)])

    for module in copy.modules():
        if type(module) in KINKS:
            module.register_forward_pre_hook(look)
    with torch.no_grad():
        copy(x.to(dtype))
    return found


def nearest_kink(net, x):
    """Distance of the nearest input from a kink, in float64; None where nothing has one."""
    return min((float(one.abs().min()) for one in watched(net, x, torch.float64)), default=None)


def flipped(net, x):
    """Inputs that are on the other side of a kink in float32 than in float64."""
    pairs = zip(watched(net, x, torch.float64), watched(net, x, torch.float32))
    return sum(int(((one > 0) != (other > 0)).sum()) for one, other in pairs)


def has_kinks(net):
    return any(type(module) in KINKS for module in net.modules())


def smooth(net):
    """Every ReLU and its like as what has no kink, to tell a wrong gradient from one that rounding decides."""
    for module in net.modules():
        for name, child in module.named_children():
            if type(child) in KINKS:
                setattr(module, name, nn.SiLU() if isinstance(child, (nn.ReLU, nn.LeakyReLU, nn.Hardswish)) else nn.Sigmoid())
