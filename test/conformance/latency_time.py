"""Times a model in onnxruntime: for each line that comes in, a new session, and its median in milliseconds goes out."""
import sys
import time

import numpy as np
import onnxruntime as ort

path, name, threads, milliseconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
shape = [int(size) for size in sys.argv[5].split(",")]
feeds = {name: np.random.default_rng(0).standard_normal(shape, dtype=np.float32)}
options = ort.SessionOptions()
options.intra_op_num_threads = threads
for _ in sys.stdin:
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for _ in range(3):
        session.run(None, feeds)
    times, end = [], time.perf_counter() + milliseconds / 1000
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        session.run(None, feeds)
        times.append(1000 * (time.perf_counter() - start))
    print(float(np.median(times)), flush=True)
