"""Runs a Lambda bundle where it will live: AWS's emulator, in a sandbox of the configured size."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy_targets.integrations import lambda_emulator
from deploy_targets.integrations.lambda_emulator import Function, FunctionSpec
from deploy_targets.records import BYTES, Answer, Bundle, Call
from deploy_targets.runtime import Session
from deploy_targets.targets.aws_lambda import calls, predicting
from deploy_targets.targets.aws_lambda.function import HANDLER, ZIP
from deploy_targets.workspace import Workspace, digest_of

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
            task_root=unpacked(bundle.path / ZIP, scratch / "task", workspace),
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
        self._function = function
        self._patience = (
            _EMULATED_PATIENCE
            if function.emulated
            else _number(bundle.manifest.options["timeout_s"]) + 10.0
        )
        self._manifest = bundle.manifest
        self._entries = {entry.name: entry for entry in bundle.manifest.entries}

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
        answer = self._answer(call)
        return dataclasses.replace(answer, seconds=None) if self._function.emulated else answer

    def _answer(self, call: Call) -> Answer:
        entry, manifest = self._entries[call.entry], self._manifest
        if entry.golden == BYTES:
            asked = predicting.event(call.inputs, predicting.raw_inputs(manifest), call.name)
            return predicting.answer(self._invoke(asked), manifest)
        asked = calls.infer(manifest.name, call.inputs, entry.outputs, call.name)
        return calls.answer(self._invoke(asked))

    def _invoke(self, event: dict[str, Any]) -> bytes:
        return self._function.invoke(event, timeout=self._patience)


def unpacked(archive: Path, folder: Path, workspace: Workspace) -> Path:
    """The files of a function.zip, its modes as they are in it, in a new folder.

    Most of it is packages, the same in many functions: they are unpacked once, and known again by
    the very bytes that they have in the zip.
    """
    with zipfile.ZipFile(archive) as opened:
        infos = sorted(opened.infolist(), key=lambda info: info.header_offset)
        end = _end_of_packages(infos)
        packages, rest = infos[:end], infos[end:]
        size = rest[0].header_offset if rest else opened.start_dir
        home = workspace.cached(
            "lambda-unpacked",
            digest_of(_digest_of_start(archive, size)),
            lambda made: _extract(opened, packages, made),
        )
        shutil.copytree(home, folder)
        _extract(opened, rest, folder)
    return folder


def _end_of_packages(infos: Sequence[zipfile.ZipInfo]) -> int:
    """The build adds a model to a zip of packages; each of the two is sorted by name."""
    pairs = itertools.pairwise(info.filename for info in infos)
    return next((i for i, (name, after) in enumerate(pairs, 1) if after < name), len(infos))


def _digest_of_start(file: Path, size: int) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while size and (chunk := opened.read(min(size, 1 << 20))):
            digest.update(chunk)
            size -= len(chunk)
    return digest.hexdigest()


def _extract(archive: zipfile.ZipFile, infos: Sequence[zipfile.ZipInfo], folder: Path) -> None:
    archive.extractall(folder, infos)
    # As on Lambda, another user than the one who unpacks reads it: the zip's own modes count.
    for info in infos:
        (folder / info.filename).chmod(info.external_attr >> 16 & 0o777)
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)


def _number(option: Any) -> int:
    return int(option)
