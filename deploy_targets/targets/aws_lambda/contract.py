"""A signature as the Open Inference Protocol has it: model.json, and the one entry to call.

In: the model's signature. Out: what the app in templates/lambda/app reads as model.json, and the
entries through which golden is asked, with what one call to Lambda can carry.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from deploy_targets.binding import identity
from deploy_targets.records import BYTES, Entry, Signature, TensorSpec

DATATYPES = {
    "bool": "BOOL",
    **{
        f"{sign}int{bits}": f"{sign.upper()}INT{bits}"
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
    **{f"float{bits}": f"FP{bits}" for bits in (16, 32, 64)},
}
"""numpy's names -> the protocol's."""

EVENT_BYTES = 6 * 1024 * 1024
"""What Lambda takes in one event, and gives in one answer, as JSON text."""

_AROUND = 8192
"""Bytes kept free for headers, and for the protocol's own JSON before the tensors."""

_WORDY = 16
"""A class's score of four bytes is about sixty characters in words, with index and label."""

_CARRIED = (EVENT_BYTES - _AROUND) // 4 * 3
"""Bytes of a binary body that an event has room for."""


def problems(signature: Signature) -> tuple[str, ...]:
    """Why the protocol cannot carry these tensors."""
    return tuple(
        f"{spec.name} is {spec.dtype}, which the Open Inference Protocol's servers do not carry"
        for spec in (*signature.inputs, *signature.outputs)
        if spec.dtype not in DATATYPES
    )


def entry(signature: Signature) -> Entry:
    """POST /v2/models/NAME/infer, with the tensors in binary and so in base64."""
    whole = identity(signature, "infer")
    return dataclasses.replace(whole, max_input_bytes=_CARRIED, max_output_bytes=_CARRIED)


def raw_entry(signature: Signature) -> Entry:
    """POST /predict, from raw bytes to words; `signature` is that of the steps and the model."""
    several = len(signature.inputs) > 1
    # Several inputs travel as JSON, in which their bytes are base64 once more.
    carried = _CARRIED // 4 * 3 - _AROUND if several else _CARRIED
    # A mask travels as a PNG, and so how much of it fits depends on what is in it.
    drawn = any(spec.kind == "segmentation" for spec in signature.outputs)
    return dataclasses.replace(
        identity(signature, "predict"),
        golden=BYTES,
        max_input_bytes=carried,
        max_output_bytes=None if drawn else _CARRIED // _WORDY,
    )


def model_json(name: str, signature: Signature, digest: str) -> dict[str, Any]:
    """What the app needs to know of the model beside its graph."""
    return {
        "name": name,
        "version": "1",
        "inputs": [_tensor(spec) for spec in signature.inputs],
        "outputs": [_tensor(spec) for spec in signature.outputs],
        "axes": {axis.name: [axis.minimum, axis.maximum] for axis in signature.axes},
        "digest": digest,
    }


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "datatype": DATATYPES[spec.dtype],
        "shape": [dim if isinstance(dim, int) else -1 for dim in spec.shape],
        "axes": list(spec.shape),
    }
