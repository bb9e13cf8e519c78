"""Detectors from scratch on the same pictures in the same processor minutes, each scored by pycocotools from its own boxes of test:

    npm run bench:detectors -- [--minutes 10] [--only limbeck,yolox-n,picodet-s,yolo26n] [--setup]

Ours is det-nano by a recipe; the others are LibreYOLO's (MIT) and, as a program of its own, Ultralytics' (AGPL, installed apart by --setup and
asked by its Python API alone). A peer trains with its own defaults, at the size of the pictures, with as many epochs as its first ones say
that fit, and in one thread: threads that wait for each other in a loop would count as work. Printed are processor minutes, parameters, mAP
and AP50. Every peer is a process of its own.
"""
import argparse
import contextlib
import io
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCENES = ROOT / "datasets/emoji-scenes"
SIZE = 160
ENVIRONMENTS = {
    "libreyolo": ["libreyolo>=1.6", "torch>=2.4", "torchvision>=0.19", "onnx", "onnxruntime", "pycocotools"],
    "ultralytics": ["ultralytics>=8.4", "torch>=2.4", "torchvision>=0.19", "pycocotools"],
}
PEERS = {"limbeck": "libreyolo", "yolox-n": "libreyolo", "picodet-s": "libreyolo", "yolo26n": "ultralytics"}


def processor_seconds():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def annotations(split):
    return json.loads((SCENES / f"annotations/{split}.json").read_text())


def write_yolo(folder):
    """The scenes as YOLO's text files; pictures are copied, as a peer looks for labels beside the real ones. Validation is test, which chooses nothing: the last weights are scored."""
    names = [category["name"] for category in sorted(annotations("train")["categories"], key=lambda one: one["id"])]
    for split in ("train", "test"):
        made = annotations(split)
        ids = sorted(one["id"] for one in made["categories"])
        (folder / "labels" / split).mkdir(parents=True)
        (folder / "images").mkdir(exist_ok=True)
        shutil.copytree(SCENES / split / "images", folder / "images" / split)
        rows = {image["id"]: [] for image in made["images"]}
        for one in made["annotations"]:
            x, y, w, h = (value / SIZE for value in one["bbox"])
            rows[one["image_id"]].append(f"{ids.index(one['category_id'])} {x + w / 2} {y + h / 2} {w} {h}\n")
        for image in made["images"]:
            (folder / "labels" / split / f"{Path(image['file_name']).stem}.txt").write_text("".join(rows[image["id"]]))
    file = folder / "data.yaml"
    file.write_text(f"path: {folder}\ntrain: images/train\nval: images/test\nnc: {len(names)}\nnames: {json.dumps(names)}\n")
    return file


def score(found):
    """`found`: a list of (image id, xmin, ymin, xmax, ymax in pixels, score, index of the class)."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(SCENES / "annotations/test.json"))
        ids = sorted(truth.getCatIds())
        rows = [
            {"image_id": image, "bbox": [x0, y0, x1 - x0, y1 - y0], "score": sure, "category_id": ids[int(kind)]}
            for image, x0, y0, x1, y1, sure, kind in found
        ]
        if not rows:
            return {"map": 0.0, "ap50": 0.0}
        evaluation = COCOeval(truth, truth.loadRes(rows), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {"map": float(evaluation.stats[0]), "ap50": float(evaluation.stats[1])}


def fitting(train, minutes):
    """Epochs that fit in the minutes, by what one and two epochs take."""
    taken = []
    for epochs in (1, 2):
        begin = processor_seconds()
        train(epochs)
        taken.append(processor_seconds() - begin)
    each = max(taken[1] - taken[0], 0.1)
    return max(1, math.floor((60 * minutes - (taken[0] - each)) / each))


def peer(name, minutes):
    folder = Path(tempfile.mkdtemp(prefix="detectors-"))
    data = str(write_yolo(folder))
    if name == "yolo26n":
        from ultralytics import YOLO

        make = lambda: YOLO("yolo26n.yaml")
        options = {"val": False, "plots": False, "verbose": False, "optimizer": "auto", "device": "cpu"}
    else:
        from libreyolo import LibreYOLO
        from libreyolo.models.picodet.model import LibrePICODET
        from libreyolo.models.yolox.model import LibreYOLOX

        make = lambda: LibreYOLOX(size="n", device="cpu") if name == "yolox-n" else LibrePICODET(size="s", device="cpu")
        options = {"val": False, "device": "cpu", "pretrained": False}
    made = {}

    def train(epochs):
        made["model"] = make()
        shared = {"epochs": epochs, "imgsz": SIZE, "batch": 16, "workers": 0, "seed": 1}
        made["model"].train(data=data, project=str(folder / "runs"), name=f"epochs-{epochs}", exist_ok=True, **shared, **options)

    epochs = fitting(train, minutes)
    begin = processor_seconds()
    train(epochs)
    spent = processor_seconds() - begin
    # LibreYOLO's heads answer otherwise while they train: a detector is read from its file.
    model = made["model"] if name == "yolo26n" else LibreYOLO(str(folder / "runs" / f"epochs-{epochs}" / "weights/last.pt"), device="cpu")
    found = []
    for image in annotations("test")["images"]:
        picture = str(SCENES / "test/images" / image["file_name"])
        result = model.predict(picture, imgsz=SIZE, conf=0.001)
        boxes = (result[0] if isinstance(result, list) else result).boxes
        for box, sure, kind in zip(boxes.xyxy.tolist(), boxes.conf.tolist(), boxes.cls.tolist()):
            found.append((image["id"], *box, sure, kind))
    parameters = sum(p.numel() for p in model.model.parameters())
    return {"epochs": epochs, "minutes": spent / 60, "parameters": parameters, **score(found)}


def limbeck(minutes):
    import numpy as np
    import onnx
    import onnxruntime
    import torch
    from PIL import Image
    from torchvision.ops import batched_nms

    folder = Path(tempfile.mkdtemp(prefix="detectors-"))
    recipe = ROOT / "recipes/emoji-detection-teacher.yaml"

    def train(epochs):
        changes = ["teacher.train.model=det-nano", f"teacher.train.epochs={epochs}", "threads=1"]
        command = ["node", str(ROOT / "dist/cli.js"), "run", str(recipe), "--out", str(folder / str(epochs))]
        options = [word for change in changes for word in ("--set", change)]
        subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)

    epochs = fitting(train, minutes)
    begin = processor_seconds()
    train(epochs)
    spent = processor_seconds() - begin
    run = folder / str(epochs) / "emoji-detection-teacher"
    session = onnxruntime.InferenceSession(str(run / "teacher.onnx"))
    found = []
    for image in annotations("test")["images"]:
        picture = np.asarray(Image.open(SCENES / "test/images" / image["file_name"]).convert("RGB"), np.float32) / 255
        boxes, scores = session.run(["boxes", "scores"], {session.get_inputs()[0].name: picture[None]})
        sure = torch.sigmoid(torch.from_numpy(scores[0]))
        points, kinds = torch.nonzero(sure > 0.001, as_tuple=True)
        corners = SIZE * torch.from_numpy(boxes[0])[points]
        kept = batched_nms(corners, sure[points, kinds], kinds, 0.6)[:100]
        for box, point, kind in zip(corners[kept].tolist(), points[kept], kinds[kept].tolist()):
            found.append((image["id"], *box, float(sure[point, kind]), kind))
    weights = onnx.load(str(run / "teacher.onnx")).graph.initializer
    parameters = sum(int(np.prod(one.dims)) for one in weights if one.data_type == onnx.TensorProto.FLOAT)
    return {"epochs": epochs, "minutes": spent / 60, "parameters": parameters, **score(found)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--only", default=",".join(PEERS))
    parser.add_argument("--setup", action="store_true")
    parser.add_argument("--one", choices=list(PEERS))
    args = parser.parse_args()
    if args.setup:
        for name, packages in ENVIRONMENTS.items():
            folder = ROOT / ".venv" / name
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            subprocess.run([str(folder / "bin/pip"), "install", "-q", *packages], check=True)
        return
    if args.one:
        with contextlib.redirect_stdout(sys.stderr):
            result = limbeck(args.minutes) if args.one == "limbeck" else peer(args.one, args.minutes)
        return print(json.dumps(result))
    print(f"| detector | epochs | processor minutes | parameters | mAP | AP50 |\n|---|--:|--:|--:|--:|--:|")
    for name in args.only.split(","):
        python = ROOT / ".venv" / PEERS[name] / "bin/python"
        command = [str(python), __file__, "--one", name, "--minutes", str(args.minutes)]
        made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        row = json.loads(made.stdout.strip().split("\n")[-1])
        figures = f"{100 * row['map']:.2f} % | {100 * row['ap50']:.2f} %"
        print(f"| {name} | {row['epochs']} | {row['minutes']:.1f} | {row['parameters']:,} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
