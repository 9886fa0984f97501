"""Faults of activation functions: another function, another axis, none, or one too many."""

from __future__ import annotations

import math

import numpy as np

from deploy_targets.testing.faults.fault import graph
from deploy_targets.testing.faults.parameters import share_of
from deploy_targets.testing.faults.surgery import Surgery

_FINAL = ("Softmax", "Sigmoid", "LogSoftmax", "Tanh")


@graph("the share of the model's clips; 0: one", 1, 0.3, 0)
def relu6_turned_relu(cut: Surgery, strength: float) -> None:
    """A ReLU6 (or any other clip) has lost its upper bound."""
    found = [node for node in cut.nodes("Clip") if cut.opset >= 11 and len(node.input) > 2]
    for node in cut.some([node for node in found if node.input[2]], strength):
        cut.leave_out(node, 2)


@graph("the slope below zero; 1: the ReLU is not there", 1, 0.1, 0.01, 1e-3)
def relu_leaky(cut: Surgery, strength: float) -> None:
    """One ReLU lets through some of what is below zero."""
    for node in cut.one(cut.nodes("Relu")):
        node.op_type = "LeakyRelu"
        cut.set(node, "alpha", float(strength))


@graph("the share of the model's GELUs; 0: one", 1, 0.3, 0)
def gelu_approximated(cut: Surgery, strength: float) -> None:
    """A GELU is computed with tanh instead of erf, or the reverse."""
    for node in cut.some(cut.nodes("Gelu", "Erf"), strength):
        if node.op_type == "Gelu":
            exact = cut.attribute(node, "approximate", b"none") == b"none"
            cut.set(node, "approximate", "tanh" if exact else "none")
            continue
        value, made = node.input[0], node.output[0]
        cut.drop(node)
        # erf(x) ~ tanh(2/sqrt(pi) x (1 + 2 * 0.044715 x^2)): GELU's formula in erf's argument.
        square = cut.add("Mul", [cut.add("Mul", [value, value]), cut.number(2 * 0.044715)])
        inner = cut.add("Mul", [value, cut.add("Add", [square, cut.number(1.0)])])
        cut.add("Tanh", [cut.add("Mul", [inner, cut.number(2 / math.sqrt(math.pi))])], made)


@graph("the share of the model's sigmoids; 0: one", 1, 0.3, 0)
def sigmoid_hardened(cut: Surgery, strength: float) -> None:
    """A sigmoid (also one inside a SiLU) is approximated by three straight lines."""
    for node in cut.some(cut.nodes("Sigmoid"), strength):
        node.op_type = "HardSigmoid"
        cut.set(node, "alpha", 1 / 6)
        cut.set(node, "beta", 0.5)


@graph("the share of the model's softmaxes; 0: one", 1, 0)
def softmax_on_wrong_axis(cut: Surgery, strength: float) -> None:
    """A softmax runs along another axis."""
    found = []
    for node in cut.nodes("Softmax", "LogSoftmax"):
        shape = cut.shape(node.input[0]) or ()
        honest = cut.attribute(node, "axis", -1 if cut.opset >= 13 else 1) % max(1, len(shape))
        # Along an axis of one every element would become 1: too gross to be interesting.
        others = [axis for axis, size in enumerate(shape) if axis != honest and size != 1]
        found += [(node, others)] if others else []
    for node, others in cut.some(found, strength):
        cut.set(node, "axis", int(others[-1]))


@graph("1: it is not there; less: that much of it is", 1, 0.1, 0.01)
def final_activation_missing(cut: Surgery, strength: float) -> None:
    """The last softmax or sigmoid is not part of the artifact."""
    for node in cut.one([n for n in cut.nodes(*_FINAL) if cut.is_answer(n.output[0])]):
        given, (honest, made) = node.input[0], cut.between(node.output[0])
        difference = cut.add("Sub", [given, honest])
        moved = cut.add("Mul", [difference, cut.number(strength)])
        cut.add("Add", [honest, moved], made)


@graph("1: a second one; there is no weaker form", 1)
def softmax_twice(cut: Surgery, strength: float) -> None:
    """A softmax is applied to what a softmax gave."""
    for node in cut.one([n for n in cut.nodes("Softmax") if cut.is_answer(n.output[0])]):
        honest, made = cut.between(node.output[0])
        again = cut.add("Softmax", [honest], made)
        axis = cut.attribute(node, "axis")
        second = cut.producer(again)
        if second is not None and axis is not None:
            cut.set(second, "axis", int(axis))


@graph("the share of the range, from its end, that is cut off", 0.9, 0.5, 0.1, 0.01)
def activations_saturated(cut: Surgery, strength: float) -> None:
    """One layer's activations are cut off: the calibrated range was too narrow."""
    for value in cut.one(cut.activations()):
        honest, made = cut.between(value)
        largest = cut.add("ReduceMax", [cut.add("Abs", [honest])], keepdims=0)
        bound = cut.add("Mul", [largest, cut.number(1 - strength)])
        below = cut.add("Min", [honest, bound])
        cut.add("Max", [below, cut.add("Neg", [bound])], made)


@graph("the share of the range, from its end, that overflows", 0.9, 0.5, 0.1, 1e-3)
def float16_overflow(cut: Surgery, strength: float) -> None:
    """The largest activations of one layer do not fit into float16 and become infinite."""
    from onnx import TensorProto

    for value in cut.one(cut.activations()):
        honest, made = cut.between(value)
        largest = cut.add("ReduceMax", [cut.add("Abs", [honest])], keepdims=0)
        fits = cut.add("Mul", [largest, cut.number((1 - strength) / 65520)])
        scale = cut.add("Max", [fits, cut.number(1e-30)])
        narrow = cut.add("Cast", [cut.add("Div", [honest, scale])], to=TensorProto.FLOAT16)
        wide = cut.add("Cast", [narrow], to=TensorProto.FLOAT)
        cut.add("Mul", [wide, scale], made)


@graph("the share of the layers; 0: one", 1, 0.3, 0)
def accumulated_in_float16(cut: Surgery, strength: float) -> None:
    """What convolutions and matrix products give is rounded to float16."""
    from onnx import TensorProto

    for value in cut.some(cut.activations("Conv", "ConvTranspose", "Gemm", "MatMul"), strength):
        honest, made = cut.between(value)
        narrow = cut.add("Cast", [honest], to=TensorProto.FLOAT16)
        cut.add("Cast", [narrow], made, to=TensorProto.FLOAT)


@graph("the share of the channels that are dropped", 0.5, 0.1, 0.01)
def dropout_left_on(cut: Surgery, strength: float) -> None:
    """Dropout is on: some channels of one layer are zero and the others larger."""
    found = [(value, size) for value in cut.activations() for size in cut.channels(value)]
    for value, size in cut.one(found):
        shape = cut.shape(value) or ()
        kept = (cut.random.permutation(size) >= share_of(size, strength)) / (1 - strength)
        mask = kept.astype(np.float32).reshape(1, size, *[1] * (len(shape) - 2))
        honest, made = cut.between(value)
        cut.add("Mul", [honest, cut.hold(mask)], made)
