"""Small text classifiers of transformers with random weights, exported to ONNX with int64 inputs, with a tokenizer each that is
trained on texts.json: writes NAME.onnx, NAME.tokenizer.json and NAME.json, the logits that PyTorch gives to the texts; prints the names."""

import json
import os
import sys

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from word_pieces import word_pieces

folder = sys.argv[1]
with open(os.path.join(folder, "texts.json"), encoding="utf-8") as file:
    texts = json.load(file)
LENGTH = 48


def of_bert():
    return word_pieces((text for pair in texts for text in pair), 900), 0, "[PAD]"


def byte_pairs():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=900, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator((text for pair in texts for text in pair), trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer, 1, "<pad>"


SIZE = {"num_labels": 3, "attn_implementation": "eager"}
LAYERS = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
MODELS = {
    "bert": (
        of_bert,
        lambda size: transformers.BertForSequenceClassification(transformers.BertConfig(vocab_size=size, **LAYERS, **SIZE)),
        ["input_ids", "attention_mask", "token_type_ids"],
    ),
    "distilbert": (
        of_bert,
        lambda size: transformers.DistilBertForSequenceClassification(
            transformers.DistilBertConfig(vocab_size=size, dim=32, n_layers=2, n_heads=4, hidden_dim=64, **SIZE)
        ),
        ["input_ids", "attention_mask"],
    ),
    "roberta": (
        byte_pairs,
        lambda size: transformers.RobertaForSequenceClassification(
            transformers.RobertaConfig(
                vocab_size=size, pad_token_id=1, type_vocab_size=1, max_position_embeddings=64, **LAYERS, **SIZE
            )
        ),
        ["input_ids", "attention_mask"],
    ),
    # MiniLM is a BERT of fewer numbers with thin layers.
    "minilm": (
        of_bert,
        lambda size: transformers.BertForSequenceClassification(
            transformers.BertConfig(vocab_size=size, **{**LAYERS, "num_hidden_layers": 3, "hidden_size": 24}, **SIZE)
        ),
        ["input_ids", "attention_mask", "token_type_ids"],
    ),
}


class Logits(torch.nn.Module):
    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *tensors):
        return self.model(**dict(zip(self.names, tensors))).logits


for number, (name, (make_tokenizer, make_model, inputs)) in enumerate(MODELS.items()):
    torch.manual_seed(number)
    tokenizer, padding, token = make_tokenizer()
    tokenizer.save(os.path.join(folder, f"{name}.tokenizer.json"))
    # Weights large enough that logits differ.
    model = make_model(tokenizer.get_vocab_size()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(6)
        model.get_input_embeddings().weight[padding] = 1.0
    logits = Logits(model, inputs).eval()
    tokenizer.enable_truncation(LENGTH)
    tokenizer.enable_padding(pad_id=padding, pad_token=token)
    encoded = tokenizer.encode_batch([tuple(pair) for pair in texts])
    fields = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
    tensors = [torch.tensor([getattr(one, fields[key]) for one in encoded]) for key in inputs]
    axes = {key: {0: "batch", 1: "sequence"} for key in inputs}
    torch.onnx.export(
        logits,
        tuple(tensor[:2] for tensor in tensors),
        os.path.join(folder, f"{name}.onnx"),
        input_names=inputs,
        output_names=["logits"],
        dynamic_axes={**axes, "logits": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    with torch.no_grad():
        expected = logits(*tensors).tolist()
    with open(os.path.join(folder, f"{name}.json"), "w") as file:
        json.dump(expected, file)

print(json.dumps(list(MODELS)))
