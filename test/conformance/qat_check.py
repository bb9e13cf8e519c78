"""Fake quantization computed by PyTorch: reads cases.json of the folder given, prints results and gradients as JSON."""
import json
import sys
from pathlib import Path

import torch


def check(case):
    x = torch.tensor(case["x"], dtype=torch.float32).reshape(case["shape"]).requires_grad_()
    dy = torch.tensor(case["dy"], dtype=torch.float32).reshape(case["shape"])
    scale = torch.tensor(case["scale"], dtype=torch.float32)
    if "axis" in case:
        zero_point = torch.zeros(len(case["scale"]), dtype=torch.int32)
        y = torch.fake_quantize_per_channel_affine(x, scale, zero_point, case["axis"], -127, 127)
    else:
        zero_point = torch.tensor(case["zeroPoint"], dtype=torch.int32)
        y = torch.fake_quantize_per_tensor_affine(x, scale, zero_point, -128, 127)
    y.backward(dy)
    return {"y": y.detach().flatten().tolist(), "dx": x.grad.flatten().tolist()}


cases = json.loads((Path(sys.argv[1]) / "cases.json").read_text())
print(json.dumps([check(case) for case in cases]))
