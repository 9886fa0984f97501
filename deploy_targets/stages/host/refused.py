"""The error for raw input that cannot be taken: the sender's mistake, in words for the sender."""

from __future__ import annotations


class Refused(Exception):
    """`status` is the HTTP status that says the same: 413 too large, 415 another medium, 422."""

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status
