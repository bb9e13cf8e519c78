"""Writes ONNX' own tests of operators into a folder: each model with what it is fed and what it has to give.

The package holds the node tests as Python that makes them, at the operator set in which each operator got its present
form, and a few hundred models that PyTorch wrote years ago, at operator sets 6 to 9, as files. A node test is written
again for each older form of its operator that allows the same node: there ONNX Runtime alone says what it gives.
"""
import json
import os
import sys
import warnings

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.loader import load_model_tests

warnings.simplefilter("ignore")


def array(value):
    if isinstance(value, onnx.TensorProto):
        value = numpy_helper.to_array(value)
    if not isinstance(value, (np.ndarray, np.generic)):
        return None
    value = np.asarray(value)
    known = ("float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")
    return value if value.dtype.name in known else None


class Folder:
    def __init__(self, path):
        self.path = path
        self.cases = []

    def add(self, name, model, inputs, outputs):
        """`inputs`, `outputs`: arrays in the order of the graph; None for what is no tensor of numbers."""
        number = len(self.cases)
        stored = {tensor.name for tensor in model.graph.initializer}
        fed = [info.name for info in model.graph.input if info.name not in stored]
        given = [info.name for info in model.graph.output]
        with open(os.path.join(self.path, f"{number}.onnx"), "wb") as file:
            file.write(model.SerializeToString())
        with open(os.path.join(self.path, f"{number}.bin"), "wb") as data:
            self.cases.append(
                {
                    "name": name,
                    "inputs": self.tensors(data, fed, inputs),
                    "outputs": None if outputs is None else self.tensors(data, given, outputs),
                }
            )

    @staticmethod
    def tensors(data, names, values):
        written = []
        for name, value in zip(names, values):
            value = array(value)
            if value is None:
                written.append({"name": name})
                continue
            data.write(b"\0" * (-data.tell() % 8))
            written.append({"name": name, "dtype": value.dtype.name, "shape": list(value.shape), "offset": data.tell()})
            data.write(value.tobytes())
        return written


def read_pb(path):
    tensor = onnx.TensorProto()
    with open(path, "rb") as file:
        tensor.ParseFromString(file.read())
    return numpy_helper.to_array(tensor)


def older_forms(model):
    """The model at each older operator set in which its operator had another form that allows the same node."""
    if len(model.graph.node) != 1 or model.graph.node[0].domain != "":
        return
    node = model.graph.node[0]
    now = next(entry.version for entry in model.opset_import if entry.domain == "")
    versions = {s.since_version for s in onnx.defs.get_all_schemas_with_history() if s.name == node.op_type and s.domain == ""}
    for version in sorted(versions):
        if version >= now:
            continue
        older = onnx.ModelProto()
        older.CopyFrom(model)
        for entry in older.opset_import:
            if entry.domain == "":
                entry.version = version
        try:
            onnx.checker.check_model(older, full_check=True)
        except Exception:
            continue
        yield version, older


def main(path):
    folder = Folder(path)
    for case in collect_testcases(None):
        inputs, outputs = case.data_sets[0]
        folder.add(case.name, case.model, inputs, outputs)
        for version, older in older_forms(case.model):
            folder.add(f"{case.name} at operator set {version}", older, inputs, None)
    for kind in ("pytorch-converted", "pytorch-operator", "simple"):
        for case in load_model_tests(kind=kind):
            model = onnx.load(os.path.join(case.model_dir, "model.onnx"))
            data = os.path.join(case.model_dir, "test_data_set_0")
            fed = len(model.graph.input) - len(model.graph.initializer)
            try:
                inputs, outputs = (
                    [read_pb(os.path.join(data, f"{what}_{i}.pb")) for i in range(count)]
                    for what, count in (("input", fed), ("output", len(model.graph.output)))
                )
            except Exception:  # A sequence or another value that is no tensor.
                inputs, outputs = [None] * fed, [None] * len(model.graph.output)
            folder.add(f"{kind}/{case.name}", model, inputs, outputs)
    with open(os.path.join(path, "cases.json"), "w") as file:
        json.dump(folder.cases, file)
    print(json.dumps({"onnx": onnx.__version__, "cases": len(folder.cases)}))


main(sys.argv[1])
