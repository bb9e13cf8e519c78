"""Gradients of every stored float of the models in a folder, by PyTorch in float64: <number>.npz beside <number>.onnx.

    python3 hunt_gradients.py FOLDER

`manifest.json` names the models; <number>.x.npy and <number>.r.npy have what they are fed and the direction of the
logits whose gradient is taken. Every value inside a model is compared with ONNX Runtime first, so that what is
compared with here is right.
"""
import json
import os
import sys

import numpy as np
import onnx
import onnxruntime
import torch
from hunt_operators import RULES
from hunt_rules import Node
from onnx import TensorProto, helper, numpy_helper

torch.set_num_threads(1)


def by_runtime(model, feeds):
    """Every value of a model, by its name."""
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    del whole.graph.output[:]
    for node in whole.graph.node:
        kind = TensorProto.BOOL if node.op_type in ("Greater", "Less") else TensorProto.FLOAT
        kinds = [kind, TensorProto.INT64] if node.op_type == "TopK" else [kind] * 9
        whole.graph.output.extend(helper.make_tensor_value_info(*one, None) for one in zip(node.output, kinds))
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(whole.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds)))


def computed(model, x, dtype, shapes, is_training):
    opset = model.opset_import[0].version
    weights = {}
    values = {"x": torch.from_numpy(x).to(dtype), "": None}
    for one in model.graph.initializer:
        array = torch.from_numpy(numpy_helper.to_array(one).copy())
        if array.dtype == torch.float32:
            array = weights[one.name] = array.to(dtype).requires_grad_()
        values[one.name] = array
    for node in model.graph.node:
        read = Node(node, opset, [shapes[name] for name in node.output], is_training)
        y = RULES[node.op_type](read, *(values[name] for name in node.input))
        if node.op_type == "Constant" and y.dtype == torch.float32:
            y = y.to(dtype)
        values.update(zip(node.output, y if isinstance(y, (tuple, list)) else (y,)))
    return weights, values


def difference(actual, expected):
    expected = np.asarray(expected, np.float64)
    return np.abs(actual - expected).max(initial=0) / max(1.0, np.abs(expected).max(initial=0))


def check(model, values, runtime):
    for node in model.graph.node:
        for name in node.output[: 1 if node.op_type == "TopK" else None]:
            y = values[name].detach().numpy()
            if list(y.shape) != list(runtime[name].shape):
                raise ValueError(f"{node.name}: {y.shape} here, {runtime[name].shape} in ONNX Runtime")
            if y.dtype != bool and not difference(y, runtime[name]) < 1e-4:
                raise ValueError(f"{node.name}: differs from ONNX Runtime by {difference(y, runtime[name]):.1e}")


def gradients(weights, values, direction):
    (values["logits"] * torch.from_numpy(direction).to(values["logits"].dtype)).sum().backward()
    return {name: np.zeros(one.shape) if one.grad is None else one.grad.numpy() for name, one in weights.items()}


def main(folder):
    problems = {}
    with open(os.path.join(folder, "manifest.json")) as file:
        cases = json.load(file)
    for number, is_training in cases:
        at = lambda end: os.path.join(folder, f"{number}.{end}")
        model = onnx.load(at("onnx"))
        x, direction = np.load(at("x.npy")), np.load(at("r.npy"))
        try:
            runtime = by_runtime(model, {"x": x})
            shapes = {name: list(value.shape) for name, value in runtime.items()}
            check(model, computed(model, x, torch.float64, shapes, False)[1], runtime)
            weights, values = computed(model, x, torch.float64, shapes, is_training)
            found = gradients(weights, values, direction)
            rounded = gradients(*computed(model, x, torch.float32, shapes, is_training), direction)
        except Exception as error:
            problems[number] = f"{type(error).__name__}: {error}"
            continue
        arrays = {"logits": values["logits"].detach().numpy()}
        for name, one in weights.items():
            arrays[f"p/{name}"], arrays[f"g/{name}"] = one.detach().numpy(), found[name]
            arrays[f"f/{name}"] = rounded[name]
        np.savez(at("npz"), **{key: np.asarray(value, np.float32) for key, value in arrays.items()})
    print(json.dumps(problems))


main(sys.argv[1])
