"""Where a .tflite is asked: an interpreter of TensorFlow Lite, and the Python that has it.

In: a way to run the bundle. Out: a `Place`. To add one, add a function, and a line to `LANES`.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy_targets.converters.tflite import FILE
from deploy_targets.integrations import emulated_python, toolchain
from deploy_targets.integrations.beside import LOCKS
from deploy_targets.phones import places
from deploy_targets.phones.places import Place, Way, World
from deploy_targets.workspace import Workspace

LITERT, TFLITE = "ai_edge_litert.interpreter", "tflite_runtime.interpreter"
OLD_PYTHONS = ("3.9", "3.10", "3.11")
"""Those that tflite-runtime 2.14 was made for."""
ARM = "cortex-a53"
"""As in cheap phones. QEMU's "max" is no processor that anybody has, and some kernels of LiteRT
answer wrongly on it."""


def here(workspace: Workspace, folder: Path) -> Place:
    """LiteRT in this Python, from a folder of its own. Raises ToolMissing."""
    return places.here("litert", workspace, module=LITERT)


def arm(workspace: Workspace, folder: Path) -> Place:
    """LiteRT on an emulated ARM. Raises ToolMissing, NotRun."""
    needed = ("json", "importlib.metadata", "platform", "numpy", LITERT)
    made = emulated_python.python(LOCKS / "litert_arm.txt", ARM, needed, workspace, folder / "arm")
    return Place(
        made.command,
        made.where.partition(", ")[2],
        told={"module": LITERT},
        environment=made.environment,
        emulated=True,
    )


def old(workspace: Workspace, folder: Path) -> Place:
    """The last tflite-runtime, in an environment of its own. Raises ToolMissing."""
    python = toolchain.python("tflite_runtime", workspace, minors=OLD_PYTHONS)
    means = ", so it needs a newer runtime than TensorFlow Lite 2.14"
    command = (str(python.absolute()), "-I")
    return Place(command, platform.machine(), told={"module": TFLITE}, unloaded=means)


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


def _where(said: Mapping[str, str]) -> str:
    return f"{said['runtime']}, {'XNNPACK' if int(said['delegated']) else 'without XNNPACK'}"


def _notes(said: Mapping[str, str]) -> Iterator[str]:
    if not int(said["delegated"]):
        yield "XNNPACK took no part of the graph: the interpreter's own kernels answered"


WORLD = World(FILE, Path(__file__).with_name("ask.py"), LANES, DEVICES, _where, _notes)
