"""A golden call from raw bytes as POST /predict, and the answer in words as tensors.

A model with one input is sent the file itself, its Content-Type told from the file's own first
bytes; one with several gets JSON, files in base64. Written from the contract's description, as
calls.py is, and not with the app's code.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Container
from typing import Any, NoReturn

import numpy as np

from deploy_targets.records import BYTES, Answer, Array, Manifest, Tensors
from deploy_targets.stages import said
from deploy_targets.targets.aws_lambda import calls

_MAGIC = {
    rb"\xff\xd8\xff": "image/jpeg",
    rb"\x89PNG\r\n\x1a\n": "image/png",
    rb"RIFF....WEBP": "image/webp",
    rb"GIF8[79]a": "image/gif",
    rb"BM": "image/bmp",
    rb"II\*\0|MM\0\*": "image/tiff",
    rb"(RIFF|RF64)....WAVE": "audio/wav",
    rb"fLaC": "audio/flac",
    rb"OggS": "audio/ogg",
    rb"\s*[\[{]": "application/json",
}
_SPANS = ("decode", "before", "run", "after")


def event(inputs: Tensors, raw: Container[str], name: str) -> dict[str, Any]:
    """The event that asks from raw bytes. `raw`: the inputs that are files."""
    if len(inputs) == 1 and all(key in raw for key in inputs):
        (body,) = (array.tobytes() for array in inputs.values())
        kind = content_type(body)
    else:
        body, kind = json.dumps({"inputs": _parts(inputs, raw)}).encode(), "application/json"
    return calls.event("POST", "/predict", body, {"content-type": kind}, request_id=name)


def content_type(data: bytes) -> str:
    """What a client would call this file; text without a sign of its own is a table."""
    found = (kind for magic, kind in _MAGIC.items() if re.match(magic, data, re.DOTALL))
    return next(found, "text/csv")


def answer(returned: bytes, manifest: Manifest) -> Answer:
    """The tensors in what the function said. Raises Refused, said.Unreadable."""
    status, headers, body = calls.response(returned)
    if status != 200:
        raise calls.Refused(f"HTTP {status}: {body[:500].decode(errors='replace')}")
    try:
        words = json.loads(body, object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise calls.Refused(f"the answer is no JSON ({error}): {body[:200]!r}") from error
    if not isinstance(words, dict):
        raise calls.Refused(f"the answer is no JSON object: {body[:200]!r}")
    tensors = said.tensors_of(words, manifest.signatures[BYTES].outputs, manifest.stages)
    return Answer(tensors, calls.seconds(headers, _SPANS))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"a key comes twice among {[key for key, _ in pairs]}")
    return found


def _no_constant(token: str) -> NoReturn:
    raise ValueError(f"{token} is no JSON")


def raw_inputs(manifest: Manifest) -> frozenset[str]:
    """The inputs that come as files."""
    return frozenset(stage.of for stage in manifest.stages if stage.side == "before")


def _parts(inputs: Tensors, raw: Container[str]) -> dict[str, dict[str, str]]:
    files = {k: array.tobytes() if k in raw else _npy(array) for k, array in inputs.items()}
    return {key: {"base64": base64.b64encode(file).decode()} for key, file in files.items()}


def _npy(array: Array) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
