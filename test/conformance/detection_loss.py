"""Assignment, loss, distillation and gradients of a detector by PyTorch in double precision: reads cases.json of a folder and prints a JSON list."""

import json
import sys

import torch
import torch.nn.functional as F

BEST = 10


def size(boxes):
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)


def overlap_of(a, b):
    """Intersection over union, and the share of the hull that neither of the boxes covers."""
    shared = size(torch.cat([torch.maximum(a, b)[..., :2], torch.minimum(a, b)[..., 2:]], -1))
    union = size(a) + size(b) - shared
    hull = size(torch.cat([torch.minimum(a, b)[..., :2], torch.maximum(a, b)[..., 2:]], -1))
    return shared / (union + 1e-9), (hull - union) / (hull + 1e-9)


def assigned(boxes, logits, truth, centres, cells, most=BEST):
    """Feng et al. 2021, "TOOD": box, class scores and loss weight of each point of a picture."""
    points, classes = logits.shape
    counted = truth[truth[:, 6] == 0]
    aims = torch.zeros(points, classes, dtype=torch.float64)
    goals = torch.zeros(points, 4, dtype=torch.float64)
    inside_of = lambda box: insideness(box, centres, cells)
    owner = torch.full((points,), -1)
    if len(counted):
        overlap, _ = overlap_of(boxes[:, None], counted[None, :, 1:5])
        inside = torch.stack([inside_of(box[1:5]) for box in counted], 1)
        metric = logits.sigmoid()[:, counted[:, 0].long()] * overlap**6 + inside * 1e-9
        metric = metric * (inside > 0)
        least = metric.topk(min(most, points), 0).values[-1]
        best = (metric >= least) & (inside > 0)
        choice = torch.where(best, overlap, -torch.ones_like(overlap)).max(1)
        owner = torch.where(choice.values >= 0, choice.indices, owner)
        for i in range(len(counted)):
            own = owner == i
            if not own.any():
                continue
            share = metric[own, i] / metric[own, i].max()
            aims[own, int(counted[i, 0])] = share * overlap[own, i].max()
            goals[own] = counted[i, 1:5]
    free = torch.ones(points, dtype=torch.bool)
    for box in truth[truth[:, 6] == 1]:
        free &= ~(inside_of(box[1:5]) > 0)
    weight = (free | (owner >= 0)).double() / aims.sum().clamp(min=1)
    return goals, aims, weight


def insideness(box, centres, cells):
    def axis(k):
        a, b = box[k], box[k + 2]
        nearest = (centres[:, k] - (a + b) / 2).abs() < cells[:, k] / 2
        within = torch.minimum(centres[:, k] - a, b - centres[:, k]) / (b - a).clamp(min=1e-6)
        return torch.maximum(within, nearest.double() * 1e-3)

    return torch.minimum(axis(0), axis(1))


def box_loss(a, b):
    overlap, empty = overlap_of(a, b)
    return 2 * (1 - overlap + empty) + 5 * (a - b).abs().sum(-1)


def label_of(boxes, logits, rows, case, most=BEST):
    tensor = lambda key: torch.tensor(case[key], dtype=torch.float64)
    truth = torch.tensor(rows, dtype=torch.float64).reshape(-1, 7)
    with torch.no_grad():
        goals, aims, weight = assigned(boxes, logits, truth, tensor("centres"), tensor("cells"), most)
    entropy = F.binary_cross_entropy_with_logits(logits, aims, reduction="none").sum(-1)
    return (weight * (entropy + aims.amax(-1) * box_loss(boxes, goals))).sum()


def two_heads(case):
    """Label loss of a head that learns each box at one point, and of one that learns it at ten (Wang et al. 2024, "YOLOv10", section 3.1)."""
    given = [torch.tensor(case[key], dtype=torch.float64).requires_grad_() for key in ("boxes", "logits", "teacherBoxes", "teacherLogits")]
    total, weights = 0, 0
    for i, rows in enumerate(case["truth"]):
        boxes, logits, many_boxes, many_logits = (one[i] for one in given)
        label = label_of(boxes, logits, rows, case, 1) + label_of(many_boxes, many_logits, rows, case)
        total, weights = total + max(1, len(rows)) * label, weights + max(1, len(rows))
    loss = total / weights
    loss.backward()
    parts = {name: one.grad.flatten().tolist() for name, one in zip(("boxes", "logits", "manyBoxes", "manyLogits"), given)}
    return {"loss": loss.item(), **parts}


def loss_of(case):
    tensor = lambda key: torch.tensor(case[key], dtype=torch.float64)
    boxes, logits = tensor("boxes").requires_grad_(), tensor("logits").requires_grad_()
    teacher_boxes, teacher_logits = tensor("teacherBoxes"), tensor("teacherLogits")
    total, weights = 0, 0
    temperature = case["temperature"]
    for i, rows in enumerate(case["truth"]):
        label = label_of(boxes[i], logits[i], rows, case)
        given, own = teacher_logits[i] / temperature, logits[i] / temperature
        apart = F.binary_cross_entropy_with_logits(own, given.sigmoid(), reduction="none")
        apart = apart - F.binary_cross_entropy_with_logits(given, given.sigmoid(), reduction="none")
        sure = teacher_logits[i].sigmoid().amax(-1)
        soft = temperature**2 * apart.sum(-1) + sure * box_loss(boxes[i], teacher_boxes[i])
        soft = soft.sum() / sure.sum().clamp(min=1)
        sample = max(1, len(rows))
        total = total + sample * (0.5 * label + 0.5 * soft)
        weights += sample
    loss = total / weights
    loss.backward()
    return {"loss": loss.item(), "boxes": boxes.grad.flatten().tolist(), "logits": logits.grad.flatten().tolist()}


def feature_of(case):
    """Distance of inner tensors [samples, height, width, channels] through a regressor, and its gradients: Du et al. 2021, and Cao et al. 2022."""
    number = lambda key: torch.tensor(case[key], dtype=torch.float64)
    learned = [number(key).requires_grad_() for key in ("student", "kernel", "bias") if case[key]]
    student, kernel, *bias = learned
    teacher = number("teacher")
    samples, height, width, _ = teacher.shape
    moved = student @ kernel + sum(bias)
    weights = torch.tensor([max(1, len(rows)) for rows in case["truth"]], dtype=torch.float64)
    if case["feature"] == "pkd":
        share = (weights / weights.sum() / (height * width))[:, None, None, None]
        over = lambda x: (share * x).sum((0, 1, 2))
        a, b = moved - over(moved), teacher - over(teacher)
        distance = (1 - over(a * b) / (over(a * a) * over(b * b)).sqrt()).mean()
    else:
        scores = number("teacherLogits").sigmoid().amax(-1).reshape(samples, -1)
        # The next level has a quarter of the points: of 21 parts 16, 4 and 1.
        part = scores.shape[1] // 21
        scores = scores.split([16 * part, 4 * part, part], 1)[case["level"]].reshape(samples, height, width)
        each = ((moved - teacher) ** 2).mean(-1)
        distance = (scores * each).sum((1, 2)) / scores.sum((1, 2)).clamp(min=1)
        distance = (weights * distance).sum() / weights.sum()
    distance.backward()
    return {"distance": distance.item(), "gradients": [one.grad.flatten().tolist() for one in learned]}


with open(f"{sys.argv[1]}/cases.json") as file:
    of = lambda case: feature_of if "feature" in case else two_heads if case["heads"] == 2 else loss_of
    print(json.dumps([of(case)(case) for case in json.load(file)]))
