"""Where a .pte is asked: ExecuTorch's runtime beside the PyTorch in this Python, and on phones."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy_targets.converters.pte import FILE
from deploy_targets.converters.pte_from_torch import LOCK
from deploy_targets.errors import ToolMissing
from deploy_targets.integrations import beside
from deploy_targets.phones.places import Place, Way, World
from deploy_targets.records import Lane
from deploy_targets.workspace import Workspace


def here(workspace: Workspace, folder: Path) -> Place:
    """ExecuTorch's own runtime, from a folder behind what is installed. Raises ToolMissing."""
    if importlib.util.find_spec("torch") is None:
        raise ToolMissing(
            "ExecuTorch's runtime for Python needs PyTorch, which is not installed",
            hint='pip install "deploy-targets[executorch]"',
        )
    # Behind: the same PyTorch and numpy as everywhere else.
    path = (
        *(os.path.abspath(each) for each in sys.path),
        str(beside.folder(LOCK, workspace).resolve()),
    )
    return Place((sys.executable, "-I"), platform.machine(), path)


LANES: Mapping[str, Way] = {
    "xnnpack-1t": Way(here, steps=True),
    "xnnpack-2t": Way(here, threads=2, steps=True),
    "portable-1t": Way(here, steps=True),
    "portable-2t": Way(here, threads=2, steps=True),
}
"""A bundle has two of them: those of what computes its file."""
DEVICES: Mapping[str, str] = {
    "android": "the instrumented test of the Gradle project on a phone",
    "ios": "the tests of the Swift package on a device",
}


def lanes(recipe: str, delegated: bool) -> tuple[Lane, ...]:
    """One and two threads are required; phones are judged by `verify --actual`."""
    kind = "xnnpack" if delegated else "portable"
    required = (Lane(f"{kind}-{threads}t", recipe) for threads in (1, 2))
    return (*required, *(Lane(name, recipe, required=False) for name in DEVICES))


def _where(said: Mapping[str, str]) -> str:
    return f"{said['runtime']}, {'XNNPACK' if int(said['delegates']) else 'without XNNPACK'}"


def _notes(said: Mapping[str, str]) -> Iterator[str]:
    if not int(said["delegates"]):
        yield "XNNPACK has no part of the file: ExecuTorch's own kernels answered"


WORLD = World(FILE, Path(__file__).with_name("ask.py"), LANES, DEVICES, _where, _notes)
