#!/usr/bin/env python3
"""PyTorch's side of bench/step.ts: times one training step of a net of bench/torch_nets.py and prints one JSON line.

    python3 bench/torch_step.py NET [--variant eager-nhwc] [--batch N] [--steps 30] [--threads 2] [--optimizer adam|adamw|momentum|sgd]
                             [--device cpu|cuda] [--export FILE]

A variant is eager or compile, then nchw or nhwc (the memory format), matmul or sdpa (how attention is written), cudnn or exact
(nn.GRU, or the registry's cell by hand), or plain; `best` is the faster of nchw and nhwc. The optimizer is always fused. Forward,
loss, backward and optimizer step are timed together, as is loss.item(), since a training loop reads the loss. With --export the net is
written as an ONNX file instead, with its batch norms as nodes of their own and the batch size left open.
"""
import argparse
import json
import resource
import time

import torch
from torch.nn import functional as F
from torch_nets import MAX_NORM, NETS, detection_loss, samples_of

WARM_UP, SECONDS, LEAST = 3, 4, 5


def times_of(args, variant):
    torch.manual_seed(0)
    kind, _, word = variant.partition("-")
    net = NETS[args.net][0](word).to(args.device).train()
    x, y = samples_of(args.net, args.batch)
    x, y = x.to(args.device), tuple(part.to(args.device) for part in y) if isinstance(y, tuple) else y.to(args.device)
    if word == "nhwc":
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
        y = y.to(memory_format=torch.channels_last) if args.net == "unet" else y
    objective = F.binary_cross_entropy_with_logits if args.net == "unet" else F.cross_entropy
    if args.net == "bag-vectors":
        objective = F.mse_loss
    if args.net == "det-nano":
        objective = lambda answers, y: detection_loss(net, answers, y)
    loss_of = lambda x, y: objective(net(x), y)
    if kind == "compile":
        loss_of = torch.compile(loss_of)
    trained = [p for p in net.parameters() if p.requires_grad]
    if args.optimizer in ("adam", "adamw"):
        optimizer = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[args.optimizer](trained, lr=1e-3, fused=True)
    else:
        optimizer = torch.optim.SGD(trained, lr=1e-3, fused=True, momentum=0.9 if args.optimizer == "momentum" else 0)

    limit = MAX_NORM.get(args.net)
    limited = [p for p in trained if p.ndim > 1] if limit else []

    def step():
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = loss_of(x, y)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for p in limited:
                p.renorm_(2, 0, limit)
        loss.item()
        return (time.perf_counter() - start) * 1e3

    first = step()
    for _ in range(WARM_UP - 1):
        step()
    times, begin, cpu = [], time.perf_counter(), time.process_time()
    while len(times) < args.steps and (len(times) < LEAST or time.perf_counter() - begin < SECONDS):
        times.append(step())
    ms = sorted(times)[len(times) // 2]
    cpu_ms = (time.process_time() - cpu) * 1e3 / len(times)
    return {"ms_per_step": ms, "fastest_ms": min(times), "cpu_ms_per_step": cpu_ms, "compile_ms": max(0, first - ms)}


def export(name, file):
    torch.manual_seed(0)
    net, (x, _) = NETS[name][0]("plain"), samples_of(name, 8)
    # An exporter stores what is equal once, as new batch norms are.
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    with torch.no_grad():
        net.train()(x)
    net.eval()
    # Constants are folded where exporters build the weights of a recurrent layer of several; elsewhere that folds batch norms too.
    options = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": len(x.shape) == 3}
    names = {"input_names": ["x"], "output_names": ["logits"], "dynamic_axes": {"x": {0: "batch"}}}
    torch.onnx.export(net, (x,), file, dynamo=False, **names, **options)
    return {"file": file}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("net", choices=list(NETS))
    parser.add_argument("--variant", default="best")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--optimizer", choices=["adam", "adamw", "momentum", "sgd"], default="adam")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--export")
    args = parser.parse_args()
    if args.export:
        return print(json.dumps(export(args.net, args.export)))
    args.batch = args.batch or NETS[args.net][3]
    torch.set_num_threads(args.threads)
    pictures = len(NETS[args.net][1]) == 3
    best = ["eager-nchw", "eager-nhwc"] if pictures else ["eager-plain"]
    results = [times_of(args, variant) for variant in (best if args.variant == "best" else [args.variant])]
    fastest = min(results, key=lambda result: result["ms_per_step"])
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps({"net": args.net, **fastest, "torch": torch.__version__, "peak_rss_mb": peak}))


if __name__ == "__main__":
    main()
