"""Nets of torchvision with random weights, as ONNX files whose channels are to be cut, and pictures for them.

    python3 zoo_cut.py FOLDER [NAME...]

Prints what there is: name, exporter and file. `preserved` is torch's older exporter with batch normalizations as nodes of their own.
"""

import json
import sys
import warnings
from pathlib import Path

import torch
from torch import nn
from zoo_nets import SIZE, TORCHVISION, export, zoo

warnings.filterwarnings("ignore")

NETS = {
    **TORCHVISION,
    "resnet18": lambda: zoo.resnet18(num_classes=20),
    "densenet": lambda: zoo.DenseNet(8, (2, 3, 2), 16, num_classes=20),
    "resnext": lambda: zoo.ResNet(zoo.resnet.Bottleneck, [1, 1, 1, 1], num_classes=20, groups=4, width_per_group=16),
}
WRITTEN = ["resnet18", "mobilenet-v2", "mobilenet-v3-small", "shufflenet-v2", "densenet", "resnext", "regnet-y"]
WRITTEN += ["efficientnet-b0", "squeezenet", "convnext", "vit", "swin"]
TWICE = {"resnet18", "mobilenet-v3-small", "shufflenet-v2", "resnext", "vit"}


def made(name, x):
    """The net, with the statistics of its batch normalizations taken from these pictures."""
    torch.manual_seed(0)
    net = NETS[name]()
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None
            nn.init.uniform_(module.weight, 0.5, 1.5)
        # As in a net that has been trained: no two of them are equal, which exporters store once.
        if getattr(module, "bias", None) is not None:
            nn.init.normal_(module.bias, 0, 0.1)
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    with torch.no_grad():
        net.train()(x)
        # Layer scales begin so small that what is behind them would not be seen.
        for key, parameter in net.named_parameters():
            if key.endswith("layer_scale"):
                parameter.fill_(0.5)
    return net.eval()


def preserve(net, x, to):
    mode = torch.onnx.TrainingMode.PRESERVE
    options = {"dynamo": False, "training": mode, "do_constant_folding": False}
    torch.onnx.export(net, x[:2], to, input_names=["x"], dynamic_axes={"x": {0: "batch"}}, **options)


def main(folder, only):
    entries = []
    x = torch.randn(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    for name in only or WRITTEN:
        net = made(name, x)
        for exporter in ("dynamo", "preserved") if name in TWICE else ("preserved",):
            file = f"{name}-{exporter}.onnx"
            if exporter == "dynamo":
                export(net, {"x": x.numpy()}, exporter, folder / file)
            else:
                preserve(net, x, folder / file)
            entries.append({"name": name, "exporter": exporter, "file": file})
    x.permute(0, 2, 3, 1).contiguous().numpy().tofile(folder / "x.bin")
    print(json.dumps({"size": SIZE, "entries": entries}))


main(Path(sys.argv[1]), sys.argv[2:])
