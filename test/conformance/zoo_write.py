"""Writes the model files, their samples, and what onnxruntime.quantization makes of them, into a folder.

    python3 zoo_write.py FOLDER [further | shipped | NAME...]

What a folder has already is not written again.
"""

import json
import logging
import os
import sys
import time
import warnings

import numpy as np
import onnx
import onnx.version_converter
from onnxruntime import InferenceSession
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from zoo_data import batches_of
from zoo_further import FURTHER, parted
from zoo_nets import NETS, export, exporters, made
from zoo_packages import PACKAGES
from zoo_shipped import SHIPPED, as_shipped
from zoo_shipped import parted as parted_by_size

folder, *only = sys.argv[1:]
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)


class Samples(CalibrationDataReader):
    def __init__(self, batches):
        self.batches = iter(batches)

    def get_next(self):
        return next(self.batches, None)


def quantized(file, to, batches):
    """Empty where it was made, else why not."""
    prepared = to + ".prepared"
    try:
        # A scale for each channel needs operator set 13.
        model = onnx.load(file)
        current = next(one.version for one in model.opset_import if one.domain in ("", "ai.onnx"))
        onnx.save(model if current >= 13 else onnx.version_converter.convert_version(model, 13), prepared)
        quant_pre_process(prepared, prepared, skip_symbolic_shape=True)
        options = {"quant_format": QuantFormat.QDQ, "per_channel": True, "weight_type": QuantType.QInt8}
        quantize_static(prepared, to, Samples(batches), activation_type=QuantType.QUInt8, **options)
        # Some that it writes are not valid.
        InferenceSession(to, providers=["CPUExecutionProvider"])
        # Behind an operator whose types it does not know, and inside of an If, it leaves all activations in float32.
        isWhole = any(node.op_type == "QuantizeLinear" for node in onnx.load(to).graph.node)
        return "" if isWhole else "no activation is quantized"
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0][:200]
    finally:
        if os.path.exists(prepared):
            os.remove(prepared)


def noted(name):
    return os.path.join(folder, name + ".found.json")


def finish(name, source, feeds, **said):
    file = os.path.join(folder, name + ".onnx")
    model = onnx.load(file)
    np.savez(os.path.join(folder, name + ".npz"), **feeds)
    start = time.time()
    why = quantized(file, os.path.join(folder, name + ".ort.onnx"), batches_of(model, feeds, **said))
    print(name, source, f"{time.time() - start:.1f} s", why, file=sys.stderr)
    found = {"name": name, "source": source, "notQuantized": why, **said}
    with open(noted(name), "w") as note:
        json.dump(found, note)
    return found


def write_package(name, write, feed):
    write(os.path.join(folder, name + ".onnx"))
    return finish(name, "package", feed())


def write_further(name, write, feed):
    write(os.path.join(folder, name + ".onnx"))
    feeds, held = parted(feed())
    np.savez(os.path.join(folder, name + ".held.npz"), **held)
    return finish(name, "package", feeds)


def write_shipped(name):
    write, feeds, said = as_shipped(name)
    write(os.path.join(folder, name + ".onnx"))
    feeds, held = parted_by_size(feeds, said)
    np.savez(os.path.join(folder, name + ".held.npz"), **held)
    return finish(name, "package", feeds, said=said)


def write_net(name, net_name, exporter):
    net, feeds = made(net_name)
    export(net, feeds, exporter, os.path.join(folder, name + ".onnx"))
    return finish(name, exporter, feeds)


OTHERS = {name: lambda name=name, of=of: write_further(name, *of) for name, of in FURTHER.items()}
AS_SHIPPED = {name: lambda name=name: write_shipped(name) for name in SHIPPED}
WRITERS = {
    **{name: lambda name=name, of=of: write_package(name, *of) for name, of in PACKAGES.items()},
    **{
        f"{net}-{exporter}": lambda net=net, exporter=exporter: write_net(f"{net}-{exporter}", net, exporter)
        for net in NETS
        for exporter in exporters(net)
    },
}


def found(name):
    if not os.path.exists(noted(name)):
        return {**WRITERS, **OTHERS, **AS_SHIPPED}[name]()
    with open(noted(name)) as note:
        return json.load(note)


if __name__ == "__main__":
    names = {"further": OTHERS, "shipped": AS_SHIPPED}.get(" ".join(only), only or WRITERS)
    print("\n" + json.dumps([found(name) for name in names]))
