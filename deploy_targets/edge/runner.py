"""Asks a board's bundle here and on an emulated ARM, by the code that travels in it.

In: what the board's system has. The ONNX Runtime is the one that the board gets; its Python is the
nearest that can be had. What only the board has, it answers itself: `verify --actual` judges that.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy_targets.edge.board import HERE, Board
from deploy_targets.edge.older_python import lowered
from deploy_targets.edge.system import System
from deploy_targets.integrations import emulated_python, interpreters, toolchain
from deploy_targets.phones import runner
from deploy_targets.phones.places import Place, Way, World
from deploy_targets.resources import resource
from deploy_targets.runtime import Runner
from deploy_targets.workspace import Workspace

MODEL = "model.onnx"
WAY = "cpu"
VERIFY = "python3 -m deploy_target_edge verify"
IMPORTS = ("json", "numpy", "onnxruntime", "PIL.Image")


@contextmanager
def started(board: Board, workspace: Workspace) -> Iterator[Runner]:
    """A runner. What it needs is made when a lane is first opened."""
    system = board.system
    world = World(
        MODEL,
        resource("templates", "edge", "ask.py"),
        {
            HERE: Way(lambda shop, folder: here(system, shop, folder), steps=True),
            board.emulated: Way(lambda shop, folder: arm(system, shop, folder), steps=True),
        },
        {name: f"`{VERIFY} --way {name} --out FILE` on the board" for name, _ in board.ways},
        where=lambda said: said["runtime"],
        jvm=False,
    )
    with runner.started(world, workspace) as made:
        yield made


def here(system: System, workspace: Workspace, folder: Path) -> Place:
    """The ONNX Runtime of the board, in an environment of its own. Raises ToolMissing."""
    # Its own Python, old as it may be, asks by the same file in a syntax that all of them read.
    asker = folder / "asked.py"
    asker.write_text(lowered(runner.ASKED.read_text(encoding="utf-8")), encoding="utf-8")
    own = interpreters.newest([system.python])
    minors = (system.python,) if own else system.pythons
    locks = resource("templates", "edge", "requirements")
    python = toolchain.python(system.name, workspace, minors=minors, locks=locks)
    command = (str(python.absolute()), "-I")
    return Place(command, platform.machine(), told={"way": WAY}, asker=asker)


def arm(system: System, workspace: Workspace, folder: Path) -> Place:
    """The same on an emulated ARM. Raises ToolMissing, NotRun."""
    lock = resource("templates", "edge", "requirements", f"{system.name}.txt")
    made = emulated_python.python(
        lock, system.cpu, IMPORTS, workspace, folder / "arm", suite=system.emulated
    )
    return Place(
        made.command,
        made.where.partition(", ")[2],
        told={"way": WAY},
        environment=made.environment,
        emulated=True,
    )
