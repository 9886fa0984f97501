"""A request that is not answered, and why: the sender's mistake, said in the sender's terms.

The text is shown to whoever called, so it never holds a file's path or a stack trace.
"""

from __future__ import annotations

import json

from serving.messages import Response


class Refused(Exception):
    """`status` is the HTTP status; the message names what was expected and what came."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


def response_to(refused: Refused) -> Response:
    """The error body of the Open Inference Protocol: {"error": "..."}."""
    body = json.dumps({"error": str(refused)}).encode()
    return Response(refused.status, {"content-type": "application/json", **refused.headers}, body)


def shown(value: object) -> str:
    """A value as the sender wrote it, cut where it is long."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
