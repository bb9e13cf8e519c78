"""PyTorch's side of bench/data.ts: data.py FOLDER SIZE BATCH WORKERS. Prints the seconds of one pass that decodes and resizes, and of
one with random crops, both by a DataLoader of this many workers that has answered once before."""

import json
import sys
import time

import torch
from torchvision import datasets, transforms

if __name__ == "__main__":
    folder, size, batch, workers = sys.argv[1], *map(int, sys.argv[2:5])
    torch.set_num_threads(1)
    last = [transforms.ToTensor(), transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]

    def seconds(first):
        data = datasets.ImageFolder(folder, transforms.Compose([*first, *last]))
        loader = torch.utils.data.DataLoader(data, batch, shuffle=True, num_workers=workers, persistent_workers=True)
        # Workers start with the first pass, which is not counted: a few batches are enough.
        for i, _ in enumerate(loader):
            if i == 2:
                break
        start = time.perf_counter()
        for x, _ in loader:
            x[0, 0, 0, 0].item()
        return time.perf_counter() - start

    print(
        json.dumps(
            {
                "readSeconds": seconds([transforms.Resize((size, size))]),
                "epochSeconds": seconds([transforms.RandomResizedCrop(size), transforms.RandomHorizontalFlip()]),
            }
        )
    )
