"""A net as ONNX files to be trained, with what PyTorch computes of it: logits, gradients, and the weights after five steps of Adam.

    python3 zoo_train.py FOLDER NAME

ZOO_KINKS=kept leaves activations where they are, ZOO_KINKS=smooth replaces those that have kinks; see zoo_kinks.py.

torch's older exporter writes batch normalizations as nodes of their own, which are trained; the newer one folds them, as it does by
itself. Either writes the batch open and fixed. What PyTorch computes is in float64; how far float32 is from it is printed too. Nothing is
dropped at random.
"""

import json
import os
import sys
import warnings
from copy import deepcopy
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.fx.experimental.optimization import fuse
from torch.nn import functional as F
from torchvision.ops import StochasticDepth
from zoo_data import photos, sounds
from zoo_kinks import clear_of_kinks, flipped, has_kinks, nearest_kink, smooth
from zoo_nets import TORCHVISION, Encoder, Recurrent, Waves, zoo
from zoo_write import finish

warnings.filterwarnings("ignore")
BATCH, SIZE, CLASSES = 8, 64, 20
# PyTorch's float32 beside its float64: how near they have to be where others are compared with them.
GRADIENTS_AGREE, STEPS_AGREE, SEEDS = 5e-5, 3e-4, 6
# Rates and epsilons of Adam. It divides by the size of a gradient: of one that is nothing but rounding, epsilon alone keeps it small.
ADAM = ((1e-3, 1e-4), (1e-4, 1e-4), (1e-4, 1e-3))


class UNet(nn.Module):
    """Down and up again with skips; a class for each pixel, and their mean as the class of the picture."""

    def __init__(self):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, 1, 1), nn.BatchNorm2d(o), nn.ReLU())
        self.a, self.b, self.c = block(3, 12), block(12, 24), block(24, 48)
        self.up1, self.up2 = nn.ConvTranspose2d(48, 24, 2, 2), nn.ConvTranspose2d(24, 12, 2, 2)
        self.d, self.e, self.head = block(48, 24), block(24, 12), nn.Conv2d(12, CLASSES, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 2))
        y = self.up1(self.c(F.max_pool2d(b, 2)))
        y = self.up2(self.d(torch.cat([b, y], 1)))
        return self.head(self.e(torch.cat([a, y], 1))).mean((2, 3))


class Detector(nn.Module):
    """As SSD has it: classes and boxes from each of two maps."""

    def __init__(self):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, 2, 1), nn.BatchNorm2d(o), nn.ReLU6())
        self.first, self.second = nn.Sequential(block(3, 16), block(16, 32)), block(32, 48)
        self.classes = nn.ModuleList([nn.Conv2d(32, CLASSES, 3, 1, 1), nn.Conv2d(48, CLASSES, 3, 1, 1)])
        self.boxes = nn.ModuleList([nn.Conv2d(32, 4, 3, 1, 1), nn.Conv2d(48, 4, 3, 1, 1)])

    def forward(self, x):
        first = self.first(x)
        maps = [first, self.second(first)]
        joined = lambda heads: torch.cat([head(one).flatten(2) for head, one in zip(heads, maps)], 2)
        return joined(self.classes).mean(2), joined(self.boxes)


def classes(net, width):
    """With a head for all classes."""
    net.head = nn.Linear(width, CLASSES)
    return net


def waves():
    net = Waves()
    net.net[-1] = nn.Linear(32, CLASSES)
    return net


NETS = {
    "resnet18": lambda: zoo.resnet18(num_classes=CLASSES),
    **{name: TORCHVISION[name] for name in ("mobilenet-v2", "mobilenet-v3-small", "efficientnet-b0", "shufflenet-v2")},
    **{name: TORCHVISION[name] for name in ("regnet-y", "convnext", "vit", "squeezenet")},
    "u-net": UNet,
    "two-heads": Detector,
    "lstm": lambda: classes(Recurrent(nn.LSTM), 32),
    "lstm-both-ways": lambda: classes(Recurrent(partial(nn.LSTM, num_layers=2, bidirectional=True)), 64),
    "gru": lambda: classes(Recurrent(nn.GRU), 32),
    "encoder": lambda: classes(Encoder(), 64),
    "audio": waves,
}
# Behind the biases of its wider halves a batch norm takes off all but what the edges of a picture leave: of a large one next to nothing.
SIZES = {"u-net": 16}
RECURRENT = {"lstm": [0, 3, 1, 2], "lstm-both-ways": [0, 3, 1, 2], "gru": [1, 0, 2]}


def inputs(name, count):
    if name == "audio":
        return sounds(count, 2048, 16000)[:, None]
    if name in RECURRENT or name == "encoder":
        return 10 * sounds(count, 24 * 64, 16000).reshape(count, 24, 64)
    return np.float32(photos(count, SIZES.get(name, SIZE)))


def norms_of(net):
    return [module for module in net.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]


def made(name, seed):
    """With biases and scales as a trained net has them: none is what it began as, and no two are equal, which exporters store once."""
    torch.manual_seed(seed)
    net = NETS[name]()
    for module in net.modules():
        # Layers of an encoder begin as copies of one, and exporters store equal weights once.
        if isinstance(module, nn.Linear):
            module.reset_parameters()
        if isinstance(module, nn.MultiheadAttention):
            nn.init.xavier_uniform_(module.in_proj_weight)
        if isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.LayerNorm)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
        if isinstance(getattr(module, "bias", None), torch.Tensor):
            nn.init.normal_(module.bias, 0, 0.1)
        if isinstance(module, (nn.Dropout, StochasticDepth)):
            module.p = 0.0
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
            nn.init.normal_(module.in_proj_bias, 0, 0.1)
    with torch.no_grad():
        for key, parameter in net.named_parameters():
            if key.endswith("layer_scale"):
                parameter.uniform_(0.3, 0.7)
    return net.train()


def settle(net, x):
    """Running statistics of the batch norms: those of the batch."""
    for module in norms_of(net):
        module.momentum = None
    with torch.no_grad():
        net(x)
    for module in norms_of(net):
        module.momentum = 0.1


def first_of(answer):
    return answer[0] if isinstance(answer, tuple) else answer


def gradients(net, x, y):
    net.zero_grad()
    logits = first_of(net(x))
    F.cross_entropy(logits, y).backward()
    return logits


def as_stored(name, parameters):
    """As the file has them: torch's exporters put the gates of a recurrent layer in ONNX' order, and both biases into one."""
    if name not in RECURRENT:
        return parameters
    order, found = RECURRENT[name], {}
    gates = lambda w: np.concatenate([np.split(w, len(order))[g] for g in order])
    for key, value in parameters.items():
        if not key.startswith("cell."):
            found[key] = value
    for layer in range(sum(key.startswith("cell.weight_ih") and not key.endswith("_reverse") for key in parameters)):
        sides = [f"l{layer}{end}" for end in ("", "_reverse") if f"cell.weight_ih_l{layer}{end}" in parameters]
        for to, kind in (("W", "ih"), ("R", "hh")):
            found[f"{to}{layer}"] = np.stack([gates(parameters[f"cell.weight_{kind}_{side}"]) for side in sides])
        biases = [[gates(parameters[f"cell.bias_{kind}_{side}"]) for kind in ("ih", "hh")] for side in sides]
        found[f"B{layer}"] = np.stack([np.concatenate(both) for both in biases])
    return found


def numbers(name, net, of):
    return as_stored(name, {key: of(p).detach().double().numpy().copy() for key, p in net.named_parameters()})


def differentiated(name, net, x, y, dtype):
    """Logits, weights and gradients in this precision, from the same float32 weights and samples."""
    copy = deepcopy(net).to(dtype)
    logits = gradients(copy, x.to(dtype) if x.is_floating_point() else x, y).detach().double().numpy()
    gradient = numbers(name, copy, lambda p: torch.zeros_like(p) if p.grad is None else p.grad)
    return logits, numbers(name, copy, lambda p: p), gradient


def trained(name, net, x, y, dtype, rate, epsilon, steps=5):
    copy, x = deepcopy(net).to(dtype), x.to(dtype) if x.is_floating_point() else x
    optimizer = torch.optim.Adam(copy.parameters(), lr=rate, eps=epsilon)
    for _ in range(steps):
        gradients(copy, x, y)
        optimizer.step()
    return numbers(name, copy, lambda p: p)


def nothing(gradient):
    """Names of gradients that are 0 but for the rounding of float64: of biases in front of what takes the mean off."""
    norms = {key: np.linalg.norm(value) for key, value in gradient.items()}
    return {key for key, norm in norms.items() if norm <= 1e-9 * max(norms.values())}


def worst_gradient(actual, expected, sizes={}):
    """Error of the tensor that is furthest off, relative to its norm; of a gradient that is nothing, to the largest norm; of one that has a size, to that."""
    largest, without = max(np.linalg.norm(value) for value in expected.values()), nothing(expected)
    size = lambda key: sizes[key] if key in sizes else largest if key in without else np.linalg.norm(expected[key])
    return max(float(np.linalg.norm(actual[key] - expected[key]) / size(key)) for key in expected)


def worst_move(actual, expected, before, gradient, rate):
    """Error of the tensor that is furthest off, beyond the rounding of a weight to float32 at each step, relative to how far it moved."""
    without = nothing(gradient)

    def error(key):
        rounding = 0 if key in without else 3 * np.spacing(np.abs(np.float32(before[key])))
        off = np.maximum(np.abs(actual[key] - expected[key]) - rounding, 0)
        size = expected[key] if key in without else expected[key] - before[key]
        # What has no gradient and begins at 0 stays there: an error counts as a share of a step.
        floor = rate * np.sqrt(off.size) if key in without else 1e-30
        return float(np.linalg.norm(off) / max(np.linalg.norm(size), floor))

    return max(error(key) for key in expected)


def export(net, x, to, exporter, is_open, **options):
    outputs = ["logits", "boxes"] if isinstance(net(x[:2]), tuple) else ["logits"]
    named = {"input_names": ["x"], "output_names": outputs}
    if exporter == "legacy":
        axes = {"dynamic_axes": {"x": {0: "batch"}}} if is_open else {}
        torch.onnx.export(net, (x[:2] if is_open else x,), to, dynamo=False, **named, **axes, **options)
    else:
        shapes = {"dynamic_shapes": ({0: torch.export.Dim("batch")},)} if is_open else {}
        given = x[:2] if is_open else x
        torch.onnx.export(net, (given,), to, dynamo=True, external_data=False, verbose=False, **named, **shapes)


def stepped(name, net, x, y, exporter, stem, folder, steps=5, **options):
    """
    Steps of Adam, of a net that has kinks with smooth activations in their place: a training moves inputs over kinks, at moments that rounding
    decides. Rate and epsilon are the first with which PyTorch agrees with itself.
    """
    is_smooth, one = has_kinks(net), deepcopy(net)
    if is_smooth:
        smooth(one)
        settle(one, x)
    logits, before, gradient = differentiated(name, one, x, y, torch.float64)
    for rate, epsilon in ADAM:
        after, rounded = (trained(name, one, x, y, dtype, rate, epsilon, steps) for dtype in (torch.float64, torch.float32))
        error = worst_move(rounded, after, before, gradient, rate)
        if error <= STEPS_AGREE:
            break
    file = f"{stem}-smooth.onnx" if is_smooth else f"{stem}.onnx"
    if is_smooth:
        export(deepcopy(one).eval(), x, folder / file, exporter, True, **options)
    # What a weight moved by: a small difference of two large numbers.
    move = {key: after[key] - before[key] for key in before}
    stored = store(folder / f"{stem}.adam.npz", x, {"p": before, "g": gradient, "m": move}, logits=logits)
    adam = {"rate": rate, "epsilon": epsilon, "steps": steps}
    return {"file": file, "numbers": stored, **adam, "isSmooth": is_smooth, "float32": error}


def store(file, x, kinds, **plain):
    arrays = {f"{kind}/{key}": np.float32(value) for kind, of in kinds.items() for key, value in of.items()}
    np.savez(file, x=x.numpy(), **{key: np.float32(value) for key, value in plain.items()}, **arrays)
    return file.name


def written(name, net, x, y, exporter, folder, **options):
    """The net as files of an exporter, and its numbers."""
    stem = name if exporter == "legacy" else f"{name}-{exporter}"
    files = {"open": f"{stem}.onnx", "fixed": f"{stem}-fixed.onnx"}
    for batch, file in files.items():
        export(deepcopy(net).eval(), x, folder / file, exporter, batch == "open", **options)
    (logits, weights, gradient), single = (differentiated(name, net, x, y, d) for d in (torch.float64, torch.float32))
    with torch.no_grad():
        answers = first_of(deepcopy(net).eval().double()(x.double())).numpy()
    return {
        **{"exporter": exporter, **files, "kink": nearest_kink(net, x), "flipped": flipped(net, x)},
        "numbers": store(folder / f"{stem}.pytorch.npz", x, {"p": weights, "g": gradient}, logits=logits, answers=answers),
        "float32": worst_gradient(single[2], gradient),
        "adam": stepped(name, net, x, y, exporter, stem, folder, **options),
    }


def drawn(name, x, y, kinks):
    """The first of some draws at which PyTorch in float32 and float64 give the same gradients."""
    for seed in range(SEEDS):
        net = made(name, seed)
        if kinks == "smooth":
            smooth(net)
        if kinks == "cleared":
            clear_of_kinks(net, x)
        exact, single = (differentiated(name, net, x, y, dtype)[2] for dtype in (torch.float64, torch.float32))
        if kinks == "kept" or worst_gradient(single, exact) <= GRADIENTS_AGREE:
            return net
    raise SystemExit(f"{name}: PyTorch's float32 is further than {GRADIENTS_AGREE} from its float64 in {SEEDS} draws")


def main(folder, name):
    x, y = torch.from_numpy(inputs(name, BATCH)), torch.arange(BATCH) * 3 % CLASSES
    kinks = os.environ.get("ZOO_KINKS", "cleared")
    net = drawn(name, x, y, kinks)
    settle(net, x)
    mode = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": name in RECURRENT}
    forms = [written(name, net, x, y, "legacy", folder, **mode)]
    whole = deepcopy(net).eval()
    folded = (fuse(whole) if norms_of(net) else whole).requires_grad_(True)
    if kinks == "cleared":
        clear_of_kinks(folded, x)
    forms.append(written(name, folded, x, y, "dynamo", folder))
    found = finish(name, "torchscript", {"x": x.numpy()})
    print("\n" + json.dumps({"found": found, "forms": forms, "labels": y.tolist()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
