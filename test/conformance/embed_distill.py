"""A student of sentence-transformers that learns a teacher's vectors by its EmbedDistillLoss.

    embed_distill.py FOLDER prepare WIDTH   trains a tokenizer on texts.json, writes it, and prints the teacher's vectors of the texts, of length 1
    embed_distill.py FOLDER train WIDTH     trains as begin.json says; prints the loss of each step and the vectors of the last texts
"""

import json
import os
import sys

import numpy as np
import torch
from sentence_transformers import SentenceTransformer, losses
from sentence_transformers.models import Dense, Normalize, StaticEmbedding
from tokenizers import Tokenizer, processors

torch.set_num_threads(1)
folder, task, width = sys.argv[1], sys.argv[2], int(sys.argv[3])


def at(name):
    return os.path.join(folder, name)


with open(at("texts.json"), encoding="utf-8") as file:
    texts = json.load(file)


def prepare():
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize
    from word_pieces import word_pieces

    tokenizer = word_pieces(texts, 2000)
    # StaticEmbedding leaves out the tokens that stand around a text.
    tokenizer.post_processor = processors.TemplateProcessing(single="$A", pair="$A $B:1", special_tokens=[])
    tokenizer.save(at("tokenizer.json"))
    # The teacher is latent semantic analysis: runs of three to five letters, and their principal directions.
    counts = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=3).fit_transform(texts)
    vectors = normalize(TruncatedSVD(width, random_state=1).fit_transform(counts)).astype("float32")
    np.save(at("vectors.npy"), vectors)
    return vectors.tolist()


def train():
    with open(at("begin.json")) as file:
        begin = json.load(file)
    size, batch = begin["size"], begin["batch"]
    vectors = torch.from_numpy(np.load(at("vectors.npy")))
    table = torch.tensor(begin["tokens"]).reshape(-1, size)
    dense = Dense(size, width, activation_function=torch.nn.Identity())
    with torch.no_grad():
        dense.linear.weight.copy_(torch.tensor(begin["kernel"]).reshape(size, width).T)
        dense.linear.bias.copy_(torch.tensor(begin["bias"]))
    bag = StaticEmbedding(Tokenizer.from_file(at("tokenizer.json")), embedding_weights=table)
    model = SentenceTransformer(modules=[bag, dense, Normalize()], device="cpu")
    loss_of = losses.EmbedDistillLoss(model, distance_metric=begin["metric"])
    optimizer = torch.optim.Adam(model.parameters(), lr=begin["rate"])
    taken = []
    for start in range(0, len(begin["order"]), batch):
        rows = begin["order"][start : start + batch]
        optimizer.zero_grad()
        loss = loss_of([model.preprocess([texts[row] for row in rows])], vectors[rows])
        loss.backward()
        optimizer.step()
        taken.append(loss.item())
    found = model.encode(texts[-begin["tested"] :], show_progress_bar=False)
    return {"losses": taken, "vectors": found.tolist()}


print(json.dumps({"prepare": prepare, "train": train}[task]()))
