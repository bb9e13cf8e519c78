"""Spearman's correlation of cosines with the scores of people, by SciPy: `figures.py FOLDER SIZE…`.

Reads what data.py wrote, and FOLDER/vectors/*.npy, vectors of texts.jsonl in its order. Beside them stands what model2vec makes of the same encoder by its
own recipe, of each SIZE, in float32 and int8. Prints JSON: by name the bytes of model2vec's vectors, or null, and the correlations in percent.
"""

import json
import os
import sys

import numpy as np
from model2vec.distill import distill_from_model
from model2vec.quantization import DType, quantize_embeddings
from scipy.stats import spearmanr
from transformers import AutoModel, AutoTokenizer

folder, sizes = sys.argv[1], [int(size) for size in sys.argv[2:]]
with open(os.path.join(folder, "texts.jsonl"), encoding="utf-8") as file:
    texts = [json.loads(line)["text"] for line in file]
with open(os.path.join(folder, "pairs.json"), encoding="utf-8") as file:
    pairs = json.load(file)


def correlations(vectors):
    units = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    at = {text: i for i, text in enumerate(texts)}
    cosines = {name: [float(units[at[a]] @ units[at[b]]) for a, b, _ in rows] for name, rows in pairs.items()}
    return {name: 100 * float(spearmanr(cosines[name], [score for _, _, score in rows])[0]) for name, rows in pairs.items()}


found = {}
for file in sorted(os.listdir(os.path.join(folder, "vectors"))):
    found[file.removesuffix(".npy")] = [None, correlations(np.load(os.path.join(folder, "vectors", file)).astype("float64"))]
encoder, tokenizer = (kind.from_pretrained(os.path.join(folder, "encoder")) for kind in (AutoModel, AutoTokenizer))
# Fewer principal components are the first of more, so the encoder reads the vocabulary once.
model = distill_from_model(encoder, tokenizer, device="cpu", pca_dims=max(sizes), quantize_to="float32")
whole = model.embedding
for size in sizes:
    for precision in ("float32", "int8"):
        model.embedding = quantize_embeddings(whole[:, :size], DType(precision))
        vectors = model.encode(texts).astype("float64")
        found[f"model2vec {size} {precision}"] = [model.embedding.nbytes, correlations(vectors)]
print(json.dumps(found))
