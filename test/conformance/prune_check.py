"""Pruned ds-cnn and resnet8 computed by PyTorch from their weights alone, beside what our ONNX file gives in ONNX Runtime."""
import os

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch.nn import functional as F

from verdicts import judge

EPSILON = 1e-3


def tensor(folder, entry):
    values = np.fromfile(os.path.join(folder, entry["file"]), dtype=np.float32)
    return torch.from_numpy(values.reshape(entry["shape"]))


def same(x, kernel, stride):
    """TensorFlow's SAME padding: the odd pixel goes to the right and the bottom."""
    pads = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


class Net:
    def __init__(self, weights):
        self.w = weights

    def norm(self, x, name):
        mean, variance, gamma, beta = (
            self.w[f"{name}_bn/{part}"] for part in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        return F.batch_norm(x, mean, variance, gamma, beta, eps=EPSILON)

    def conv(self, x, name, stride=1):
        kernel = self.w[f"{name}/kernel"].permute(3, 2, 0, 1)
        return self.norm(F.conv2d(same(x, kernel.shape[2], stride), kernel, stride=stride), name)

    def depthwise(self, x, name):
        kernel = self.w[f"{name}/depthwise_kernel"].permute(2, 3, 0, 1)
        return self.norm(F.conv2d(same(x, kernel.shape[2], 1), kernel, groups=kernel.shape[0]), name)

    def classifier(self, x):
        return x.mean((2, 3)) @ self.w["logits/kernel"] + self.w["logits/bias"]

    def ds_cnn(self, x):
        for name, stride in (("stem1", 2), ("stem2", 1), ("stem3", 2)):
            x = self.conv(x, name, stride).relu()
        for i in (1, 2):
            x = self.depthwise(x, f"block{i}_depthwise").relu()
            x = self.conv(x, f"block{i}_pointwise").relu()
        return self.classifier(x)

    def resnet(self, x):
        x = self.conv(x, "stem").relu()
        for stage, stride in ((1, 1), (2, 2), (3, 2)):
            name = f"stage{stage}_block1"
            y = self.conv(self.conv(x, f"{name}_conv1", stride).relu(), f"{name}_conv2")
            shortcut = self.conv(x, f"{name}_shortcut", stride) if f"{name}_shortcut/kernel" in self.w else x
            x = (y + shortcut).relu()
        return self.classifier(x)


def check(folder, case):
    path = os.path.join(folder, case["file"])
    onnx.checker.check_model(onnx.load(path), full_check=True)
    given = {entry["name"]: tensor(folder, entry) for entry in case["inputs"]}
    x = given.pop("input")
    with torch.no_grad():
        expected = getattr(Net(given), case["name"].split()[0].replace("-", "_"))(x.permute(0, 3, 1, 2)).numpy()
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    ours = tensor(folder, case["outputs"][0]).numpy()
    scale = max(1.0, float(np.abs(expected).max()))
    errors = [float(np.abs(y - expected).max()) / scale for y in (session.run(None, {"input": x.numpy()})[0], ours)]
    if not max(errors) <= case["tolerance"]:
        raise ValueError(f"logits differ by {max(errors):.3g}")
    return max(errors)


judge(check)
