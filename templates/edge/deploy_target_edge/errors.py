"""What ends a command: a sentence for whoever typed it, and what to do next."""

from __future__ import annotations


class EdgeError(Exception):
    """A failure that the person at the device can do something about."""

    status = 1

    def __init__(self, message, hint):
        super().__init__(message)
        self.hint = hint


class Unusable(EdgeError):
    """This way of running the model is not to be had here; the next may be."""

    status = 3


class Damaged(EdgeError):
    """The bundle's bytes are not those that were sealed."""

    status = 4


class NotProven(EdgeError):
    """The model does not answer as the original does."""

    status = 5


class InvalidArgument(EdgeError):
    """A runtime does not take these values. It is called as ONNX Runtime calls its own."""
