"""A transformer of BERT's kind, trained on the spot in PyTorch to say which Python package a docstring is of, with a tokenizer that is
trained for it. The texts are the beginnings of the docstrings in the sources of some packages of this environment (BSD and Apache licences),
without the packages' names. No source file is in two of three splits: the teacher's own texts, those of the student, and test.

Writes into the folder: labelled.jsonl, texts.jsonl (the student's other texts, without labels), teacher.jsonl (the teacher's, with
theirs), test.jsonl, and my-model, model and tokenizer as save_pretrained writes them; prints the accuracy on test and the counts.

    text_student.py FOLDER LENGTH
"""

import ast
import json
import os
import random
import re
import sys
import sysconfig
import time

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

folder, LENGTH = sys.argv[1], int(sys.argv[2])
MODEL = os.path.join(folder, "my-model")
PACKAGES = ["networkx", "scipy", "sklearn", "sympy", "torch"]
NAMES = "|".join([*PACKAGES, "scikit-learn", "numpy"])
# Texts of each package at most, and those of the student with a label.
MOST = {"teacher": 900, "student": 1500, "test": 250}
LABELLED = 60
# Words of a text at most.
WORDS = 24
EPOCHS, BATCH, RATE = 3, 16, 6e-4
# As google/bert_uncased_L-4_H-256_A-4, BERT-mini.
SIZE = {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024}
random.seed(1)
torch.manual_seed(1)


def sources(package):
    """Paths below site-packages, in their order."""
    root = os.path.join(sysconfig.get_paths()["purelib"], package)
    for at, folders, files in os.walk(root):
        folders.sort()
        if "test" not in os.path.relpath(at, root):
            yield from (os.path.join(at, name) for name in sorted(files) if name.endswith(".py"))


def texts_of(path):
    """The first words of the docstrings of a file that say something."""
    with open(path, encoding="utf-8", errors="replace") as file:
        try:
            tree = ast.parse(file.read())
        except (SyntaxError, ValueError):
            return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            # Behind the first heading or sample are lists of parameters, whose layout gives the package away.
            said = re.split(r"\n\s*(?:-{3,}|={3,}|>>>|:\w+|\.\. |Args:)", ast.get_docstring(node) or "")[0]
            text = " ".join(re.sub(NAMES, "it", said, flags=re.IGNORECASE).split()[:WORDS])
            text = re.sub(r" (Parameters|Examples?|See Also|Returns|Notes|References)$", "", text)
            if len(text.split()) >= 6 and "\ufffd" not in text:
                yield text


def splits():
    seen, rows = set(), {name: [] for name in MOST}
    for package in PACKAGES:
        own = {name: [] for name in MOST}
        files = list(sources(package))
        random.shuffle(files)
        for number, path in enumerate(files):
            place = ("test", "teacher", "teacher", "teacher", "student", "student")[number % 6]
            for text in texts_of(path):
                if text not in seen:
                    seen.add(text)
                    own[place].append({"text": text, "label": package})
        for name, most in MOST.items():
            random.shuffle(own[name])
            rows[name] += own[name][:most]
    for found in rows.values():
        random.shuffle(found)
    return rows


def write(name, rows):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(row) for row in rows))


def trained_tokenizer(texts):
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    made.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=3000, special_tokens=special, show_progress=False))
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    transformers.PreTrainedTokenizerFast(tokenizer_object=made, **names).save_pretrained(MODEL)
    made.enable_truncation(LENGTH)
    made.enable_padding(pad_id=0, pad_token="[PAD]")
    return made


def tensors(tokenizer, rows):
    """Ids and mask of some rows, filled up to the longest of them, and their classes in the order of the names."""
    encoded = tokenizer.encode_batch([row["text"] for row in rows])
    parts = {"input_ids": "ids", "attention_mask": "attention_mask"}
    return {key: torch.tensor([getattr(one, part) for one in encoded]) for key, part in parts.items()}, torch.tensor([PACKAGES.index(row["label"]) for row in rows])


def train(network, tokenizer, rows):
    # Texts of about one length together: padding is not computed.
    rows = sorted(rows, key=lambda row: len(tokenizer.encode(row["text"]).tokens))
    batches = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=EPOCHS * len(batches))
    network.train()
    for _ in range(EPOCHS):
        for number in torch.randperm(len(batches)).tolist():
            parts, labels = tensors(tokenizer, batches[number])
            loss = torch.nn.functional.cross_entropy(network(**parts).logits, labels)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    network.eval()


def main():
    rows = splits()
    tokenizer = trained_tokenizer([row["text"] for name in ("teacher", "student") for row in rows[name]])
    config = transformers.BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        id2label=dict(enumerate(PACKAGES)),
        label2id={name: number for number, name in enumerate(PACKAGES)},
        **SIZE,
    )
    network = transformers.BertForSequenceClassification(config)
    start = time.monotonic()
    train(network, tokenizer, rows["teacher"])
    seconds = time.monotonic() - start
    network.save_pretrained(MODEL)
    own = rows["student"]
    labelled = [row for package in PACKAGES for row in [one for one in own if one["label"] == package][:LABELLED]]
    known = {row["text"] for row in labelled}
    write("labelled.jsonl", labelled)
    write("texts.jsonl", [{"text": row["text"]} for row in own if row["text"] not in known])
    write("teacher.jsonl", rows["teacher"])
    write("test.jsonl", rows["test"])
    with torch.no_grad():
        right = sum(
            int(network(**parts).logits.argmax().item() == label.item())
            for parts, label in (tensors(tokenizer, [row]) for row in rows["test"])
        )
    counts = {**{name: len(found) for name, found in rows.items()}, "labelled": len(labelled)}
    tokens = sorted(len(tokenizer.encode(row["text"]).tokens) for row in rows["test"])[len(rows["test"]) // 2]
    print(json.dumps({"accuracy": right / counts["test"], "seconds": seconds, "tokens": tokens, "counts": counts}))


main()
