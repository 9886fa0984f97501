"""POST /v2/models/{name}/infer: what it answers, and what it says of a bad request."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

INFER = "/v2/models/mixed/infer"
Edit = Callable[[dict[str, Any]], Any]


def question(batch: int = 2) -> dict[str, Any]:
    """A good request to the model of three inputs."""
    return {
        "inputs": [
            tensor("image", "FP32", [batch, 3], [0.5] * 3 * batch),
            tensor("ids", "INT64", [batch], [3] * batch),
            tensor("flag", "BOOL", [batch], [True] * batch),
        ]
    }


def tensor(name: str, datatype: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


def test_flat_and_nested_data_are_the_same_tensor(mixed: Any) -> None:
    flat, nested = question(), question()
    nested["inputs"][0]["data"] = [[0.5] * 3] * 2
    answers = [mixed("POST", INFER, asked) for asked in (flat, nested)]
    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json() == {
        "model_name": "mixed",
        "model_version": "1",
        "outputs": [
            tensor("score", "FP32", [2, 3], [1.5] * 6),
            tensor("seen", "INT64", [2], [3, 3]),
        ],
    }


def test_the_request_id_comes_back(mixed: Any) -> None:
    assert mixed("POST", INFER, {"id": "abc", **question()}).json()["id"] == "abc"
    assert "id" not in mixed("POST", INFER, question()).json()


def test_only_the_requested_outputs_come_back_in_the_order_asked(mixed: Any) -> None:
    for names in (["seen"], ["seen", "score"]):
        asked = {**question(), "outputs": [{"name": name} for name in names]}
        outputs = mixed("POST", INFER, asked).json()["outputs"]
        assert [output["name"] for output in outputs] == names


def test_a_version_in_the_path_is_the_same_model(mixed: Any) -> None:
    path = "/v2/models/mixed/versions/1/infer"
    assert mixed("POST", path, question()).json() == mixed("POST", INFER, question()).json()


def test_one_output_can_be_binary_and_another_json(mixed: Any) -> None:
    outputs = [{"name": "score", "parameters": {"binary_data": True}}, {"name": "seen"}]
    answer = mixed("POST", INFER, {**question(), "outputs": outputs})
    length = int(answer.headers["inference-header-content-length"])
    score, seen = json.loads(answer.body[:length])["outputs"]
    assert score["parameters"] == {"binary_data_size": 24}
    assert "data" not in score
    assert seen["data"] == [3, 3]
    assert np.frombuffer(answer.body[length:], np.float32).tolist() == [1.5] * 6


def test_non_finite_numbers_are_strings_both_ways(mixed: Any) -> None:
    asked = question(batch=1)
    asked["inputs"][0]["data"] = ["NaN", "Infinity", "-Infinity"]
    assert mixed("POST", INFER, asked).json()["outputs"][0]["data"] == asked["inputs"][0]["data"]


def test_a_bare_nan_token_is_refused_with_the_rule(mixed: Any) -> None:
    asked = question(batch=1)
    asked["inputs"][0]["data"] = [float("nan"), 1, 2]
    answer = mixed("POST", INFER, asked)
    assert answer.status == 422
    assert '"NaN", "Infinity", "-Infinity"' in answer.error


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_compressed_request_is_unpacked(
    mixed: Any, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    raw = json.dumps(question()).encode()
    headers = {"Content-Encoding": encoding}
    assert mixed("POST", INFER, compress(raw), headers).status == 200
    assert mixed("POST", INFER, raw, headers).status == 422
    assert mixed("POST", INFER, compress(raw)[:-9], headers).status == 422


def edited(at: int, **changes: Any) -> Edit:
    return lambda asked: asked["inputs"][at].update(changes)


def without(at: int, key: str) -> Edit:
    return lambda asked: asked["inputs"][at].pop(key)


BAD: dict[str, tuple[Edit, list[str]]] = {
    "wrong name": (edited(0, name="picture"), ["picture", "image", "ids", "flag"]),
    "missing input": (lambda asked: asked["inputs"].pop(1), ["missing", "ids"]),
    "duplicate input": (lambda a: a["inputs"].append(a["inputs"][0]), ["image", "twice"]),
    "wrong datatype": (edited(0, datatype="FP64"), ["image", "FP32", "FP64"]),
    "no datatype": (without(0, "datatype"), ["image", "FP32", "null"]),
    "wrong rank": (edited(0, shape=[6]), ["image", "[batch, 3]", "[6]"]),
    "wrong size": (edited(0, shape=[2, 4]), ["image", "3", "4"]),
    "negative size": (edited(0, shape=[-1, 3]), ["image", "shape", "-1"]),
    "shape of booleans": (edited(1, shape=[True]), ["ids", "shape", "true"]),
    "axis below its range": (edited(0, shape=[0, 3], data=[]), ["image", "batch", "1 to 8", "0"]),
    "axes that differ": (edited(1, shape=[3], data=[1] * 3), ["batch", "image", "ids", "2", "3"]),
    "too few values": (edited(0, data=[1, 2]), ["image", "6", "2"]),
    "ragged nesting": (edited(0, data=[[1, 2, 3], [1, 2]]), ["image", "nested"]),
    "a list among values": (edited(0, data=[1, 2, 3, 4, 5, [6]]), ["image", "FP32", "[6]"]),
    "data that is no list": (edited(0, data=5), ["image", "list", "5"]),
    "no data": (without(0, "data"), ["image", "data", "binary_data_size"]),
    "text for a number": (edited(0, data=["a"] * 6), ["image", "FP32", '"a"']),
    "null for a number": (edited(0, data=[None] * 6), ["image", "FP32", "null"]),
    "a boolean for a float": (edited(0, data=[True] * 6), ["image", "FP32", "true"]),
    "a number too large": (edited(0, data=[1e39] * 6), ["image", "FP32", "large"]),
    "an integer too large for a float": (edited(0, data=[10**400] * 6), ["image", "FP32"]),
    "a fraction for an integer": (edited(1, data=[1.5, 1]), ["ids", "INT64", "1.5"]),
    "a boolean for an integer": (edited(1, data=[True, 1]), ["ids", "INT64", "true"]),
    "NaN for an integer": (edited(1, data=["NaN", 1]), ["ids", "INT64", "NaN"]),
    "an integer out of range": (edited(1, data=[2**63, 1]), ["ids", "INT64", "fit"]),
    "a number for a boolean": (edited(2, data=[1, 0]), ["flag", "BOOL", "1"]),
    "inputs that are no list": (lambda a: a.update(inputs={}), ["inputs", "list"]),
    "an input without a name": (lambda a: a.update(inputs=[{}]), ["inputs", "name"]),
    "an id that is no string": (lambda a: a.update(id=5), ["id", "string", "5"]),
    "unknown output": (lambda a: a.update(outputs=[{"name": "s"}]), ["output", "s", "score"]),
    "output twice": (lambda a: a.update(outputs=[{"name": "seen"}] * 2), ["seen", "twice"]),
    "shared memory": (edited(0, parameters={"shared_memory_region": "r"}), ["shared memory"]),
    "classification": (
        lambda a: a.update(outputs=[{"name": "score", "parameters": {"classification": 3}}]),
        ["score", "classification"],
    ),
    "a flag that is none": (
        lambda a: a.update(parameters={"binary_data_output": "yes"}),
        ["binary_data_output", "yes"],
    ),
    "parameters that are none": (lambda a: a.update(parameters=[]), ["parameters", "object"]),
    "a value that a node refuses": (edited(1, data=[1, 9]), ["idx=9"]),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_is_told_what_was_expected_and_what_came(mixed: Any, case: str) -> None:
    edit, said = BAD[case]
    asked = question()
    edit(asked)
    answer = mixed("POST", INFER, asked)
    assert answer.status == 422
    assert [word for word in said if word not in answer.error] == []
    assert not any(leak in answer.error for leak in ("Traceback", "File ", "/", "\n"))


def test_a_batch_above_its_range_is_refused(mixed: Any) -> None:
    assert mixed("POST", INFER, question(batch=8)).status == 200
    answer = mixed("POST", INFER, question(batch=9))
    assert answer.status == 422
    assert "axis 'batch' must be 1 to 8, not 9" in answer.error


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000, b"\x93NUMPY", b"9" * 5000]
)
def test_a_body_that_does_not_parse_is_refused(mixed: Any, body: bytes) -> None:
    answer = mixed("POST", INFER, body)
    assert answer.status == 422
    assert "JSON" in answer.error


def binary(sizes: dict[str, Any], raw: bytes) -> tuple[bytes, dict[str, str]]:
    """The same question with binary tensors, their sizes as given."""
    asked = question()
    for stated in asked["inputs"]:
        del stated["data"]
        stated["parameters"] = {"binary_data_size": sizes[stated["name"]]}
    text = json.dumps(asked).encode()
    return text + raw, {"Inference-Header-Content-Length": str(len(text))}


RAW = (
    np.full(6, 0.5, np.float32).tobytes()
    + np.full(2, 3, np.int64).tobytes()
    + np.ones(2, np.bool_).tobytes()
)
SIZES: dict[str, Any] = {"image": 24, "ids": 16, "flag": 2}


def test_binary_tensors_are_the_same_as_json(mixed: Any) -> None:
    body, headers = binary(SIZES, RAW)
    assert mixed("POST", INFER, body, headers).json() == mixed("POST", INFER, question()).json()


@pytest.mark.parametrize(
    ("sizes", "raw", "said"),
    [
        ({"image": 20}, RAW, ["image", "24 bytes", "20"]),
        ({"image": "24"}, RAW, ["image", "24 bytes", '"24"']),
        ({"image": True}, RAW, ["image", "24 bytes", "true"]),
        ({}, RAW[:-1], ["flag", "2", "1 bytes are left"]),
        ({}, RAW + b"x", ["43 bytes", "42"]),
        ({}, RAW[:-1] + b"\2", ["flag", "0 or 1", "2"]),
    ],
)
def test_a_binary_size_that_does_not_match_is_refused(
    mixed: Any, sizes: dict[str, Any], raw: bytes, said: list[str]
) -> None:
    answer = mixed("POST", INFER, *binary({**SIZES, **sizes}, raw))
    assert answer.status == 422
    assert [word for word in said if word not in answer.error] == []


@pytest.mark.parametrize("length", ["-1", "x", "", "99999"])
def test_a_wrong_header_length_is_refused(mixed: Any, length: str) -> None:
    headers = {"Inference-Header-Content-Length": length}
    answer = mixed("POST", INFER, question(), headers)
    assert answer.status == 422
    assert "Inference-Header-Content-Length" in answer.error


def test_data_beside_a_binary_size_is_refused(mixed: Any) -> None:
    asked = question()
    asked["inputs"][0]["parameters"] = {"binary_data_size": 24}
    answer = mixed("POST", INFER, asked)
    assert answer.status == 422
    assert "either" in answer.error


@pytest.mark.parametrize(("pairs", "status"), [(6, 200), (5, 422)])
def test_an_axis_that_is_a_product_must_be_it(
    function: Any, flavor: str, pairs: int, status: int
) -> None:
    sizes = {"rows": 2, "steps": 3, "pairs": pairs}
    inputs = [tensor(name, "INT8", [size], [0] * size) for name, size in sizes.items()]
    folded = function("folded", flavor)
    answer = folded("POST", "/v2/models/folded/infer", {"inputs": inputs})
    assert answer.status == status
    if status == 422:
        assert answer.error == "input 'pairs': axis 'batch*time' must be 6, not 5"


def test_a_graph_that_breaks_says_nothing_but_the_request_id(
    function: Any, flavor: str, capsys: pytest.CaptureFixture[str]
) -> None:
    square = function("square", flavor)
    asked = {"inputs": [tensor("x", "FP32", [3], [1, 2, 3])]}
    answer = square("POST", "/v2/models/square/infer", asked)
    assert answer.status == 500
    request = "11111111-2222-3333-4444-555555555555"
    assert answer.error == f"internal error; the log has it under request {request!r}"
    trace = json.loads(capsys.readouterr().out.splitlines()[0])
    assert trace["request_id"] == request
    assert "Reshape" in trace["trace"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Name:'/a/Gather' Status Message: idx=9 is out of range\n", ": idx=9 is out of range"),
        ("Name:'' Status Message: /src/core/reshape_helper.h:91 sizes differ", ""),
        ("Unexpected input data type", ""),
    ],
)
def test_onnx_runtimes_reason_is_passed_on_but_never_a_path(
    mixed: Any, message: str, reason: str
) -> None:
    assert mixed.module("serving.service").reason_in(message) == reason
