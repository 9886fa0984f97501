"""AWS's events <-> messages: API Gateway v1 (REST) and v2 (HTTP API), function URLs, ALB.

`request_of` and `result_of` are what Mangum does in the other flavor, and agree with it to the
byte; a test holds them together. A function URL sends API Gateway's v2 event.

The path may begin with the name of a stage, or with the mapping of a custom domain. One rule:
first what the environment variable BASE_PATH names, then a first segment equal to the event's
stage, is taken off, if what is left begins as one of our routes does.
"""

from __future__ import annotations

import binascii
import os
from collections.abc import Callable, Mapping

from serving.limits import ALB, LAMBDA, Limit, is_text
from serving.messages import Request, Response
from serving.metrics import write
from serving.refusals import Refused, response_to
from serving.routes import FIRST
from serving.service import failed

Handler = Callable[[dict, object], dict]


def guarded(carry: Handler) -> Handler:
    """The function that Lambda calls: `carry`, for events that are HTTP and can be read."""

    def handler(event: dict, context: object = None) -> dict:
        try:
            kind = kind_of(event)
        except (AttributeError, TypeError):
            kind = ""
        if not kind:
            return result_of("v2", event, _unread(_NOT_HTTP, context))
        try:
            return carry(event, context)
        except binascii.Error:
            return result_of(kind, event, _unread(_NOT_BASE64, context))
        except Exception:
            return result_of(kind, event, failed(id_of(context)))

    return handler


def _unread(refused: Refused, context: object) -> Response:
    write({"level": "WARN", "request_id": id_of(context), "error": str(refused)})
    return response_to(refused)


_NOT_HTTP = Refused(
    400,
    "this event is no HTTP request: call the function through API Gateway, "
    "an Application Load Balancer or a function URL",
)
_NOT_BASE64 = Refused(400, "the event says that its body is base64, and it is not")


def kind_of(event: Mapping) -> str:
    """ "alb", "v2" or "v1"; empty for an event that is no HTTP request."""
    context = event.get("requestContext")
    if not isinstance(context, Mapping):
        return ""
    if "elb" in context:
        return "alb"
    if event.get("version") == "2.0" and "http" in context:
        return "v2"
    return "v1" if "httpMethod" in event and ("resource" in event or "version" in event) else ""


def request_of(event: Mapping, context: object) -> Request:
    """The request in an event. Raises binascii.Error where its body is not the base64 it claims."""
    kind = kind_of(event)
    method, path = _target(kind, event)
    limit, carried = carriage(event)
    return Request(
        method,
        without_prefix(_unquoted(path or "/"), event),
        _headers(kind, event),
        _body(event),
        id_of(context),
        limit,
        carried,
    )


def _unquoted(path: str) -> str:
    if "%" not in path:
        return path
    from urllib.parse import unquote

    return unquote(path)


def _target(kind: str, event: Mapping) -> tuple[str, str]:
    if kind == "v2":
        http = event["requestContext"]["http"]
        return http["method"], http["path"]
    return event["httpMethod"], event["path"]


def _headers(kind: str, event: Mapping) -> dict[str, str]:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    if kind != "v2":
        several = event.get("multiValueHeaders") or {}
        headers.update({name.lower(): ", ".join(values) for name, values in several.items()})
    return headers


def _body(event: Mapping) -> bytes:
    body = event.get("body") or ""
    return binascii.a2b_base64(body) if event.get("isBase64Encoded") else body.encode()


def carriage(event: Mapping) -> tuple[Limit, int]:
    """What carries this event, and how large it counts the body, in bytes."""
    limit = ALB if kind_of(event) == "alb" else LAMBDA
    body = event.get("body") or ""
    size = len(body) if body.isascii() else len(body.encode())
    if event.get("isBase64Encoded") and not limit.base64_counts:
        size = size // 4 * 3 - body[-2:].count("=")
    return limit, size


def id_of(context: object) -> str:
    """AWS's id of this invocation; empty outside Lambda."""
    return getattr(context, "aws_request_id", "")


def without_prefix(path: str, event: Mapping) -> str:
    """The path as the routes know it."""
    base = os.environ.get("BASE_PATH", "").strip("/")
    stage = event["requestContext"].get("stage") or ""
    for prefix in (base, stage):
        rest = path.removeprefix(f"/{prefix}/")
        if prefix and rest != path and rest.split("/")[0] in FIRST:
            path = f"/{rest}"
    return path


def result_of(kind: str, event: Mapping, response: Response) -> dict:
    """What Lambda hands back to whatever sent an event of this kind."""
    body, encoded = _carried(response)
    result = {"statusCode": response.status, "body": body, "isBase64Encoded": encoded}
    headers = dict(response.headers)
    if kind == "alb" and "multiValueHeaders" in event:
        return {**result, "multiValueHeaders": {name: [text] for name, text in headers.items()}}
    if kind == "v1":
        return {**result, "headers": headers, "multiValueHeaders": {}}
    return {**result, "headers": headers}


def _carried(response: Response) -> tuple[str, bool]:
    if is_text(response.headers["content-type"]):
        return response.body.decode(), False
    return binascii.b2a_base64(response.body, newline=False).decode(), True
