"""Masks of pycocotools from the annotations of FOLDER/cases.json: prints for each case the numbers of the pixels, row by row, that are of the object.

    python3 coco_masks.py FOLDER    # cases.json: a list of {height, width, segmentation}; of a case without segmentation, {pixels} is packed as text
"""

import json
import sys
from pathlib import Path

import numpy as np
from pycocotools import mask


def packed(case):
    """Compressed run lengths of a mask."""
    pixels = np.asfortranarray(np.array(case["pixels"], dtype=np.uint8).reshape(case["height"], case["width"]))
    return mask.encode(pixels)["counts"].decode("ascii")


def pixels(case):
    """As COCO.annToRLE does."""
    found, h, w = case["segmentation"], case["height"], case["width"]
    if isinstance(found, list):
        rle = mask.merge(mask.frPyObjects(found, h, w))
    elif isinstance(found["counts"], list):
        rle = mask.frPyObjects(found, h, w)
    else:
        rle = {**found, "counts": found["counts"].encode("ascii")}
    return np.flatnonzero(mask.decode(rle)).tolist()


cases = json.loads((Path(sys.argv[1]) / "cases.json").read_text())
print(json.dumps([pixels(case) if "segmentation" in case else packed(case) for case in cases]))
