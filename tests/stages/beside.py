"""A target of two ONNX graphs and a folder of Python, which it really runs: the code of host/ and
the user's own files as a bundle holds them, not those of the checkout.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import onnxruntime

from deploy_targets.records import (
    BYTES,
    Answer,
    Array,
    Built,
    Bundle,
    Call,
    Dialect,
    Entry,
    Lane,
    Port,
    Prepared,
    Signature,
)
from deploy_targets.stages import host
from deploy_targets.stages import plan as plans
from deploy_targets.targets.base import Target
from deploy_targets.workspace import Workspace

CODE = "stages_of_a_bundle"


class Beside(Target):
    """Registered nowhere; it bears the name of the target of docs/first-target.md."""

    name: ClassVar[str] = "here"
    accepts: ClassVar[tuple[Dialect, ...]] = (Dialect.ONNX,)
    stages: ClassVar[bool] = True

    def build(self, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
        assert prepared.staging is not None
        planned = plans.plan(prepared.staging)
        shutil.copyfile(prepared.graph.folder / "model.onnx", folder / "model.onnx")
        plans.write(planned, prepared.signature, folder)
        code = Path(str(host.__file__)).parent
        shutil.copytree(code, folder / CODE, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / CODE / "own_steps").mkdir()
        for name, file in plans.own_files(planned).items():
            shutil.copyfile(file, folder / CODE / "own_steps" / name)
        return Built(
            entries=(
                _entry("tensors", prepared.signature),
                _entry(BYTES, prepared.staging.signature),
            ),
            lanes=(Lane("python", prepared.recipe.name),),
            roles={
                str(file.relative_to(folder)): "model" if file.name == "model.onnx" else "code"
                for file in folder.rglob("*")
                if file.is_file()
            },
            tools={"onnxruntime": onnxruntime.__version__},
            stages=planned.stages,
        )

    def runner(self, workspace: Workspace) -> Any:
        return nullcontext(Runner())


class Runner:
    @contextmanager
    def open(self, bundle: Bundle, lane: str) -> Iterator[Session]:
        yield Session(bundle.path)


class Session:
    where, notes = "this process", ()

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._said = json.loads((folder / "stages.json").read_text())
        self._model = _session(folder / "model.onnx")

    def run(self, call: Call) -> Answer:
        if call.entry != BYTES:
            return Answer(_run(self._model, call.inputs))
        code, tensors, frame = _code(self._folder / CODE), {}, {}
        for name, steps in self._said["inputs"].items():
            tensors[name] = code.before(steps["host"], call.inputs[name].tobytes(), frame)
            if steps["graph"]:
                graph = _session(self._folder / steps["graph"])
                tensors[name] = _run(graph, {f"{name}.given": tensors[name]})[name]
        assert not self._said["graph"]
        return Answer(code.after(self._said["host"], _run(self._model, tensors), frame))


def _entry(name: str, signature: Signature) -> Entry:
    ports = [[Port(s, s.name) for s in side] for side in (signature.inputs, signature.outputs)]
    return Entry(name, tuple(ports[0]), tuple(ports[1]), name)


def _session(path: Path) -> Any:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def _run(session: Any, feeds: Any) -> dict[str, Array]:
    (given,) = session.get_inputs()
    names = [node.name for node in session.get_outputs()]
    (value,) = feeds.values()
    answers = session.run(names, {given.name: np.asarray(value)})
    return dict(zip(names, answers, strict=True))


def _code(folder: Path) -> ModuleType:
    """The package as it lies in the bundle, imported anew."""
    for name in [n for n in sys.modules if n.partition(".")[0] == CODE]:
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location(CODE, folder / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[CODE] = module
    spec.loader.exec_module(module)
    return module
