"""Peers of limbeck serve, for bench/serve.ts: peers.py fastapi|litserve MODEL PORT SHAPE. One worker, one thread for the model."""

import sys

import numpy as np
import onnxruntime
import orjson

kind, model, port, shape = sys.argv[1], sys.argv[2], int(sys.argv[3]), [int(size) for size in sys.argv[4].split(",")]


def session():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


if kind == "fastapi":
    import uvicorn
    from fastapi import FastAPI, Request, Response

    app = FastAPI()
    loaded = session()
    name = loaded.get_inputs()[0].name

    @app.post("/predict")
    async def predict(request: Request):
        # The body by hand: with a pydantic model for 784 numbers it is slower still.
        values = np.asarray(orjson.loads(await request.body())["inputs"], dtype=np.float32).reshape(-1, *shape)
        outputs = loaded.run(None, {name: values})[0].tolist()
        return Response(orjson.dumps({"outputs": outputs}), media_type="application/json")

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)
else:
    import litserve

    class Api(litserve.LitAPI):
        def setup(self, device):
            self.model = session()
            self.name = self.model.get_inputs()[0].name

        def decode_request(self, request):
            return np.asarray(request["inputs"], dtype=np.float32).reshape(*shape)

        def batch(self, inputs):
            return np.stack(inputs)

        def predict(self, batch):
            return self.model.run(None, {self.name: batch})[0]

        def unbatch(self, output):
            return list(output)

        def encode_response(self, output):
            return {"outputs": output.tolist()}

    if __name__ == "__main__":
        server = litserve.LitServer(Api(max_batch_size=64, batch_timeout=0.002), accelerator="cpu", workers_per_device=1)
        server.run(host="127.0.0.1", port=port, log_level="error", generate_client_file=False)
