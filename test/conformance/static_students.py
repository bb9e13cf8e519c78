"""A small BERT that learns, with a head, to name the relations of rows.json, exported to ONNX twice: encoder.onnx gives the vectors of tokens,
teacher.onnx the logits. Writes tokenizer.json, which is trained on the same texts, and vectors.json: what model2vec makes of the encoder, by token."""

import json
import os
import sys

import torch
import transformers
from model2vec.distill import distill_from_model
from word_pieces import LastHiddenState, export_onnx, of_transformers, word_pieces

folder, size, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(os.path.join(folder, "rows.json"), encoding="utf-8") as file:
    rows = json.load(file)

tokenizer = word_pieces([row["text"] for row in rows], 3000)
tokenizer.save(os.path.join(folder, "tokenizer.json"))

torch.manual_seed(0)
names = sorted({row["label"] for row in rows})
layers = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
config = transformers.BertConfig(vocab_size=tokenizer.get_vocab_size(), attn_implementation="eager", **layers)
encoder = transformers.BertModel(config, add_pooling_layer=False)


class Teacher(torch.nn.Module):
    def __init__(self, vectors):
        super().__init__()
        self.vectors = vectors
        self.head = torch.nn.Linear(layers["hidden_size"], len(names))

    def forward(self, input_ids, attention_mask, token_type_ids):
        mask = attention_mask.unsqueeze(2).float()
        kept = self.vectors(input_ids, attention_mask, token_type_ids) * mask
        return self.head(kept.sum(1) / mask.sum(1))


vectors = LastHiddenState(encoder)
teacher = Teacher(vectors)
tokenizer.enable_truncation(length)
tokenizer.enable_padding(pad_id=0, pad_token="[PAD]", length=length)
encoded = tokenizer.encode_batch([row["text"] for row in rows])
ids = torch.tensor([one.ids for one in encoded])
mask = torch.tensor([one.attention_mask for one in encoded])
labels = torch.tensor([names.index(row["label"]) for row in rows])
optimizer = torch.optim.AdamW(teacher.parameters(), lr=1e-3)
for epoch in range(4):
    for some in torch.randperm(len(rows)).split(64):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(teacher(ids[some], mask[some], ids[some] * 0), labels[some])
        loss.backward()
        optimizer.step()
teacher.eval()

export_onnx(vectors, os.path.join(folder, "encoder.onnx"), "last_hidden_state", ["batch", "tokens"])
export_onnx(teacher, os.path.join(folder, "teacher.onnx"), "logits", ["batch"])

tokenizer.no_truncation()
tokenizer.no_padding()
static = distill_from_model(encoder, of_transformers(tokenizer), device="cpu", pca_dims=size, quantize_to="float32")
by_token = {token: static.embedding[i].tolist() for token, i in static.tokenizer.get_vocab().items()}
with open(os.path.join(folder, "vectors.json"), "w") as file:
    json.dump(by_token, file)
print(json.dumps(names))
