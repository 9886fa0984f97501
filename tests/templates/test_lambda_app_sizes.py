"""What AWS cannot carry is refused by the function, which says both sizes."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest

from tests.templates.test_lambda_app_events import (
    ALB,
    ALB_MULTI,
    KINDS,
    ROW,
    V2,
    event,
    headers_of,
    npy,
    raw_of,
)


def test_more_than_lambda_takes_is_refused_with_the_sizes(single: Any) -> None:
    body = npy(np.zeros(1_200_000, np.float32))
    result = single.handler(event(V2, "POST", "/predict", body), None)
    assert result["statusCode"] == 413
    size = (len(body) + 2) // 3 * 4
    error = json.loads(result["body"])["error"]
    assert error.startswith(f"the request is {size:,} bytes as AWS Lambda counts it")
    assert "more than 6,291,456" in error
    assert "fewer rows" in error


def test_the_largest_request_is_taken_and_one_byte_more_is_not(single: Any) -> None:
    largest = 6 * 1024 * 1024
    for size, status in ((largest, 422), (largest + 1, 413)):
        result = single.handler(event(V2, "POST", "/predict", " " * size), None)
        assert result["statusCode"] == status


def test_more_than_lambda_gives_back_is_refused_with_the_sizes(single: Any) -> None:
    file = io.BytesIO()
    np.savez_compressed(file, x=np.zeros(1_200_000, np.float32))
    result = single.handler(event(V2, "POST", "/predict", file.getvalue()), None)
    assert result["statusCode"] == 413
    error = json.loads(result["body"])["error"]
    assert error.startswith("the answer is 6,40")
    assert "6,291,456" in error
    assert "fewer rows" in error


@pytest.mark.parametrize(("rows", "status"), [(190_000, 200), (250_000, 413), (270_000, 413)])
@pytest.mark.parametrize("kind", [ALB, ALB_MULTI])
def test_a_load_balancer_carries_one_megabyte(
    single: Any, kind: str, rows: int, status: int
) -> None:
    result = single.handler(event(kind, "POST", "/predict", npy(np.zeros(rows, np.float32))), None)
    assert result["statusCode"] == status
    if status == 413:
        # The request counts before base64, the answer after it.
        which = "request" if rows * 4 > 1024 * 1024 else "answer"
        said = json.loads(result["body"])["error"]
        assert said.startswith(f"the {which} is ")
        assert "an Application Load Balancer counts it, which is more than 1,048,576" in said


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("quoted", [True, False])
def test_the_size_that_is_judged_is_that_of_the_whole_answer(
    single: Any, kind: str, quoted: bool
) -> None:
    """AWS refuses a result that is too long as JSON text, so that is what must fit."""
    tensor = {"name": "x", "datatype": "FP32", "shape": [2000], "data": ["NaN"] * 2000}
    asked = json.dumps({"id": '"\\\n é' * 100, "inputs": [tensor]})
    body, path = (asked, "/v2/models/single/infer") if quoted else (npy(ROW), "/predict")
    result = single.handler(event(kind, "POST", path, body), None)
    assert result["statusCode"] == 200
    size = len(json.dumps(result, ensure_ascii=False).encode())
    judged = single.module("serving.limits").answer_size(headers_of(result), raw_of(result))
    assert size <= judged <= size + 1024
