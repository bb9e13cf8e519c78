"""Image processors of transformers on random pictures, without extremes that Pillow clips between its two passes: writes N/preprocessor_config.json, P.png and N.P.bin, the pixel values; prints the names."""

import json
import os
import sys

import numpy as np
import transformers
from PIL import Image

folder = sys.argv[1]
random = np.random.default_rng(0)
sizes = [(40, 56), (61, 37), (48, 48)]
for p, (height, width) in enumerate(sizes):
    Image.fromarray(random.integers(64, 192, (height, width, 3), dtype=np.uint8)).save(os.path.join(folder, f"{p}.png"))
MAKE = {
    "vit": lambda: transformers.ViTImageProcessor(size={"height": 24, "width": 20}),
    "convnext": lambda: transformers.ConvNextImageProcessor(size={"shortest_edge": 28}, crop_pct=0.875),
    "mobilenet": lambda: transformers.MobileNetV2ImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 28, "width": 28}),
    "deit": lambda: transformers.DeiTImageProcessor(size={"height": 32, "width": 32}, crop_size={"height": 28, "width": 28}),
    "clip": lambda: transformers.CLIPImageProcessor(size={"shortest_edge": 30}, crop_size={"height": 28, "width": 28}),
}
for name, make in MAKE.items():
    processor = make()
    processor.save_pretrained(os.path.join(folder, name))
    for p in range(len(sizes)):
        pixels = processor(Image.open(os.path.join(folder, f"{p}.png")), return_tensors="np")["pixel_values"][0]
        np.asarray(pixels, dtype="<f4").tofile(os.path.join(folder, f"{name}.{p}.bin"))
print(json.dumps(list(MAKE)))
