"""What comes in and what goes out, whichever way AWS delivered it. Header names are lower case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from serving.limits import LAMBDA, Limit


class Request(NamedTuple):
    """One HTTP request, its body decoded and the prefix of a stage taken off its path."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    id: str = ""
    """AWS's id of the invocation; the log is searched by it."""
    limit: Limit = LAMBDA
    carried: int = 0
    """Size of the body as `limit` counts it, in bytes."""


class Response(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
