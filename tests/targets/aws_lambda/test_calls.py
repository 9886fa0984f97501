"""The events in which golden is asked, held against another implementation of the protocol."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

from deploy_targets.binding import identity
from deploy_targets.records import Array, Signature, TensorSpec
from deploy_targets.targets.aws_lambda import calls, contract

X = np.arange(6, dtype=np.float32).reshape(2, 3)
IDS = np.array([[1], [2**40]], np.int64)
SIGNATURE = Signature(
    (TensorSpec("x", "float32", ("batch", 3)), TensorSpec("ids", "int64", ("batch", 1))),
    (TensorSpec("y", "float32", ("batch", 3)),),
)


def returned(arrays: dict[str, Array], **more: Any) -> bytes:
    """What a function returns that answers with these tensors."""
    raw = [array.tobytes() for array in arrays.values()]
    head = json.dumps(
        {
            "outputs": [
                {
                    "name": name,
                    "datatype": contract.DATATYPES[array.dtype.name],
                    "shape": list(array.shape),
                    "parameters": {"binary_data_size": array.nbytes},
                }
                for name, array in arrays.items()
            ]
        }
    ).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    body = base64.b64encode(head + b"".join(raw)).decode()
    plain = {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}
    return json.dumps(plain | more).encode()


def test_a_request_is_what_tritons_own_client_would_send() -> None:
    entry = identity(SIGNATURE, "infer")
    event = calls.infer("m", {"x": X, "ids": IDS}, entry.outputs, "case/0")
    inputs = [InferInput("x", [2, 3], "FP32"), InferInput("ids", [2, 1], "INT64")]
    for each, array in zip(inputs, (X, IDS), strict=True):
        each.set_data_from_numpy(array)
    outputs = [InferRequestedOutput("y")]
    theirs, length = InferenceServerClient.generate_request_body(inputs, outputs=outputs)
    ours = base64.b64decode(event["body"])
    own_length = int(event["headers"][calls.HEAD_LENGTH])
    assert ours[own_length:] == theirs[length:]
    assert json.loads(ours[:own_length]) == json.loads(theirs[:length])
    assert event["rawPath"] == "/v2/models/m/infer"


@pytest.mark.parametrize("dtype", sorted(contract.DATATYPES))
def test_every_datatype_comes_back_as_it_was(dtype: str) -> None:
    array = np.arange(4).reshape(2, 2).astype(dtype)
    back = calls.answer(returned({"y": array})).outputs["y"]
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_several_outputs_scalars_and_empty_ones_are_told_apart() -> None:
    sent = {"a": X, "b": np.array(3, np.int8), "c": np.zeros((0, 2), np.float64)}
    back = calls.answer(returned(sent)).outputs
    for name, array in sent.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].shape == array.shape


def test_the_models_own_time_is_read() -> None:
    head = json.dumps({"outputs": []}).encode()
    headers = {
        "inference-header-content-length": str(len(head)),
        "server-timing": "decode;dur=1.0, run;dur=12.5, encode;dur=2.0",
    }
    plain = {"statusCode": 200, "headers": headers, "body": head.decode()}
    assert calls.answer(json.dumps(plain).encode()).seconds == 0.0125


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"{}", "no HTTP response"),
        (b"not json", "no HTTP response"),
        (
            b'{"statusCode": 422, "body": "{\\"error\\": \\"x is wrong\\"}"}',
            "HTTP 422: .*x is wrong",
        ),
        (b'{"statusCode": 200, "body": "{}"}', "does not use the binary extension"),
    ],
)
def test_what_is_no_answer_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(calls.Refused, match=message):
        calls.answer(raw)


def test_bytes_that_no_tensor_claims_are_refused() -> None:
    plain = json.loads(returned({"y": X}))
    plain["body"] = base64.b64encode(base64.b64decode(plain["body"]) + b"more").decode()
    with pytest.raises(calls.Refused, match="4 bytes follow the last tensor"):
        calls.answer(json.dumps(plain).encode())


def test_a_dtype_that_the_protocol_cannot_carry_is_a_known_problem() -> None:
    odd = Signature((TensorSpec("x", "bfloat16", (1,)),), (TensorSpec("y", "float32", (1,)),))
    assert contract.problems(SIGNATURE) == ()
    (problem,) = contract.problems(odd)
    assert "x is bfloat16" in problem
