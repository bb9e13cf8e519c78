"""Linear probe: how many pictures a linear classifier gets right by the features of a file, averaged over each feature map, beside their pixels.

    python bench/starting-weights/probe.py FOLDER FILE:OUTPUT [FILE:OUTPUT ...]

FOLDER is that of table.mjs. The sets are its nine categories of Twitter's emoji, and the objects in the boxes of datasets/emoji-scenes, whose pictures are
Google's. Each feature is standardized over train; the penalty of the logistic regression is the one that is best on validation, and test is scored once.
Packages: numpy, onnxruntime, pillow, scikit-learn.
"""

import json
import os
import sys
import warnings

import numpy as np
import onnxruntime
from PIL import Image
from sklearn.linear_model import LogisticRegression

warnings.filterwarnings("ignore")
SIZE = 128
SCENES = os.path.join(os.path.dirname(__file__), "../../datasets/emoji-scenes")
folder, *files = sys.argv[1:]


def array(picture):
    return np.asarray(picture.convert("RGB").resize((SIZE, SIZE), Image.BILINEAR), np.float32) / 255


def glyphs(split):
    root = os.path.join(folder, "classes", split)
    names = sorted(os.listdir(root))
    paths = [
        (os.path.join(root, name, file), i)
        for i, name in enumerate(names)
        for file in sorted(os.listdir(os.path.join(root, name)))
    ]
    return np.stack([array(Image.open(path)) for path, _ in paths]), np.array([i for _, i in paths])


def objects(split, first, last):
    with open(os.path.join(SCENES, "annotations", f"{split}.json")) as file:
        coco = json.load(file)
    names = {image["id"]: image["file_name"] for image in coco["images"] if first <= image["id"] <= last}
    x, y = [], []
    for one in coco["annotations"]:
        left, top, width, height = one["bbox"]
        if one["image_id"] in names:
            picture = Image.open(os.path.join(SCENES, split, "images", names[one["image_id"]]))
            x.append(array(picture.crop((left, top, left + width, top + height))))
            y.append(one["category_id"])
    return np.stack(x), np.array(y)


def features(file, output, x):
    session = onnxruntime.InferenceSession(file)
    given = session.get_inputs()[0]
    is_first = given.shape[1] == 3
    found = []
    for at in range(0, len(x), 32):
        batch = x[at : at + 32]
        (y,) = session.run([output], {given.name: batch.transpose(0, 3, 1, 2) if is_first else batch})
        found.append(y.mean((2, 3) if is_first else (1, 2)))
    return np.concatenate(found)


def pixels(x):
    return x.reshape(len(x), 8, SIZE // 8, 8, SIZE // 8, 3).mean((2, 4)).reshape(len(x), -1)


sets = {
    "glyphs": [glyphs(split) for split in ("train", "validation", "test")],
    "objects": [objects("train", 1, 300), objects("train", 901, 1000), objects("test", 1, 200)],
}
kinds = {"pixels 8x8": pixels}
for one in files:
    file, output = one.rsplit(":", 1)
    kinds[f"{os.path.basename(file)} {output}"] = lambda x, file=file, output=output: features(file, output, x)
for name, splits in sets.items():
    labels = [y for _, y in splits]
    print(f"{name}: {', '.join(str(len(y)) for y in labels)} of train, validation, test")
    for kind, of in kinds.items():
        train, validation, test = (of(x) for x, _ in splits)
        mean, deviation = train.mean(0), train.std(0) + 1e-6
        train, validation, test = ((x - mean) / deviation for x in (train, validation, test))
        fitted = [LogisticRegression(C=c, max_iter=500).fit(train, labels[0]) for c in (1e-3, 1e-2, 1e-1, 1)]
        best = max(fitted, key=lambda model: model.score(validation, labels[1]))
        print(f"  {kind}: {train.shape[1]} features, {100 * best.score(test, labels[2]):.1f} % of test")
