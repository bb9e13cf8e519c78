"""A small BERT with random weights, exported to ONNX with a tokenizer that is trained on texts.json, and what model2vec makes of it:
writes encoder.onnx, tokenizer.json and vectors.json, the vector of unit length that its static model gives to each text."""

import json
import os
import sys

import torch
import transformers
from model2vec.distill import distill_from_model
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

folder = sys.argv[1]
with open(os.path.join(folder, "texts.json"), encoding="utf-8") as file:
    texts = json.load(file)

tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
tokenizer.normalizer = normalizers.BertNormalizer()
tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=900, special_tokens=special, show_progress=False))
tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
tokenizer.save(os.path.join(folder, "tokenizer.json"))

torch.manual_seed(0)
layers = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}
config = transformers.BertConfig(vocab_size=tokenizer.get_vocab_size(), initializer_range=0.2, attn_implementation="eager", **layers)
encoder = transformers.BertModel(config, add_pooling_layer=False).eval()


class LastHiddenState(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.encoder(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state


names = ["input_ids", "attention_mask", "token_type_ids"]
ones = torch.ones(2, 7, dtype=torch.int64)
axes = {name: {0: "batch", 1: "tokens"} for name in [*names, "last_hidden_state"]}
with torch.no_grad():
    torch.onnx.export(
        LastHiddenState(),
        (ones, ones, ones * 0),
        os.path.join(folder, "encoder.onnx"),
        input_names=names,
        output_names=["last_hidden_state"],
        dynamic_axes=axes,
        dynamo=False,
    )

fast = transformers.PreTrainedTokenizerFast(
    tokenizer_object=tokenizer,
    **{"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"},
)
static = distill_from_model(encoder, fast, device="cpu", pca_dims=16, quantize_to="float32")
with open(os.path.join(folder, "vectors.json"), "w") as file:
    json.dump(static.encode(texts).tolist(), file)
print(json.dumps(len(static.embedding)))
