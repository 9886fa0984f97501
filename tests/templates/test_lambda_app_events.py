"""The events that AWS sends, and what goes back: the same from both flavors, to the byte."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest

V2, V1, V1_HTTP, ALB, ALB_MULTI = "v2", "v1", "v1 of an HTTP API", "alb", "alb, multi-value"
KINDS = (V2, V1, V1_HTTP, ALB, ALB_MULTI)
ROW = np.array([1.5, -2.0], np.float32)


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def v2(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "a=1&a=2",
        "cookies": ["one=1", "two=2"],
        "headers": headers,
        "queryStringParameters": {"a": "1,2"},
        "requestContext": {
            "accountId": "123456789012",
            "domainName": "id.execute-api.us-east-1.example.com",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "id",
            "stage": "$default",
        },
    }


def v1(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {"a": "2"},
        "multiValueQueryStringParameters": {"a": ["1", "2"]},
        "pathParameters": {"proxy": path.lstrip("/")},
        "stageVariables": None,
        "requestContext": {
            "path": f"/prod{path}",
            "stage": "prod",
            "identity": {"sourceIp": "192.0.2.1", "userAgent": None},
            "resourcePath": "/{proxy+}",
            "httpMethod": method,
            "protocol": "HTTP/1.1",
        },
    }


def alb(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/lambda/0123456789"
    return {
        "requestContext": {"elb": {"targetGroupArn": group}},
        "httpMethod": method,
        "path": path,
        "queryStringParameters": {"a": "1"},
        "headers": {**headers, "x-forwarded-for": "192.0.2.1", "x-forwarded-port": "80"},
    }


def event(
    kind: str,
    method: str,
    path: str,
    body: bytes | str = "",
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """One request as this kind of caller sends it: bytes as base64, text as it is."""
    headers = {"Host": "models.example.com", **(headers or {})}
    if kind in (V1, V1_HTTP):
        made = v1(method, path, headers)
        if kind == V1_HTTP:
            made["version"] = "1.0"
    elif kind == V2:
        made = v2(method, path, headers)
    else:
        made = alb(method, path, headers)
        if kind == ALB_MULTI:
            made["multiValueHeaders"] = {k: [v] for k, v in made.pop("headers").items()}
            made["multiValueQueryStringParameters"] = {"a": ["1"]}
            del made["queryStringParameters"]
    encoded = isinstance(body, bytes)
    text = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    return {**made, "body": text, "isBase64Encoded": encoded}


def raw_of(result: dict[str, Any]) -> bytes:
    body = result["body"]
    return base64.b64decode(body) if result["isBase64Encoded"] else body.encode()


def headers_of(result: dict[str, Any]) -> dict[str, str]:
    several = result.get("multiValueHeaders", {})
    return {**result.get("headers", {}), **{name: values[0] for name, values in several.items()}}


def timeless(result: dict[str, Any]) -> dict[str, Any]:
    """A result without the one header that differs from run to run."""
    kept = {key: value for key, value in result.items() if key not in ("headers",)}
    headers = {k: v for k, v in result.get("headers", {}).items() if k != "server-timing"}
    if "multiValueHeaders" in kept:
        values = kept["multiValueHeaders"].items()
        kept["multiValueHeaders"] = {k: v for k, v in values if k != "server-timing"}
    return {**kept, "headers": headers} if "headers" in result else kept


@pytest.mark.parametrize("kind", KINDS)
def test_binary_bodies_travel_both_ways(single: Any, kind: str) -> None:
    result = single.handler(event(kind, "POST", "/predict", npy(ROW)), None)
    assert result["statusCode"] == 200
    assert result["isBase64Encoded"] is True
    assert raw_of(result) == npy(ROW)
    assert headers_of(result)["content-type"] == "application/x-npy"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("as_bytes", [True, False])
def test_json_bodies_come_as_text_or_as_base64(single: Any, kind: str, as_bytes: bool) -> None:
    tensor = {"name": "x", "datatype": "FP32", "shape": [1], "data": [0.5]}
    text = json.dumps({"id": "é", "inputs": [tensor]}, ensure_ascii=False)
    path = "/v2/models/single/infer"
    sent = event(kind, "POST", path, text.encode() if as_bytes else text)
    result = single.handler(sent, None)
    assert result["isBase64Encoded"] is False
    assert json.loads(result["body"])["id"] == "é"
    assert json.loads(result["body"])["outputs"][0]["data"] == [0.5]


@pytest.mark.parametrize("kind", KINDS)
def test_header_names_are_found_in_any_case(single: Any, kind: str) -> None:
    sent = event(kind, "POST", "/predict", npy(ROW), {"aCCept": "application/x-npz"})
    assert headers_of(single.handler(sent, None))["content-type"] == "application/x-npz"


def test_a_load_balancer_gets_headers_back_in_the_form_it_sends(single: Any) -> None:
    plain = single.handler(event(ALB, "GET", "/v2"), None)
    several = single.handler(event(ALB_MULTI, "GET", "/v2"), None)
    assert "multiValueHeaders" not in plain
    assert "headers" not in several
    assert several["multiValueHeaders"]["content-type"] == ["application/json"]


EXCHANGES: list[tuple[str, str, Any, dict[str, str]]] = [
    ("GET", "/v2", "", {}),
    ("GET", "/v2/health/ready", "", {}),
    ("GET", "/v2/models/single", "", {}),
    ("GET", "/v2/models/sin%67le", "", {}),
    ("GET", "/v2/models/%C3%A9", "", {}),
    ("GET", "/docs", "", {}),
    ("GET", "/openapi.json", "", {}),
    ("GET", "/nothing/here/", "", {}),
    ("PUT", "/v2", "", {}),
    ("BREW", "/predict", "", {}),
    ("POST", "/predict", npy(ROW), {}),
    ("POST", "/predict", npy(ROW), {"Accept": "application/x-npz"}),
    ("POST", "/predict", npy(ROW), {"Accept": "text/html"}),
    ("POST", "/predict", "not numpy", {}),
    ("POST", "/v2/models/single/infer", "{", {}),
    ("POST", "/predict", b"\0" * 800_000, {}),
    ("POST", "/predict", npy(np.zeros(200_000, np.float32)), {}),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", range(len(EXCHANGES)))
def test_both_flavors_give_the_same_result(function: Any, kind: str, at: int) -> None:
    method, path, body, headers = EXCHANGES[at]
    sent = event(kind, method, path, body, headers)
    fastapi, lean = (
        function("single", flavor).handler(sent, None) for flavor in ("fastapi", "lean")
    )
    assert timeless(fastapi) == timeless(lean)
    assert list(fastapi.get("headers", {})) == list(lean.get("headers", {}))


@pytest.mark.parametrize(
    "sent",
    [
        {},
        [],
        None,
        {"Records": [{"eventSource": "aws:s3"}]},
        {"requestContext": {"connectionId": "x", "routeKey": "$connect"}},
        {"version": "2.0", "requestContext": None},
        {"source": "aws.events", "version": "0", "detail": {}},
    ],
)
def test_an_event_that_is_no_http_request_is_told_so(single: Any, sent: Any) -> None:
    result = single.handler(sent, None)
    assert result["statusCode"] == 400
    assert "no HTTP request" in json.loads(result["body"])["error"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_is_not_the_base64_it_claims_is_refused(single: Any, kind: str) -> None:
    result = single.handler(
        {**event(kind, "POST", "/predict"), "body": "a", "isBase64Encoded": True}
    )
    assert result["statusCode"] == 400
    assert "base64" in json.loads(result["body"])["error"]


def test_an_http_event_with_missing_parts_says_nothing_of_the_code(
    single: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = event(ALB, "GET", "/v2")
    del sent["path"]
    result = single.handler(sent)
    assert result["statusCode"] == 500
    assert json.loads(result["body"])["error"].startswith("internal error; the log has it")
    assert "KeyError" in json.loads(capsys.readouterr().out)["trace"]


@pytest.mark.parametrize(
    ("path", "stage", "base", "status"),
    [
        ("/v2/health/live", "$default", "", 200),
        ("/prod/v2/health/live", "prod", "", 200),
        ("/v2/health/live", "prod", "", 200),
        ("/v2/health/live", "v2", "", 200),
        ("/v2/v2/health/live", "v2", "", 200),
        ("/production/v2/health/live", "prod", "", 404),
        ("/test/v2/health/live", "prod", "", 404),
        ("/shop/v2/health/live", "prod", "shop", 200),
        ("/shop/prod/v2/health/live", "prod", "/shop/", 404),
        ("/shop/models/docs", "$default", "shop/models", 200),
        ("/shopping/v2", "$default", "shop", 404),
    ],
)
@pytest.mark.parametrize("kind", [V2, V1])
def test_a_stage_or_base_path_is_taken_off_once(
    single: Any,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    path: str,
    stage: str,
    base: str,
    status: int,
) -> None:
    monkeypatch.setenv("BASE_PATH", base)
    sent = event(kind, "GET", path)
    sent["requestContext"]["stage"] = stage
    assert single.handler(sent, None)["statusCode"] == status
