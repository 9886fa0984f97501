"""Where a .tflite is asked: an interpreter of TensorFlow Lite, and the Python that has it.

In: a way to run the bundle. Out: a `Place`, the command line that runs `ask.py` there. To add one,
add a function, and a line to `LANES`.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy_targets.integrations import beside, emulated_python, toolchain
from deploy_targets.workspace import Workspace

LITERT, TFLITE = "ai_edge_litert.interpreter", "tflite_runtime.interpreter"
OLD_PYTHONS = ("3.9", "3.10", "3.11")
"""Those that tflite-runtime 2.14 was made for."""
ARM = "cortex-a53"
"""As in cheap phones. QEMU's "max" is no processor that anybody has, and some kernels of LiteRT
answer wrongly on it."""


@dataclass(frozen=True)
class Place:
    """How ask.py is run there, and what it is told."""

    command: tuple[str, ...]
    module: str
    machine: str
    path: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    """All that it sees; None for what this process sees."""
    emulated: bool = False
    """Whether the processor is; then no time that is measured means anything."""
    unloaded: str = ""
    """What it means where a file cannot be loaded there."""


def here(workspace: Workspace, folder: Path) -> Place:
    """LiteRT in this Python, from a folder of its own. Raises ToolMissing."""
    packages = beside.folder("litert", workspace)
    path = (str(packages.resolve()), *(os.path.abspath(each) for each in sys.path))
    return Place((sys.executable, "-I"), LITERT, platform.machine(), path)


def arm(workspace: Workspace, folder: Path) -> Place:
    """LiteRT on an emulated ARM. Raises ToolMissing, NotRun."""
    needed = ("json", "importlib.metadata", "platform", "numpy", LITERT)
    made = emulated_python.python("litert_arm", ARM, needed, workspace, folder / "arm")
    machine = made.where.partition(", ")[2]
    return Place(made.command, LITERT, machine, environment=made.environment, emulated=True)


def old(workspace: Workspace, folder: Path) -> Place:
    """The last tflite-runtime, in an environment of its own. Raises ToolMissing."""
    python = toolchain.python("tflite_runtime", workspace, minors=OLD_PYTHONS)
    means = ", so it needs a newer runtime than TensorFlow Lite 2.14"
    return Place((str(python.absolute()), "-I"), TFLITE, platform.machine(), unloaded=means)


@dataclass(frozen=True)
class Way:
    """How a lane is run."""

    place: Callable[[Workspace, Path], Place]
    threads: int = 1
    steps: bool = False
    """Whether raw bytes are asked there, too."""


LANES: Mapping[str, Way] = {
    "litert-1t": Way(here, steps=True),
    "litert-2t": Way(here, threads=2, steps=True),
    "qemu-cortex-a53": Way(arm),
    "tflite-2.14": Way(old),
}
DEVICES: Mapping[str, str] = {
    "android": "the instrumented test of the Gradle project on a phone",
    "android-gpu": "the instrumented test of the Gradle project on a phone with a GPU",
    "ios": "the tests of the Swift package on a device",
    "ios-gpu": "the tests of the Swift package on a device with a GPU",
}
"""Lanes that nobody runs from here -> what writes their answers on a device."""
