"""Asks a running `limbeck serve` with KServe's Python SDK: serve_kserve.py HTTP-URL GRPC-ADDRESS. Prints problems as JSON.

Apart from serve_check.py: this SDK and Triton's client bring the same protobuf names, which one process cannot hold.
"""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

url, address = sys.argv[1:3]
problems = []


def expect(what, condition, detail=""):
    if not condition:
        problems.append(f"{what}: {detail}")


def asked(kind, binary=False):
    a = np.array([[1, 2], [3, 4.5]], dtype=np.float32)
    b = np.array([[10, 20], [30, 40]], dtype=np.float32)
    inputs = []
    for name, value in (("a", a), ("b", b)):
        tensor = InferInput(name, list(value.shape), "FP32")
        tensor.set_data_from_numpy(value, binary_data=binary)
        inputs.append(tensor)
    return InferRequest("two", inputs, request_id=kind), {"sum": a + b, "difference": a - b}


def compare(what, answer, expected):
    expect(what, answer.id == what, answer.id)
    for output in answer.outputs:
        got = output.as_numpy()
        expect(f"{what} {output.name}", np.array_equal(got, expected[output.name]), got)
    expect(what, len(answer.outputs) == len(expected), len(answer.outputs))


async def rest():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    expect("live", await client.is_server_live(url))
    expect("ready", await client.is_server_ready(url))
    expect("model", await client.is_model_ready(url, "two"))
    for kind, binary in (("json", False), ("bytes", True)):
        request, expected = asked(kind, binary)
        compare(kind, await client.infer(url, request, model_name="two"), expected)
    await client.close()


async def grpc():
    client = InferenceGRPCClient(address)
    expect("grpc live", await client.is_server_live())
    expect("grpc ready", await client.is_server_ready())
    expect("grpc model", await client.is_model_ready("two"))
    for kind, binary in (("typed", False), ("raw", True)):
        request, expected = asked(kind, binary)
        compare(kind, await client.infer(request), expected)
    await client.close()


asyncio.run(rest())
asyncio.run(grpc())
print(json.dumps(problems))
