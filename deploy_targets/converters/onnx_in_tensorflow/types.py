"""Datatypes: TF.js computes in float32, int32 and bool, and in nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]
from onnx import TensorProto

if TYPE_CHECKING:
    from .value import Node

_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)
_WHOLE = (
    *(TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64),
    *(TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64),
)
WRAPPING = (
    *(TensorProto.INT8, TensorProto.INT16),
    *(TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64),
)
"""Held in int32, which has other limits: operators that compute in them are refused."""
MOVING = frozenset(
    (
        *("Concat", "Constant", "DepthToSpace", "Expand", "Flatten", "Gather", "GatherND"),
        *("Identity", "Max", "Min", "Pad", "Reshape", "Slice", "Split", "Squeeze", "Tile"),
        *("Transpose", "Unsqueeze", "Where"),
    )
)
"""Operators that compute nothing: their answers are among what they are given."""
_LIMITS = np.iinfo(np.int32)


def stored(kind: int, node: Node) -> Any:
    """What holds ONNX's datatype of this number."""
    if kind in _FLOATS:
        return tf.float32
    if kind in _WHOLE:
        return tf.int32
    if kind == TensorProto.BOOL:
        return tf.bool
    raise node.refused(f"the datatype {TensorProto.DataType.Name(kind)}")


def narrowed(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """A constant as TF.js holds it; None where it is neither a number nor a flag.

    Whole numbers beyond 32 bits stay what they are: in slices they stand for "to the end", and
    nothing else takes them.
    """
    if array.dtype == np.bool_:
        return array
    if array.dtype.kind in "iu":
        fits = not array.size or (array.min() >= _LIMITS.min and array.max() <= _LIMITS.max)
        return array.astype(np.int32) if fits else array
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    return None
