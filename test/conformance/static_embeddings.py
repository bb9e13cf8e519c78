"""A small BERT with random weights, exported to ONNX with a tokenizer that is trained on texts.json, and what model2vec makes of it:
writes encoder.onnx, tokenizer.json, the folder model2vec, and vectors.json, the vector of unit length that its static model gives to each text."""

import json
import os
import sys

import torch
import transformers
from model2vec.distill import distill_from_model
from word_pieces import LastHiddenState, export_onnx, of_transformers, word_pieces

folder = sys.argv[1]
with open(os.path.join(folder, "texts.json"), encoding="utf-8") as file:
    texts = json.load(file)

tokenizer = word_pieces(texts, 900)
tokenizer.save(os.path.join(folder, "tokenizer.json"))

torch.manual_seed(0)
layers = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}
config = transformers.BertConfig(vocab_size=tokenizer.get_vocab_size(), initializer_range=0.2, attn_implementation="eager", **layers)
encoder = transformers.BertModel(config, add_pooling_layer=False).eval()
export_onnx(LastHiddenState(encoder), os.path.join(folder, "encoder.onnx"), "last_hidden_state", ["batch", "tokens"])

static = distill_from_model(encoder, of_transformers(tokenizer), device="cpu", pca_dims=16, quantize_to="float32")
static.save_pretrained(os.path.join(folder, "model2vec"))
with open(os.path.join(folder, "vectors.json"), "w") as file:
    json.dump(static.encode(texts).tolist(), file)
print(json.dumps(len(static.embedding)))
