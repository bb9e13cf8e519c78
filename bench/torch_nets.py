"""The nets of bench/nets.ts in PyTorch, by the same names. Layers of the larger ones have the names that they have in Limbeck."""
import math

import torch
from torch import nn
from torch.nn import functional as F


# Small nets


def conv(inputs, outputs, size=3, stride=1, groups=1, norm=True):
    layer = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=not norm)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs)) if norm else layer


def mlp(units, dropout=0):
    drop = [nn.Dropout(dropout)] if dropout else []
    first, second = [nn.Linear(784, units), nn.ReLU(), *drop], [nn.Linear(units, units), nn.ReLU(), *drop]
    return nn.Sequential(*first, *second, nn.Linear(units, 10))


def cnn(norm):
    first = [conv(1, 32, norm=norm), nn.ReLU(), nn.MaxPool2d(2)]
    second = [conv(32, 64, norm=norm), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*first, *second, nn.Flatten(), nn.Linear(7 * 7 * 64, 10))


def dscnn():
    layers = [conv(1, 32, stride=2), nn.ReLU()]
    for inputs in (32, 64, 64, 64):
        layers += [conv(inputs, inputs, groups=inputs), nn.ReLU(), conv(inputs, 64, size=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.main = nn.Sequential(conv(inputs, outputs, stride=stride), nn.ReLU(), conv(outputs, outputs))
        same = inputs == outputs and stride == 1
        self.skip = nn.Identity() if same else conv(inputs, outputs, size=1, stride=stride)

    def forward(self, x):
        return F.relu(self.main(x) + self.skip(x))


def resnet8():
    blocks = [Residual(a, b, stride) for a, b, stride in ((16, 16, 1), (16, 32, 2), (32, 64, 2))]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(conv(1, 16), nn.ReLU(), *blocks, *head)


# Larger nets: the blocks of src/networks/models/blocks.ts


class Same(nn.Conv2d):
    """TensorFlow's `same`: what is missing is added at the far edges first. Sizes here are even at stride 2."""

    def __init__(self, inputs, outputs, kernel, stride, groups, bias):
        self.far = kernel > 1 and stride == 2
        before, after = (kernel - 2) // 2, (kernel - 1) // 2
        self.pads = (before, after, before, after)
        super().__init__(inputs, outputs, kernel, stride, 0 if self.far else kernel // 2, groups=groups, bias=bias)

    def forward(self, x):
        return super().forward(F.pad(x, self.pads) if self.far else x)


def batch_norm(size):
    return nn.BatchNorm2d(size, eps=1e-3, momentum=0.1)


def block(inputs, outputs, kernel=3, stride=1, norm=True, bias=None, act="relu", groups=1):
    layers = [Same(inputs, outputs, kernel, stride, groups, not norm if bias is None else bias)]
    nn.init.kaiming_normal_(layers[0].weight)
    if norm:
        layers.append(batch_norm(outputs))
    if act != "none":
        layers.append(nn.ReLU6(inplace=True) if act == "relu6" else nn.ReLU(inplace=True))
    return nn.Sequential(*layers) if len(layers) > 1 else layers[0]


class Classifier(nn.Module):
    def __init__(self, inputs, classes):
        super().__init__()
        self.logits = nn.Linear(inputs, classes)

    def forward(self, x):
        return self.logits(x.mean((2, 3)))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, expansion, stride):
        super().__init__()
        inner = inputs * expansion
        layers = [] if expansion == 1 else [block(inputs, inner, 1, act="relu6")]
        layers += [block(inner, inner, stride=stride, groups=inner, act="relu6"), block(inner, outputs, 1, act="none")]
        self.body = nn.Sequential(*layers)
        self.skips = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.body(x) if self.skips else self.body(x)


class Basic(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(block(inputs, outputs, stride=stride), block(outputs, outputs, act="none"))
        same = stride == 1 and inputs == outputs
        self.skip = nn.Identity() if same else block(inputs, outputs, 1, stride, act="none")

    def forward(self, x):
        return F.relu(self.body(x) + self.skip(x), inplace=True)


class PreActivated(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        plain = dict(norm=False, bias=False, act="none")
        self.bn1, self.conv1 = batch_norm(inputs), block(inputs, outputs, stride=stride, **plain)
        self.bn2, self.conv2 = batch_norm(outputs), block(outputs, outputs, **plain)
        same = stride == 1 and inputs == outputs
        self.skip = None if same else block(inputs, outputs, 1, stride, **plain)

    def forward(self, x):
        active = F.relu(self.bn1(x), inplace=True)
        y = self.conv2(F.relu(self.bn2(self.conv1(active)), inplace=True))
        return y + (x if self.skip is None else self.skip(active))


def fitting(strides, size):
    """src/networks/models/mobilenet.ts: the first strides become 1 where the picture is small."""
    spare = sum(s == 2 for s in strides) - max(0, math.floor(math.log2(size / 4)))
    result = []
    for s in strides:
        result.append(1 if s == 2 and spare > 0 else s)
        spare -= s == 2
    return result


def mobilenet_v2(classes=10, alpha=1, size=96):
    rows = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    strides = fitting([2] + [row[3] for row in rows], size)
    width = lambda base: max(8, int(base * alpha / 8 + 0.5) * 8)
    layers, last = [block(3, width(32), stride=strides[0], act="relu6")], width(32)
    for (expansion, filters, repeats, _), stride in zip(rows, strides[1:]):
        for i in range(repeats):
            layers.append(InvertedResidual(last, width(filters), expansion, stride if i == 0 else 1))
            last = width(filters)
    return nn.Sequential(*layers, block(last, 1280, 1, act="relu6"), Classifier(1280, classes))


def mobilenet_v1(published, classes=2):
    rows = [(8, 2), (16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2)] + [(128, 1)] * 5 + [(256, 2), (256, 1)]
    strides = [row[1] for row in rows]
    strides = strides if published else fitting(strides, 96)
    layers, last = [block(3, 8, stride=strides[0], act="relu6")], 8
    for (filters, _), stride in list(zip(rows, strides))[1:]:
        layers.append(block(last, last, stride=stride, groups=last, act="relu6"))
        layers.append(block(last, filters, 1, act="relu6"))
        last = filters
    return nn.Sequential(*layers, Classifier(last, classes))


def residual(kind, stem, stages, head=()):
    """`stages`: (filters, blocks) each; all but the first begin with stride 2."""
    layers, last = [stem], stem_width(stem)
    for stage, (filters, count) in enumerate(stages):
        for i in range(count):
            layers.append(kind(last, filters, 2 if stage > 0 and i == 0 else 1))
            last = filters
    return nn.Sequential(*layers, *head, Classifier(last, 10))


def stem_width(stem):
    return (stem if isinstance(stem, nn.Conv2d) else stem[0]).out_channels


def resnet18():
    return residual(Basic, block(3, 64), [(64, 2), (128, 2), (256, 2), (512, 2)])


def resnet20():
    return residual(Basic, block(3, 16), [(16, 3), (32, 3), (64, 3)])


def wrn():
    stem = block(3, 16, norm=False, bias=False, act="none")
    return residual(PreActivated, stem, [(32, 2), (64, 2), (128, 2)], [batch_norm(128), nn.ReLU(inplace=True)])


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        twice = lambda inputs, filters: nn.Sequential(block(inputs, filters), block(filters, filters))
        self.down1, self.down2, self.bottom = twice(1, 32), twice(32, 64), twice(64, 128)
        self.larger2, self.up2 = nn.ConvTranspose2d(128, 64, 2, 2), twice(128, 64)
        self.larger1, self.up1 = nn.ConvTranspose2d(64, 32, 2, 2), twice(64, 32)
        self.logits = block(32, 1, 1, norm=False, act="none")

    def forward(self, x):
        down1 = self.down1(x)
        down2 = self.down2(F.max_pool2d(down1, 2))
        y = self.bottom(F.max_pool2d(down2, 2))
        y = self.up2(torch.cat([down2, self.larger2(y)], 1))
        y = self.up1(torch.cat([down1, self.larger1(y)], 1))
        return self.logits(y)


V2 = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2)]


class Features(nn.Module):
    """featuresOfV2 of src/networks/models/mobilenet.ts: what is behind each row of MobileNet v2, with the stem at stride 2."""

    def __init__(self, alpha, rows):
        super().__init__()
        channels = lambda filters: max(8, math.floor(filters * alpha / 8 + 0.5) * 8)
        self.stem, last, made, self.widths = block(3, channels(32), stride=2, act="relu6"), channels(32), [], []
        for expansion, filters, repeats, stride in V2[:rows]:
            row = []
            for i in range(repeats):
                row.append(InvertedResidual(last, channels(filters), expansion, stride if i == 0 else 1))
                last = channels(filters)
            made.append(nn.Sequential(*row))
            self.widths.append(last)
        self.rows = nn.ModuleList(made)

    def forward(self, x):
        x, out = self.stem(x), []
        for row in self.rows:
            x = row(x)
            out.append(x)
        return out


class Lraspp(nn.Module):
    def __init__(self, alpha=0.5, head=64, classes=8):
        super().__init__()
        self.features = Features(alpha, 5)
        skip, high = self.features.widths[2], self.features.widths[4]
        self.head = block(high, head, 1)
        self.context = block(high, head, 1, norm=False, bias=False, act="none")
        self.high, self.skip = (block(n, classes, 1, norm=False, act="none") for n in (head, skip))

    def forward(self, x):
        features = self.features(x)
        y = features[4]
        y = self.head(y) * self.context(y.mean((2, 3), keepdim=True)).sigmoid()
        return self.high(enlarged(y)) + self.skip(features[2])


def enlarged(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear")


def separable(filters, stride=1):
    depthwise = block(filters, filters, 5, stride, act="relu6", groups=filters)
    return nn.Sequential(depthwise, block(filters, filters, 1, act="relu6"))


class Head(nn.Module):
    def __init__(self, filters, classes):
        super().__init__()
        self.first, self.box, self.kind = (separable(filters) for _ in range(3))
        self.distances, self.scores = nn.Conv2d(filters, 4, 1), nn.Conv2d(filters, classes, 1)
        nn.init.constant_(self.distances.bias, 2)
        nn.init.constant_(self.scores.bias, -math.log(99))

    def forward(self, x):
        x = self.first(x)
        return F.relu(self.distances(self.box(x))).flatten(2), self.scores(self.kind(x)).flatten(2)


class Detector(nn.Module):
    """detNano of src/networks/models/detectors.ts: boxes [batch, points, 4] and logits [batch, points, classes]."""

    def __init__(self, alpha=0.35, filters=48, classes=8, size=160):
        super().__init__()
        self.features = Features(alpha, 6)
        widths = [self.features.widths[row] for row in (2, 4, 5)]
        self.lateral = nn.ModuleList(block(width, filters, 1, act="relu6") for width in widths)
        self.top_down = nn.ModuleList(separable(filters) for _ in range(2))
        self.down, self.bottom_up = (nn.ModuleList(separable(filters, s) for _ in range(2)) for s in (2, 1))
        self.heads = nn.ModuleList(Head(filters, classes) for _ in range(3))
        centres, cells = points_of(size)
        self.register_buffer("centres", torch.cat([centres, centres], 1))
        self.register_buffer("cells", torch.cat([-cells, cells], 1))

    def forward(self, x):
        features = self.features(x)
        out = [lateral(features[row]) for lateral, row in zip(self.lateral, (2, 4, 5))]
        for i in (1, 0):
            out[i] = self.top_down[i](out[i] + enlarged(out[i + 1]))
        for i in (1, 2):
            out[i] = self.bottom_up[i - 1](out[i] + self.down[i - 1](out[i - 1]))
        made = [head(level) for head, level in zip(self.heads, out)]
        distances, scores = (torch.cat([each[part] for each in made], 2).transpose(1, 2) for part in (0, 1))
        return distances * self.cells + self.centres, scores


def points_of(size):
    """Centres and sizes of the cells of all levels, [points, 2] both, as shares of the picture."""
    centres, cells = [], []
    for stride in (8, 16, 32):
        middle = torch.arange(stride / 2, size, stride) / size
        y, x = torch.meshgrid(middle, middle, indexing="ij")
        centres.append(torch.stack([x.flatten(), y.flatten()], 1))
        cells.append(torch.full((len(middle) ** 2, 2), stride / size))
    return torch.cat(centres), torch.cat(cells)


def overlap_of(a, b):
    """Intersection over union, and the share of the hull that neither of the boxes covers."""
    size = lambda box: (box[..., 2:] - box[..., :2]).clamp(min=0).prod(-1)
    shared = size(torch.cat([torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])], -1))
    union = size(a) + size(b) - shared
    hull = size(torch.cat([torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])], -1))
    return shared / (union + 1e-9), (hull - union) / (hull + 1e-9)


@torch.no_grad()
def assigned(boxes, logits, kinds, truth, centres, cells):
    """Feng et al. 2021, "TOOD", for a batch at once: src/answers/boxes/assignment.ts. `kinds` [batch, most] is -1 for padding."""
    classes = logits.shape[-1]
    hot = F.one_hot(kinds.clamp(min=0), classes).float() * (kinds >= 0)[..., None]
    middle, a, b = centres[None, :, None], truth[:, None, :, :2], truth[:, None, :, 2:]
    within = torch.minimum(middle - a, b - middle) / (b - a).clamp(min=1e-6)
    nearest = (middle - (a + b) / 2).abs() < cells[None, :, None] / 2
    inside = torch.maximum(within, nearest * 1e-3).amin(-1)
    candidate = (inside > 0) & (kinds >= 0)[:, None]
    overlap, _ = overlap_of(boxes[:, :, None], truth[:, None])
    metric = (logits.sigmoid() @ hot.transpose(1, 2) * overlap**6 + inside * 1e-9) * candidate
    best = (metric >= metric.topk(10, 1).values[:, -1:]) & candidate
    closest = (overlap - 2 * ~best).argmax(-1)
    learns = (best * F.one_hot(closest, truth.shape[1])).float()
    aligned = metric * learns
    share = aligned / aligned.amax(1, keepdim=True).clamp(min=1e-20)
    aims = share * (overlap * learns).amax(1, keepdim=True)
    return learns @ truth, aims @ hot, 1 / aims.sum((1, 2)).clamp(min=1)


def detection_loss(net, answers, targets):
    boxes, logits = answers
    kinds, truth = targets
    goals, aims, weight = assigned(boxes, logits, kinds, truth, net.centres[:, :2], net.cells[:, 2:])
    entropy = F.binary_cross_entropy_with_logits(logits, aims, reduction="none").sum(-1)
    overlap, empty = overlap_of(boxes, goals)
    box = 2 * (1 - overlap + empty) + 5 * (boxes - goals).abs().sum(-1)
    return ((entropy + aims.amax(-1) * box).sum(1) * weight).mean()


class Attention(nn.Module):
    def __init__(self, size, heads, sdpa):
        super().__init__()
        self.heads, self.sdpa = heads, sdpa
        self.query, self.key, self.value, self.output = (nn.Linear(size, size) for _ in range(4))

    def forward(self, x, bias):
        batch, length, size = x.shape
        split = lambda y: y.view(batch, length, self.heads, size // self.heads).transpose(1, 2)
        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        if self.sdpa:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        else:
            scores = q @ k.transpose(-2, -1) * (1 / math.sqrt(size // self.heads))
            mixed = torch.softmax(scores + bias, -1) @ v
        return self.output(mixed.transpose(1, 2).reshape(batch, length, size))


class Encoder(nn.Module):
    def __init__(self, size, heads, sdpa):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(size), Attention(size, heads, sdpa)
        self.norm2, self.dense1, self.dense2 = nn.LayerNorm(size), nn.Linear(size, 4 * size), nn.Linear(4 * size, size)

    def forward(self, x, bias):
        x = x + self.attention(self.norm1(x), bias)
        return x + self.dense2(F.gelu(self.dense1(self.norm2(x))))


class TextTransformer(nn.Module):
    def __init__(self, depth, sdpa, vocabulary=8192, length=128, size=128, heads=4, classes=4):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, size)
        nn.init.normal_(self.tokens.weight, std=0.02)
        self.positions = nn.Parameter(torch.randn(length, size) * 0.02)
        self.layers = nn.ModuleList(Encoder(size, heads, sdpa) for _ in range(depth))
        self.final_norm, self.logits = nn.LayerNorm(size), nn.Linear(size, classes)

    def forward(self, ids):
        kept = (ids != 0).to(self.positions.dtype)
        bias = ((1 - kept) * -1e9)[:, None, None, :]
        x = self.tokens(ids) + self.positions
        for layer in self.layers:
            x = layer(x, bias)
        x = self.final_norm(x)
        return self.logits((x * kept[:, :, None]).sum(1) / kept.sum(1, keepdim=True).clamp(min=1))


class BagVectors(nn.Module):
    """StaticEmbedding, Dense and Normalize of sentence-transformers: tokens of all texts in one row behind the places where each text begins."""

    def __init__(self, texts=256, vocabulary=30_522, size=96, width=384):
        super().__init__()
        self.texts, self.tokens, self.logits = texts, nn.EmbeddingBag(vocabulary, size), nn.Linear(size, width)
        nn.init.normal_(self.tokens.weight, std=0.02)

    def forward(self, x):
        return F.normalize(self.logits(self.tokens(x[self.texts :], x[: self.texts])), dim=1)


class Gru(nn.Module):
    """nn.GRU: resets after the product, sigmoid gates. Its second bias is frozen, as the registry's cell has one."""

    def __init__(self, features=64, units=128, classes=10):
        super().__init__()
        self.gru = nn.GRU(features, units, batch_first=True)
        nn.init.zeros_(self.gru.bias_hh_l0)
        self.gru.bias_hh_l0.requires_grad_(False)
        self.logits = nn.Linear(units, classes)

    def forward(self, x):
        return self.logits(self.gru(x)[0][:, -1])


class ExactGru(nn.Module):
    """tfjs' cell (gates z, r, h), written as one would in PyTorch: inputs of all steps in one product."""

    def __init__(self, features=64, units=128, classes=10):
        super().__init__()
        self.units = units
        self.kernel = nn.Parameter(nn.init.xavier_uniform_(torch.empty(features, 3 * units)))
        self.recurrent = nn.Parameter(nn.init.xavier_uniform_(torch.empty(units, 3 * units)))
        self.bias = nn.Parameter(torch.zeros(3 * units))
        self.logits = nn.Linear(units, classes)

    def forward(self, x):
        u = self.units
        gates, candidate = self.recurrent[:, : 2 * u], self.recurrent[:, 2 * u :]
        h = x.new_zeros(x.shape[0], u)
        for step in (x @ self.kernel + self.bias).unbind(1):
            z, r = (0.2 * (step[:, : 2 * u] + h @ gates) + 0.5).clamp(0, 1).chunk(2, 1)
            h = z * h + (1 - z) * torch.tanh(step[:, 2 * u :] + (r * h) @ candidate)
        return self.logits(h)


class Lstm(nn.Module):
    def __init__(self, features=64, units=128, classes=10, **more):
        super().__init__()
        self.lstm = nn.LSTM(features, units, batch_first=True, **more)
        self.logits = nn.Linear(units * (2 if self.lstm.bidirectional else 1), classes)

    def forward(self, x):
        return self.logits(self.lstm(x)[0][:, -1])


def torchvision_net(name, classes=10):
    # Only its own environment has torchvision.
    from torchvision import models

    net = getattr(models, name)(num_classes=classes)
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return net


# A net by its name: how it is made of a variant's word, one sample channels first, classes, samples of a step

PICTURE = (3, 32, 32)
NETS = {
    "mlp": (lambda _: mlp(800), (784,), 10, 128),
    "mlp-1200": (lambda _: mlp(1200, 0.5), (784,), 10, 256),
    "cnn": (lambda _: cnn(False), (1, 28, 28), 10, 128),
    "cnn-bn": (lambda _: cnn(True), (1, 28, 28), 10, 128),
    "dscnn": (lambda _: dscnn(), (1, 28, 28), 10, 128),
    "resnet8": (lambda _: resnet8(), (1, 28, 28), 10, 128),
    "mobilenet-v2": (lambda _: mobilenet_v2(), (3, 96, 96), 10, 32),
    "mobilenet-v2-160": (lambda _: mobilenet_v2(alpha=0.35, size=160), (3, 160, 160), 10, 64),
    "mobilenet-v1": (lambda _: mobilenet_v1(False), (3, 96, 96), 2, 32),
    "vww": (lambda _: mobilenet_v1(True), (3, 96, 96), 2, 32),
    "resnet18": (lambda _: resnet18(), (3, 64, 64), 10, 32),
    "resnet20": (lambda _: resnet20(), PICTURE, 10, 128),
    "wrn-16-2": (lambda _: wrn(), PICTURE, 10, 128),
    "transformer-2": (lambda word: TextTransformer(2, word == "sdpa"), (128,), 4, 32),
    "transformer-4": (lambda word: TextTransformer(4, word == "sdpa"), (128,), 4, 32),
    "bag-vectors": (lambda _: BagVectors(), (32,), 384, 256),
    "gru": (lambda word: ExactGru() if word == "exact" else Gru(), (64, 64), 10, 64),
    "unet": (lambda _: UNet(), (1, 64, 64), 1, 16),
    "seg-lraspp": (lambda _: Lraspp(), (3, 128, 128), 8, 16),
    "det-nano": (lambda _: Detector(), (3, 160, 160), 8, 16),
    "onnx-resnet18": (lambda _: torchvision_net("resnet18"), (3, 96, 96), 10, 32),
    "onnx-mobilenet-v3": (lambda _: torchvision_net("mobilenet_v3_small"), (3, 96, 96), 10, 32),
    "onnx-lstm": (lambda _: Lstm(), (64, 64), 10, 64),
    "onnx-lstm-two": (lambda _: Lstm(num_layers=2), (64, 64), 10, 64),
    "onnx-lstm-both": (lambda _: Lstm(bidirectional=True), (64, 64), 10, 64),
    "onnx-gru": (lambda _: Gru(), (64, 64), 10, 64),
}

# Most boxes of a picture
MAX_BOXES = 20

# Limit on the norm of the weights into a unit, after each update
MAX_NORM = {"mlp-1200": 3.873}


def samples_of(name, batch):
    _, shape, classes, _ = NETS[name]
    if name == "bag-vectors":
        lengths = 17 + torch.arange(batch) * 16 // batch
        offsets = torch.cumsum(lengths, 0) - lengths
        vectors = F.normalize(torch.randn(batch, classes), dim=1)
        return torch.cat([offsets, torch.randint(1, 30_522, (int(lengths.sum()),))]), vectors
    if name.startswith("transformer"):
        ids = torch.randint(1, 8192, (batch, *shape))
        lengths = 65 + torch.arange(batch)[:, None] * 64 // batch
        return ids * (torch.arange(shape[0]) < lengths), torch.randint(0, classes, (batch,))
    if name == "unet":
        return torch.randn(batch, *shape), torch.randint(0, 2, (batch, *shape)).float()
    if name == "seg-lraspp":
        return torch.randn(batch, *shape), torch.randint(0, classes, (batch, *(n // 8 for n in shape[1:])))
    if name == "det-nano":
        corner, size = torch.rand(batch, MAX_BOXES, 2), 0.1 + 0.4 * torch.rand(batch, MAX_BOXES, 2)
        corner = corner * (1 - size)
        kinds = torch.randint(0, classes, (batch, MAX_BOXES))
        kinds[torch.arange(MAX_BOXES) > torch.randint(0, MAX_BOXES, (batch, 1))] = -1
        return torch.randn(batch, *shape), (kinds, torch.cat([corner, corner + size], -1))
    return torch.randn(batch, *shape), torch.randint(0, classes, (batch,))
