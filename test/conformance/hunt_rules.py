"""Rules of hunt_operators.py: how they are kept, and what they read of a node."""
import torch
from onnx import helper

RULES = {}


def rule(*names):
    def add(function):
        for name in names:
            RULES[name] = function
        return function

    return add


class Node:
    """`a`: attributes; `shapes`: what ONNX Runtime says that the outputs are."""

    def __init__(self, proto, opset, shapes, is_training):
        self.op = proto.op_type
        self.proto = proto
        self.opset = opset
        self.a = {one.name: helper.get_attribute_value(one) for one in proto.attribute}
        self.shapes = shapes
        self.is_training = is_training

    def get(self, name, default=None):
        value = self.a.get(name, default)
        return value.decode() if isinstance(value, bytes) else value


def numbers(tensor):
    return [int(value) for value in tensor.flatten()]


def whole(x, axis):
    return axis % x.dim()


def root(sums, p):
    """Of 0 it is 0, and without a slope."""
    return sums if p == 1 else torch.where(sums > 0, sums, 1.0) ** (1 / p) * (sums > 0)
