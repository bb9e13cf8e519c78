"""Asks a running `limbeck serve` as Triton's own clients do, and compares with onnxruntime on the same files.

serve_check.py FOLDER: manifest.json there says where the server is and which files it serves. Prints a list of problems as
JSON; an empty one means that all is well.
"""

import asyncio
import json
import queue
import sys

import numpy as np
import onnxruntime
import tritonclient.grpc as grpc_client
import tritonclient.grpc.aio as grpc_aio
import tritonclient.http as http_client
import tritonclient.http.aio as http_aio
from tritonclient.utils import InferenceServerException

folder = sys.argv[1]
with open(f"{folder}/manifest.json", encoding="utf8") as file:
    manifest = json.load(file)
HTTP = f"127.0.0.1:{manifest['port']}"
GRPC = f"127.0.0.1:{manifest['grpcPort']}"
NUMPY = {"FP32": np.float32, "FP16": np.float16, "INT64": np.int64, "INT32": np.int32, "UINT8": np.uint8, "BOOL": bool}
problems = []
checks = 0


def expect(what, condition, detail=""):
    global checks
    checks += 1
    if not condition:
        problems.append(f"{what}: {detail}")


def drawn(metadata, samples, seed):
    random = np.random.default_rng(seed)
    feeds = {}
    for spec in metadata["inputs"]:
        shape = [samples] + [3 if size == -1 else size for size in spec["shape"][1:]]
        kind = NUMPY[spec["datatype"]]
        values = random.normal(size=shape) if kind in (np.float32, np.float16) else random.integers(0, 2, size=shape)
        feeds[spec["name"]] = values.astype(kind)
    return feeds


def reference(model, feeds):
    session = onnxruntime.InferenceSession(f"{folder}/{model}.onnx", providers=["CPUExecutionProvider"])
    size = session.get_inputs()[0].shape[0]
    names = [output.name for output in session.get_outputs()]
    if not isinstance(size, int):
        return dict(zip(names, session.run(None, feeds)))
    # A file of a fixed batch: one sample at a time, in every place of it.
    rows = len(next(iter(feeds.values())))
    pieces = [session.run(None, {k: np.repeat(v[i : i + 1], size, axis=0) for k, v in feeds.items()}) for i in range(rows)]
    return {name: np.concatenate([piece[o][:1] for piece in pieces]) for o, name in enumerate(names)}


def near(actual, expected):
    if actual is None or actual.shape != expected.shape or actual.dtype != expected.dtype:
        return False
    if expected.dtype.kind != "f":
        return bool((actual == expected).all())
    tolerance = 2e-3 if expected.dtype == np.float16 else 1e-5
    scale = max(1e-6, float(np.abs(expected).max()))
    return float(np.abs(actual.astype(np.float64) - expected.astype(np.float64)).max()) <= tolerance * scale


def inputs_of(module, feeds, metadata, **how):
    result = []
    for spec in metadata["inputs"]:
        value = feeds[spec["name"]]
        tensor = module.InferInput(spec["name"], list(value.shape), spec["datatype"])
        tensor.set_data_from_numpy(value, **how)
        result.append(tensor)
    return result


def compare(what, answer, expected):
    for name, value in expected.items():
        got = answer.as_numpy(name)
        expect(f"{what} {name}", near(got, value), f"expected {value.ravel()[:4]}, received {None if got is None else got.ravel()[:4]}")


def check_http(model):
    with http_client.InferenceServerClient(HTTP, concurrency=8) as client:
        metadata = client.get_model_metadata(model)
        expect(model, client.is_model_ready(model, "1"), "not ready")
        config = client.get_model_config(model)
        expect(model, config["max_batch_size"] > 0, f"max_batch_size {config['max_batch_size']}")
        half = any(spec["datatype"] == "FP16" for spec in metadata["inputs"] + metadata["outputs"])
        for samples in (1, 3):
            feeds = drawn(metadata, samples, samples)
            expected = reference(model, feeds)
            for binary_in in (True, False):
                for binary_out in (True, False):
                    if half and not (binary_in and binary_out):
                        continue
                    outputs = [http_client.InferRequestedOutput(name, binary_data=binary_out) for name in expected]
                    inputs = inputs_of(http_client, feeds, metadata, binary_data=binary_in)
                    what = f"{model} http, {samples} samples, binary {binary_in} {binary_out}"
                    compare(what, client.infer(model, inputs, outputs=outputs, request_id="7"), expected)
            inputs = inputs_of(http_client, feeds, metadata)
            for packed in ("gzip", "deflate"):
                answer = client.infer(model, inputs, request_compression_algorithm=packed, response_compression_algorithm=packed)
                compare(f"{model} http {packed}", answer, expected)
        many = [drawn(metadata, 1 + i % 3, 100 + i) for i in range(40)]
        asked = [client.async_infer(model, inputs_of(http_client, feeds, metadata)) for feeds in many]
        for feeds, answer in zip(many, asked):
            compare(f"{model} http async", answer.get_result(), reference(model, feeds))
        statistics = client.get_inference_statistics(model)["model_stats"][0]
        expect(model, statistics["inference_count"] >= 40 and statistics["inference_stats"]["success"]["ns"] > 0, "statistics")


def check_grpc(model):
    with grpc_client.InferenceServerClient(GRPC) as client:
        metadata = client.get_model_metadata(model, as_json=True)
        for spec in metadata["inputs"]:
            spec["shape"] = [int(size) for size in spec["shape"]]
        expect(model, client.is_model_ready(model), "not ready")
        expect(model, client.get_model_config(model).config.max_batch_size > 0, "max_batch_size")
        many = [drawn(metadata, 1 + i % 3, 200 + i) for i in range(40)]
        answers = queue.Queue()
        for i, feeds in enumerate(many):
            client.async_infer(
                model,
                inputs_of(grpc_client, feeds, metadata),
                lambda result, error, i=i: answers.put((i, result, error)),
                request_id=str(i),
            )
        for _ in many:
            i, result, error = answers.get(timeout=30)
            expect(f"{model} grpc async", error is None, str(error))
            if error is None:
                compare(f"{model} grpc async", result, reference(model, many[i]))
        client.start_stream(lambda result, error: answers.put((result, error)))
        for i, feeds in enumerate(many[:10]):
            client.async_stream_infer(model, inputs_of(grpc_client, feeds, metadata), request_id=str(i))
        for i in range(10):
            result, error = answers.get(timeout=30)
            expect(f"{model} grpc stream", error is None and result.get_response().id == str(i), str(error))
            if error is None:
                compare(f"{model} grpc stream", result, reference(model, many[i]))
        client.stop_stream()
        expect(model, client.get_inference_statistics(model).model_stats[0].inference_count >= 40, "statistics")


async def check_aio(model):
    async with http_aio.InferenceServerClient(HTTP) as client:
        metadata = await client.get_model_metadata(model)
        many = [drawn(metadata, 1, 300 + i) for i in range(64)]
        answers = await asyncio.gather(*[client.infer(model, inputs_of(http_client, feeds, metadata)) for feeds in many])
        for feeds, answer in zip(many, answers):
            compare(f"{model} http aio", answer, reference(model, feeds))
    async with grpc_aio.InferenceServerClient(GRPC) as client:
        answers = await asyncio.gather(*[client.infer(model, inputs_of(grpc_client, feeds, metadata)) for feeds in many])
        for feeds, answer in zip(many, answers):
            compare(f"{model} grpc aio", answer, reference(model, feeds))


def check_server(module, address, name):
    with module.InferenceServerClient(address) as client:
        expect(name, client.is_server_live() and client.is_server_ready(), "not live or not ready")
        metadata = client.get_server_metadata()
        expect(name, (metadata if isinstance(metadata, dict) else {"name": metadata.name})["name"] == "limbeck", metadata)
        model = manifest["models"][0]
        index = client.get_model_repository_index()
        names = [row["name"] if isinstance(row, dict) else row.name for row in (index if isinstance(index, list) else index.models)]
        expect(name, sorted(names) == sorted(manifest["models"]), names)
        client.unload_model(model)
        expect(name, not client.is_model_ready(model), "ready after it was unloaded")
        client.load_model(model)
        expect(name, client.is_model_ready(model), "not ready after it was loaded")
        for what, ask in {
            "unknown model": lambda: client.get_model_metadata("none"),
            "load of an unknown model": lambda: client.load_model("none"),
            "shared memory": lambda: client.get_system_shared_memory_status(),
        }.items():
            try:
                ask()
                expect(f"{name} {what}", False, "no error")
            except InferenceServerException as error:
                expect(f"{name} {what}", len(str(error)) > 10, str(error))


def check_classes():
    model = manifest["labelled"]
    with http_client.InferenceServerClient(HTTP) as client:
        metadata = client.get_model_metadata(model)
        feeds = drawn(metadata, 2, 5)
        output = metadata["outputs"][0]["name"]
        expected = reference(model, feeds)[output]
        for module, address in ((http_client, HTTP), (grpc_client, GRPC)):
            with module.InferenceServerClient(address) as own:
                wanted = module.InferRequestedOutput(output, class_count=2)
                answer = own.infer(model, inputs_of(module, feeds, metadata), outputs=[wanted]).as_numpy(output)
                expect("classes", answer.shape == (2, 2), answer.shape)
                for row, texts in enumerate(answer):
                    value, index, label = texts[0].decode().split(":")
                    best = int(expected[row].argmax())
                    expect("classes", int(index) == best and label != "" and abs(float(value) - expected[row][best]) < 1e-4, texts)


check_server(http_client, HTTP, "http")
check_server(grpc_client, GRPC, "grpc")
for served in manifest["models"]:
    check_http(served)
    check_grpc(served)
    asyncio.run(check_aio(served))
check_classes()
print(json.dumps({"checks": checks, "problems": problems}))
