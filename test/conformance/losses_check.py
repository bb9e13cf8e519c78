"""Losses and optimizers computed by PyTorch: reads cases.json of the folder given, prints the results as JSON."""
import json
import sys
from pathlib import Path

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)


def weighted(values, weights):
    return (values * weights).sum() / weights.sum()


def cross_entropy(s, labels, weights, smoothing):
    return weighted(F.cross_entropy(s, labels, reduction="none", label_smoothing=smoothing), weights)


def kl(teacher, student):
    """Per sample, of probabilities from logits."""
    return F.kl_div(F.log_softmax(student, -1), F.log_softmax(teacher, -1), reduction="none", log_target=True).sum(-1)


def kd(s, t, labels, w, h):
    temperature = h["temperature"]
    return weighted(kl(t / temperature, s / temperature), w) * temperature**2


def kd_standardized(s, t, labels, w, h):
    norm = lambda x: (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True)
    return kd(norm(s), norm(t), labels, w, h)


def dkd(s, t, labels, w, h):
    temperature = h["temperature"]
    ps, pt = (F.softmax(x / temperature, -1) for x in (s, t))
    hot = F.one_hot(labels, s.shape[-1]).bool()
    binary = lambda p: torch.stack([p[hot], 1 - p[hot]], -1)
    target = (binary(pt) * (binary(pt).log() - binary(ps).log())).sum(-1)
    keep = lambda x: x[~hot].reshape(len(x), -1) / temperature
    others = kl(keep(t), keep(s))
    return weighted(h["targetWeight"] * target + h["nonTargetWeight"] * others, w) * temperature**2


def dist(s, t, labels, w, h):
    temperature = h["temperature"]
    ps, pt = (F.softmax(x / temperature, -1) for x in (s, t))
    inter = 1 - weighted(F.cosine_similarity(ps - ps.mean(1, keepdim=True), pt - pt.mean(1, keepdim=True), dim=1), w)
    share = (w / w.sum()).unsqueeze(1)
    centred = lambda p: p - (share * p).sum(0, keepdim=True)
    a, b = centred(ps), centred(pt)
    rho = (share * a * b).sum(0) / ((share * a * a).sum(0) * (share * b * b).sum(0)).sqrt()
    return temperature**2 * (h["interWeight"] * inter + h["intraWeight"] * (1 - rho.mean()))


def mse(s, t, labels, w, h):
    return weighted(F.mse_loss(s, t, reduction="none").mean(-1), w)


SOFT = {"kd": kd, "kd-standardized": kd_standardized, "dkd": dkd, "dist": dist, "mse": mse}


def loss_case(case):
    s = torch.tensor(case["student"], requires_grad=True)
    t, w = torch.tensor(case["teacher"]), torch.tensor(case["weights"])
    labels, h = torch.tensor(case["labels"]), case["hyper"]
    hard = cross_entropy(s, labels, w, h["labelSmoothing"])
    name = case["loss"]
    value = hard if name == "ce" else (1 - h["alpha"]) * hard + h["alpha"] * SOFT[name](s, t, labels, w, h)
    value.backward()
    return {"loss": value.item(), "gradient": s.grad.flatten().tolist()}


def aligned(s, t):
    """The larger picture averaged over windows down to the smaller."""
    if s.shape[-2] > t.shape[-2]:
        return F.avg_pool2d(s, s.shape[-2] // t.shape[-2]), t
    return s, F.avg_pool2d(t, t.shape[-2] // s.shape[-2])


def attention_map(x):
    return F.normalize(x.pow(2).mean(1).flatten(1))


def feature_case(case):
    """Features come as [batch, height, width, channels]; gradients go back the same way."""
    s, sf = (torch.tensor(case[name], requires_grad=True) for name in ("student", "studentFeature"))
    # Zeros come as whole numbers.
    number = lambda name: torch.tensor(case.get(name, [0]), dtype=torch.float64, requires_grad=True)
    kernel, bias = number("kernel"), number("bias")
    t, w, labels, h = torch.tensor(case["teacher"]), torch.tensor(case["weights"]), torch.tensor(case["labels"]), case["hyper"]
    pictures = sf.permute(0, 3, 1, 2), torch.tensor(case["teacherFeature"]).permute(0, 3, 1, 2)
    if case["feature"] == "hint":
        mapped = F.conv2d(pictures[0], kernel.t()[:, :, None, None], bias)
        a, b = aligned(mapped, pictures[1])
        distance = F.mse_loss(a, b, reduction="none").flatten(1).mean(1)
    else:
        a, b = aligned(*pictures)
        distance = (attention_map(a) - attention_map(b)).pow(2).mean(1)
    hard = cross_entropy(s, labels, w, h["labelSmoothing"])
    value = (1 - h["alpha"]) * hard + h["alpha"] * kd(s, t, labels, w, h) + h["featureWeight"] * weighted(distance, w)
    value.backward()
    gradients = [s.grad, sf.grad] + ([kernel.grad, bias.grad] if case["feature"] == "hint" else [])
    return {"loss": value.item(), "gradients": [g.flatten().tolist() for g in gradients]}


def optimizer_of(case, parameters):
    o = case["optimizer"]
    decay, lr = o.get("weightDecay", 0), case["learningRates"][0]
    if o["type"] in ("adam", "adamw"):
        make = torch.optim.AdamW if o["type"] == "adamw" else torch.optim.Adam
        return make(parameters, lr=lr, weight_decay=decay)
    momentum = {"sgd": 0, "momentum": 0.9, "nesterov": 0.9}[o["type"]]
    return torch.optim.SGD(parameters, lr=lr, momentum=momentum, nesterov=o["type"] == "nesterov", weight_decay=decay)


def optimizer_case(case):
    """The loss is half the squared distance of x·W to y; its gradient is taken anew at every step."""
    weight = torch.tensor(case["weight"], requires_grad=True)
    x, y = torch.tensor(case["x"]), torch.tensor(case["y"])
    optimizer = optimizer_of(case, [weight])
    for lr in case["learningRates"]:
        for group in optimizer.param_groups:
            group["lr"] = lr
        optimizer.zero_grad()
        (((x @ weight - y) ** 2).sum() / 2).backward()
        if "clipNorm" in case["optimizer"]:
            torch.nn.utils.clip_grad_norm_([weight], case["optimizer"]["clipNorm"])
        optimizer.step()
    return {"weight": weight.detach().flatten().tolist()}


KINDS = {"loss": loss_case, "feature": feature_case, "optimizer": optimizer_case}
cases = json.loads((Path(sys.argv[1]) / "cases.json").read_text())
print(json.dumps([next(run(c) for kind, run in KINDS.items() if kind in c) for c in cases]))
