"""Writes detectors with random weights as ONNX files, and the final boxes that their own libraries read from their outputs: prints these.

    python3 zoo_detectors.py FOLDER    # FOLDER/pictures.npy: float32 [n, side, side, 3], 0 to 1

For each file and picture a list of [label, score, xmin, ymin, xmax, ymax], the best first, sides in shares of the picture, labels from 0 on.
"""
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import torch
from torch import nn
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.ops import batched_nms, box_convert
from transformers import DetrConfig, DetrForObjectDetection, DetrImageProcessor, ResNetConfig
from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrImageProcessor, RTDetrResNetConfig

MOST, LEAST, CLASSES = 100, 0.01, 3
folder = Path(sys.argv[1])
x = torch.from_numpy(np.load(folder / "pictures.npy")).permute(0, 3, 1, 2).contiguous()
side = x.shape[-1]
found = {}


def listed(boxes, scores, labels, size):
    kept = [row for row in zip(labels.tolist(), scores.tolist(), (boxes / size).clamp(0, 1).tolist()) if row[1] >= LEAST]
    return [[label, score, *box] for label, score, box in sorted(kept, key=lambda row: -row[1])[:MOST]]


def export(name, model, inputs, names, outputs, **options):
    # The exporter of TorchScript: the newer one unrolls sizes that depend on the picture.
    torch.onnx.export(model, inputs, str(folder / f"{name}.onnx"), dynamo=False, opset_version=17, input_names=names, output_names=outputs, **options)


def varied(model, seed):
    """Weights that tell pictures, queries and classes apart."""
    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1 and ("class" in name or "bbox" in name or "score" in name):
            nn.init.normal_(parameter, std=0.5)
    return model.eval()


# torchvision: boxes in pixels, labels beside a background of 0, one picture without the axis of a batch.
torch.manual_seed(0)
ssd = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=CLASSES + 1, image_mean=[0, 0, 0], image_std=[1, 1, 1])
for module in ssd.head.classification_head.modules():
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, std=2)
ssd.eval()
export("ssd", ssd, ([x[0]],), ["image"], ["boxes", "scores", "labels"])
with torch.inference_mode():
    found["ssd"] = [listed(one["boxes"], one["scores"], one["labels"] - 1, side) for one in ssd(list(x))]

# transformers: a class for no object, and an input that masks pixels.
backbone = dict(embedding_size=16, hidden_sizes=[16, 16, 24, 32], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage4"])
small = dict(d_model=32, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=32, decoder_ffn_dim=32, encoder_attention_heads=2, decoder_attention_heads=2)
torch.manual_seed(1)
config = DetrConfig(use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, backbone_config=ResNetConfig(**backbone), num_queries=20, num_labels=CLASSES, **small)
detr = varied(DetrForObjectDetection(config), 2)
mask = torch.ones(len(x), side, side, dtype=torch.int64)


class Outputs(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *inputs):
        outputs = self.model(*inputs)
        return outputs.logits, outputs.pred_boxes


batch = {name: {0: "batch"} for name in ["pixel_values", "pixel_mask", "logits", "pred_boxes"]}
export("detr", Outputs(detr).eval(), (x, mask), ["pixel_values", "pixel_mask"], ["logits", "pred_boxes"], dynamic_axes=batch)
with torch.inference_mode():
    read = DetrImageProcessor().post_process_object_detection(detr(x, mask), threshold=0, target_sizes=[(1, 1)] * len(x))
    found["detr"] = [listed(one["boxes"], one["scores"], one["labels"], 1) for one in read]

# transformers: a sigmoid for each class.
torch.manual_seed(3)
config = RTDetrConfig(
    backbone_config=RTDetrResNetConfig(embedding_size=16, hidden_sizes=[16, 16, 24, 32], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage2", "stage3", "stage4"]),
    encoder_in_channels=[16, 24, 32], encoder_hidden_dim=32, encoder_ffn_dim=32, encoder_attention_heads=2, d_model=32, num_queries=100,
    decoder_in_channels=[32, 32, 32], decoder_ffn_dim=32, decoder_layers=1, decoder_attention_heads=2, num_labels=CLASSES, num_denoising=0,
)
rtdetr = varied(RTDetrForObjectDetection(config), 4)
export("rtdetr", Outputs(rtdetr).eval(), (x,), ["pixel_values"], ["logits", "pred_boxes"])
# With random weights its queries are chosen among nearly equal ones, so that PyTorch chooses others than the file: the file's own outputs are read.
session = onnxruntime.InferenceSession(str(folder / "rtdetr.onnx"), providers=["CPUExecutionProvider"])
logits, boxes = (torch.from_numpy(values) for values in session.run(None, {"pixel_values": x.numpy()}))
outputs = SimpleNamespace(logits=logits, pred_boxes=boxes)
read = RTDetrImageProcessor().post_process_object_detection(outputs, threshold=0, target_sizes=[(1, 1)] * len(x))
found["rtdetr"] = [listed(one["boxes"], one["scores"], one["labels"], 1) for one in read]


class Dense(nn.Module):
    """[batch, 4 + classes, points] in pixels, with rivals for each object."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 16, 8, stride=8), nn.Tanh(), nn.Conv2d(16, 4 + CLASSES, 1))

    def forward(self, x):
        out = self.net(x)
        at = torch.arange(side // 8) * 8.0 + 4
        centres = torch.stack(torch.meshgrid(at, at, indexing="xy"))
        boxes = torch.cat([centres + 8 * out[:, :2], 24 * torch.exp(0.5 * out[:, 2:4])], 1)
        return torch.cat([boxes, torch.sigmoid(3 * out[:, 4:])], 1).flatten(2)


torch.manual_seed(5)
dense = Dense().eval()
export("yolov8", dense, (x,), ["images"], ["output0"], dynamic_axes={"images": {0: "batch"}, "output0": {0: "batch"}})


class Final(nn.Module):
    """[batch, 20, 6]: the best of all points and classes."""

    def __init__(self):
        super().__init__()
        self.dense = dense

    def forward(self, x):
        rows = self.dense(x).transpose(1, 2)
        scores, labels = rows[..., 4:].max(-1)
        best = scores.topk(20).indices
        corners = torch.cat([rows[..., :2] - rows[..., 2:4] / 2, rows[..., :2] + rows[..., 2:4] / 2], -1)
        all_rows = torch.cat([corners, scores[..., None], labels[..., None].float()], -1)
        return all_rows.gather(1, best[..., None].expand(-1, -1, 6))


export("yolo26", Final().eval(), (x[:1],), ["images"], ["output0"])
found["yolov8"], found["yolo26"] = [], []
with torch.inference_mode():
    for rows in dense(x):
        boxes = box_convert(rows[:4].T, "cxcywh", "xyxy").clamp(0, side).repeat_interleave(CLASSES, 0)
        scores, labels = rows[4:].T.flatten(), torch.arange(CLASSES).repeat(rows.shape[1])
        clear = scores >= LEAST
        boxes, scores, labels = boxes[clear], scores[clear], labels[clear]
        kept = batched_nms(boxes, scores, labels, 0.7)
        found["yolov8"].append(listed(boxes[kept], scores[kept], labels[kept], side))
    for rows in Final()(x):
        found["yolo26"].append(listed(rows[:, :4], rows[:, 4], rows[:, 5].long(), side))
print(json.dumps(found))
