"""Writes the model files, their samples, and what onnxruntime.quantization makes of them, into a folder."""

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
from zoo_nets import NETS, export, exporters, made
from zoo_packages import PACKAGES

folder, *only = sys.argv[1:]
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)


class Samples(CalibrationDataReader):
    def __init__(self, batches):
        self.batches = iter(batches)

    def get_next(self):
        return next(self.batches, None)


def batches_of(model, feeds):
    """One feed after another, each of the batch size that the file wants."""
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in stored]
    sizes = {one.name: (list(one.type.tensor_type.shape.dim) or [None])[0] for one in inputs}
    steps = {name: (dim.dim_value or 1) if dim is not None else None for name, dim in sizes.items()}
    count = max(len(x) // (steps[name] or len(x)) for name, x in feeds.items())
    def part(name, at):
        step, x = steps[name], feeds[name]
        if step is None:
            return x.reshape(())
        return x if len(x) == step else x[at * step : (at + 1) * step]
    return [{name: part(name, at) for name in feeds} for at in range(count)]


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
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0][:200]
    finally:
        if os.path.exists(prepared):
            os.remove(prepared)


def finish(name, source, feeds):
    file = os.path.join(folder, name + ".onnx")
    model = onnx.load(file)
    np.savez(os.path.join(folder, name + ".npz"), **feeds)
    start = time.time()
    why = quantized(file, os.path.join(folder, name + ".ort.onnx"), batches_of(model, feeds))
    print(name, source, f"{time.time() - start:.1f} s", why, file=sys.stderr)
    return {"name": name, "source": source, "notQuantized": why}


def all_files():
    for name, (write, feed) in PACKAGES.items():
        if not only or name in only:
            write(os.path.join(folder, name + ".onnx"))
            yield finish(name, "package", feed())
    for net_name in NETS:
        if only and not any(name.startswith(net_name) for name in only):
            continue
        net, feeds = made(net_name)
        for exporter in exporters(net_name):
            name = f"{net_name}-{exporter}"
            export(net, feeds, exporter, os.path.join(folder, name + ".onnx"))
            yield finish(name, exporter, feeds)


if __name__ == "__main__":
    found = list(all_files())
    print("\n" + json.dumps(found))
