"""/predict: a tensor as .npy, or several by name as .npz, in and out.

What came is seen from its first bytes, not from Content-Type, because curl sends a wrong one. What
goes back is .npy for one output and .npz for several, unless the Accept header asks for .npz.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

import numpy as np

from serving.checks import (
    check_complete,
    check_dtype,
    check_names,
    check_shape,
    check_together,
)
from serving.limits import UNPACKED
from serving.messages import Request, Response
from serving.model import Description, Tensor
from serving.refusals import Refused

NPY = "application/x-npy"
NPZ = "application/x-npz"
_NAMES = {
    "npy": frozenset({NPY, "application/octet-stream", "application/*", "*/*"}),
    "npz": frozenset({NPZ, "application/zip", "application/octet-stream", "application/*", "*/*"}),
}


def read(request: Request, description: Description) -> dict[str, np.ndarray]:
    """The inputs in a body. Raises Refused."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refused(422, "/predict takes no Content-Encoding; np.savez_compressed packs an .npz")
    if request.body.startswith(b"\x93NUMPY"):
        arrays = {_only_input(description): request.body}
    elif request.body.startswith(b"PK"):
        arrays = _members(request.body, description)
    else:
        raise Refused(
            422,
            "the body is neither .npy nor .npz; send the file as it is "
            "(curl --data-binary @x.npy -H 'Content-Type: application/octet-stream')",
        )
    inputs = {
        name: array(raw, description.inputs[name], description) for name, raw in arrays.items()
    }
    check_together(description, {name: array.shape for name, array in inputs.items()})
    return inputs


def is_file(body: bytes) -> bool:
    """Whether a body begins as .npy or .npz does."""
    return body.startswith((b"\x93NUMPY", b"PK"))


def _only_input(description: Description) -> str:
    if len(description.inputs) > 1:
        raise Refused(
            422,
            "one .npy came, but this model takes several inputs; send an .npz with the arrays "
            + ", ".join(description.inputs),
        )
    return next(iter(description.inputs))


def _members(body: bytes, description: Description) -> dict[str, bytes]:
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = archive.infolist()
            names = [member.filename.removesuffix(".npy") for member in members]
            check_names(names, description.inputs, "input")
            check_complete(names, description.inputs)
            if sum(member.file_size for member in members) > UNPACKED:
                raise Refused(413, f"the .npz unpacks to more than {UNPACKED:,} bytes")
            return {name: archive.read(member) for name, member in zip(names, members, strict=True)}
    except Refused:
        raise
    except Exception as problem:
        # zipfile has many ways to say it: BadZipFile, zlib.error, NotImplementedError, EOFError…
        raise Refused(422, f"the .npz cannot be read ({type(problem).__name__})") from None


def array(raw: bytes, tensor: Tensor, description: Description) -> np.ndarray:
    """The tensor in an .npy. Raises Refused.

    The header is judged before the data is touched: it may claim any size.
    """
    file = io.BytesIO(raw)
    try:
        version = np.lib.format.read_magic(file)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read_header(file)
    except Exception:
        raise Refused(
            422, f"input {tensor.name!r}: not an .npy of version 1 or 2, or its header is damaged"
        ) from None
    check_dtype(tensor, dtype)
    check_shape(tensor, shape, description)
    expected, got = math.prod(shape) * dtype.itemsize, len(raw) - file.tell()
    if got != expected:
        raise Refused(
            422,
            f"input {tensor.name!r}: {tensor.datatype} of shape {list(shape)} is {expected} bytes "
            f"behind the header, got {got}",
        )
    flat = np.frombuffer(raw, dtype=dtype, offset=file.tell())
    if dtype.kind == "b" and flat.size and flat.view(np.uint8).max() > 1:
        raise Refused(422, f"input {tensor.name!r}: a BOOL is a byte 0 or 1")
    shaped = flat.reshape(shape, order="F" if fortran else "C")
    return np.asarray(shaped, dtype=tensor.known.numpy, order="C")


def form_of(request: Request, description: Description) -> str:
    """Which of "npy" and "npz" to answer with. Raises Refused (406)."""
    possible = ["npy", "npz"] if len(description.outputs) == 1 else ["npz"]
    accept = request.headers.get("accept", "").lower() or "*/*"
    ranges = {part.split(";")[0].strip() for part in accept.split(",")}
    for form in possible:
        if ranges & _NAMES[form]:
            return form
    names = {"npy": NPY, "npz": NPZ}
    raise Refused(406, f"this answer can be {' or '.join(names[form] for form in possible)}")


def write(form: str, outputs: Mapping[str, np.ndarray]) -> Response:
    """The outputs, by name where there can be several."""
    if form == "npy":
        return Response(200, {"content-type": NPY}, _file(next(iter(outputs.values()))))
    import zipfile

    file = io.BytesIO()
    # Not np.savez: it takes the names as keywords, and has keywords of its own.
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in outputs.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), _file(array))
    return Response(200, {"content-type": NPZ}, file.getvalue())


def _file(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
