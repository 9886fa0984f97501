"""How much one call can carry. AWS refuses more without saying why, so this code says it first.

Lambda takes at most 6 MB in one event and gives at most 6 MB back, both as JSON text, in which a
binary body is base64 and so a third larger. A load balancer passes 1 MB of request body, counted
before base64, and takes an answer of 1 MB as JSON text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

ENVELOPE = 512
"""Bytes kept free for what surrounds headers and body in the answer's JSON."""
UNPACKED = 64 * 1024 * 1024
"""Bytes that a compressed body may unpack to."""


class Limit(NamedTuple):
    """What one way of calling the function can carry, in bytes."""

    carrier: str
    request: int
    answer: int
    base64_counts: bool
    """Whether the request is measured as base64 (Lambda) or before it (a load balancer)."""


LAMBDA = Limit("AWS Lambda", 6 * 1024 * 1024, 6 * 1024 * 1024, base64_counts=True)
ALB = Limit("an Application Load Balancer", 1024 * 1024, 1024 * 1024, base64_counts=False)


def is_text(content_type: str) -> bool:
    """Whether a body of this type travels as it is; every other one travels as base64."""
    return content_type.startswith(("text/", "application/json"))


def base64_size(size: int) -> int:
    """How long `size` bytes are in base64."""
    return (size + 2) // 3 * 4


def answer_size(headers: Mapping[str, str], body: bytes) -> int:
    """How long an answer is as the JSON text that Lambda gets, in bytes."""
    escaped = sum(body.count(char) for char in (b'"', b"\\", b"\n"))
    text = is_text(headers["content-type"])
    carried = len(body) + escaped if text else base64_size(len(body))
    return carried + sum(len(name) + len(value) + 6 for name, value in headers.items()) + ENVELOPE


def too_large(what: str, size: int, allowed: int, limit: Limit, advice: str) -> str:
    """The text of a 413."""
    return (
        f"{what} is {size:,} bytes as {limit.carrier} counts it, "
        f"which is more than {allowed:,}: {advice}"
    )
