"""What a room needs of the machine, as `doctor` prints it: found, or how to get it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version


@dataclass(frozen=True)
class Need:
    """A program or package on the host."""

    tool: str
    found: str | None  # its version or path
    purpose: str
    hint: str  # how to get it


def package(name: str, purpose: str, extra: str) -> Need:
    """A Python package, which an extra of ours installs. It is not imported."""
    try:
        found: str | None = version(name)
    except PackageNotFoundError:
        found = None
    return Need(name, found, purpose, hint=f'pip install "deploy-targets[{extra}]"')
