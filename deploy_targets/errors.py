"""One tree of errors. Each says what happened, what to do next, and how the process ends.

The exit codes are part of the command line's contract (docs/errors.md). To add an error, subclass
`DeployError`, give it the next free code, and describe it on that page; a test compares the two.
"""

from __future__ import annotations

from typing import ClassVar


class DeployError(Exception):
    """Something the user can act on. `hint` says how; it is never optional."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(DeployError):
    """A setting, an option or a path given by the user is wrong."""

    exit_code = 2


class UnknownTarget(ConfigError):
    """No installed target has that name."""


class UnsupportedModel(DeployError):
    """The model cannot be taken, or no target in question can carry it."""

    exit_code = 3


class ToolMissing(DeployError):
    """A program or package that the step needs is not on this machine."""

    exit_code = 4


class ParityFailed(DeployError):
    """The artifact does not answer as the original does."""

    exit_code = 5


class NotRun(DeployError):
    """The artifact could not be run here, so nothing is known about it."""

    exit_code = 6


class BundleCorrupt(DeployError):
    """The bundle is not what was sealed."""

    exit_code = 7


class ConversionFailed(DeployError):
    """A converter crashed, ran out of time or of memory."""

    exit_code = 8


class OverBudget(DeployError):
    """The artifact is larger or slower than it may be."""

    exit_code = 9


class CloudError(DeployError):
    """A cloud provider refused or failed."""

    exit_code = 10
