"""Retrieval by scikit-learn and trec_eval, losses of vectors by PyTorch and sentence-transformers, vectors of a Parquet file by pyarrow: reads cases.json of a folder and prints JSON."""

import json
import sys

import numpy as np
import pyarrow.parquet as parquet
import pytrec_eval
import torch
import torch.nn.functional as F
from scipy.stats import spearmanr
from sentence_transformers.sentence_transformer import losses as pair_losses
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import NearestNeighbors


def ranked(vectors):
    """Other samples of each, the nearest first; of equal ones the first."""
    likeness = np.round(cosine_similarity(vectors.astype("float64")), 7)
    np.fill_diagonal(likeness, -np.inf)
    return np.argsort(-likeness, axis=1, kind="stable")[:, :-1]


def figures(vectors, labels):
    order = ranked(vectors)
    right = labels[order] == labels[:, None]
    kept = right.sum(1) > 0
    right = right[kept]
    precision = []
    for row in right:
        count = int(row.sum())
        top = row[:count]
        precision.append(float((top * np.cumsum(top) / np.arange(1, count + 1)).sum() / count))
    return {"recall": [float(right[:, :k].any(1).mean()) for k in (1, 5, 10)], "map": float(np.mean(precision))}


def nearest(vectors, k):
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = NearestNeighbors(n_neighbors=k + 1, algorithm="brute", metric="cosine").fit(units)
    rows = found.kneighbors(units, return_distance=False)
    return [[one for one in row if one != i][:k] for i, row in enumerate(rows)]


def retrieval(case):
    width, labels = case["width"], np.array(case["labels"])
    matrix = lambda values: np.array(values, "float64").reshape(-1, width)
    own, others = matrix(case["vectors"]), matrix(case["others"])
    cosine = float(np.mean(np.diag(cosine_similarity(own, others))))
    k = min(10, len(own) - 1)
    shared = [len(set(a) & set(b)) / k for a, b in zip(nearest(own, k), nearest(others, k))]
    return {
        "figures": [figures(matrix(one), labels) for one in case["rounded"]],
        "cosine": cosine,
        "overlap": float(np.mean(shared)),
        "spearman": float(spearmanr(case["cosines"], labels)[0]),
    }


def queries(case):
    rows = lambda values: np.array(values, "float64").reshape(-1, case["width"])
    # Copies of a vector get the same cosine, whatever their place in the product of the matrices.
    cosines = np.round(cosine_similarity(rows(case["queries"]), rows(case["documents"])), 7)
    run = {f"q{i}": dict(zip(case["names"], row.tolist())) for i, row in enumerate(cosines)}
    judged = {f"q{i}": grades for i, grades in enumerate(case["grades"])}
    each = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut.10", "recall.10"}).evaluate(run).values()
    return {name: float(np.mean([one[key] for one in each])) for name, key in (("ndcg", "ndcg_cut_10"), ("recall", "recall_10"))}


def contrast(z, labels, temperature=0.1):
    """Supervised contrast of each sample, as its authors' SupConLoss for one view, 0 without a positive."""
    known = labels >= 0
    others = ~torch.eye(len(z), dtype=torch.bool) & known[:, None] & known[None, :]
    positive = (labels[:, None] == labels[None, :]) & others
    products = (z @ z.T / temperature).masked_fill(~others, -torch.inf)
    logs = products - torch.logsumexp(products, 1, keepdim=True)
    sums = torch.where(positive, logs, torch.zeros_like(logs)).sum(1)
    return torch.where(positive.any(1), -sums / positive.sum(1).clamp(min=1), torch.zeros(len(z)).double())


def arcface(z, centres, labels, margin, scale=64):
    """ArcFace of each sample, as insightface writes it, 0 for an unknown class."""
    cosines = F.linear(z, F.normalize(centres, dim=1))
    rows = torch.arange(len(z))
    own = cosines[rows, labels.clamp(min=0)]
    angle = torch.acos(own.clamp(-1, 1))
    moved = torch.where(angle + margin < torch.pi, torch.cos(angle + margin), own - margin * torch.sin(torch.tensor(margin)))
    logits = cosines.index_put((rows, labels.clamp(min=0)), moved)
    return F.cross_entropy(scale * logits, labels.clamp(min=0), reduction="none") * (labels >= 0)


def pair_case(case):
    """CoSENTLoss or CosineSimilarityLoss of sentence-transformers, the mean over prefixes; vectors of pairs are beside one another."""
    student = torch.tensor(case["student"], dtype=torch.float64, requires_grad=True)
    rows = F.normalize(student.reshape(-1, case["width"])[: 2 * len(case["known"])], dim=1)
    similarities = torch.tensor(case["similarities"], dtype=torch.float64)
    known = torch.tensor(case["known"])
    loss = (pair_losses.CoSENTLoss if case["loss"] == "cosent" else pair_losses.CosineSimilarityLoss)(None)
    total = 0
    for size in case["sizes"]:
        both = [rows[side::2, :size][known] for side in (0, 1)]
        total = total + loss.compute_loss_from_embeddings(both, similarities[known])
    value = total / len(case["sizes"])
    value.backward()
    return {"loss": value.item(), "gradient": student.grad.tolist()}


def loss_case(case):
    width, h = case["width"], case["hyper"]
    student = torch.tensor(case["student"], dtype=torch.float64, requires_grad=True)
    teacher = torch.tensor(case["teacher"], dtype=torch.float64).reshape(-1, width)
    labels, w = torch.tensor(case["labels"]), torch.tensor(case["weights"], dtype=torch.float64)
    groups = len(case["sizes"])
    centres = torch.tensor(case["centres"], dtype=torch.float64, requires_grad=True)
    total = 0
    for group, size in enumerate(case["sizes"]):
        # Prefixes of vectors of length 1 are brought to that length again.
        s = F.normalize(F.normalize(student.reshape(-1, width), dim=1)[:, :size], dim=1)
        t = F.normalize(F.normalize(teacher, dim=1)[:, :size], dim=1)
        if case["loss"] == "ce":
            # Vectors of a prefix are filled up with zeros; the centres of its group are whole.
            each = arcface(F.pad(s, (0, width - size)), centres.reshape(groups, -1, width)[group], labels, case["margin"])
            total = total + (each * w).sum() / w.sum()
            continue
        if case["loss"] == "cosine":
            soft = 1 - F.cosine_similarity(s, t)
        elif case["loss"] == "mse":
            soft = ((s - t) ** 2).sum(1) / width
        else:
            p = F.log_softmax(t @ t.T / h["teacherTemperature"], 1)
            q = F.log_softmax(s @ t.T / h["temperature"], 1)
            soft = F.kl_div(q, p, log_target=True, reduction="none").sum(1)
        each = (1 - h["alpha"]) * contrast(s, labels) + h["alpha"] * soft
        total = total + (each * w).sum() / w.sum()
    value = total / groups
    value.backward()
    return {"loss": value.item(), "gradient": student.grad.tolist(), "ofCentres": [] if centres.grad is None else centres.grad.tolist()}


def parquet_file(name):
    read = parquet.ParquetFile(sys.argv[1] + "/" + name)
    table = read.read()
    return {"names": table.column_names, "groups": read.num_row_groups, "values": table["vector"].to_pylist()}


PARTS = {"retrieval": retrieval, "queries": queries, "losses": loss_case, "pairs": pair_case, "parquet": parquet_file}

with open(sys.argv[1] + "/cases.json") as file:
    cases = json.load(file)
print(json.dumps({part: [PARTS[part](case) for case in given] for part, given in cases.items()}))
