"""Nets of torchvision and of torch's own layers, with random weights, written by both of torch's exporters."""

import numpy as np
import torch
import torchvision
from torch import nn
from zoo_data import photos, sounds

COUNT, SIZE = 8, 64
zoo = torchvision.models


class Decoder(nn.Module):
    """An autoencoder of pictures, widened by transposed convolutions."""

    def __init__(self):
        super().__init__()
        down = [nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.SiLU()]
        up = [nn.ConvTranspose2d(32, 16, 2, 2), nn.ReLU(), nn.ConvTranspose2d(16, 3, 3, 2, 1, 1), nn.Sigmoid()]
        self.net = nn.Sequential(*down, *up)

    def forward(self, x):
        return self.net(x)


class Widened(nn.Module):
    """Joins a coarse and a fine view, as feature pyramids do."""

    def __init__(self):
        super().__init__()
        self.fine = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.GELU())
        self.coarse = nn.Sequential(nn.Conv2d(16, 32, 3, 2, 1), nn.Hardswish())
        self.near, self.smooth = nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=2, mode="bilinear")
        self.head = nn.Conv2d(80, 4, 1)

    def forward(self, x):
        fine = self.fine(x)
        coarse = self.coarse(fine)
        return self.head(torch.cat([fine, self.near(coarse), self.smooth(coarse)], 1))


class TwoHeads(nn.Module):
    """Two inputs, two outputs; one says classes, the other a number."""

    def __init__(self):
        super().__init__()
        self.picture = nn.Sequential(nn.Conv2d(3, 16, 3, 4, 1), nn.PReLU(16), nn.AvgPool2d(4), nn.Flatten())
        self.more, self.mixed = nn.Linear(12, 32), nn.LayerNorm(288)
        self.classes, self.number = nn.Linear(288, 10), nn.Linear(288, 1)

    def forward(self, x, facts):
        joined = self.mixed(torch.cat([self.picture(x), torch.tanh(self.more(facts))], 1))
        return self.classes(joined).softmax(1), self.number(joined)


class Recurrent(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.cell, self.head = layer(64, 32, batch_first=True), nn.Linear(32, 5)

    def forward(self, x):
        return self.head(self.cell(x)[0][:, -1])


class Waves(nn.Module):
    def __init__(self):
        super().__init__()
        first = [nn.Conv1d(1, 16, 16, 8), nn.BatchNorm1d(16), nn.ReLU(), nn.Conv1d(16, 32, 5, 2, 2, groups=4), nn.ELU()]
        self.net = nn.Sequential(*first, nn.MaxPool1d(4), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 6))

    def forward(self, x):
        return self.net(x)


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True, activation="gelu")
        self.net, self.head = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(64, 7)

    def forward(self, x):
        return self.head(self.net(x).mean(1))


class OnlyOut(nn.Module):
    """Of a net that answers a dictionary."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x)["out"]


def vit():
    net = zoo.VisionTransformer(SIZE, 8, 3, 4, 96, 192, num_classes=20)
    # It begins with zeros, which would answer the same to all.
    nn.init.xavier_uniform_(net.heads.head.weight)
    return net


def swin():
    return zoo.SwinTransformer([4, 4], 32, [2, 2], [2, 4], [4, 4], num_classes=20)


def convnext():
    block = zoo.convnext.CNBlockConfig
    return zoo.ConvNeXt([block(32, 64, 2), block(64, 128, 2), block(128, None, 2)], num_classes=20)


def lraspp():
    return OnlyOut(zoo.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5))


def pictures():
    return {"x": photos(COUNT, SIZE)}


def facts():
    return {**pictures(), "facts": np.random.default_rng(6).standard_normal((COUNT, 12)).astype(np.float32)}


def waves():
    return {"x": sounds(COUNT, 2048, 16000)[:, None]}


def frames():
    """[count, frames, numbers of each]."""
    return {"x": 10 * sounds(COUNT, 24 * 64, 16000).reshape(COUNT, 24, 64)}


TORCHVISION = {
    "resnet10": lambda: zoo.ResNet(zoo.resnet.BasicBlock, [1, 1, 1, 1], num_classes=20),
    "mobilenet-v2": lambda: zoo.mobilenet_v2(num_classes=20),
    "mobilenet-v3-small": lambda: zoo.mobilenet_v3_small(num_classes=20),
    "shufflenet-v2": lambda: zoo.shufflenet_v2_x0_5(num_classes=20),
    "squeezenet": lambda: zoo.squeezenet1_1(num_classes=20),
    "efficientnet-b0": lambda: zoo.efficientnet_b0(num_classes=20),
    "mnasnet": lambda: zoo.mnasnet0_5(num_classes=20),
    "regnet-y": lambda: zoo.regnet_y_400mf(num_classes=20),
    "vit": vit,
    "swin": swin,
    "convnext": convnext,
    "lraspp": lraspp,
}
OWN = {
    "decoder": (Decoder, pictures),
    "widened": (Widened, pictures),
    "two-heads": (TwoHeads, facts),
    "conv1d": (Waves, waves),
    "lstm": (lambda: Recurrent(nn.LSTM), frames),
    "gru": (lambda: Recurrent(nn.GRU), frames),
    "encoder": (Encoder, frames),
}
NETS = {**{name: (make, pictures) for name, make in TORCHVISION.items()}, **OWN}

# Which exporters write each: both where the two write it differently.
BOTH = {"resnet10", "mobilenet-v3-small", "shufflenet-v2", "vit", "encoder", "two-heads", "decoder"}
BY_DYNAMO = {"efficientnet-b0", "regnet-y", "swin", "convnext", "widened", "gru"}


def exporters(name):
    return ("torchscript", "dynamo") if name in BOTH else ("dynamo",) if name in BY_DYNAMO else ("torchscript",)


def made(name):
    """The net, with the statistics of its batch normalizations taken from its inputs, and its inputs."""
    make, feed = NETS[name]
    torch.manual_seed(0)
    net, feeds = make(), feed()
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    with torch.no_grad():
        net.train()(*map(torch.from_numpy, feeds.values()))
    return net.eval(), feeds


def export(net, feeds, exporter, to):
    """As a user would: the batch stays open."""
    names, first = list(feeds), tuple(torch.from_numpy(x[:2]) for x in feeds.values())
    if exporter == "torchscript":
        axes = {name: {0: "batch"} for name in names}
        torch.onnx.export(net, first, to, input_names=names, dynamic_axes=axes, dynamo=False)
    else:
        shapes = tuple({0: torch.export.Dim("batch")} for _ in names)
        options = {"input_names": names, "dynamic_shapes": shapes, "external_data": False, "verbose": False}
        torch.onnx.export(net, first, to, dynamo=True, **options)
