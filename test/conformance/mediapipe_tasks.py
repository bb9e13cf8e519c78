"""Asks tasks of MediaPipe, a library with a Python interface, about pictures: its ImageSegmenter or, where the manifest says so, its ImageClassifier, ObjectDetector or ImageEmbedder; about texts its TextClassifier or TextEmbedder."""

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

text = mp.tasks.text
vision = mp.tasks.vision
folder = sys.argv[1]
with open(os.path.join(folder, "manifest.json")) as file:
    manifest = json.load(file)
if "rows" in manifest:
    pictures = np.fromfile(os.path.join(folder, manifest["rows"]), dtype="uint8").reshape(manifest["shape"])


def image(picture):
    return mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(picture))


def segmented(name, base_options):
    """Labels of a file; the class and the confidences of each pixel are written behind its name."""
    options = vision.ImageSegmenterOptions(
        base_options=base_options, output_category_mask=True, output_confidence_masks=True
    )
    masks, confidences = [], []
    with vision.ImageSegmenter.create_from_options(options) as segmenter:
        labels = list(segmenter.labels)
        for picture in pictures:
            found = segmenter.segment(image(picture))
            # The memory of a mask is freed with what found it.
            masks.append(found.category_mask.numpy_view().reshape(picture.shape[:2]).copy())
            each = [one.numpy_view().reshape(picture.shape[:2]) for one in found.confidence_masks]
            confidences.append(np.stack(each, -1))
    np.stack(masks).astype("uint8").tofile(os.path.join(folder, name + ".masks"))
    np.stack(confidences).astype("float32").tofile(os.path.join(folder, name + ".confidences"))
    return labels


def classified(name, base_options):
    """Label and score of the first class of each picture."""
    options = vision.ImageClassifierOptions(base_options=base_options, max_results=1)
    with vision.ImageClassifier.create_from_options(options) as classifier:
        found = [classifier.classify(image(picture)).classifications[0].categories[0] for picture in pictures]
        return [[one.category_name, one.score] for one in found]


def detected(name, base_options):
    """Boxes of each picture: label, score, left, top, width and height in pixels."""
    options = vision.ObjectDetectorOptions(base_options=base_options, score_threshold=manifest["threshold"])
    with vision.ObjectDetector.create_from_options(options) as detector:
        found = [detector.detect(image(picture)).detections for picture in pictures]
    boxes = [[(one.categories[0], one.bounding_box) for one in each] for each in found]
    return [
        [[kind.category_name, kind.score, box.origin_x, box.origin_y, box.width, box.height] for kind, box in each]
        for each in boxes
    ]


def embedded(name, base_options):
    """Vector of each picture."""
    options = vision.ImageEmbedderOptions(base_options=base_options, l2_normalize=False, quantize=False)
    with vision.ImageEmbedder.create_from_options(options) as embedder:
        return [embedder.embed(image(picture)).embeddings[0].embedding.tolist() for picture in pictures]


def classified_text(name, base_options):
    """Label and score of the first class of each text."""
    options = text.TextClassifierOptions(base_options=base_options, max_results=1)
    with text.TextClassifier.create_from_options(options) as classifier:
        found = [classifier.classify(one).classifications[0].categories[0] for one in manifest["texts"]]
        return [[one.category_name, one.score] for one in found]


def embedded_text(name, base_options):
    """Vector of each text."""
    options = text.TextEmbedderOptions(base_options=base_options, l2_normalize=False, quantize=False)
    with text.TextEmbedder.create_from_options(options) as embedder:
        return [embedder.embed(one).embeddings[0].embedding.tolist() for one in manifest["texts"]]


tasks = {
    "classify": classified,
    "detect": detected,
    "embed": embedded,
    "classify-text": classified_text,
    "embed-text": embedded_text,
}
ask = tasks.get(manifest.get("task"), segmented)
answers = {
    name: ask(name, mp.tasks.BaseOptions(model_asset_path=os.path.join(folder, name))) for name in manifest["files"]
}
print("\n" + json.dumps(answers))
