"""safetensors <-> numpy, without the package: the oldest devices have none of it.

A file is eight bytes of length, so many bytes of JSON, and the tensors' bytes, little endian.
"""

from __future__ import annotations

import json
import os
import struct

import numpy as np

from .errors import Damaged

DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BOOL": "|b1",
    "U8": "|u1",
    "I8": "|i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
}
CODES = {np.dtype(name): code for code, name in DTYPES.items()}


def read(path):
    """Name -> array, and the metadata. Raises Damaged."""
    try:
        with open(path, "rb") as file:
            body = file.read()
        size = struct.unpack_from("<Q", body)[0]
        header = json.loads(body[8 : 8 + size].decode("utf-8"))
        said = header.pop("__metadata__", {})
        return {name: _array(body, 8 + size, each) for name, each in header.items()}, said
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise Damaged(
            f"{path} is no safetensors file: {error}", "copy the bundle's folder again"
        ) from None


def write(path, tensors, said):
    """Writes name -> array, and text metadata. The file is there whole or not at all."""
    header, parts, at = {"__metadata__": dict(said)}, [], 0
    for name, array in tensors.items():
        raw = np.asarray(array, order="C").tobytes()
        header[name] = {
            "dtype": CODES[np.asarray(array).dtype],
            "shape": list(array.shape),
            "data_offsets": [at, at + len(raw)],
        }
        parts.append(raw)
        at += len(raw)
    text = json.dumps(header).encode("utf-8")
    text += b" " * (-len(text) % 8)
    beside = f"{path}.part"
    with open(beside, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
    os.replace(beside, path)


def _array(body, start, each):
    first, last = each["data_offsets"]
    flat = np.frombuffer(body[start + first : start + last], DTYPES[each["dtype"]])
    return flat.reshape(each["shape"])
