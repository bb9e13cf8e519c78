"""Photographs as files of several kinds, what Pillow and torchvision make of them, and a net of 224 pixels that answers to them."""

import json
import os
import sys

import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.transforms import functional as transforms
from zoo_data import DEVIATION, MEAN, PHOTOS, folder_of

folder = sys.argv[1]
SIZES = [(224, 224), (96, 96), (40, 100), (300, 500), (1, 7)]
COUNT = 12


def written():
    """Pictures in two folders of classes: PNG, JPEG and WebP, grey and in colour."""
    for at in range(COUNT):
        picture = Image.open(folder_of("skimage", "data", PHOTOS[at % len(PHOTOS)])).convert("RGB")
        picture = picture.crop((at, 2 * at, at + 200 + 13 * at, 2 * at + 150 + 17 * at))
        kind = ("png", "jpg", "webp", "png")[at % 4]
        place = os.path.join(folder, "pictures", ("even", "odd")[at % 2])
        os.makedirs(place, exist_ok=True)
        file = os.path.join(place, f"{at:02}.{kind}")
        options = {"quality": 92} if kind == "jpg" else {"lossless": True} if kind == "webp" else {}
        (picture.convert("L") if at % 4 == 3 else picture).save(file, **options)
        yield file


def resized(picture, size, across_first=True):
    """By Pillow's own two passes in a given order: in one call Pillow 13 begins with the side that it finds faster, up to 12 with the width."""
    between = (size[0], picture.height) if across_first else (picture.width, size[1])
    return picture.resize(between, Image.BILINEAR).resize(size, Image.BILINEAR)


def net():
    torch.manual_seed(0)
    made = torchvision.models.mobilenet_v2(num_classes=2)
    # Weights drawn at random answer nearly the same to all; batch norms that know the pictures do not.
    made.train()
    return made


def main():
    files = sorted(written())
    entries = []
    for i, file in enumerate(files):
        opened = Image.open(file)
        for j, (height, width) in enumerate(SIZES):
            for channels in (1, 3):
                picture, size = opened.convert("L" if channels == 1 else "RGB"), (width, height)
                pixels, once = np.asarray(resized(picture, size)), np.asarray(picture.resize(size, Image.BILINEAR))
                other = np.asarray(resized(picture, size, across_first=False))
                at_once = "across" if np.array_equal(once, pixels) else "down" if np.array_equal(once, other) else "neither"
                name = f"{i}-{j}-{channels}.bin"
                pixels.tofile(os.path.join(folder, name))
                entries.append({"picture": file, "size": [height, width, channels], "pixels": name, "atOnce": at_once})
    x = torch.stack(
        [transforms.pil_to_tensor(resized(Image.open(f).convert("RGB"), (224, 224))) for f in files]
    )
    x = (x.float() / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)
    made = net()
    with torch.no_grad():
        for _ in range(30):
            made(x)
    made.eval()
    names = {"input_names": ["image"], "output_names": ["logits"], "dynamic_axes": {"image": {0: "n"}, "logits": {0: "n"}}}
    torch.onnx.export(made, x[:2], os.path.join(folder, "teacher.onnx"), dynamo=False, **names)
    with torch.no_grad():
        made(x).numpy().tofile(os.path.join(folder, "logits.bin"))
    # Arrays are enlarged in float.
    small = torch.rand(3, 2, 28, 28, generator=torch.Generator().manual_seed(1))
    large = transforms.resize(small, [224, 100], antialias=True)
    less = transforms.resize(small, [9, 12], antialias=True)
    for name, tensor in (("small", small), ("large", large), ("less", less)):
        tensor.permute(0, 2, 3, 1).contiguous().numpy().tofile(os.path.join(folder, f"{name}.bin"))
    print(json.dumps({"files": files, "entries": entries, "mean": MEAN.tolist(), "std": DEVIATION.tolist()}))


main()
