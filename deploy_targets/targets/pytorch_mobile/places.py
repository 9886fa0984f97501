"""Where a .ptl is asked: the lite interpreter of the PyTorch in this Python, and on phones."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy_targets.converters.ptl import FILE
from deploy_targets.errors import ToolMissing
from deploy_targets.phones.places import Place, Way, World
from deploy_targets.workspace import Workspace


def here(workspace: Workspace, folder: Path) -> Place:
    """The lite interpreter of this Python. Raises ToolMissing where there is no PyTorch."""
    if importlib.util.find_spec("torch") is None:
        raise ToolMissing(
            "the lite interpreter is a part of PyTorch, which is not installed",
            hint='pip install "deploy-targets[torch]"',
        )
    path = tuple(os.path.abspath(each) for each in sys.path)
    return Place((sys.executable, "-I"), platform.machine(), path)


LANES: Mapping[str, Way] = {"lite-interpreter": Way(here, steps=True)}
DEVICES: Mapping[str, str] = {
    "android": "the instrumented test of the Gradle project on a phone",
}

WORLD = World(
    FILE, Path(__file__).with_name("ask.py"), LANES, DEVICES, lambda said: said["runtime"]
)
