"""The Open Inference Protocol's infer request and answer, with Triton's binary tensor extension.

A body is JSON, or JSON followed by the raw tensors, the length of the JSON being given by the
header Inference-Header-Content-Length. In either form an input may hold its "data" in the JSON;
one that does not, says by "binary_data_size" how many of the raw bytes are its own, in order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, NoReturn

import numpy as np

from serving.checks import check_complete, check_names, check_shape, check_together
from serving.compression import unpacked
from serving.literals import array_from, data_of
from serving.messages import Request, Response
from serving.model import Description, Tensor
from serving.refusals import Refused, shown

HEADER_LENGTH = "inference-header-content-length"


class Wanted(NamedTuple):
    """An output to be given back, as raw bytes or as JSON."""

    name: str
    binary: bool


class Inference(NamedTuple):
    """What an infer request asks."""

    id: str | None
    inputs: Mapping[str, np.ndarray]
    outputs: Sequence[Wanted]


def read(request: Request, description: Description) -> Inference:
    """The question in a body. Raises Refused."""
    text, raw = _parts(request)
    asked = parsed(text)
    stated = _objects(asked, "inputs")
    check_names([each["name"] for each in stated], description.inputs, "input")
    check_complete([each["name"] for each in stated], description.inputs)
    inputs = _tensors(stated, raw, description)
    check_together(description, {name: array.shape for name, array in inputs.items()})
    return Inference(_id(asked), inputs, _outputs(asked, description))


def _parts(request: Request) -> tuple[bytes, memoryview]:
    body = unpacked(request)
    length = request.headers.get(HEADER_LENGTH)
    if length is None:
        return body, memoryview(b"")
    if not length.strip().isdecimal() or int(length) > len(body):
        raise Refused(
            422,
            "Inference-Header-Content-Length must be the size of the JSON, at most the body's "
            f"{len(body)} bytes, got {shown(length)}",
        )
    return body[: int(length)], memoryview(body)[int(length) :]


def _refuse_constant(token: str) -> NoReturn:
    raise Refused(
        422,
        f"{token} is not JSON: write non-finite numbers as the strings "
        '"NaN", "Infinity", "-Infinity", or send the tensor as binary data',
    )


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise Refused(422, f"an object in the body has {shown(twice)} twice")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)


def parsed(text: bytes) -> dict:
    """A JSON object, strictly. Raises Refused."""
    try:
        asked = _DECODER.decode(text.decode())
    except (ValueError, RecursionError) as problem:
        at = f" at character {problem.pos}" if isinstance(problem, json.JSONDecodeError) else ""
        raise Refused(
            422,
            f"the body is not JSON{at}; if binary tensors follow the JSON, "
            "Inference-Header-Content-Length must say where they begin",
        ) from None
    if not isinstance(asked, dict):
        raise Refused(422, 'the body must be a JSON object with "inputs"')
    return asked


def _objects(asked: dict, key: str) -> list[dict]:
    stated = asked.get(key)
    if not isinstance(stated, list):
        raise Refused(422, f'"{key}" must be a list, got {shown(stated)}')
    for each in stated:
        if not isinstance(each, dict) or not isinstance(each.get("name"), str):
            raise Refused(422, f'each of "{key}" must be an object with a "name"')
        if "shared_memory_region" in _parameters(each):
            raise Refused(422, f"{shown(each['name'])}: shared memory is not offered here")
    return stated


def _parameters(of: dict) -> dict:
    parameters = of.get("parameters", {})
    if not isinstance(parameters, dict):
        raise Refused(422, f'"parameters" must be an object, got {shown(parameters)}')
    return parameters


def _flag(parameters: dict, key: str, default: bool) -> bool:
    flag = parameters.get(key, default)
    if not isinstance(flag, bool):
        raise Refused(422, f'"{key}" must be true or false, got {shown(flag)}')
    return flag


def _id(asked: dict) -> str | None:
    stated = asked.get("id")
    if stated is not None and not isinstance(stated, str):
        raise Refused(422, f'"id" must be a string, got {shown(stated)}')
    return stated


def _tensors(
    stated: list[dict], raw: memoryview, description: Description
) -> dict[str, np.ndarray]:
    arrays, used = {}, 0
    for each in stated:
        tensor = description.inputs[each["name"]]
        shape = _shape(each, tensor, description)
        size = _parameters(each).get("binary_data_size")
        if (size is None) == ("data" not in each):
            raise Refused(422, f'input {tensor.name!r}: give either "data" or "binary_data_size"')
        if size is None:
            arrays[tensor.name] = array_from(each["data"], tensor, shape)
        else:
            arrays[tensor.name] = _array(raw[used:], size, tensor, shape)
            used += size
    if used != len(raw):
        raise Refused(
            422, f"{len(raw)} bytes follow the JSON, but binary_data_size adds up to {used}"
        )
    return arrays


def _shape(each: dict, tensor: Tensor, description: Description) -> tuple[int, ...]:
    if each.get("datatype") != tensor.datatype:
        raise Refused(
            422,
            f"input {tensor.name!r}: expected datatype {tensor.datatype}, "
            f"got {shown(each.get('datatype'))}",
        )
    shape = each.get("shape")
    if not isinstance(shape, list) or any(type(size) is not int or size < 0 for size in shape):
        raise Refused(
            422, f'input {tensor.name!r}: "shape" must be a list of sizes, got {shown(shape)}'
        )
    check_shape(tensor, shape, description)
    return tuple(shape)


def _array(raw: memoryview, size: object, tensor: Tensor, shape: tuple[int, ...]) -> np.ndarray:
    expected = math.prod(shape) * tensor.known.numpy.itemsize
    if type(size) is not int or size != expected:
        raise Refused(
            422,
            f"input {tensor.name!r}: {tensor.datatype} of shape {list(shape)} is {expected} bytes, "
            f"but binary_data_size is {shown(size)}",
        )
    if size > len(raw):
        raise Refused(
            422,
            f"input {tensor.name!r}: binary_data_size is {size}, but {len(raw)} bytes are left "
            "behind the JSON",
        )
    return _typed(raw[:size], tensor).reshape(shape)


def _typed(raw: memoryview, tensor: Tensor) -> np.ndarray:
    if tensor.datatype == "BOOL" and raw.nbytes and max(raw) > 1:
        raise Refused(422, f"input {tensor.name!r}: a BOOL is a byte 0 or 1, got {max(raw)}")
    return np.frombuffer(raw, dtype=tensor.known.numpy)


def _outputs(asked: dict, description: Description) -> list[Wanted]:
    binary = _flag(_parameters(asked), "binary_data_output", False)
    if not asked.get("outputs"):
        return [Wanted(name, binary) for name in description.outputs]
    stated = _objects(asked, "outputs")
    check_names([each["name"] for each in stated], description.outputs, "output")
    for each in stated:
        if "classification" in _parameters(each):
            raise Refused(422, f"output {each['name']!r}: classification is not offered here")
    return [
        Wanted(each["name"], _flag(_parameters(each), "binary_data", binary)) for each in stated
    ]


def write(
    inference: Inference, outputs: Mapping[str, np.ndarray], description: Description
) -> Response:
    """The answer to a question."""
    stated, raw = [], []
    for wanted in inference.outputs:
        array = outputs[wanted.name]
        said = {
            "name": wanted.name,
            "datatype": description.outputs[wanted.name].datatype,
            "shape": list(array.shape),
        }
        if wanted.binary:
            raw.append(array.tobytes())
            said["parameters"] = {"binary_data_size": len(raw[-1])}
        else:
            said["data"] = data_of(array)
        stated.append(said)
    answer = {"model_name": description.name, "model_version": description.version}
    if inference.id is not None:
        answer["id"] = inference.id
    text = json.dumps({**answer, "outputs": stated}, allow_nan=False, separators=(",", ":"))
    return _response(text.encode(), raw)


def _response(text: bytes, raw: list[bytes]) -> Response:
    if not raw:
        return Response(200, {"content-type": "application/json"}, text)
    headers = {"content-type": "application/octet-stream", HEADER_LENGTH: str(len(text))}
    return Response(200, headers, b"".join([text, *raw]))
