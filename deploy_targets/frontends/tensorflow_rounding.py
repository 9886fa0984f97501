"""A frozen graph of TensorFlow's, computed with other roundings.

In: a Frozen. Out: for a rounding the answers of the graph as it is and as it is varied; how far the
two are apart is looked at, and where they lie is not. Operands move by an ulp as PyTorch's do in
rounding.py: each floating operand of each operation, and every sum by what adding up its terms one
after another would cost.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy_targets.frontends.tensorflow_frozen import Frozen
from deploy_targets.frontends.tensorflow_interpreter import Interpreter, Plain
from deploy_targets.frontends.tensorflow_quiet import quiet, tensorflow
from deploy_targets.graph.jitter import IN_SEQUENCE
from deploy_targets.records import Array
from deploy_targets.runtime import Rounding

POOL = 1 << 20
"""Random signs drawn once and used again from random places."""

SHORT = 0xFFF
"""The low bits of a float32. Where they are all zero the number is most likely exact in every
implementation, and moving it could make a step jump."""

PRODUCTS = frozenset(
    {"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "Conv1D", "Conv2D"}
    | {"Conv3D", "Conv2DBackpropInput", "Conv3DBackpropInputV2", "DepthwiseConv2dNative"}
)
"""Whose results nobody takes for exact: here short numbers move, too."""

BOUNDED = frozenset({"Sigmoid", "Tanh", "Erf"})
"""Runtimes compute them by polynomials, right to an ulp of their range and not of each value."""

FIRST_ONLY = frozenset({"Pow", "ClipByValue"})
"""Their other operands are settings, which no implementation rounds."""

# fmt: off
MOVES = frozenset((
    "Abs", "ArgMax", "ArgMin", "BatchToSpace", "BatchToSpaceND", "Bitcast", "BroadcastTo",
    "Bucketize", "Cast", "Ceil", "CheckNumerics", "Concat", "ConcatV2", "DepthToSpace",
    "DynamicPartition", "DynamicStitch", "Equal", "ExpandDims", "Fill", "Floor", "Gather",
    "GatherNd", "GatherV2", "Greater", "GreaterEqual", "IsFinite", "IsInf", "IsNan", "Less",
    "LessEqual", "MatrixBandPart", "Max", "MaxPool", "MaxPool3D", "MaxPoolV2", "Maximum", "Min",
    "Minimum", "MirrorPad", "Neg", "NonMaxSuppressionV3", "NonMaxSuppressionV4",
    "NonMaxSuppressionV5", "NotEqual", "OneHot", "OnesLike", "Pack", "Pad", "PadV2", "Range",
    "Rank", "Relu", "Relu6", "Reshape", "ResizeNearestNeighbor", "ReverseSequence", "ReverseV2",
    "Rint", "Roll", "Round", "ScatterNd", "Select", "SelectV2", "Shape", "ShapeN", "Sign", "Size",
    "Slice", "SpaceToBatch", "SpaceToBatchND", "SpaceToDepth", "Split", "SplitV", "Squeeze",
    "StridedSlice", "TensorListElementShape", "TensorListFromTensor", "TensorListGather",
    "TensorListGetItem", "TensorListPushBack", "TensorListReserve", "TensorListSetItem",
    "TensorListStack", "TensorScatterUpdate", "Tile", "TopKV2", "Transpose", "Unique", "Unpack",
    "Where", "ZerosLike",
))
# fmt: on
"""Operations that move numbers or compare them, and round nothing."""

Floats = NDArray[np.float32]


class Varied:
    """The graph, ready to be computed in several ways."""

    def __init__(self, frozen: Frozen) -> None:
        self._frozen, self._interpreter = frozen, Interpreter(frozen)
        self._last: tuple[bytes, list[Array]] = (b"", [])
        self._sessions: dict[bool, Any] = {}

    def both(
        self, rounding: Rounding, seed: int, arrays: Sequence[Array]
    ) -> tuple[list[Array], list[Array]]:
        """Outputs in order: as they are, and with this rounding."""
        with quiet():
            if rounding is Rounding.DOUBLE:
                return self._still(arrays), self._interpreted(_widened(arrays), _Double())
            if rounding is Rounding.OPERANDS:
                return self._still(arrays), self._interpreted(arrays, Jitter(seed))
            optimized = rounding is Rounding.OPTIMIZED
            return self._still(arrays), self._in_session(arrays, optimized=optimized)

    def _still(self, arrays: Sequence[Array]) -> list[Array]:
        """Kept for the next question, which is most often the same with another seed."""
        key = hashlib.sha256(repr([(a.shape, a.dtype) for a in arrays]).encode())
        for array in arrays:
            key.update(np.ascontiguousarray(array).tobytes())
        if key.digest() != self._last[0]:
            self._last = key.digest(), self._interpreted(arrays, Plain())
        return self._last[1]

    def _interpreted(self, arrays: Sequence[Array], way: Any) -> list[Array]:
        tf = tensorflow()
        tensors = [tf.constant(array) for array in arrays]
        return [tensor.numpy() for tensor in self._interpreter.run(tensors, way)]

    def _in_session(self, arrays: Sequence[Array], *, optimized: bool) -> list[Array]:
        """All optimisations, or one thread without any."""
        if optimized not in self._sessions:
            self._sessions[optimized] = _session(self._frozen, optimized=optimized)
        feeds = dict(zip(self._frozen.inputs, arrays, strict=True))
        found: list[Array] = self._sessions[optimized].run(list(self._frozen.outputs), feeds)
        return found


def _session(frozen: Frozen, *, optimized: bool) -> Any:
    tf = tensorflow()
    config = tf.compat.v1.ConfigProto(device_count={"GPU": 0})
    if not optimized:
        config.intra_op_parallelism_threads = config.inter_op_parallelism_threads = 1
        config.use_per_session_threads = True
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        config.graph_options.optimizer_options.opt_level = -1
    graph = tf.Graph()
    with graph.as_default():
        tf.graph_util.import_graph_def(frozen.graph, name="")
    return tf.compat.v1.Session(graph=graph, config=config)


def _widened(arrays: Sequence[Array]) -> list[Array]:
    return [a.astype(np.float64) if a.dtype == np.float32 else a for a in arrays]


class _Double(Plain):
    """Float64 wherever the graph says float32."""

    def kind(self, dtype: Any) -> Any:
        tf = tensorflow()
        return tf.float64 if dtype == tf.float32 else dtype


class Jitter(Plain):
    """Operations whose results are floating see operands moved by an ulp."""

    def __init__(self, seed: int) -> None:
        self._draw = np.random.default_rng(seed)
        signs = self._draw.integers(0, 2, POOL, dtype=np.int8).astype(np.float32)
        self._factors: Floats = (1 + np.float32(2.0**-23) * (2 * signs - 1)).astype(np.float32)
        self._normal: Floats = self._draw.standard_normal(POOL, dtype=np.float32)
        self._weights: dict[int, tuple[Any, Any]] = {}

    def constant(self, value: Any) -> Any:
        # A weight is one number in one implementation, however often it is used.
        self._weights.setdefault(id(value), (value, None))
        return value

    def compute(self, op: Any, inputs: list[Any], call: Any) -> list[Any]:
        tf = tensorflow()
        if op.type in MOVES or not any(out.dtype == tf.float32 for out in op.outputs):
            return super().compute(op, inputs, call)
        every = op.type in PRODUCTS
        last = 1 if op.type in FIRST_ONLY else len(inputs)
        moved = [self._moved(one, every) for one in inputs[:last]]
        made: list[Any] = call([*moved, *inputs[last:]])
        if (terms := _terms(op, inputs, made)) > 1:
            return [self._summed(made[0].numpy(), terms), *made[1:]]
        if op.type in BOUNDED:
            value = made[0].numpy()
            return [tf.constant(value + self._window(self._normal, value) * np.float32(2.0**-24))]
        return made

    def _moved(self, tensor: Any, every: bool) -> Any:
        tf = tensorflow()
        if tensor.dtype != tf.float32 or not tensor.shape.num_elements():
            return tensor
        held = self._weights.get(id(tensor))
        if held and held[1] is not None:
            return held[1]
        value = tensor.numpy()
        moved = value * self._window(self._factors, value)
        if not every:
            moved = np.where((value.view(np.uint32) & SHORT) == 0, value, moved)
        found = tf.constant(moved)
        if held:
            self._weights[id(tensor)] = (tensor, found)
        return found

    def _summed(self, value: Floats, terms: float) -> Any:
        """The result as if its terms had been added one after another."""
        if value.size:
            # A sum that cancels rounds as its terms do, which are as large as its neighbours.
            size = np.maximum(np.abs(value), np.sqrt(np.mean(np.square(value))))
            off = np.float32(IN_SEQUENCE * math.sqrt(terms) * 2.0**-24)
            value = value + off * size * self._window(self._normal, value)
        return tensorflow().constant(value)

    def _window(self, pool: Floats, like: Floats) -> Floats:
        # Drawing anew for each operand would cost more than the model itself.
        if like.size > POOL // 2:
            pool = np.tile(pool, -(-2 * like.size // POOL))
        start = int(self._draw.integers(0, len(pool) - like.size))
        return pool[start : start + like.size].reshape(like.shape)


def _terms(op: Any, inputs: Sequence[Any], made: Sequence[Any]) -> float:
    """How many terms each number of a result is the sum of; 1 where it is none."""
    shapes = [list(tensor.shape) if tensor.dtype.name != "variant" else [] for tensor in inputs]
    first, last = (shapes[0], shapes[-1]) if shapes else ([], [])
    match op.type:
        case "MatMul":
            return float(first[0 if op.get_attr("transpose_a") else 1])
        case "BatchMatMul" | "BatchMatMulV2" | "BatchMatMulV3":
            return float(first[-2 if op.get_attr("adj_x") else -1])
        case "Conv2D" | "Conv3D":
            return float(math.prod(last[:-1]))
        case "DepthwiseConv2dNative":
            return float(math.prod(last[:2]))
        case "Conv2DBackpropInput" | "Conv3DBackpropInputV2":
            return float(math.prod(shapes[1]) / shapes[1][-2])
        case "Einsum":
            return _contracted(op.get_attr("equation").decode(), shapes)
        case "Softmax" | "LogSoftmax":
            return float(first[-1]) if first else 1.0
        case "AvgPool" | "AvgPool3D":
            return float(math.prod(op.get_attr("ksize")))
        case "Mean" | "Sum" | "EuclideanNorm":
            return float(math.prod(first) / max(math.prod(made[0].shape), 1))
        case "Cumsum":
            return float(max(first, default=1))
    return 1.0


def _contracted(equation: str, shapes: Sequence[Sequence[int]]) -> float:
    """The product of the sizes that an einsum sums over."""
    takes, _, gives = equation.partition("->")
    sizes: dict[str, int] = {}
    for labels, shape in zip(takes.split(","), shapes, strict=True):
        left, dots, right = labels.partition("...")
        sizes |= dict(zip(left, shape, strict=not dots))
        sizes |= dict(zip(reversed(right), reversed(shape), strict=False))
    return float(math.prod(size for label, size in sizes.items() if label not in gives))
