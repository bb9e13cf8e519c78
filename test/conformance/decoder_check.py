"""A decoder-only transformer in PyTorch: reads cases.json of the folder given, prints logits, loss and gradients as JSON."""
import json
import sys
from pathlib import Path

import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)


def norm(x, gain):
    return F.rms_norm(x, (x.shape[-1],), gain, 1e-5)


def rotated(x):
    """As transformers' LlamaRotaryEmbedding and rotate_half."""
    length, depth = x.shape[-2:]
    frequencies = 1 / 10000 ** (torch.arange(0, depth, 2) / depth)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), frequencies)
    angles = torch.cat([angles, angles], -1)
    half = torch.cat([-x[..., depth // 2 :], x[..., : depth // 2]], -1)
    return x * angles.cos() + half * angles.sin()


def attention(x, w, name, heads, groups, mask):
    batch, length, size = x.shape
    split = lambda part, count: (x @ w[f"{name}/{part}_kernel"]).view(batch, length, count, -1).transpose(1, 2)
    q, k, v = rotated(split("query", heads)), rotated(split("key", groups)), split("value", groups)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None], enable_gqa=True)
    return y.transpose(1, 2).reshape(batch, length, size) @ w[f"{name}/output_kernel"]


def decoder(ids, w, case):
    texts = (ids == case["end"]).cumsum(-1)
    mask = (texts[:, :, None] == texts[:, None, :]) & torch.ones(ids.shape[1], ids.shape[1]).tril().bool()
    x = w["tokens/embeddings"][ids]
    for i in range(1, case["depth"] + 1):
        layer = f"layer{i}"
        h = norm(x, w[f"{layer}_norm1/gain"])
        x = x + attention(h, w, f"{layer}_attention", case["heads"], case["groups"], mask)
        h = norm(x, w[f"{layer}_norm2/gain"])
        up = h @ w[f"{layer}_up/kernel"]
        inner = F.silu(h @ w[f"{layer}_gate/kernel"]) * up if case["activation"] == "swiglu" else F.gelu(up)
        x = x + inner @ w[f"{layer}_down/kernel"]
    return norm(x, w["final_norm/gain"]) @ w["tokens/embeddings"].T


def answer(case):
    w = {name: torch.tensor(one["values"]).view(one["shape"]).requires_grad_() for name, one in case["weights"].items()}
    ids, targets = torch.tensor(case["ids"]), torch.tensor(case["targets"])
    logits = decoder(ids, w, case)
    rows = logits.flatten(0, 1)
    teacher = torch.tensor(case["teacher"]).view_as(rows)
    asked = targets.flatten() >= 0
    t, alpha = case["temperature"], case["alpha"]
    log = lambda x: F.log_softmax(x[asked] / t, -1)
    soft = F.kl_div(log(rows), log(teacher), reduction="batchmean", log_target=True) * t**2
    loss = alpha * soft + (1 - alpha) * F.cross_entropy(rows, targets.flatten(), ignore_index=-1)
    loss.backward()
    gradients = {name: one.grad.flatten().tolist() for name, one in w.items()}
    return {"logits": logits.flatten().tolist(), "loss": loss.item(), "gradients": gradients}


cases = json.loads((Path(sys.argv[1]) / "cases.json").read_text())
print(json.dumps([answer(case) for case in cases]))
