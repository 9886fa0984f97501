"""Which paths and methods there are, and what the protocol's own routes say."""

from __future__ import annotations

from typing import Any

import pytest

INFER = "/v2/models/mixed/infer"


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("POST", "/v2/models/other/infer", 404, ["other", "mixed"]),
        ("POST", "/v2/models/mixed/versions/2/infer", 404, ['"2"', '"1"']),
        ("GET", "/v2/models/other", 404, ["other"]),
        ("GET", "/v2/models/mixed/config", 404, ["/docs"]),
        ("GET", "/", 404, ["/docs"]),
        ("GET", "/v2/repository/index", 404, ["/docs"]),
        ("GET", INFER, 405, ["POST", "GET"]),
        ("POST", "/v2", 405, ["POST", "GET"]),
        ("DELETE", "/docs", 405, ["DELETE", "GET"]),
        ("BREW", "/predict", 405, ["BREW", "POST"]),
    ],
)
def test_a_wrong_route_or_method_is_said(
    mixed: Any, method: str, path: str, status: int, said: list[str]
) -> None:
    answer = mixed(method, path)
    assert answer.status == status
    assert [word for word in said if word not in answer.error] == []
    assert ("allow" in answer.headers) == (status == 405)


def test_health_and_metadata_are_as_the_protocol_has_them(mixed: Any) -> None:
    assert mixed("GET", "/v2/health/live").json() == {"live": True}
    assert mixed("GET", "/v2/health/ready").json() == {"ready": True}
    assert mixed("GET", "/v2/models/mixed/ready").json() == {"name": "mixed", "ready": True}
    assert mixed("GET", "/v2").json()["extensions"] == ["binary_tensor_data"]
    about = mixed("GET", "/v2/models/mixed/versions/1").json()
    assert about["versions"] == ["1"]
    assert about["inputs"][0] == {"name": "image", "datatype": "FP32", "shape": [-1, 3]}
    assert [output["name"] for output in about["outputs"]] == ["score", "seen"]
