"""What /openapi.json says of /predict where a model has declared steps: raw bodies, and words."""

from __future__ import annotations

from serving.media import JSON, PNG
from serving.model import Description
from serving.steps import RawInput, Step, Steps

_FILE = {"type": "string", "format": "binary"}
_SCORE = {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}
_BASE64 = {
    "type": "object",
    "required": ["base64"],
    "properties": {"base64": {"type": "string", "contentEncoding": "base64"}},
}


def taken(about: Description) -> dict[str, dict]:
    """Content type of a body -> its schema."""
    steps = about.steps
    named = {"application/json": {"schema": _by_name(about)}}
    (name, *others) = about.inputs
    if others or name not in steps.inputs:
        return named
    files = {kind: {"schema": _FILE} for kind in steps.inputs[name].media if kind != JSON}
    if JSON not in steps.inputs[name].media:
        return {**files, **named}
    return {**files, JSON: {"schema": {"anyOf": [_by_name(about), _TABLE]}}}


def given(steps: Steps) -> dict[str, dict]:
    """Content type of an answer -> its schema."""
    said = {step["of"]: _said(step, steps) for step in steps.host if step["op"] == "label"}
    rest = [name for name in steps.gives if name.removesuffix(".scores") not in said]
    plain = {name: {} for name in rest if name.removesuffix(".indices") not in said}
    schema = {"type": "object", "required": [*said, *plain], "properties": {**said, **plain}}
    return {JSON: {"schema": schema}, **({PNG: {"schema": _FILE}} if steps.drawn else {})}


def _by_name(about: Description) -> dict:
    each = {
        name: _part(about.steps.inputs[name]) if name in about.steps.inputs else _VALUES
        for name in about.inputs
    }
    inputs = {"type": "object", "required": list(each), "properties": each}
    return {"type": "object", "required": ["inputs"], "properties": {"inputs": inputs}}


def _part(raw: RawInput) -> dict:
    return {"anyOf": [_BASE64, _TABLE]} if JSON in raw.media else _BASE64


_TABLE = {
    "description": "rows: objects by column, or lists in the order of the columns",
    "anyOf": [{"type": "array"}, {"type": "object"}],
}
_VALUES = {
    "description": "the values, nested as the shape, or an .npy file in base64",
    "anyOf": [{"type": "array"}, _BASE64],
}


def _said(step: Step, steps: Steps) -> dict:
    options = step["options"]
    label = {} if options["labels"] is None else {"label": {"type": "string"}}
    item = _SAYS[options["says"]](label)
    one_each = options["says"] in ("classes", "mask") and not steps.single
    return _list(item) if one_each else item


def _classes(label: dict) -> dict:
    return _list(_object({**label, "index": {"type": "integer"}, "score": _SCORE}))


def _boxes(label: dict) -> dict:
    box = {**_list(_SCORE), "minItems": 4, "maxItems": 4, "description": "x1, y1, x2, y2"}
    return _list(_object({**label, "class": {"type": "integer"}, "score": _SCORE, "box": box}))


def _mask(label: dict) -> dict:
    share = _object({**label, "index": {"type": "integer"}, "share": {"type": "number"}})
    size = {**_list({"type": "integer"}), "description": "height, width"}
    png = {"type": "string", "contentEncoding": "base64", "contentMediaType": PNG}
    return _object({"size": size, "png": png, "classes": _list(share)})


def _text(label: dict) -> dict:
    ids = {"ids": _list({"type": "integer"})}
    return _object({"text": {"type": "string"}, **ids} if label else ids)


_SAYS = {"classes": _classes, "boxes": _boxes, "mask": _mask, "text": _text}


def _list(items: dict) -> dict:
    return {"type": "array", "items": items}


def _object(properties: dict) -> dict:
    return {"type": "object", "required": list(properties), "properties": properties}
