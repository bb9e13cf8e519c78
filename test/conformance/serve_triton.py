"""Reads config.pbtxt with the protobuf of tritonclient, and compares each field with what was to be written."""

import json
import pathlib
import sys

from google.protobuf import text_format
from google.protobuf.json_format import MessageToDict
from tritonclient.grpc import model_config_pb2


def wanted(value):
    """As protobuf has it in JSON: words are strings, maps are objects, 64-bit numbers are strings there."""
    if isinstance(value, dict):
        if set(value) == {"word"}:
            return value["word"]
        return {key: wanted(one) for key, one in value.items()}
    if isinstance(value, list):
        if value and all(isinstance(one, dict) and set(one) == {"key", "value"} for one in value):
            return {one["key"]: wanted(one["value"]) for one in value}
        return [wanted(one) for one in value]
    return value


def without_defaults(value):
    """Numbers as text, and without fields that have their default, which JSON of protobuf leaves out."""
    if isinstance(value, dict):
        fields = {key: without_defaults(one) for key, one in value.items()}
        return {key: one for key, one in fields.items() if one not in ("0", [], "")}
    if isinstance(value, list):
        return [without_defaults(one) for one in value]
    return str(value)


problems, read = [], 0
for number, case in enumerate(json.loads(pathlib.Path(sys.argv[1], "cases.json").read_text())):
    config = text_format.Parse(case["text"], model_config_pb2.ModelConfig())
    got = without_defaults(MessageToDict(config, preserving_proto_field_name=True))
    meant = without_defaults(wanted(case["config"]))
    read += 1
    if got != meant:
        problems.append(f"{number}: read {got}, meant {meant}")
print(json.dumps({"problems": problems, "read": read}))
