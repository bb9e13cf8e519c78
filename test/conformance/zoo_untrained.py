"""Untrained nets, as students are, written by both of torch's exporters, with what PyTorch computes of them: logits, gradients, three steps of Adam.

    python3 zoo_untrained.py FOLDER NAME
    python3 zoo_untrained.py --draw

Weights are as the net draws them: scales of 1 and biases of 0, of which exporters store equal ones once. --draw prints the names of nets of timm's
registry, drawn by a seed among those of at most MOST parameters. What PyTorch computes is in float64. Where its own float32 is far from that, as where
inputs of a ReLU lie near 0, the net has smooth activations instead; its steps are always taken with those.
"""

import json
import random
import sys
from collections import Counter
from copy import deepcopy
from pathlib import Path

import numpy as np
import timm
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from zoo_data import photos, sounds
from zoo_kinks import has_kinks, smooth
from zoo_nets import Encoder, vit
from zoo_train import CLASSES, GRADIENTS_AGREE, differentiated, export, gradients, stepped, store, worst_gradient

BATCH, SIZE, STEPS = 4, 64, 3
SEED, COUNT, MOST = 32, 20, 4_000_000


class Groups(nn.Module):
    """Convolutions with group norms."""

    def __init__(self):
        super().__init__()
        block = lambda i, o: nn.Sequential(nn.Conv2d(i, o, 3, 2, 1, bias=False), nn.GroupNorm(4, o), nn.SiLU())
        self.net, self.head = nn.Sequential(block(3, 16), block(16, 16), block(16, 16)), nn.Linear(16, CLASSES)

    def forward(self, x):
        return self.head(self.net(x).mean((2, 3)))


class Again(nn.Module):
    """Real ties: an embedding that is the output matrix, a norm and a layer that are called twice; and a norm that began as another."""

    def __init__(self):
        super().__init__()
        self.tokens, self.norm, self.last = nn.Embedding(100, 32), nn.LayerNorm(32), nn.LayerNorm(32)
        self.layer, self.out, self.head = nn.Linear(32, 32), nn.Linear(32, 100, bias=False), nn.Linear(100, CLASSES)
        self.out.weight = self.tokens.weight

    def forward(self, ids):
        x = self.tokens(ids)
        for _ in range(2):
            x = self.norm(x + nn.functional.gelu(self.layer(x)))
        return self.head(self.out(self.last(x)).mean(1))


def bert():
    from transformers import BertConfig, BertForSequenceClassification

    sizes = {"vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    nothing = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0}
    config = BertConfig(**sizes, **nothing, max_position_embeddings=12, num_labels=CLASSES, attn_implementation="eager")
    return Logits(BertForSequenceClassification(config))


class Logits(nn.Module):
    """Of a net of transformers."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, ids):
        return self.net(ids).logits


def encoder():
    net = Encoder()
    net.head = nn.Linear(64, CLASSES)
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0
    return net


NETS = {"encoder": encoder, "vit": vit, "bert": bert, "groups": Groups, "ties": Again}


def of_timm(name):
    """For small pictures, where the net takes them."""
    try:
        net = timm.create_model(name, num_classes=CLASSES, img_size=SIZE)
    except (TypeError, RuntimeError, AssertionError):
        net = timm.create_model(name, num_classes=CLASSES)
    # Nothing is dropped at random.
    for module in net.modules():
        for key in ("drop_rate", "drop_prob", "p"):
            if isinstance(getattr(module, key, None), float) and not isinstance(getattr(type(module), key, None), property):
                setattr(module, key, 0.0)
    return net


def draw():
    names, drawn = sorted(timm.list_models()), []
    random.Random(SEED).shuffle(names)
    for name in names:
        try:
            with torch.device("meta"):
                net = timm.create_model(name, num_classes=CLASSES)
        except Exception:
            # Some cannot be made without memory.
            net = timm.create_model(name, num_classes=CLASSES)
        if sum(parameter.numel() for parameter in net.parameters()) <= MOST:
            drawn.append(name)
        if len(drawn) == COUNT:
            return drawn


def inputs(name, net):
    if name in ("bert", "ties"):
        # Without BERT's padding, whose row PyTorch does not train: no file says so.
        return torch.from_numpy(np.random.default_rng(3).integers(1, 100, size=(BATCH, 12)))
    if name == "encoder":
        return torch.from_numpy(10 * sounds(BATCH, 24 * 64, 16000).reshape(BATCH, 24, 64))
    x = torch.from_numpy(np.float32(photos(BATCH, SIZE)))
    try:
        with torch.no_grad():
            deepcopy(net)(x)
        return x
    except (AssertionError, RuntimeError, ValueError):
        return torch.from_numpy(np.float32(photos(BATCH, net.default_cfg["input_size"][-1])))


def folded(net, x):
    """
    As torch's newer exporter writes a net, and the parameters that its file then lacks: batch norms are folded into the layers that come before
    them; of norms that read one value with equal weights, the first stands for all.
    """
    net, makers, pairs, calls = deepcopy(net).eval(), {}, {}, Counter()
    kept, hooks, values, merged = [], [], {}, []
    is_norm = lambda module: isinstance(module, nn.modules.batchnorm._BatchNorm)

    def made(name, _, out):
        calls[name] += 1
        kept.append(out)
        makers[id(out)] = name

    def read(name, given):
        calls[name] += 1
        pairs[name] = makers.get(id(given[0]))

    for name, module in net.named_modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            hooks.append(module.register_forward_hook(lambda one, given, out, name=name: made(name, given, out)))
        if is_norm(module):
            hooks.append(module.register_forward_pre_hook(lambda one, given, name=name: read(name, given)))
        if isinstance(module, (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)):
            hooks.append(module.register_forward_pre_hook(lambda one, given, name=name: values.setdefault(name, given[0])))
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    for name, maker in pairs.items():
        if maker is None or calls[name] > 1 or calls[maker] > 1:
            continue
        layer, norm = net.get_submodule(maker), net.get_submodule(name)
        fuse = fuse_linear_bn_eval if isinstance(layer, nn.Linear) else fuse_conv_bn_eval
        transposed = {"transpose": True} if isinstance(layer, nn.ConvTranspose2d) else {}
        net.set_submodule(maker, fuse(layer, norm, **transposed))
        # timm's norms have their activations inside.
        behind = [getattr(norm, key) for key in ("drop", "act") if hasattr(norm, key)]
        net.set_submodule(name, nn.Sequential(*behind))
    left = [(name, module) for name, module in net.named_modules() if name in values and list(module.parameters(False))]
    for i, (name, module) in enumerate(left):
        is_same = lambda other: type(module) is type(other) and all(torch.equal(*pair) for pair in zip(module.state_dict().values(), other.state_dict().values()))
        first = next((one for key, one in left[:i] if values[key] is values[name] and is_same(one)), None)
        if first is not None:
            merged += [f"{name}.{key}" for key, _ in module.named_parameters()]
            net.set_submodule(name, first)
    return net.requires_grad_(True), merged


def cancelling(net, x, y):
    """
    Sums of the absolute values of which a gradient is the sum, by the parameter's name, where float32 cannot tell that from 0: of a bias or a single
    scale that the next norm takes off. The rounding of such a gradient is a share of this sum, and not of the gradient.
    """
    copy, sums = deepcopy(net).double(), {}

    def added(name, one, given, out):
        def backward(gradient):
            terms = gradient.abs()
            if isinstance(one, (nn.Conv2d, nn.Linear)):
                axis = terms.ndim - 1 if isinstance(one, nn.Linear) else 1
                sums[f"{name}.bias"] = float(terms.transpose(0, axis).flatten(1).sum(1).norm())
                return
            for key, values in (("scale", (gradient * given[0].detach()).abs()), ("bias", terms)):
                sums[f"{name}.{key}"] = float(values.sum())

        out.register_hook(backward)

    for name, module in copy.named_modules():
        own = dict(module.named_parameters(recurse=False))
        is_scaling = own.keys() == {"scale", "bias"} and all(parameter.numel() == 1 for parameter in own.values())
        if is_scaling or (isinstance(module, (nn.Conv2d, nn.Linear)) and module.bias is not None):
            module.register_forward_hook(lambda one, given, out, name=name: added(name, one, given, out))
    gradients(copy, x.double(), y)
    least = 100 * np.finfo(np.float32).eps
    return {key: size for key, size in sums.items() if float(copy.get_parameter(key).grad.norm()) < least * size}


def written(name, net, x, y, exporter, folder, **options):
    stem = f"{name}-{exporter}"
    exact, rounded = (differentiated(name, net, x, y, of)[2] for of in (torch.float64, torch.float32))
    sums = cancelling(net, x, y)
    is_smooth = has_kinks(net) and worst_gradient(rounded, exact, sums) > GRADIENTS_AGREE
    if is_smooth:
        smooth(net)
        sums = cancelling(net, x, y)
    (logits, weights, gradient), single = (differentiated(name, net, x, y, of) for of in (torch.float64, torch.float32))
    export(deepcopy(net).eval(), x, folder / f"{stem}.onnx", exporter, True, **options)
    net.zero_grad()
    net(x).sum().backward()
    unused = [key for key, parameter in net.named_parameters() if parameter.grad is None]
    numbers = store(folder / f"{stem}.npz", x, {"p": weights, "g": gradient}, logits=logits)
    return {
        **{"exporter": exporter, "file": f"{stem}.onnx", "numbers": numbers, "unused": unused, "isSmooth": is_smooth},
        **{"float32": worst_gradient(single[2], gradient, sums), "cancelling": sums},
        "adam": stepped(name, net, x, y, exporter, stem, folder, STEPS, **options),
    }


def main(folder, name):
    torch.manual_seed(0)
    net = (NETS[name]() if name in NETS else of_timm(name)).train()
    x, y = inputs(name, net), torch.arange(BATCH) * 3 % CLASSES
    mode = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
    forms = []
    for exporter, options in (("legacy", mode), ("dynamo", {})):
        try:
            one, merged = (deepcopy(net), []) if exporter == "legacy" else folded(net, x)
            forms.append({**written(name, one.train(), x, y, exporter, folder, **options), "merged": merged})
        except Exception as error:
            forms.append({"exporter": exporter, "notWritten": f"{type(error).__name__}: {error}".splitlines()[0][:200]})
    print("\n" + json.dumps({"forms": forms, "labels": y.tolist(), "shape": list(x.shape)}))


if __name__ == "__main__":
    print("\n" + json.dumps(draw())) if sys.argv[1] == "--draw" else main(Path(sys.argv[1]), sys.argv[2])
