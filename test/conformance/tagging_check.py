"""Tagging beside seqeval, tokenizers and transformers.

scores: reads cases.json and prints F1 of entities, of each type, and accuracy, as seqeval gives them without a scheme.
models: small taggers of transformers with random weights, exported to ONNX with int64 inputs, with a tokenizer that is trained on the
sentences of words.json: writes NAME.onnx, NAME.tokenizer.json and NAME.json with ids, the word that each token begins, and logits."""

import json
import os
import sys

folder, what = sys.argv[1:3]


def scores():
    from seqeval.metrics import accuracy_score, classification_report, f1_score

    with open(os.path.join(folder, "cases.json"), encoding="utf-8") as file:
        cases = json.load(file)
    found = []
    for case in cases:
        names = [("S-" + name if case["plain"] else name) for name in case["names"]]
        truth, given = ([[names[tag] for tag in one[key]] for one in case["sentences"]] for key in ("truth", "given"))
        report = classification_report(truth, given, output_dict=True, zero_division=0)
        types = {
            name: [float(row[key]) for key in ("precision", "recall", "f1-score")] + [int(row["support"])]
            for name, row in report.items()
            if not name.endswith(" avg")
        }
        found.append({"f1": float(f1_score(truth, given)), "accuracy": accuracy_score(truth, given), "types": types})
    return found


def taggers():
    import torch
    import transformers
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    with open(os.path.join(folder, "words.json"), encoding="utf-8") as file:
        sentences = json.load(file)
    length, tags = 48, 5
    layers = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    common = {"num_labels": tags, "attn_implementation": "eager"}
    kinds = {
        "bert": (
            lambda size: transformers.BertForTokenClassification(transformers.BertConfig(vocab_size=size, **layers, **common)),
            ["input_ids", "attention_mask", "token_type_ids"],
        ),
        "distilbert": (
            lambda size: transformers.DistilBertForTokenClassification(
                transformers.DistilBertConfig(vocab_size=size, dim=32, n_layers=2, n_heads=4, hidden_dim=64, **common)
            ),
            ["input_ids", "attention_mask"],
        ),
    }

    class Logits(torch.nn.Module):
        def __init__(self, model, names):
            super().__init__()
            self.model, self.names = model, names

        def forward(self, *tensors):
            return self.model(**dict(zip(self.names, tensors))).logits

    for number, (name, (make, inputs)) in enumerate(kinds.items()):
        torch.manual_seed(number)
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=number == 0)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        trainer = trainers.WordPieceTrainer(vocab_size=700, special_tokens=special, show_progress=False)
        tokenizer.train_from_iterator((word for words in sentences for word in words), trainer)
        tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
        tokenizer.save(os.path.join(folder, f"{name}.tokenizer.json"))
        model = make(tokenizer.get_vocab_size()).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() > 1:
                    parameter.mul_(6)
            model.get_input_embeddings().weight[0] = 1.0
        tokenizer.enable_truncation(length)
        tokenizer.enable_padding(length=length, pad_id=0, pad_token="[PAD]")
        encoded = tokenizer.encode_batch(sentences, is_pretokenized=True)
        fields = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
        tensors = [torch.tensor([getattr(one, fields[key]) for one in encoded]) for key in inputs]
        logits = Logits(model, inputs).eval()
        axes = {key: {0: "batch", 1: "sequence"} for key in inputs}
        torch.onnx.export(
            logits,
            tuple(tensor[:2] for tensor in tensors),
            os.path.join(folder, f"{name}.onnx"),
            input_names=inputs,
            output_names=["logits"],
            dynamic_axes={**axes, "logits": {0: "batch", 1: "sequence"}},
            opset_version=17,
            dynamo=False,
        )
        begins = []
        for one in encoded:
            seen = set()
            row = []
            for word in one.word_ids:
                row.append(word if word is not None and word not in seen else -1)
                seen.add(word)
            begins.append(row)
        with torch.no_grad():
            expected = logits(*tensors).tolist()
        with open(os.path.join(folder, f"{name}.json"), "w") as file:
            json.dump({"ids": [one.ids for one in encoded], "words": begins, "logits": expected}, file)
    return {"names": list(kinds)}


print(json.dumps({"scores": scores, "models": taggers}[what]()))
