#!/usr/bin/env python3
"""PyTorch's side of bench/scale.ts: a training step of DistributedDataParallel with gloo, each process with its part of the batch.

    python3 bench/torch_ddp.py MODEL [--batch 128] [--steps 50] [--threads 1] [--ranks 2] [--layout nchw|nhwc] [--apart]

--apart: each process trains the whole batch by itself, beside the others; the time is the median of the steps of all processes that ended
before the first of them had done its last.

Rank 0 prints a JSON line. Nets and what is timed are those of bench/torch_step.py, with labels.
"""
import argparse
import itertools
import json
import os
import tempfile
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from torch_nets import NETS, samples_of


def work(rank, args, store):
    torch.set_num_threads(args.threads)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=args.ranks)
    torch.manual_seed(0)
    net = NETS[args.model][0]("").train()
    x, y = samples_of(args.model, args.batch if args.apart else args.batch // args.ranks)
    if args.layout == "nhwc":
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if not args.apart:
        net = DistributedDataParallel(net)
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=1e-3, fused=True)
    times = []
    for i in range(args.steps + 10):
        if args.apart and i == 10:
            dist.barrier()
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        loss.item()
        if i >= 10:
            times.append(time.perf_counter() - start)
    if args.apart:
        of_each = [None] * args.ranks
        dist.all_gather_object(of_each, times)
        with_ends = [list(zip(own, itertools.accumulate(own))) for own in of_each]
        first_end = min(steps[-1][1] for steps in with_ends)
        times = [took for steps in with_ends for took, end in steps if end <= first_end]
    if rank == 0:
        ms = sorted(times)[len(times) // 2] * 1e3
        print(json.dumps({"model": args.model, "ms_per_step": round(ms, 3), "torch": torch.__version__}), flush=True)
    dist.barrier()
    # Gloo's threads may still run when its objects are destroyed, which ends a process by a signal at random.
    os._exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=list(NETS))
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--layout", choices=["nchw", "nhwc"], default="nchw")
    parser.add_argument("--apart", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(work, args=(args, os.path.join(folder, "store")), nprocs=args.ranks)


if __name__ == "__main__":
    main()
