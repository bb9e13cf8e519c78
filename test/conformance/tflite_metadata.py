"""Reads the metadata of .tflite files as other tools do: by the classes that flatc makes of the official schema, and as zip archives."""

import importlib.util
import json
import os
import sys
import zipfile

from ai_edge_litert.schema_py_generated import Model

folder = sys.argv[1]


def schema():
    """Of the package mediapipe this file alone: the rest of it wants libraries for cameras and sound."""
    root = importlib.util.find_spec("mediapipe").submodule_search_locations[0]
    file = os.path.join(root, "tasks", "metadata", "metadata_schema_py_generated.py")
    spec = importlib.util.spec_from_file_location("metadata_schema", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCHEMA = schema()


def plain(value):
    """Tables as dictionaries of the fields that are set, their text decoded."""
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "tolist"):  # of NumPy
        return value.tolist()
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not hasattr(value, "__dict__"):
        return value
    return {key: plain(one) for key, one in vars(value).items() if one is not None}


def metadata(content):
    model = Model.GetRootAsModel(content, 0)
    entries = [model.Metadata(i) for i in range(model.MetadataLength())]
    (entry,) = [entry for entry in entries if entry.Name() == b"TFLITE_METADATA"]
    buffer = model.Buffers(entry.Buffer()).DataAsNumpy().tobytes()
    assert SCHEMA.ModelMetadata.ModelMetadataBufferHasIdentifier(buffer, 0), "no metadata by its mark"
    return plain(SCHEMA.ModelMetadataT.InitFromObj(SCHEMA.ModelMetadata.GetRootAs(buffer, 0)))


def check(file):
    path = os.path.join(folder, file)
    with open(path, "rb") as model, zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name).decode() for name in archive.namelist()}
        return {"metadata": metadata(model.read()), "files": files}


with open(os.path.join(folder, "manifest.json")) as manifest:
    print("\n" + json.dumps([check(file) for file in json.load(manifest)]))
