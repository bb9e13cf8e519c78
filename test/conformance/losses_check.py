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


def ttm(s, t, labels, w, h, weighs=False):
    powers = F.softmax(t, -1) ** (1 / h["temperature"])
    total = powers.sum(-1, keepdim=True)
    each = F.kl_div(F.log_softmax(s, -1), powers / total, reduction="none").sum(-1)
    return weighted(each * total[:, 0] if weighs else each, w)


def wttm(s, t, labels, w, h):
    return ttm(s, t, labels, w, h, weighs=True)


def nkd(s, t, labels, w, h):
    hot = F.one_hot(labels, s.shape[-1]).bool()
    others = lambda x: x[~hot].reshape(len(x), -1) / h["temperature"]
    target = F.softmax(t, -1)[hot] * F.log_softmax(s, -1)[hot]
    rest = (F.softmax(others(t), -1) * F.log_softmax(others(s), -1)).sum(-1)
    return weighted(-target - h["nonTargetWeight"] * h["temperature"] ** 2 * rest, w)


def mlld(s, t, labels, w, h):
    """A weight counts a sample so many times: the products of the rows times the roots of their weights."""
    total = 0
    for factor in (0.5, 0.75, 1, 1.25, 1.5):
        temperature = factor * h["temperature"]
        root = w.sqrt()[:, None]
        q, p = (F.softmax(x / temperature, -1) * root for x in (s, t))
        total = total + h["instanceWeight"] * kd(s, t, labels, w, {"temperature": temperature})
        total = total + h["batchWeight"] * (p @ p.t() - q @ q.t()).pow(2).sum() / w.sum()
        total = total + h["classWeight"] * (p.t() @ p - q.t() @ q).pow(2).sum() / s.shape[-1]
    return total


SOFT = {"kd": kd, "kd-standardized": kd_standardized, "dkd": dkd, "dist": dist, "mse": mse}
SOFT |= {"ttm": ttm, "wttm": wttm, "nkd": nkd, "mlld": mlld}


def crld_case(case):
    """Two views of each sample."""
    h, w, labels = case["hyper"], torch.tensor(case["weights"]), torch.tensor(case["labels"])
    (s1, s2), (t1, t2) = ([torch.tensor(x) for x in case[side]] for side in ("students", "teachers"))
    for x in (s1, s2):
        x.requires_grad_()
    sure = lambda t, least: (F.softmax(t, -1).max(-1).values >= least).double()
    temperature = h["temperature"]
    apart = lambda t, s: kl(t / temperature, s / temperature) * temperature**2
    within = weighted((apart(t1, s1) + apart(t2, s2)) * sure(t1, h["within"]), w)
    across = weighted((apart(t1, s2) + apart(t2, s1)) * sure(t2, h["across"]), w)
    hard = sum(cross_entropy(s, labels, w, h["labelSmoothing"]) for s in (s1, s2))
    value = (1 - h["alpha"]) * hard + h["alpha"] * (h["withinWeight"] * within + h["acrossWeight"] * across)
    value.backward()
    return {"loss": value.item(), "gradients": [s1.grad.flatten().tolist(), s2.grad.flatten().tolist()]}


def loss_case(case):
    s = torch.tensor(case["student"], requires_grad=True)
    t, w = torch.tensor(case["teacher"]), torch.tensor(case["weights"])
    labels, h = torch.tensor(case["labels"]), case["hyper"]
    hard = cross_entropy(s, labels, w, h["labelSmoothing"])
    name = case["loss"]
    if name == "ce":
        value = hard
    elif name == "mutual":
        value = hard + h["peerWeight"] * kd(s, t, labels, w, h)
    else:
        value = (1 - h["alpha"]) * hard + h["alpha"] * SOFT[name](s, t, labels, w, h)
    value.backward()
    return {"loss": value.item(), "gradient": s.grad.flatten().tolist()}


def aligned(s, t):
    """The larger picture averaged over windows down to the smaller."""
    if s.shape[-2] > t.shape[-2]:
        return F.avg_pool2d(s, s.shape[-2] // t.shape[-2]), t
    return s, F.avg_pool2d(t, t.shape[-2] // s.shape[-2])


def attention_map(x):
    return F.normalize(x.pow(2).mean(1).flatten(1))


def project(pictures, v):
    """A 1x1 convolution where the case has one."""
    if "kernel" not in v:
        return pictures
    return F.conv2d(pictures, v["kernel"].t()[:, :, None, None], v.get("bias"))


def hint(s, t, v, w, h, case):
    a, b = aligned(project(s, v), t)
    return weighted(F.mse_loss(a, b, reduction="none").flatten(1).mean(1), w)


def attention(s, t, v, w, h, case):
    a, b = aligned(s, t)
    return weighted((attention_map(a) - attention_map(b)).pow(2).mean(1), w)


def pkd(s, t, v, w, h, case):
    """One minus Pearson's correlation of each channel, over the batch and the positions."""
    a, b = aligned(project(s, v), t)
    a, b = (x.permute(1, 0, 2, 3).flatten(2) for x in (a, b))
    share = (w / w.sum() / a.shape[-1])[None, :, None]
    over = lambda x: (share * x).sum((1, 2), keepdim=True)
    x, y = a - over(a), b - over(b)
    return (1 - over(x * y) / (over(x * x) * over(y * y)).sqrt()).mean()


def cwd(s, t, v, w, h, case):
    a, b = aligned(project(s, v), t)
    temperature = h["mapTemperature"]
    each = kl(b.flatten(2) / temperature, a.flatten(2) / temperature)
    return temperature**2 * weighted(each.mean(1), w)


def vkd(s, t, v, w, h, case):
    skew = v["skew"] - v["skew"].t()
    projection = torch.linalg.matrix_exp(skew)[: s.shape[1], : t.shape[1]]
    b = F.layer_norm(t.mean((2, 3)), (t.shape[1],))
    each = F.smooth_l1_loss(s.mean((2, 3)) @ projection, b, reduction="none").mean(1)
    return weighted(each, w)


def rkd(s, t, v, w, h, case):
    """Differences between all samples written out."""
    n = len(w)
    apart = 1 - torch.eye(n)
    pairs = w[:, None] * w[None, :] * apart
    triples = w[:, None, None] * w[None, :, None] * w[None, None, :] * apart[:, :, None] * apart[None] * apart[:, None]

    def relations(x):
        x = x.flatten(1)
        # From the corner, the second index, to an end, the first.
        arms = x[:, None] - x[None]
        lengths = (arms.pow(2).sum(-1) + torch.eye(n)).sqrt() * apart
        unit = F.normalize(arms, dim=-1)
        return lengths / ((pairs * lengths).sum() / pairs.sum()), torch.einsum("ijd,kjd->ijk", unit, unit)

    (sd, sa), (td, ta) = relations(s), relations(t)
    distance = (pairs * F.smooth_l1_loss(sd, td, reduction="none")).sum() / pairs.sum()
    angle = (triples * F.smooth_l1_loss(sa, ta, reduction="none")).sum() / triples.sum()
    return h["distanceWeight"] * distance + h["angleWeight"] * angle


def sp(s, t, v, w, h, case):
    root = w.sqrt()

    def similarity(x):
        products = x.flatten(1) @ x.flatten(1).t()
        # A row against as many columns as the weights say.
        return F.normalize(products * root[None], dim=1) * root[:, None]

    return (similarity(s) - similarity(t)).pow(2).sum() / w.sum() ** 2


def mgd(s, t, v, w, h, case):
    a, b = aligned(project(s, v), t)
    kept = (torch.tensor(case["random"]) >= h["maskRatio"]).double()
    block = lambda x, part: F.conv2d(x, v[part + "/kernel"].permute(3, 2, 0, 1), v[part + "/bias"], padding=1)
    generated = block(block(a * kept[:, :, None, None], "first").relu(), "second")
    return weighted((generated - b).pow(2).flatten(1).sum(1), w)


def crd(s, t, v, w, h, case):
    """Sample by sample; the memory is written anew at each step, its scale at the first."""
    embed = lambda x, side: F.normalize(F.linear(x.mean((2, 3)), v[side + "/kernel"].t(), v[side + "/bias"]))
    es, et = embed(s, "student"), embed(t, "teacher")
    split, rows, n = case["split"], case["rows"], len(case["split"])
    for randoms in case["randoms"]:
        scores = {"student": [], "teacher": []}
        for i, row in enumerate(rows):
            others = sorted((x for x in range(n) if split[x] != split[row]), key=lambda x: (split[x], x))
            drawn = [row] + [others[int(u * len(others))] for u in randoms[i]]
            for side, e, bank in (("student", es, "teacher/bank"), ("teacher", et, "student/bank")):
                scores[side].append((v[bank].detach()[drawn] @ e[i] / h["contrastTemperature"]).exp())
        each = torch.zeros(len(rows))
        for side in scores:
            x = torch.stack(scores[side])
            if v[side + "/z"] < 0:
                v[side + "/z"] = weighted(x.mean(1), w).detach() * n
            x = x / v[side + "/z"]
            noise = (x.shape[1] - 1) / n
            each = each - (x[:, 0] / (x[:, 0] + noise + 1e-7)).log() - (noise / (x[:, 1:] + noise + 1e-7)).log().sum(1)
        for side, e in (("student", es), ("teacher", et)):
            bank = v[side + "/bank"].detach().clone()
            bank[rows] = F.normalize(h["momentum"] * bank[rows] + (1 - h["momentum"]) * e.detach())
            v[side + "/bank"] = bank
    return weighted(each, w)


def reviewkd(s, t, v, w, h, case):
    """All pairs, from the last to the first. Convolutions come as [height, width, in, out]."""
    def normed(x, part):
        share = (w / w.sum() / x[0, 0].numel())[:, None, None, None]
        over = lambda y: (share * y).sum((0, 2, 3), keepdim=True)
        kernel = v[part + "/kernel"].permute(3, 2, 0, 1)
        x = F.conv2d(x, kernel, padding=kernel.shape[-1] // 2)
        y = x - over(x)
        scale, offset = (v[part + name][None, :, None, None] for name in ("/scale", "/offset"))
        return y / (over(y * y) + 1e-5).sqrt() * scale + offset

    mean = lambda a, b: weighted((a - b).pow(2).flatten(1).mean(1), w)
    total, residual = 0, None
    for i in reversed(range(len(s))):
        prefix = f"{i}/" if i else ""
        x = normed(s[i], prefix + "in")
        if residual is not None:
            y = F.interpolate(residual, x.shape[2:], mode="nearest")
            kernel = v[prefix + "shares/kernel"].permute(3, 2, 0, 1)
            z = F.conv2d(torch.cat([x, y], 1), kernel, v[prefix + "shares/bias"]).sigmoid()
            x = x * z[:, :1] + y * z[:, 1:]
        residual = F.interpolate(x, t[i].shape[2:], mode="nearest")
        a, b = normed(residual, prefix + "out"), t[i]
        loss, weight, weights = mean(a, b), 1, 1
        for level in (4, 2, 1):
            if level < a.shape[2]:
                weight /= 2
                weights += weight
                loss = loss + weight * mean(F.adaptive_avg_pool2d(a, level), F.adaptive_avg_pool2d(b, level))
        total = total + loss / weights
    return total


FEATURES = {"hint": hint, "attention": attention, "pkd": pkd, "cwd": cwd, "vkd": vkd, "rkd": rkd, "sp": sp, "mgd": mgd, "crd": crd}


def feature_case(case):
    """Features come as [batch, height, width, channels] or [batch, channels]; gradients go back the same way."""
    # Zeros come as whole numbers.
    number = lambda values: torch.tensor(values, dtype=torch.float64, requires_grad=True)
    picture = lambda x: x.permute(0, 3, 1, 2) if x.dim() == 4 else x[:, :, None, None]
    s = number(case["student"])
    sf, tf = ([number(x) for x in case[side + "Features"]] for side in ("student", "teacher"))
    v = {name: number(values) for name, values in case["variables"].items()}
    learned = [x for name, x in v.items() if name not in case["memory"]]
    t, w, labels, h = torch.tensor(case["teacher"]), torch.tensor(case["weights"]), torch.tensor(case["labels"]), case["hyper"]
    pictures = [picture(x) for x in sf], [picture(x.detach()) for x in tf]
    if case["feature"] == "reviewkd":
        distance = reviewkd(*pictures, v, w, h, case)
    else:
        distance = FEATURES[case["feature"]](pictures[0][0], pictures[1][0], v, w, h, case)
    hard = cross_entropy(s, labels, w, h["labelSmoothing"])
    value = (1 - h["alpha"]) * hard + h["alpha"] * kd(s, t, labels, w, h) + h["featureWeight"] * distance
    value.backward()
    gradients = [s.grad, *(x.grad for x in sf), *(x.grad for x in learned), *(v[name].detach() for name in case["memory"])]
    return {"loss": value.item(), "gradients": [g.flatten().tolist() for g in gradients]}


def optimizer_of(case, parameters):
    o = case["optimizer"]
    decay, lr = o.get("weightDecay", 0), case["learningRates"][0]
    if o["type"] in ("adam", "adamw"):
        make = torch.optim.AdamW if o["type"] == "adamw" else torch.optim.Adam
        return make(parameters, lr=lr, weight_decay=decay)
    if o["type"] == "muon":
        # Its iteration is in bfloat16; here it keeps the precision of the weights, so that the arithmetic can be compared.
        torch.Tensor.bfloat16 = lambda x: x.clone()
        return torch.optim.Muon(parameters, lr=lr, momentum=o.get("beta1", 0.9), weight_decay=decay, adjust_lr_fn="match_rms_adamw")
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


KINDS = {"views": crld_case, "loss": loss_case, "feature": feature_case, "optimizer": optimizer_case}
cases = json.loads((Path(sys.argv[1]) / "cases.json").read_text())
print(json.dumps([next(run(c) for kind, run in KINDS.items() if kind in c) for c in cases]))
