"""How the tests describe a function, and ask it. What it can do is in `lambda_function.py`."""

from __future__ import annotations

import json
from pathlib import Path

from deploy_targets.integrations.lambda_emulator import Function, FunctionSpec
from deploy_targets.integrations.lambda_python import this_architecture

HERE = this_architecture()
CODE = Path(__file__).with_name("lambda_function.py")


def spec(task: Path, python: str, **changes: object) -> FunctionSpec:
    usual: dict[str, object] = {"handler": "app.handler", "arch": HERE, "memory_mb": 1769}
    return FunctionSpec(task_root=task, python=python, **usual | changes)  # type: ignore[arg-type]


def ask(function: Function, do: str, **arguments: object) -> object:
    return json.loads(function.invoke({"do": do, **arguments}, timeout=60))
