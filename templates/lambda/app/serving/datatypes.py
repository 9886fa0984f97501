"""The protocol's names of datatypes, and what numpy and ONNX Runtime call the same thing.

BF16 and BYTES are missing on purpose: ONNX Runtime's Python API hands out neither as a plain numpy
array. A model that has one is refused when it is loaded.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Datatype(NamedTuple):
    """One datatype: numpy's, little-endian as the protocol has it, and ONNX Runtime's name."""

    numpy: np.dtype
    onnx: str


DATATYPES = {
    "BOOL": Datatype(np.dtype(np.bool_), "tensor(bool)"),
    "INT8": Datatype(np.dtype(np.int8), "tensor(int8)"),
    "INT16": Datatype(np.dtype(np.int16), "tensor(int16)"),
    "INT32": Datatype(np.dtype(np.int32), "tensor(int32)"),
    "INT64": Datatype(np.dtype(np.int64), "tensor(int64)"),
    "UINT8": Datatype(np.dtype(np.uint8), "tensor(uint8)"),
    "UINT16": Datatype(np.dtype(np.uint16), "tensor(uint16)"),
    "UINT32": Datatype(np.dtype(np.uint32), "tensor(uint32)"),
    "UINT64": Datatype(np.dtype(np.uint64), "tensor(uint64)"),
    "FP16": Datatype(np.dtype(np.float16), "tensor(float16)"),
    "FP32": Datatype(np.dtype(np.float32), "tensor(float)"),
    "FP64": Datatype(np.dtype(np.float64), "tensor(double)"),
}


def spelled(dtype: np.dtype) -> str:
    """A numpy dtype as a message says it: "FP32 (float32)"."""
    plain = dtype.newbyteorder("=") if dtype.byteorder not in "=|" else dtype
    names = [name for name, known in DATATYPES.items() if known.numpy == plain]
    return f"{names[0]} ({plain.name})" if names else str(dtype)
