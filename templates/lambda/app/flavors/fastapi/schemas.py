"""What /openapi.json says of each route, in the model's own names, datatypes and shapes."""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import quote

import raw_schemas
from serving.literals import NON_FINITE
from serving.model import Description, Tensor


class Operation(NamedTuple):
    """One route as OpenAPI describes it."""

    name: str
    method: str
    path: str
    summary: str
    extra: dict


def operations(about: Description) -> list[Operation]:
    """Every route, in the order in which the page shows them."""
    model = f"/v2/models/{quote(about.name, safe='')}"
    version = f"{model}/versions/{quote(about.version, safe='')}"
    return [
        _predict(about),
        _infer("infer", f"{model}/infer", about),
        _infer("infer_version", f"{version}/infer", about),
        _get("live", "/v2/health/live", "Whether the function runs", ["live"]),
        _get("ready", "/v2/health/ready", "Whether it can answer", ["ready"]),
        _get("server", "/v2", "What serves", ["name", "version", "extensions"]),
        _get("model", model, "What the model takes and gives", _METADATA),
        _get("model_version", version, "The same, of one version", _METADATA),
        _get("model_ready", f"{model}/ready", "Whether the model can answer", _READY),
        _get("model_version_ready", f"{version}/ready", "The same, of one version", _READY),
        Operation("openapi", "GET", "/openapi.json", "This description", _page("application/json")),
        Operation("docs", "GET", "/docs", "This description, to be read", _page("text/html")),
    ]


_METADATA = ["name", "versions", "platform", "inputs", "outputs"]
_READY = ["name", "ready"]
_ERROR = {
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
}
_WHEN = {
    "404": "No such route, model or version",
    "406": "The answer cannot be what Accept asks for",
    "413": "The request or its answer is larger than can be carried",
    "415": "The body is of another kind than the model takes",
    "422": "The body cannot be read, or is not what the model takes",
    "500": "The function failed; its log says why",
}


def _responses(content: dict, *errors: str) -> dict:
    refused = {"application/json": {"schema": _ERROR}}
    return {
        "200": {"description": "The answer", "content": content},
        **{status: {"description": _WHEN[status], "content": refused} for status in errors},
    }


def _page(content_type: str) -> dict:
    return {"responses": _responses({content_type: {}})}


def _get(name: str, path: str, summary: str, keys: list[str]) -> Operation:
    schema = {"type": "object", "required": keys}
    extra = {"responses": _responses({"application/json": {"schema": schema}})}
    return Operation(name, "GET", path, summary, extra)


def _predict(about: Description) -> Operation:
    single = len(about.inputs) == 1
    form = "an .npy array" if single else "an .npz with " + ", ".join(about.inputs)
    gives = ["application/x-npz"] + ["application/x-npy"] * (len(about.outputs) == 1)
    binary = {"schema": {"type": "string", "format": "binary"}}
    takes = ["application/octet-stream", "application/x-npz"] + ["application/x-npy"] * single
    raw = raw_schemas.taken(about) if about.steps else {}
    words = raw_schemas.given(about.steps) if about.steps else {}
    extra = {
        "requestBody": {
            "required": True,
            "description": f"{form}: {_listed(about.inputs.values())}",
            "content": {**raw, **{content_type: binary for content_type in takes}},
        },
        "responses": _responses(
            {**words, **{content_type: binary for content_type in gives}},
            *("406", "413", *(["415"] if raw else []), "422", "500"),
        ),
    }
    summary = "Raw bodies in, words out; or " if raw else ""
    return Operation("predict", "POST", "/predict", f"{summary}NumPy in and out: {form}", extra)


def _infer(name: str, path: str, about: Description) -> Operation:
    request = {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "id": {"type": "string"},
            "parameters": {
                "type": "object",
                "properties": {"binary_data_output": {"type": "boolean"}},
            },
            "inputs": _every(about.inputs.values(), about),
            "outputs": {"type": "array", "items": {"anyOf": _requested(about)}},
        },
    }
    answer = {
        "type": "object",
        "required": ["model_name", "model_version", "outputs"],
        "properties": {
            "model_name": {"const": about.name},
            "model_version": {"const": about.version},
            "id": {"type": "string"},
            "outputs": {
                "type": "array",
                "items": {"anyOf": [_tensor(each, about) for each in about.outputs.values()]},
            },
        },
    }
    extra = {
        "parameters": [_LENGTH],
        "requestBody": {"required": True, "content": _both(request)},
        "responses": _responses(_both(answer), "404", "413", "422", "500"),
    }
    return Operation(name, "POST", path, "Open Inference Protocol v2", extra)


_LENGTH = {
    "name": "Inference-Header-Content-Length",
    "in": "header",
    "required": False,
    "description": "Where binary tensors follow the JSON: the size of the JSON, in bytes",
    "schema": {"type": "integer"},
}


def _both(schema: dict) -> dict:
    return {
        "application/json": {"schema": schema},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    }


def _every(tensors: object, about: Description) -> dict:
    each = [_tensor(tensor, about) for tensor in tensors]
    return {
        "type": "array",
        "items": {"anyOf": each},
        "minItems": len(each),
        "maxItems": len(each),
    }


def _requested(about: Description) -> list[dict]:
    flag = {"type": "object", "properties": {"binary_data": {"type": "boolean"}}}
    return [
        {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"const": name}, "parameters": flag},
        }
        for name in about.outputs
    ]


def _tensor(tensor: Tensor, about: Description) -> dict:
    size = {"type": "object", "properties": {"binary_data_size": {"type": "integer"}}}
    return {
        "title": tensor.name,
        "type": "object",
        "required": ["name", "shape", "datatype"],
        "properties": {
            "name": {"const": tensor.name},
            "datatype": {"const": tensor.datatype},
            "shape": {
                "type": "array",
                "prefixItems": [_axis(axis, about) for axis in tensor.axes],
                "minItems": len(tensor.axes),
                "maxItems": len(tensor.axes),
            },
            "data": {"type": "array", "description": "flat or nested", "items": _value(tensor)},
            "parameters": size,
        },
    }


def _axis(axis: int | str, about: Description) -> dict:
    if isinstance(axis, int):
        return {"const": axis}
    low, high = about.axes.get(axis, (0, None))
    bound = {} if high is None else {"maximum": high}
    return {"title": axis, "type": "integer", "minimum": low, **bound}


def _value(tensor: Tensor) -> dict:
    kind = tensor.known.numpy.kind
    plain = {"b": {"type": "boolean"}, "f": {"type": "number"}}.get(kind, {"type": "integer"})
    special = [{"enum": list(NON_FINITE)}] if kind == "f" else []
    return {"anyOf": [plain, *special, {"type": "array"}]}


def _listed(tensors: object) -> str:
    return "; ".join(
        f"{tensor.name}: {tensor.datatype} {json.dumps(list(tensor.axes))}" for tensor in tensors
    )
