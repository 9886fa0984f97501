"""Runs a Lambda bundle where it will live: AWS's emulator, in a sandbox of the configured size."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy_targets.integrations import lambda_emulator
from deploy_targets.integrations.lambda_emulator import Function, FunctionSpec
from deploy_targets.records import Answer, Bundle, Call
from deploy_targets.runtime import Session
from deploy_targets.targets.aws_lambda import calls
from deploy_targets.targets.aws_lambda.function import HANDLER, ZIP
from deploy_targets.workspace import Workspace

_EMULATED_PATIENCE = 600.0
"""Seconds for one answer where the processor is emulated."""


class LambdaRunner:
    """A sandbox for each bundle that is opened."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    @contextmanager
    def open(self, bundle: Bundle, lane: str) -> Iterator[Session]:
        """Unpacks function.zip and starts it. Raises NotRun, ToolMissing."""
        with started(bundle, self._workspace) as function:
            yield LambdaSession(bundle, function)


@contextmanager
def started(bundle: Bundle, workspace: Workspace) -> Iterator[Function]:
    """The function of a bundle, in its sandbox."""
    options = bundle.manifest.options
    with workspace.scratch() as scratch:
        spec = FunctionSpec(
            task_root=_unpacked(bundle.path / ZIP, scratch / "task"),
            handler=HANDLER,
            arch=str(options["arch"]),
            python=str(options["python"]),
            memory_mb=_number(options["memory_mb"]),
            timeout_s=_number(options["timeout_s"]),
        )
        with lambda_emulator.start(spec, workspace) as function:
            yield function


class LambdaSession:
    """Asks by HTTP events, as API Gateway would."""

    def __init__(self, bundle: Bundle, function: Function) -> None:
        self._name, self._function = bundle.manifest.name, function
        self._patience = (
            _EMULATED_PATIENCE
            if function.emulated
            else _number(bundle.manifest.options["timeout_s"]) + 10.0
        )
        self._outputs = {entry.name: entry.outputs for entry in bundle.manifest.entries}

    @property
    def where(self) -> str:
        """The emulator, the interpreter and the processor."""
        return self._function.where

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the sandbox is not as on Lambda."""
        return self._function.notes

    def run(self, call: Call) -> Answer:
        """Raises calls.Refused and lambda_emulator.FunctionFailed: both are failed verdicts."""
        asked = calls.infer(self._name, call.inputs, self._outputs[call.entry], call.name)
        answer = calls.answer(self._function.invoke(asked, timeout=self._patience))
        return dataclasses.replace(answer, seconds=None) if self._function.emulated else answer


def _unpacked(archive: Path, folder: Path) -> Path:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
        # As on Lambda, another user than the one who unpacks reads it: the zip's own modes count.
        for info in opened.infolist():
            (folder / info.filename).chmod(info.external_attr >> 16 & 0o777)
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    return folder


def _number(option: Any) -> int:
    return int(option)
