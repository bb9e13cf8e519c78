"""Fine-tunes segmenters of torchvision with random weights for some seconds, and writes them as ONNX files with their answers.

    python3 zoo_segmenters.py FOLDER    # FOLDER/train.npz: x uint8 [n, height, width, 3], y uint8 [n, height, width], 255 without a class

FOLDER/NAME-EXPORTER.onnx answers with logits [n, classes, height, width]. FOLDER/NAME.npz: `small`, its logits before the last enlargement, and `full`,
those after it, of the first pictures, channels last.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large, lraspp_mobilenet_v3_large

CLASSES, BATCH, COUNT = 3, 20, 8
NETS = {"lraspp": (lraspp_mobilenet_v3_large, 8), "deeplabv3": (deeplabv3_mobilenet_v3_large, 8)}
folder = Path(sys.argv[1])
train = np.load(folder / "train.npz")
x = torch.from_numpy(train["x"]).permute(0, 3, 1, 2).float() / 255
y = torch.from_numpy(train["y"]).long()


class OnlyOut(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, pictures):
        return self.net(pictures)["out"]


def last(values):
    return values.permute(0, 2, 3, 1).contiguous().numpy()


def written(name, make, epochs):
    torch.manual_seed(1)
    net = OnlyOut(make(weights=None, weights_backbone=None, num_classes=CLASSES)).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.002)
    for module in net.modules():
        # The usual momentum, 0.01, keeps the statistics near the initial ones in so few steps.
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.2
    for _ in range(epochs):
        for begin in range(0, len(x), BATCH):
            optimizer.zero_grad()
            loss = functional.cross_entropy(net(x[begin : begin + BATCH]), y[begin : begin + BATCH], ignore_index=255)
            loss.backward()
            optimizer.step()
    net.eval()
    seen = {}
    net.net.classifier.register_forward_hook(lambda module, inputs, output: seen.update(small=output))
    with torch.inference_mode():
        full = net(x[:COUNT])
    np.savez(folder / f"{name}.npz", small=last(seen["small"]), full=last(full))
    names = dict(input_names=["x"], output_names=["out"])
    dynamic = dict(dynamic_axes={"x": {0: "n"}, "out": {0: "n"}}, dynamo=False)
    torch.onnx.export(net, (x[:2],), str(folder / f"{name}-legacy.onnx"), **names, **dynamic)
    dim = ({0: torch.export.Dim("n")},)
    torch.onnx.export(net, (x[:2],), str(folder / f"{name}-dynamo.onnx"), **names, dynamic_shapes=dim, dynamo=True, external_data=False, verbose=False)


for name, (make, epochs) in NETS.items():
    written(name, make, epochs)
print(json.dumps(list(NETS)))
