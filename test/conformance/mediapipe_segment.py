"""Asks MediaPipe's ImageSegmenter, which ships as a library with a Python interface: the class of each pixel of pictures, and the labels that a file names."""

import json
import os
import sys
import types

import numpy as np


class Absent(types.ModuleType):
    """Stands for a package that MediaPipe imports to draw and to record, which nothing here does."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(name)


for name in ("cv2", "matplotlib", "matplotlib.pyplot", "sounddevice"):
    sys.modules[name] = Absent(name)

import mediapipe as mp  # noqa: E402

vision = mp.tasks.vision
folder = sys.argv[1]
with open(os.path.join(folder, "manifest.json")) as file:
    manifest = json.load(file)
pictures = np.fromfile(os.path.join(folder, manifest["rows"]), dtype="uint8").reshape(manifest["shape"])
labels = {}
for name in manifest["files"]:
    options = vision.ImageSegmenterOptions(
        base_options=mp.tasks.BaseOptions(model_asset_path=os.path.join(folder, name)),
        output_category_mask=True,
        output_confidence_masks=True,
    )
    with vision.ImageSegmenter.create_from_options(options) as segmenter:
        labels[name] = list(segmenter.labels)
        masks, confidences = [], []
        for picture in pictures:
            found = segmenter.segment(mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(picture)))
            masks.append(found.category_mask.numpy_view().reshape(picture.shape[:2]).copy())
            each = [one.numpy_view().reshape(picture.shape[:2]) for one in found.confidence_masks]
            confidences.append(np.stack(each, -1))
    np.stack(masks).astype("uint8").tofile(os.path.join(folder, name + ".masks"))
    np.stack(confidences).astype("float32").tofile(os.path.join(folder, name + ".confidences"))
print("\n" + json.dumps(labels))
