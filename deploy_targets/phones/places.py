"""Where an artifact is asked: a Python that has its runtime, on a machine.

A `Place` is the command line that runs `asked.py` there, a `Way` how a lane is run, a `World` all
that a target says of its runtime. To add a place, add a function to the target's `places.py`.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy_targets.integrations import beside
from deploy_targets.workspace import Workspace


@dataclass(frozen=True)
class Place:
    """How asked.py is run there, and what it is told."""

    command: tuple[str, ...]
    machine: str
    path: tuple[str, ...] = ()
    told: Mapping[str, Any] = field(default_factory=dict)
    """What the world is told of this place, besides the artifact and the way."""
    environment: Mapping[str, str] | None = None
    """All that it sees; None for what this process sees."""
    emulated: bool = False
    """Whether the processor is; then no time that is measured means anything."""
    unloaded: str = ""
    """What it means where an artifact cannot be loaded there."""
    asker: Path | None = None
    """asked.py in the syntax of that Python, where it is older than 3.9."""


@dataclass(frozen=True)
class Way:
    """How a lane is run."""

    place: Callable[[Workspace, Path], Place]
    threads: int = 1
    steps: bool = False
    """Whether raw bytes are asked there, too."""


@dataclass(frozen=True)
class World:
    """A runtime: how an artifact is asked in it, and what is said of the answers."""

    file: str
    """The artifact's name in a bundle."""
    asked: Path
    """The file that asked.py loads; it knows the runtime."""
    lanes: Mapping[str, Way]
    devices: Mapping[str, str]
    """Lanes that nobody runs from here -> what writes their answers on a device."""
    where: Callable[[Mapping[str, str]], str]
    """From what was loaded: the runtime in words."""
    notes: Callable[[Mapping[str, str]], Iterable[str]] = lambda said: ()
    jvm: bool = True
    """Whether raw bytes are asked by the Kotlin in the bundle; else the world takes them itself."""

    @property
    def with_steps(self) -> str:
        """The lanes that are asked raw bytes, in words."""
        return " and ".join(name for name, way in self.lanes.items() if way.steps)


def here(lock: str, workspace: Workspace, **told: Any) -> Place:
    """This Python, with the packages of a lock in a folder of their own. Raises ToolMissing."""
    packages = beside.folder(lock, workspace)
    path = (str(packages.resolve()), *(os.path.abspath(each) for each in sys.path))
    return Place((sys.executable, "-I"), platform.machine(), path, told)
