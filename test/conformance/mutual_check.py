"""Deep mutual learning (Zhang et al. 2018, algorithm 1) by PyTorch in double precision, from the weights and batches of case.json of the folder
given: prints losses and gradients of both students in the first step, and all variables after the last."""
import json
import sys
from pathlib import Path

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)

case = json.loads((Path(sys.argv[1]) / "case.json").read_text())
hyper, rate = case["hyper"], case["rate"]
PEER = "peer/"


class Student(torch.nn.Module):
    """Dense, ReLU, batch norm, dense."""

    def __init__(self, prefix):
        super().__init__()
        stored = lambda name: torch.tensor(case["state"][prefix + name]["data"], dtype=torch.float64).reshape(case["state"][prefix + name]["shape"])
        self.hidden = torch.nn.Linear(*stored("hidden/kernel").shape)
        # PyTorch's momentum is the share of the batch. Its running variance is unbiased, Keras' is not.
        self.norm = torch.nn.BatchNorm1d(self.hidden.out_features, eps=1e-3, momentum=0.1)
        self.logits = torch.nn.Linear(*stored("logits/kernel").shape)
        self.names = {}
        for name, parameter in (
            ("hidden/kernel", self.hidden.weight),
            ("hidden/bias", self.hidden.bias),
            ("bn/gamma", self.norm.weight),
            ("bn/beta", self.norm.bias),
            ("logits/kernel", self.logits.weight),
            ("logits/bias", self.logits.bias),
        ):
            value = stored(name)
            parameter.data = value.t().clone() if value.ndim == 2 else value
            self.names[prefix + name] = parameter
        self.mean, self.variance = stored("bn/moving_mean"), stored("bn/moving_variance")
        self.prefix = prefix

    def forward(self, x, observes):
        h = F.relu(self.hidden(x))
        if observes:
            self.mean = 0.9 * self.mean + 0.1 * h.detach().mean(0)
            self.variance = 0.9 * self.variance + 0.1 * h.detach().var(0, unbiased=False)
        return self.logits(self.norm(h))

    def gradients(self):
        return {name: kept(p.grad) for name, p in self.names.items()}

    def variables(self):
        moving = {"bn/moving_mean": self.mean, "bn/moving_variance": self.variance}
        return {name: kept(p.detach()) for name, p in self.names.items()} | {
            self.prefix + name: kept(value) for name, value in moving.items()
        }


def kept(value):
    """Dense kernels are [in, out] there."""
    return (value.t() if value.ndim == 2 else value).flatten().tolist()


def weighted(values, w):
    return (values * w).sum() / w.sum()


def learn(student, other, optimizer, x, y, w):
    """Steps 1 to 3 of the algorithm for one of the two: predictions of the other, loss, update."""
    with torch.no_grad():
        predictions = F.softmax(other(x, observes=False) / hyper["temperature"], -1)
    z = student(x, observes=True)
    hard = weighted(F.cross_entropy(z, y, reduction="none", label_smoothing=hyper["labelSmoothing"]), w)
    mimicry = F.kl_div(F.log_softmax(z / hyper["temperature"], -1), predictions, reduction="none").sum(-1)
    loss = hard + hyper["peerWeight"] * hyper["temperature"] ** 2 * weighted(mimicry, w)
    optimizer.zero_grad()
    loss.backward()
    gradients = student.gradients()
    optimizer.step()
    return loss.item(), gradients


students = [Student(""), Student(PEER)]
momentum = 0.9 if case["optimizer"] == "momentum" else 0
optimizers = [torch.optim.SGD(student.names.values(), lr=rate, momentum=momentum) for student in students]
losses, gradients = [], {}
for i, batch in enumerate(case["batches"]):
    x, y, w = torch.tensor(batch["x"], dtype=torch.float64).reshape(len(batch["y"]), -1), torch.tensor(batch["y"]), torch.tensor(batch["w"])
    for own, other, optimizer in ((students[0], students[1], optimizers[0]), (students[1], students[0], optimizers[1])):
        loss, found = learn(own, other, optimizer, x, y, w)
        if i == 0:
            losses.append(loss)
            gradients |= found
print(json.dumps({"losses": losses, "gradients": gradients, "weights": students[0].variables() | students[1].variables()}))
