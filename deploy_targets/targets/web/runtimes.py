"""What can run a model in the browser: each runtime is a module of this folder with one shape.

To add one: a module with the names of `Runtime`, a line in MODULES, its half in JavaScript as
web/src/runtimes/CODE.mjs, and its packages in web/package.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from deploy_targets.records import Dialect, Entry, Prepared
from deploy_targets.workspace import Workspace

MODULES = {"onnxruntime-web": "onnxruntime", "litert": "litert", "tfjs": "tfjs"}
"""The option's value -> the module."""


@dataclass(frozen=True)
class Order:
    """What a runtime is asked to write."""

    prepared: Prepared
    graphs: Mapping[str, Path]
    """Role ("before-0", "after") -> an ONNX file of steps around the model."""
    webgpu: bool
    folder: Path
    workspace: Workspace
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Of axes that have to be fixed: as the user wants them."""


@dataclass(frozen=True)
class Written:
    """What a runtime has put into the folder."""

    version: str
    entries: tuple[Entry, ...]
    files: Mapping[str, str]
    """Role, as in model.json, -> path within the folder; every graph of the order is among them."""
    tools: Mapping[str, str]
    licences: Mapping[str, Path] = field(default_factory=dict)
    """What the runtime is called -> the text of its terms."""
    later: frozenset[str] = frozenset()
    """Roles that no visit loads unless it asks for something special, such as WebGPU."""
    notes: tuple[str, ...] = ()


class Runtime(Protocol):
    """A module of this folder."""

    CODE: str
    """The stem of its file in web/src/runtimes/."""
    DIALECTS: tuple[Dialect, ...]
    """What it takes, in order of preference."""
    LADDER: tuple[str, ...]
    """What it can run on, best first: "webgpu", "wasm", or "wasm-1t" where it has no threads."""

    def problems(self, prepared: Prepared) -> tuple[str, ...]:
        """What is known to be impossible before any tool starts."""

    def write(self, order: Order) -> Written:
        """Writes runtime.HEX/ and assets/.

        Raises UnsupportedModel, ConversionFailed, ToolMissing.
        """


def find(name: str) -> Runtime:
    """The runtime of an option's value."""
    return cast(Runtime, import_module(f"{__package__}.{MODULES[name]}"))
