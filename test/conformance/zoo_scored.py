"""Nets of hard-swishes and squeeze-excitations, trained on Fashion-MNIST, and int8 files of them by what they get right.

    zoo_scored.py FOLDER write NET     trains a net of timm, and writes it with samples and what onnxruntime.quantization makes of it
    zoo_scored.py FOLDER score FILE…   of each file: right answers of the 10,000 test pictures, and signal to noise beside the first
"""

import gzip
import json
import logging
import os
import sys
import warnings

import numpy as np
import onnxruntime as ort
import timm
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
ort.set_default_logger_severity(3)
torch.set_num_threads(1)
folder, task, *names = sys.argv[1:]
FASHION = os.path.join(os.path.dirname(__file__), "..", "..", "datasets", "fashion-mnist")
SIZE, TRAIN, BATCH = 48, 12_000, 64
EPOCHS = {"lcnet_050": 3, "ghostnet_050": 2}
# Several draws of samples: what a single one decides is chance.
DRAWS, CALIBRATING = 4, 86


def at(name):
    return os.path.join(folder, name)


def read(name, offset):
    with gzip.open(os.path.join(FASHION, name)) as file:
        return np.frombuffer(file.read(), np.uint8, offset=offset)


def pictures(name, rows=slice(None)):
    grey = read(f"{name}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)[rows].astype(np.float32)
    large = torch.nn.functional.interpolate(torch.from_numpy(grey) / 127.5 - 1, size=SIZE, mode="bilinear", antialias=True)
    return large, torch.from_numpy(read(f"{name}-labels-idx1-ubyte.gz", 8)[rows].astype(np.int64))


def trained(name, x, labels):
    torch.manual_seed(1)
    net = timm.create_model(name, num_classes=10, in_chans=1, drop_rate=0.0)
    optimizer = torch.optim.AdamW(net.parameters(), 1e-4, weight_decay=1e-2)
    steps, epochs = TRAIN // BATCH, EPOCHS[name]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, epochs * steps)
    for _ in range(epochs):
        for rows in torch.randperm(TRAIN)[: steps * BATCH].reshape(steps, BATCH):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x[rows]), labels[rows]).backward()
            optimizer.step()
            schedule.step()
    return net.eval()


class Samples(CalibrationDataReader):
    def __init__(self, x):
        self.batches = iter([{"x": x[i : i + 32]} for i in range(0, len(x), 32)])

    def get_next(self):
        return next(self.batches, None)


def write(name):
    """Names of the samples and of the files that onnxruntime.quantization makes of them."""
    x, labels = pictures("train", np.random.default_rng(1).permutation(60_000)[:TRAIN])
    file = at(f"{name}.onnx")
    if not os.path.exists(file):
        net = trained(name, x, labels)
        ends = {"input_names": ["x"], "output_names": ["y"], "dynamic_axes": {"x": {0: "batch"}}}
        torch.onnx.export(net, (x[:2],), file, dynamo=False, opset_version=17, **ends)
    quant_pre_process(file, at("prepared.onnx"), skip_symbolic_shape=True)
    draws = []
    for draw in range(DRAWS):
        some = x[np.random.default_rng(draw).permutation(TRAIN)[:CALIBRATING]].numpy()
        samples, made = f"{name}.{draw}.npz", f"{name}.{draw}.ort.onnx"
        np.savez(at(samples), x=some)
        options = {"quant_format": QuantFormat.QDQ, "per_channel": True, "weight_type": QuantType.QInt8}
        quantize_static(at("prepared.onnx"), at(made), Samples(some), activation_type=QuantType.QUInt8, **options)
        draws.append({"samples": samples, "ort": made})
    return draws


def score(files):
    x, labels = (values.numpy() for values in pictures("t10k"))
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    first, found = None, []
    for file in files:
        session = ort.InferenceSession(at(file), options, providers=["CPUExecutionProvider"])
        answers = np.concatenate([session.run(None, {"x": x[i : i + 500]})[0] for i in range(0, len(x), 500)])
        first = answers if first is None else first
        noise, same = ((answers - first) ** 2).sum(), answers.argmax(1) == first.argmax(1)
        sqnr = 999.0 if noise == 0 else float(10 * np.log10((first**2).sum() / noise))
        found.append({"right": float((answers.argmax(1) == labels).mean()), "same": float(same.mean()), "sqnr": sqnr})
    return found


print("\n" + json.dumps(write(*names) if task == "write" else score(names)))
