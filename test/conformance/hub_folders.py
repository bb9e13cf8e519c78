"""Small models of transformers with random weights, in folders as the Hugging Face hub has them, and what each answers: hub_folders.py FOLDER

Writes pictures/CLASS/N.png, texts.jsonl, words.jsonl, the texts as Parquet shards in texts/, and a folder for each model with its processor or tokenizer; prints for each folder
its kind and the answers of PyTorch, for pictures behind the processor of transformers, to all pictures by their paths or to all texts."""

import json
import os
import sys

import numpy as np
import pyarrow
import pyarrow.parquet
import torch
import transformers as t
from PIL import Image
from word_pieces import of_transformers, word_pieces

folder = sys.argv[1]
random = np.random.default_rng(0)
made = []
NAMES = ["owl", "cat", "fox"]
LABELS = {"num_labels": 3, "id2label": dict(enumerate(NAMES)), "label2id": {name: i for i, name in enumerate(NAMES)}}
LAYERS = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64, "attn_implementation": "eager"}

pictures = []
for name in sorted(NAMES):
    os.makedirs(f"{folder}/pictures/{name}")
    for i in range(4):
        height, width = random.integers(36, 64, 2)
        pictures.append(f"{folder}/pictures/{name}/{i}.png")
        coarse = random.integers(64, 192, (5, 5, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((int(width), int(height)), Image.Resampling.BICUBIC).save(pictures[-1])


class Output(torch.nn.Module):
    def __init__(self, model, names, output):
        super().__init__()
        self.model, self.names, self.output = model, names, output

    def forward(self, *tensors):
        return getattr(self.model(**dict(zip(self.names, tensors))), self.output)


def spread(model, factor):
    """Weights large enough that answers differ."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(factor)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
    return model.eval()


def export(model, place, inputs, tensors, output):
    os.makedirs(f"{place}/onnx")
    axes = {name: {0: "batch", 1: "tokens"} if tensor.dim() == 2 else {0: "batch"} for name, tensor in zip(inputs, tensors)}
    axes[output] = {0: "batch", 1: "tokens"} if output == "last_hidden_state" else {0: "batch"}
    names = {"input_names": inputs, "output_names": [output], "dynamic_axes": axes}
    torch.onnx.export(Output(model, inputs, output).eval(), tensors, f"{place}/onnx/model.onnx", opset_version=17, dynamo=False, **names)


def put(id, model, kind, answers):
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(f"{folder}/{id}")
    made.append({"id": id, "kind": kind, "answers": answers.tolist() if answers is not None else None})


def classifier(id, model, processor, factor=3):
    torch.manual_seed(len(made))
    model, place = spread(model, factor), f"{folder}/{id}"
    prepared = [processor(Image.open(path), return_tensors="pt")["pixel_values"] for path in pictures]
    export(model, place, ["pixel_values"], (prepared[0].repeat(2, 1, 1, 1),), "logits")
    processor.save_pretrained(place)
    with torch.no_grad():
        put(id, model, "pictures", torch.cat([model(one).logits for one in prepared]))


VIT = {"image_size": 24, "patch_size": 8, **LAYERS, **LABELS}
square = {"height": 24, "width": 24}
classifier("vit", t.ViTForImageClassification(t.ViTConfig(**VIT)), t.ViTImageProcessor(size=square))
classifier("deit", t.DeiTForImageClassification(t.DeiTConfig(**VIT)), t.DeiTImageProcessor(size={"height": 30, "width": 30}, crop_size=square))
classifier("beit", t.BeitForImageClassification(t.BeitConfig(**VIT)), t.BeitImageProcessor(size={"height": 28, "width": 28}, crop_size=square, do_center_crop=True))
classifier(
    "convnext",
    t.ConvNextForImageClassification(t.ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, layer_scale_init_value=1.0, **LABELS)),
    t.ConvNextImageProcessor(size={"shortest_edge": 28}, crop_pct=0.875),
)
classifier(
    "resnet",
    t.ResNetForImageClassification(t.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", **LABELS)),
    t.ConvNextImageProcessor(size={"shortest_edge": 32}, crop_pct=0.95, image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225]),
    1.5,
)
classifier(
    "mobilenet",
    t.MobileNetV2ForImageClassification(t.MobileNetV2Config(depth_multiplier=0.35, image_size=32, **LABELS)),
    t.MobileNetV2ImageProcessor(size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32}),
    1.5,
)

words = ["lost", "card", "fee", "new", "where", "is", "my", "the", "paid", "twice", "again", "bank"]
texts = [" ".join(random.choice(words, int(random.integers(3, 12)))) for _ in range(40)]
tokenizer = of_transformers(word_pieces(texts, 60))
tokenizer.model_max_length = 16
with open(f"{folder}/texts.jsonl", "w") as file:
    for i, text in enumerate(texts):
        name = NAMES[i % 3]
        file.write(json.dumps({"text": text, "kind": name, "kinds": name if i % 2 else f"{name}|cat", "value": i / 7}) + "\n")
encoded = tokenizer(texts, padding="max_length", max_length=16, truncation=True, return_tensors="pt")


def of_texts(id, model, kind, output="logits", inputs=("input_ids", "attention_mask", "token_type_ids"), pooling=None):
    torch.manual_seed(len(made))
    model, place = spread(model, 4), f"{folder}/{id}"
    with torch.no_grad():
        model.get_input_embeddings().weight[0] = 1.0
    tensors = [encoded[name] if name in encoded else encoded["input_ids"] * 0 for name in inputs]
    export(model, place, list(inputs), tuple(one[:2] for one in tensors), output)
    tokenizer.save_pretrained(place)
    with torch.no_grad():
        answers = Output(model, inputs, output)(*tensors)
    if pooling is not None:
        with open(f"{place}/modules.json", "w") as file:
            types = ["models.Transformer", "models.Pooling"]
            json.dump([{"idx": i, "type": f"sentence_transformers.{name}"} for i, name in enumerate(types)], file)
        os.mkdir(f"{place}/1_Pooling")
        with open(f"{place}/1_Pooling/config.json", "w") as file:
            json.dump({f"pooling_mode_{name}": name.startswith(pooling) for name in ("cls_token", "mean_tokens", "max_tokens")}, file)
        mask = encoded["attention_mask"][:, :, None]
        answers = answers[:, 0] if pooling == "cls" else (answers * mask).sum(1) / mask.sum(1)
        # Vectors teach by their direction.
        answers = torch.nn.functional.normalize(answers)
    put(id, model, kind, answers)


BERT = {"vocab_size": 60, "max_position_embeddings": 32, **LAYERS}
of_texts("bert", t.BertForSequenceClassification(t.BertConfig(**BERT, **LABELS)), "classes")
distil = t.DistilBertConfig(vocab_size=60, dim=32, n_layers=2, n_heads=4, hidden_dim=64, attn_implementation="eager", **LABELS)
of_texts("distilbert", t.DistilBertForSequenceClassification(distil), "classes", inputs=("input_ids", "attention_mask"))
several = t.BertConfig(**BERT, **LABELS, problem_type="multi_label_classification")
of_texts("several", t.BertForSequenceClassification(several), "labels")
of_texts("number", t.BertForSequenceClassification(t.BertConfig(**BERT, num_labels=1, problem_type="regression")), "number")
of_texts("mean", t.BertModel(t.BertConfig(**BERT)), "vector", "last_hidden_state", pooling="mean")
of_texts("cls", t.BertModel(t.BertConfig(**BERT)), "vector", "last_hidden_state", pooling="cls")

# A tagger: what it answers at the first token of each word.
TAGS = {"num_labels": 3, "id2label": {0: "O", 1: "B-CARD", 2: "I-CARD"}}
lists = [text.split() for text in texts]
with open(f"{folder}/words.jsonl", "w") as file:
    for one in lists:
        file.write(json.dumps({"tokens": one, "tags": [TAGS["id2label"][len(word) % 3] for word in one]}) + "\n")
torch.manual_seed(len(made))
tagger = spread(t.BertForTokenClassification(t.BertConfig(**BERT, **TAGS)), 4)
inputs = ["input_ids", "attention_mask", "token_type_ids"]
export(tagger, f"{folder}/tagger", inputs, tuple((encoded[name] if name in encoded else encoded["input_ids"] * 0)[:2] for name in inputs), "logits")
tokenizer.save_pretrained(f"{folder}/tagger")
put("tagger", tagger, "tags", None)
split = tokenizer(lists, is_split_into_words=True, padding="max_length", max_length=16, truncation=True, return_tensors="pt")
with torch.no_grad():
    logits = Output(tagger, inputs, "logits")(*[split[name] if name in split else split["input_ids"] * 0 for name in inputs])
answers = []
for row in range(len(lists)):
    ids = split.word_ids(row)
    starts = [at for at, word in enumerate(ids) if word is not None and ids[at - 1] != word]
    answers.append(logits[row, starts].flatten().tolist())
made[-1]["answers"] = answers

# The texts as a data set of the hub has them: shards whose labels are places in the names of the class.
names = sorted(NAMES)
features = {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": names, "_type": "ClassLabel"}}
schema = pyarrow.schema([("text", pyarrow.string()), ("label", pyarrow.int64())], {"huggingface": json.dumps({"info": {"features": features}})})
os.makedirs(f"{folder}/texts/data")
for name, start, end in [("train-00000-of-00002", 0, 15), ("train-00001-of-00002", 15, 30), ("test-00000-of-00001", 30, 40)]:
    columns = {"text": texts[start:end], "label": [names.index(NAMES[i % 3]) for i in range(start, end)]}
    pyarrow.parquet.write_table(pyarrow.table(columns, schema=schema), f"{folder}/texts/data/{name}.parquet")
with open(f"{folder}/texts/README.md", "w") as file:
    file.write("---\ndataset_info:\n  features:\n  - name: text\n    dtype: string\n  splits:\n  - name: train\n  - name: test\n")
    file.write("configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/train-*\n  - split: test\n    path: data/test-*\n---\n")
made.append({**next(one for one in made if one["id"] == "bert"), "kind": "shards"})

weights = t.BertForSequenceClassification(t.BertConfig(**BERT, **LABELS))
weights.save_pretrained(f"{folder}/safetensors")
put("safetensors", weights, "classes", None)
swapped = {"image_processor_type": "MobileViTImageProcessor", "do_flip_channel_order": True, "size": {"shortest_edge": 28}}
classifier("swapped", t.ViTForImageClassification(t.ViTConfig(**VIT)), t.ViTImageProcessor(size=square))
with open(f"{folder}/swapped/preprocessor_config.json", "w") as file:
    json.dump({**swapped, "do_center_crop": True, "crop_size": square}, file)
made[-1]["answers"] = None
print(json.dumps(made))
