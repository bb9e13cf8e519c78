"""A transformer that is trained on the spot to say which Python package a docstring is of, with a tokenizer that is trained for it: the first
paragraphs of the docstrings in the sources of some packages of this environment (BSD and Apache licences), without the packages' names, no source
file in both splits. Writes train.jsonl, test.jsonl, tokenizer.json and teacher.onnx; prints the accuracy on test and the counts."""

import ast
import json
import os
import random
import re
import sys
import sysconfig

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

folder = sys.argv[1]
PACKAGES = ["numpy", "torch", "sympy", "networkx", "scipy", "transformers"]
LENGTH = 48
MOST = 900
random.seed(1)
torch.manual_seed(1)
torch.set_num_threads(1)


def sources(package):
    """Paths below site-packages, in their order."""
    root = os.path.join(sysconfig.get_paths()["purelib"], package)
    for at, folders, files in os.walk(root):
        folders.sort()
        if "test" in os.path.relpath(at, root):
            continue
        yield from (os.path.join(at, name) for name in sorted(files) if name.endswith(".py"))


def paragraphs(path):
    """First paragraphs of the docstrings of a file that say something."""
    with open(path, encoding="utf-8", errors="replace") as file:
        try:
            tree = ast.parse(file.read())
        except (SyntaxError, ValueError):
            return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            text = re.sub(r"\s+", " ", (ast.get_docstring(node) or "").split("\n\n")[0]).strip()
            text = re.sub("|".join(PACKAGES), "it", text, flags=re.IGNORECASE)
            if len(text.split()) >= 5 and "\ufffd" not in text:
                yield text


seen = set()
rows = {"train": [], "test": []}
for package in PACKAGES:
    files = list(sources(package))
    random.shuffle(files)
    own = {"train": [], "test": []}
    for number, path in enumerate(files):
        for text in paragraphs(path):
            if text not in seen:
                seen.add(text)
                own["test" if number % 5 == 0 else "train"].append({"text": text, "label": package})
    for split, most in (("train", MOST), ("test", MOST // 4)):
        random.shuffle(own[split])
        rows[split] += own[split][:most]
for split, found in rows.items():
    random.shuffle(found)
    with open(os.path.join(folder, f"{split}.jsonl"), "w", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(row) for row in found))

tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
tokenizer.normalizer = normalizers.BertNormalizer()
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
trainer = trainers.WordPieceTrainer(vocab_size=3000, special_tokens=special, show_progress=False)
tokenizer.train_from_iterator((row["text"] for row in rows["train"]), trainer)
tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
tokenizer.save(os.path.join(folder, "tokenizer.json"))
tokenizer.enable_truncation(LENGTH)
tokenizer.enable_padding(pad_id=0, pad_token="[PAD]", length=LENGTH)


def tensors(split):
    encoded = tokenizer.encode_batch([row["text"] for row in rows[split]])
    # Classes in the order of their names, as the data set has them.
    labels = torch.tensor([sorted(PACKAGES).index(row["label"]) for row in rows[split]])
    return torch.tensor([one.ids for one in encoded]), torch.tensor([one.attention_mask for one in encoded]), labels


size = tokenizer.get_vocab_size()
config = transformers.BertConfig(
    vocab_size=size,
    num_labels=len(PACKAGES),
    hidden_size=128,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=256,
    attn_implementation="eager",
)


class Logits(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = transformers.BertForSequenceClassification(config)

    def forward(self, ids, mask):
        return self.model(input_ids=ids, attention_mask=mask).logits


network = Logits()
ids, mask, labels = tensors("train")
EPOCHS, BATCH = 5, 32
steps = EPOCHS * ((len(labels) + BATCH - 1) // BATCH)
optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.01)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=steps)
network.train()
for epoch in range(EPOCHS):
    for chosen in torch.randperm(len(labels)).split(BATCH):
        # Padding that no text of the batch reaches is left out.
        longest = int(mask[chosen].sum(1).max())
        loss = torch.nn.functional.cross_entropy(network(ids[chosen, :longest], mask[chosen, :longest]), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()

network.eval()
test_ids, test_mask, test_labels = tensors("test")
with torch.no_grad():
    right = (network(test_ids, test_mask).argmax(1) == test_labels).double().mean().item()
torch.onnx.export(
    network,
    (ids[:2], mask[:2]),
    os.path.join(folder, "teacher.onnx"),
    input_names=["input_ids", "attention_mask"],
    output_names=["logits"],
    dynamic_axes={**{key: {0: "batch", 1: "sequence"} for key in ("input_ids", "attention_mask")}, "logits": {0: "batch"}},
    opset_version=17,
    dynamo=False,
)
print(json.dumps({"accuracy": right, "train": len(labels), "test": len(test_labels), "vocabulary": size}))
