"""Small networks with the parts of those that people export, written by both of PyTorch's exporters, with what they give.

    python3 onnx_pytorch.py FOLDER    # FOLDER/0.onnx, FOLDER/0.bin, ..., FOLDER/cases.json
"""
import io
import json
import sys
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

warnings.simplefilter("ignore")
torch.manual_seed(0)
folder = Path(sys.argv[1])


class Of(nn.Module):
    """A network out of layers and a function of them."""

    def __init__(self, run, **layers):
        super().__init__()
        self.run = run
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.run(self, x)


def conv(inputs, outputs, size=3, **options):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, bias=False, **options), nn.BatchNorm2d(outputs), nn.ReLU())


def shuffled(self, x):
    left, right = x.chunk(2, dim=1)
    y = torch.cat((left, self.branch(right)), dim=1)
    n, channels, h, w = y.shape
    y = y.view(n, 2, channels // 2, h, w).transpose(1, 2).contiguous().view(n, channels, h, w)
    return self.head(y.mean([2, 3]))


def squeezed(self, x):
    y = self.body(x)
    gate = torch.sigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(y, 1)))))
    return self.head(F.relu(y * gate + x).mean([2, 3]))


def unet(self, x):
    a = self.first(x)
    b = self.second(F.max_pool2d(a, 2))
    up = F.interpolate(b, size=a.shape[2:], mode="bilinear", align_corners=False)
    near = F.interpolate(b, scale_factor=2, mode="nearest")
    return self.last(torch.cat([a, up, near, self.transposed(b)], 1))


def causal(self, x):
    n, t, d = x.shape
    q, k, v = self.qkv(x).view(n, t, 3, 2, d // 2).permute(2, 0, 3, 1, 4).unbind(0)
    mask = torch.triu(torch.ones(t, t, dtype=torch.bool), 1)
    scores = torch.einsum("bhid,bhjd->bhij", q, k).masked_fill(mask, -1e9) / (d // 2) ** 0.5
    return self.out(torch.einsum("bhij,bhjd->bihd", scores.softmax(-1), v).reshape(n, t, d))


def embedded(self, x):
    places = torch.arange(x.shape[1]).unsqueeze(0).expand(x.shape[0], -1)
    return self.head((self.words(x) + self.places(places)).mean(1))


def tokens(self, x):
    y = self.patches(x).flatten(2).transpose(1, 2)
    y = torch.cat([self.token.expand(x.shape[0], -1, -1), y], 1) + self.places
    return self.head(self.layer(y)[:, 0])


def convnext(self, x):
    y = self.deep(x).permute(0, 2, 3, 1)
    y = self.out(F.gelu(self.wide(self.norm(y)))) * self.scale
    return x + y.permute(0, 3, 1, 2)


def rolled(self, x):
    y = torch.roll(x, shifts=(-2, -1), dims=(2, 3))
    n, c, h, w = y.shape
    windows = y.view(n, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 3, 5, 1).reshape(-1, 16, c)
    return self.head(windows).view(n, -1, 5).mean(1)


def activated(self, x):
    parts = [F.mish(x), F.celu(x, 0.5), F.elu(x, 0.7), F.silu(x), F.hardswish(x), F.softsign(x), F.selu(x), F.gelu(x)]
    return torch.cat(parts + [F.normalize(x, dim=1), torch.logsumexp(x, 1, keepdim=True), x.norm(dim=1, keepdim=True)], 1)


image, sound, series = torch.randn(2, 8, 12, 12), torch.randn(2, 4, 32), torch.randn(2, 6, 8)
parameter = lambda *shape: nn.Parameter(torch.randn(*shape) * 0.1)
NETWORKS = {
    "channel shuffle (ShuffleNet)": (
        Of(shuffled, branch=nn.Sequential(conv(4, 4, 1), conv(4, 4, 3, groups=4, padding=1)), head=nn.Linear(8, 3)),
        image,
    ),
    "grouped convolutions, squeeze and excite (RegNet)": (
        Of(squeezed, body=conv(8, 8, 3, groups=2, padding=1), down=nn.Conv2d(8, 2, 1), up=nn.Conv2d(2, 8, 1), head=nn.Linear(8, 3)),
        image,
    ),
    "convolutions over length": (
        nn.Sequential(
            nn.Conv1d(4, 8, 5, stride=2, padding=2), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(8, 8, 3, groups=2),
            nn.GELU(), nn.ConvTranspose1d(8, 4, 3, stride=2, output_padding=1), nn.AvgPool1d(2), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
        ),
        sound,
    ),
    "enlarged and joined (U-Net)": (
        Of(
            unet, first=conv(8, 4, padding=1), second=conv(4, 6, padding=1), last=nn.Conv2d(20, 2, 1),
            transposed=nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1),
        ),
        image,
    ),
    "LSTM in both directions": (
        Of(lambda self, x: self.head(self.layer(x)[0][:, -1]), layer=nn.LSTM(8, 5, 2, batch_first=True, bidirectional=True), head=nn.Linear(10, 3)),
        series,
    ),
    "GRU": (Of(lambda self, x: self.head(self.layer(x)[1][-1]), layer=nn.GRU(8, 5, batch_first=True), head=nn.Linear(5, 3)), series),
    "transformer encoder": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), series),
    "transformer encoder, the norm first": (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True, activation="gelu"), series),
    "attention with a causal mask and Einsum": (Of(causal, qkv=nn.Linear(8, 24), out=nn.Linear(8, 8)), series),
    "patches and a token (ViT)": (
        Of(tokens, patches=nn.Conv2d(8, 8, 4, 4), token=parameter(1, 1, 8), places=parameter(1, 10, 8), layer=nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), head=nn.Linear(8, 3)),
        image,
    ),
    "ids of words and places": (Of(embedded, words=nn.Embedding(20, 8), places=nn.Embedding(9, 8), head=nn.Linear(8, 3)), torch.randint(0, 20, (2, 7))),
    "channels last inside (ConvNeXt)": (
        Of(convnext, deep=nn.Conv2d(8, 8, 7, padding=3, groups=8), norm=nn.LayerNorm(8), wide=nn.Linear(8, 16), out=nn.Linear(16, 8), scale=parameter(8)),
        image,
    ),
    "rolled windows (Swin)": (Of(rolled, head=nn.Linear(8, 5)), image),
    "group and instance norm": (nn.Sequential(nn.Conv2d(8, 8, 3), nn.GroupNorm(2, 8), nn.ReLU(), nn.InstanceNorm2d(8, affine=True)), image),
    "pixels shuffled": (nn.Sequential(nn.PixelShuffle(2), nn.Conv2d(2, 4, 3), nn.ReLU(), nn.ZeroPad2d((0, 1, 1, 1)), nn.Conv2d(4, 4, 3)), image),
    "edges repeated and mirrored": (nn.Sequential(nn.ReplicationPad2d((1, 2, 0, 3)), nn.Conv2d(8, 4, 3), nn.ReflectionPad2d(2)), image),
    "activations and norms": (Of(activated), image),
    "every second pixel": (Of(lambda self, x: torch.cat([x[..., ::2, ::2], x[..., 1::2, 1::2]], 1)), image),
}

cases = []
for name, (network, x) in NETWORKS.items():
    network = network.eval()
    for parameter_ in network.modules():
        if isinstance(parameter_, nn.BatchNorm2d):
            nn.init.uniform_(parameter_.running_var, 0.5, 1.5)
    with torch.inference_mode():
        y = network(x)
    for how in ("script", "script, any batch", "dynamo", "dynamo, any batch"):
        number = len(cases)
        options = {"input_names": ["x"], "output_names": ["y"], "dynamo": how.startswith("dynamo")}
        if how == "script, any batch":
            options["dynamic_axes"] = {"x": {0: "batch"}, "y": {0: "batch"}}
        if how == "dynamo, any batch":
            options["dynamic_shapes"] = ({0: torch.export.Dim.DYNAMIC},)
        error = None
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                torch.onnx.export(network, (x,), str(folder / f"{number}.onnx"), **options, **({"external_data": False} if options["dynamo"] else {}))
        except Exception as found:
            error = f"{type(found).__name__}: {str(found)[:200]}"
        values = {"x": x.numpy(), "y": y.numpy()}
        cases.append(
            {
                "name": name, "how": how, "number": number, "error": error, "ids": x.dtype == torch.int64,
                **{key: {"shape": list(value.shape), "values": value.astype(np.float64).ravel().tolist()} for key, value in values.items()},
            }
        )
(folder / "cases.json").write_text(json.dumps(cases))
print(json.dumps({"torch": torch.__version__, "cases": len(cases)}))
