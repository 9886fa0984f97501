"""/predict with raw bodies: a photo, a recording or a table as it is, by its Content-Type.

A model with one such input takes the file itself. Any model with declared steps takes JSON, with
an entry for each input:

    {"inputs": {"image": {"base64": "/9j/4AAQ…"}, "features": [[0.5, 1.0]]}}

A raw input is a file in base64, or a table as JSON itself; any other is its values, nested as its
shape, or an .npy file in base64.
"""

from __future__ import annotations

import binascii
import json
from typing import NamedTuple

import numpy as np

from serving import media, npy
from serving.checks import check_complete, check_names, check_shape
from serving.compression import unpacked
from serving.literals import array_from
from serving.messages import Request
from serving.model import Description, Tensor
from serving.protocol import parsed
from serving.refusals import Refused, shown


class Given(NamedTuple):
    """What a request brings: the bytes of raw inputs, and tensors."""

    raw: dict[str, bytes]
    tensors: dict[str, np.ndarray]


def is_for(request: Request, about: Description) -> bool:
    """Whether the answer is to be in words: the model has steps, and no NumPy file is asked for."""
    if about.steps is None:
        return False
    return not npy.is_file(request.body) or media.JSON in media.wanted(request)


def read(request: Request, about: Description) -> Given:
    """The inputs in a body. Raises Refused."""
    if npy.is_file(request.body):
        return Given({}, npy.read(request, about))
    body, kind = unpacked(request), media.stated(request)
    if not body:
        raise Refused(422, f"the body is empty; {_takes(about)}")
    asked = _by_name(body) if kind == media.JSON else None
    if asked is not None:
        return _parts(asked, about)
    name = _only_raw(about)
    if name is not None and _is_of(kind, body, about.steps.inputs[name].media):
        return Given({name: body}, {})
    raise Refused(415, _wrong(kind, body, about))


def _only_raw(about: Description) -> str | None:
    (name, *others) = about.inputs
    return name if not others and name in about.steps.inputs else None


def _is_of(kind: str, body: bytes, known: tuple[str, ...]) -> bool:
    said_nothing = kind in ("", media.OCTETS)
    return media.takes(known, media.seen(body) if said_nothing else kind)


def _wrong(kind: str, body: bytes, about: Description) -> str:
    came = f"the body came as {kind or 'no Content-Type'}"
    name, seen = _only_raw(about), media.seen(body)
    if name is None:
        return f"{came}; {_takes(about)}"
    known = about.steps.inputs[name].media
    right = seen if media.takes(known, seen) else known[0]
    looks = f" and looks like {seen}" if seen else ""
    return f"{came}{looks}; {_takes(about)}. With curl: -H 'Content-Type: {right}'"


def _takes(about: Description) -> str:
    name = _only_raw(about)
    example = {each: {"base64": "..."} for each in about.inputs}
    as_json = f"{media.JSON} as {json.dumps({'inputs': example})}"
    known = [] if name is None else [", ".join(about.steps.inputs[name].media)]
    return f"/predict takes {', or '.join([*known, as_json])}, or a NumPy file with the tensors"


def _by_name(body: bytes) -> dict | None:
    """The entries of {"inputs": {…}}; None for any other JSON, which a table may be."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return None
    named = asked.get("inputs") if isinstance(asked, dict) else None
    # Once more, strictly: NaN is no JSON, and no object has a key twice.
    return parsed(body)["inputs"] if isinstance(named, dict) else None


def _parts(asked: dict, about: Description) -> Given:
    check_names(list(asked), about.inputs, "input")
    check_complete(asked, about.inputs)
    raw = {name: _file(name, asked[name], about) for name in about.steps.inputs}
    rest = [tensor for name, tensor in about.inputs.items() if name not in raw]
    return Given(raw, {tensor.name: _tensor(asked[tensor.name], tensor, about) for tensor in rest})


def _file(name: str, said: object, about: Description) -> bytes:
    if isinstance(said, dict) and list(said) == ["base64"]:
        return _bytes(name, said["base64"])
    if media.takes(about.steps.inputs[name].media, media.JSON):
        return json.dumps(said).encode()
    raise Refused(
        422, f'input {name!r}: expected {{"base64": "..."}} with a file, got {shown(said)}'
    )


def _bytes(name: str, text: object) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (TypeError, ValueError):
        raise Refused(422, f"input {name!r}: {shown(text)} is not base64") from None


def _tensor(said: object, tensor: Tensor, about: Description) -> np.ndarray:
    if isinstance(said, dict) and list(said) == ["base64"]:
        return npy.array(_bytes(tensor.name, said["base64"]), tensor, about)
    shape, inner = [], said
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    check_shape(tensor, shape, about)
    return array_from(said if shape else [said], tensor, tuple(shape))
