"""Detectors from scratch on the same pictures in the same processor minutes, each scored by pycocotools from its own boxes of test:

    npm run bench:detectors -- [--minutes 10 | --epochs 14] [--only limbeck,yolox-n,picodet-s,yolo26n] [--setup] [--steps] [--teach FOLDER] [--int8 FOLDER]

Ours is det-nano by a recipe; the others are LibreYOLO's (MIT) and, as a program of its own, Ultralytics' (AGPL, installed apart by --setup and
asked by its Python API alone). A peer trains with its own defaults, at the size of the pictures, with as many epochs as its first ones say
that fit, and in one thread: threads that wait for each other in a loop would count as work. Printed are processor minutes, parameters, mAP
and AP50. Every peer is a process of its own.

--steps prints the processor time of a training step instead, batches of 16 with the work on their pictures: of three epochs of 160 pictures without the
first, divided by their steps.
--teach trains the peer of --only as above, writes its ONNX file by its own API into FOLDER (and takes what is there already), and lets it teach det-nano
by Limbeck's declared decoder, with 100 labels and without any; boxes with a score of --least (0.3) teach. --int8 makes int8 files of the ONNX files of FOLDER, by ONNX Runtime's quantize_static
with 128 pictures of train and its own defaults, and scores both. Both take `--only det-small` too: the teacher of recipes/emoji-detection.yaml in the layout of YOLO.
"""
import argparse
import contextlib
import io
import itertools
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
TEACHER = ROOT / "checkpoints/emoji-detection-teacher/teacher.onnx"
# Name of it among the peers' files, rewritten in the layout of YOLO.
OWN = "det-small"
SIZE = 160
ENVIRONMENTS = {
    "libreyolo": ["libreyolo>=1.6", "torch>=2.4", "torchvision>=0.19", "onnx", "onnxruntime", "pycocotools"],
    "ultralytics": ["ultralytics>=8.4", "torch>=2.4", "torchvision>=0.19", "onnx", "onnxruntime", "pycocotools"],
}
BATCH = 16
# Pictures of the epochs that are timed by --steps.
FEW = 160
# Layout of a peer's ONNX file, and the largest value of a pixel.
FILES = {"yolo26n": ("yolov8", 1), "yolox-n": ("yolox", 255), "det-small": ("yolov8", 1)}
PEERS = {"limbeck": "libreyolo", "yolox-n": "libreyolo", "picodet-s": "libreyolo", "yolo26n": "ultralytics"}


def processor_seconds():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def annotations(split):
    return json.loads((SCENES / f"annotations/{split}.json").read_text())


def write_yolo(folder, most=None):
    """The scenes as YOLO's text files; pictures are copied, as a peer looks for labels beside the real ones. Validation is test, which chooses nothing: the last weights are scored."""
    names = [category["name"] for category in sorted(annotations("train")["categories"], key=lambda one: one["id"])]
    for split in ("train", "test"):
        made = annotations(split)
        ids = sorted(one["id"] for one in made["categories"])
        (folder / "labels" / split).mkdir(parents=True)
        (folder / "images" / split).mkdir(parents=True)
        rows = {image["id"]: [] for image in made["images"]}
        for one in made["annotations"]:
            x, y, w, h = (value / SIZE for value in one["bbox"])
            rows[one["image_id"]].append(f"{ids.index(one['category_id'])} {x + w / 2} {y + h / 2} {w} {h}\n")
        for image in made["images"][:most]:
            (folder / "labels" / split / f"{Path(image['file_name']).stem}.txt").write_text("".join(rows[image["id"]]))
            shutil.copy(SCENES / split / "images" / image["file_name"], folder / "images" / split)
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


def taken(train, epochs):
    begin = processor_seconds()
    train(epochs)
    return processor_seconds() - begin


def fitting(train, minutes, epochs):
    """`epochs` if given, else those that fit in the minutes, by what one and two take."""
    if epochs:
        return epochs
    first = taken(train, 1)
    each = max(taken(train, 2) - first, 0.1)
    return max(1, math.floor((60 * minutes - (first - each)) / each))


def step(train):
    """Processor seconds of a training step, by what three epochs take beyond one."""
    first = taken(train, 1)
    return {"step": (taken(train, 3) - first) / (2 * FEW // BATCH)}


def peer(name, minutes, epochs=None, steps=False, exported=None):
    folder = Path(tempfile.mkdtemp(prefix="detectors-"))
    data = str(write_yolo(folder, FEW if steps else None))
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
        shared = {"epochs": epochs, "imgsz": SIZE, "batch": BATCH, "workers": 0, "seed": 1}
        made["model"].train(data=data, project=str(folder / "runs"), name=f"epochs-{epochs}", exist_ok=True, **shared, **options)

    if steps:
        return step(train)
    epochs = fitting(train, minutes, epochs)
    spent = taken(train, epochs)
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
    if exported:
        shutil.copy(model.export(format="onnx", imgsz=SIZE), exported)
    return {"epochs": epochs, "minutes": spent / 60, "parameters": parameters, **score(found)}


def run_limbeck(recipe, folder, changes):
    command = ["node", str(ROOT / "dist/cli.js"), "run", str(recipe), "--out", str(folder)]
    options = [word for change in ["threads=1", *changes] for word in ("--set", change)]
    subprocess.run([*command, *options], check=True, stdout=sys.stderr)


def limbeck_step():
    """As `step`: det-nano from the labels of `FEW` pictures, with the settings of recipes/emoji-detection-teacher.yaml. Its teacher would be refused after so few steps."""
    folder = Path(tempfile.mkdtemp(prefix="detectors-"))
    split = lambda name: {"images": str(SCENES / name / "images"), "labels": str(SCENES / f"annotations/{name}.json")}
    data = {"type": "coco", "task": "detection", "resize": [SIZE, SIZE], "maxBoxes": 12, "limit": FEW, "validation": 2, "train": split("train"), "test": split("test")}
    augment = [{"flip": "horizontal"}, {"resizedCrop": {"area": [0.5, 1], "ratio": [0.8, 1.25]}}]
    optimizer = {"type": "adamw", "learningRate": 0.002, "schedule": "onecycle", "weightDecay": 0.0005, "clipNorm": 10}

    def train(epochs):
        training = {"epochs": epochs, "batchSize": BATCH, "ema": 0.998, "optimizer": optimizer}
        recipe = {"dataset": {**data, "augment": augment}, "student": {"model": "det-nano"}, "distill": training, "export": ["onnx"]}
        file = folder / f"{epochs}.json"
        file.write_text(json.dumps(recipe))
        run_limbeck(file, folder, ["report.latency.seconds=0"])

    return step(train)


def limbeck(minutes, epochs=None, steps=False):
    if steps:
        return limbeck_step()
    folder = Path(tempfile.mkdtemp(prefix="detectors-"))

    def train(epochs):
        options = ["teacher.train.model=det-nano", f"teacher.train.epochs={epochs}"]
        run_limbeck(ROOT / "recipes/emoji-detection-teacher.yaml", folder / str(epochs), options)

    epochs = fitting(train, minutes, epochs)
    spent = taken(train, epochs)
    file = folder / str(epochs) / "emoji-detection-teacher/teacher.onnx"
    return {"epochs": epochs, "minutes": spent / 60, "parameters": parameters(file), **score(answers(file))}


def parameters(file):
    import onnx

    weights = onnx.load(str(file)).graph.initializer
    return sum(math.prod(one.dims) for one in weights if one.data_type == onnx.TensorProto.FLOAT)


def pixels(split):
    """Pictures of a split, each with its id, [size, size, 3] in 0..1."""
    import numpy as np
    from PIL import Image

    for image in annotations(split)["images"]:
        picture = Image.open(SCENES / split / "images" / image["file_name"]).convert("RGB")
        yield image["id"], np.asarray(picture, np.float32) / 255


def answers(file):
    """Boxes of test that a file of Limbeck answers with, for `score`."""
    import onnxruntime
    import torch
    from torchvision.ops import batched_nms

    session = onnxruntime.InferenceSession(str(file))
    found = []
    for image, picture in pixels("test"):
        boxes, scores = session.run(["boxes", "scores"], {session.get_inputs()[0].name: picture[None]})
        sure = torch.sigmoid(torch.from_numpy(scores[0]))
        points, kinds = torch.nonzero(sure > 0.001, as_tuple=True)
        corners = SIZE * torch.from_numpy(boxes[0])[points]
        kept = batched_nms(corners, sure[points, kinds], kinds, 0.6)[:100]
        for box, point, kind in zip(corners[kept].tolist(), points[kept], kinds[kept].tolist()):
            found.append((image, *box, float(sure[point, kind]), kind))
    return found


def final(output, layout):
    """Rows (xmin, ymin, xmax, ymax in pixels, score, index of the class) of a peer's output for a picture."""
    import torch
    from torchvision.ops import batched_nms

    rows = torch.from_numpy(output[0])
    rows = rows.T if layout == "yolov8" else rows
    sure = rows[:, 4:] if layout == "yolov8" else rows[:, 5:] * rows[:, 4:5]
    points, kinds = torch.nonzero(sure > 0.001, as_tuple=True)
    middle, size = rows[points, :2], rows[points, 2:4]
    corners, sure = torch.cat([middle - size / 2, middle + size / 2], 1), sure[points, kinds]
    kept = batched_nms(corners, sure, kinds, 0.7)[:100]
    return torch.cat([corners[kept], sure[kept, None], kinds[kept, None].float()], 1).tolist()


def fed(session, picture):
    (given,) = session.get_inputs()
    return {given.name: (picture.transpose(2, 0, 1) if given.shape[1] == 3 else picture)[None]}


def peer_answers(file, name):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file))
    layout, scale = FILES[name]
    found = []
    for image, picture in pixels("test"):
        output = session.run(None, fed(session, scale * picture))[0]
        found += [(image, *row) for row in final(output, layout)]
    return found


def rewritten(file):
    """Writes the teacher of recipes/emoji-detection.yaml in the layout yolov8: centres and sizes in pixels, and probabilities, in one output."""
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper

    model = onnx.load(str(TEACHER))
    half = SIZE / 2
    sides = np.array([[half, 0, -SIZE, 0], [0, half, 0, -SIZE], [half, 0, SIZE, 0], [0, half, 0, SIZE]], np.float32)
    model.graph.initializer.append(numpy_helper.from_array(sides, "sides"))
    model.graph.node.append(helper.make_node("MatMul", ["boxes", "sides"], ["centred"]))
    model.graph.node.append(helper.make_node("Sigmoid", ["scores"], ["probabilities"]))
    model.graph.node.append(helper.make_node("Concat", ["centred", "probabilities"], ["rows"], axis=2))
    model.graph.node.append(helper.make_node("Transpose", ["rows"], ["output0"], perm=[0, 2, 1]))
    classes, points = (model.graph.output[1].type.tensor_type.shape.dim[i].dim_value for i in (2, 1))
    del model.graph.output[:], model.metadata_props[:]
    model.graph.output.append(helper.make_tensor_value_info("output0", onnx.TensorProto.FLOAT, ["batch", 4 + classes, points]))
    onnx.save(model, str(file))


def teach(name, folder, least):
    """mAP of det-nano that the peer's file teaches, and of its twin, for each number of labelled pictures."""
    layout, scale = FILES[name]
    if name == OWN:
        rewritten(folder / f"{name}.onnx")
    teacher = [f"teacher.onnx={folder / name}.onnx", f"teacher.decoder={layout}", *(["teacher.normalize=none"] if scale == 255 else [])]
    rows = {f"{name}, the teacher": score(peer_answers(folder / f"{name}.onnx", name))}
    for labelled in (100, 0):
        run = folder / f"labels-{labelled}"
        shared = [f"dataset.labelled={labelled}", f"distill.minConfidence={least}", "repeats=1", "jobs=1", "quantize=[]", "export=[onnx]", "outputs=logits"]
        # Without labels, files of them are refused, and nothing else names the classes.
        names = [one["name"] for one in sorted(annotations("train")["categories"], key=lambda one: one["id"])]
        pictures = [f"dataset.{split}={{images: {SCENES / split / 'images'}}}" for split in ("train", "test")]
        alone = [] if labelled else [*pictures, f"dataset.classes={json.dumps(names)}"]
        run_limbeck(ROOT / "recipes/emoji-detection.yaml", run, [*teacher, *shared, *alone])
        made = run / "emoji-detection/exports"
        rows[f"det-nano from it, {labelled} pictures with boxes"] = score(answers(made / "distilled.onnx"))
        if labelled:
            rows[f"det-nano alone, {labelled} pictures with boxes"] = score(answers(made / "scratch.onnx"))
    return rows


def int8(name, folder):
    """mAP of the peer's ONNX file and of its int8 file."""
    import onnxruntime
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Pictures(CalibrationDataReader):
        def __init__(self):
            self.left = itertools.islice(pixels("train"), 128)

        def get_next(self):
            return next((fed(session, FILES[name][1] * one) for _, one in self.left), None)

    paths = [folder / f"{name}{end}.onnx" for end in ("", "-prepared", "-int8")]
    if name == OWN:
        rewritten(paths[0])
    session = onnxruntime.InferenceSession(str(paths[0]))
    quant_pre_process(*map(str, paths[:2]), skip_symbolic_shape=True)
    quantize_static(str(paths[1]), str(paths[2]), Pictures())
    rows = {f"{name}, {what}": score(peer_answers(file, name)) for what, file in (("float", paths[0]), ("int8", paths[2]))}
    if name == OWN:
        made = folder / f"{name}-limbeck.onnx"
        command = ["node", str(ROOT / "dist/cli.js"), "export", "--from", str(TEACHER), "--precision", "int8", "--data", str(ROOT / "recipes/emoji-detection.yaml")]
        subprocess.run([*command, "--samples", "128", "--out", str(made)], check=True, stdout=sys.stderr)
        rows[f"{name}, int8 by Limbeck"] = score(answers(made))
    return rows


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--only", default=",".join(PEERS))
    parser.add_argument("--setup", action="store_true")
    parser.add_argument("--steps", action="store_true")
    parser.add_argument("--teach", type=Path)
    parser.add_argument("--least", type=float, default=0.3)
    parser.add_argument("--int8", type=Path)
    parser.add_argument("--one", choices=["train", "teach", "int8"])
    args = parser.parse_args()
    if args.setup:
        for name, packages in ENVIRONMENTS.items():
            folder = ROOT / ".venv" / name
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            subprocess.run([str(folder / "bin/pip"), "install", "-q", *packages], check=True)
        return
    names = args.only.split(",")
    folder = args.teach or args.int8
    if args.one:
        with contextlib.redirect_stdout(sys.stderr):
            if args.one != "train":
                result = teach(names[0], folder.resolve(), args.least) if args.one == "teach" else int8(names[0], folder.resolve())
            elif names[0] == "limbeck":
                result = limbeck(args.minutes, args.epochs, args.steps)
            else:
                result = peer(names[0], args.minutes, args.epochs, args.steps, args.teach and args.teach / f"{names[0]}.onnx")
        return print(json.dumps(result))

    def ask(what, name, environment):
        python = ROOT / ".venv" / environment / "bin/python"
        command = [str(python), __file__, "--one", what, *sys.argv[1:], "--only", name]
        made = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        return json.loads(made.stdout.strip().split("\n")[-1])

    shown = lambda row: f"{100 * row['map']:.2f} % | {100 * row['ap50']:.2f} %"
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            if args.teach and name != OWN and not (folder / f"{name}.onnx").exists():
                print(f"{name}: {json.dumps(ask('train', name, PEERS[name]))}", flush=True)
            print("| detector | mAP | AP50 |\n|---|--:|--:|")
            for title, row in ask("teach" if args.teach else "int8", name, "libreyolo").items():
                print(f"| {title} | {shown(row)} |", flush=True)
        return
    print("| detector | processor seconds a step |\n|---|--:|" if args.steps else "| detector | epochs | processor minutes | parameters | mAP | AP50 |\n|---|--:|--:|--:|--:|--:|")
    for name in names:
        row = ask("train", name, PEERS[name])
        figures = f"{row['step']:.2f}" if args.steps else f"{row['epochs']} | {row['minutes']:.1f} | {row['parameters']:,} | {shown(row)}"
        print(f"| {name} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
