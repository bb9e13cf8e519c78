"""Steps of Adam that Limbeck made with ResNet-18, each beside what PyTorch makes from the same weights, in float64 and in float32.

    python3 resnet18_steps.py FOLDER
"""

import json
import math
import os
import sys

import numpy as np
import torch
from torch.nn import functional as F

folder, STEPS, RATE, EPSILON, BETA1, BETA2 = sys.argv[1], 5, 1e-3, 1e-8, 0.9, 0.999
at = lambda name: os.path.join(folder, name)


def state_of(i):
    """[name] of float32, filters as PyTorch has them, dense kernels too."""
    numbers, found, offset = np.fromfile(at(f"state{i}.bin"), np.float32), {}, 0
    with open(at("index.json")) as index:
        for one in json.load(index):
            count = math.prod(one["shape"])
            value = numbers[offset : offset + count].reshape(one["shape"])
            order = {4: (3, 2, 0, 1), 2: (1, 0)}.get(value.ndim)
            found[one["name"]] = np.ascontiguousarray(value if order is None else value.transpose(order))
            offset += count
    return found


def loss_of(w, x, y):
    """bench/nets.ts, resnet18: He et al. 2016 with a stem of 3x3; padding as TensorFlow's `same`."""

    def conv(x, name, stride=1, active=True):
        kernel = w[f"{name}/kernel"]
        size = kernel.shape[2]
        far = size > 1 and stride == 2
        y = F.conv2d(F.pad(x, (0, 1, 0, 1)) if far else x, kernel, stride=stride, padding=0 if far else size // 2)
        y = F.batch_norm(y, None, None, w[f"{name}_bn/gamma"], w[f"{name}_bn/beta"], True, eps=1e-3)
        return F.relu(y) if active else y

    x = conv(x, "stem")
    for stage in range(4):
        for i in (1, 2):
            name, stride = f"stage{stage + 1}_block{i}", 2 if stage > 0 and i == 1 else 1
            y_ = conv(conv(x, f"{name}_conv1", stride), f"{name}_conv2", active=False)
            x = F.relu(y_ + (conv(x, f"{name}_shortcut", stride, False) if stride == 2 else x))
    return F.cross_entropy(F.linear(x.mean((2, 3)), w["logits/kernel"], w["logits/bias"]), y)


def weights_of(state, dtype):
    names = [name for name in state if not name.startswith("adam.") and "moving_" not in name]
    return {name: torch.from_numpy(state[name]).to(dtype).requires_grad_(True) for name in names}


def differentiated(state, x, y, dtype):
    w = weights_of(state, dtype)
    loss = loss_of(w, x.to(dtype), y)
    loss.backward()
    return loss.item(), {name: one.grad.double().numpy() for name, one in w.items()}


def trajectory(state, x, y, dtype):
    """Losses before each step of PyTorch's Adam and after the last."""
    w = weights_of(state, dtype)
    optimizer, losses = torch.optim.Adam(w.values(), lr=RATE, eps=EPSILON, betas=(BETA1, BETA2)), []
    for _ in range(STEPS + 1):
        optimizer.zero_grad()
        loss = loss_of(w, x.to(dtype), y)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    return losses


def norm(of):
    return math.sqrt(sum(float((one**2).sum()) for one in of))


def compared(i, before, after, x, y, ours):
    exact, gradients = differentiated(before, x, y, torch.float64)
    single = differentiated(before, x, y, torch.float32)[1]
    first = lambda state, name: np.float64(state[f"adam.m/{name}"])
    # The first slot is the plain sum of what beta1 has left of the gradients: what a step goes by.
    size = norm(first(after, name) for name in gradients)
    mine = norm(first(after, name) - BETA1 * first(before, name) - gradients[name] for name in gradients) / size
    theirs = norm(single[name] - gradients[name] for name in gradients) / size
    update = 0.0
    for name in gradients:
        m, v = first(after, name) * (1 - BETA1), np.float64(after[f"adam.v/{name}"]) * (1 - BETA2)
        step = m / (1 - BETA1 ** (i + 1)) / (np.sqrt(v / (1 - BETA2 ** (i + 1))) + EPSILON)
        moved = np.float64(before[name]) - np.float64(after[name])
        # A weight is itself rounded to float32.
        rounding = np.spacing(np.maximum(np.abs(before[name]), np.abs(after[name]))) / RATE
        update = max(update, float(np.max(np.maximum(np.abs(moved / RATE - step) - rounding, 0))))
    return {"loss": abs(ours - exact) / 2**-24, "gradient": mine, "gradient32": theirs, "update": update}


def main():
    with open(at("about.json")) as file:
        about = json.load(file)
    y = torch.tensor(about["labels"])
    pictures = np.fromfile(at("x.bin"), np.float32).reshape(len(y), 64, 64, 3)
    x = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
    states = [state_of(i) for i in range(STEPS + 1)]
    steps = [compared(i, states[i], states[i + 1], x, y, about["losses"][i]) for i in range(STEPS)]
    run = lambda *args: trajectory(states[0], x, y, *args)
    exact = run(torch.float64)
    losses = {"ours": about["losses"], "float32": run(torch.float32), "float64": exact}
    print(json.dumps({"steps": steps, "losses": losses}))


main()
