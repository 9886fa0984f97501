"""A golden call as the event that API Gateway would send, and the function's answer as tensors.

The tensors travel by the Open Inference Protocol's binary extension: a JSON head whose length is
in a header, then the tensors' bytes in order. Written from the protocol's description, and not
with the app's own code, so that a mistake there cannot cancel itself out here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from deploy_targets.records import Answer, Array, Port, Tensors
from deploy_targets.targets.aws_lambda.contract import DATATYPES

_NUMPY = {datatype: name for name, datatype in DATATYPES.items()}
HEAD_LENGTH = "inference-header-content-length"


class Refused(Exception):
    """The function answered with an HTTP error, or with something that is no answer."""


def event(
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    query: str = "",
    request_id: str = "golden",
) -> dict[str, Any]:
    """An HTTP request as API Gateway's payload of version 2.0, which function URLs send too."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"host": "127.0.0.1", "content-length": str(len(body)), **(headers or {})},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "local",
            "domainName": "127.0.0.1",
            "domainPrefix": "local",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": (headers or {}).get("user-agent", "deploy-target"),
            },
            "requestId": request_id,
            "routeKey": "$default",
            "stage": "$default",
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def infer(model: str, inputs: Tensors, outputs: Sequence[Port], name: str) -> dict[str, Any]:
    """The event that asks one golden call."""
    raw = {key: np.asarray(array, order="C").tobytes() for key, array in inputs.items()}
    head = json.dumps(
        {
            "inputs": [
                {
                    "name": key,
                    "datatype": DATATYPES[array.dtype.name],
                    "shape": list(array.shape),
                    "parameters": {"binary_data_size": len(raw[key])},
                }
                for key, array in inputs.items()
            ],
            "outputs": [
                {"name": port.spec.name, "parameters": {"binary_data": True}} for port in outputs
            ],
        }
    ).encode()
    headers = {"content-type": "application/octet-stream", HEAD_LENGTH: str(len(head))}
    body = b"".join([head, *raw.values()])
    return event("POST", f"/v2/models/{model}/infer", body, headers, request_id=name)


def response(raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (names in lower case) and body of what the function returned."""
    try:
        plain = json.loads(raw)
        body = plain.get("body") or ""
        content = base64.b64decode(body) if plain.get("isBase64Encoded") else body.encode()
        headers = {key.lower(): str(value) for key, value in (plain.get("headers") or {}).items()}
        return int(plain["statusCode"]), headers, content
    except (ValueError, KeyError, AttributeError) as error:
        raise Refused(f"the function returned no HTTP response: {raw[:200]!r}") from error


def answer(raw: bytes) -> Answer:
    """The tensors in what the function returned. Raises Refused."""
    status, headers, body = response(raw)
    if status != 200:
        raise Refused(f"HTTP {status}: {body[:500].decode(errors='replace')}")
    if HEAD_LENGTH not in headers:
        raise Refused("the answer does not use the binary extension that was asked for")
    length = int(headers[HEAD_LENGTH])
    head = json.loads(body[:length])
    return Answer(dict(_tensors(head["outputs"], body[length:])), seconds(headers, ("run",)))


def _tensors(outputs: list[dict[str, Any]], rest: bytes) -> Iterator[tuple[str, Array]]:
    at = 0
    for output in outputs:
        size = int(output["parameters"]["binary_data_size"])
        dtype = np.dtype(_NUMPY[output["datatype"]])
        flat = np.frombuffer(rest[at : at + size], dtype)
        yield output["name"], flat.reshape(output["shape"])
        at += size
    if at != len(rest):
        raise Refused(f"{len(rest) - at} bytes follow the last tensor")


def seconds(headers: Mapping[str, str], spans: Sequence[str]) -> float | None:
    """The time of these spans together, from Server-Timing; None where it has none of them."""
    parts = (
        part.strip().partition(";dur=") for part in headers.get("server-timing", "").split(",")
    )
    found = [float(duration) / 1000 for name, _, duration in parts if name in spans]
    return sum(found) if found else None
