"""What every module of an eager model was given and gave back. In: a model and one question.

Out: its answers and a list of calls, in the order in which they ended: inner modules first.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.frontends.eager import EagerModel, home
from deploy_targets.records import Array, Tensors

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ModuleCall:
    """One call of one module."""

    path: str
    """Dotted, from the model down; "" is the model itself."""
    number: int
    """Which call of this module it is, from 0."""
    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    line: str
    """Where it was called: "model.py:12 code"; empty for the model itself."""


def watch(model: EagerModel, inputs: Tensors) -> tuple[Tensors, list[ModuleCall]]:
    """Runs the model once with a hook on each of its modules; TorchScript takes none."""
    import torch

    watcher = _Watcher(home(model.spec))
    handles = []
    for path, module in model.callee.module.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            continue
        handles.append(module.register_forward_pre_hook(watcher.before, with_kwargs=True))
        handles.append(module.register_forward_hook(watcher.after(path)))
    try:
        answers = model.run(inputs)
        given, gave = tuple(inputs.values()), tuple(answers.values())
        whole = [] if handles else [ModuleCall("", 0, given, gave, "")]
        return answers, [*watcher.calls, *whole]
    finally:
        for handle in handles:
            handle.remove()


class _Watcher:
    def __init__(self, folder: Path | None) -> None:
        self.calls: list[ModuleCall] = []
        self._folder, self._open = folder, list[tuple[tuple[Array, ...], str]]()
        self._count: dict[str, int] = {}

    def before(self, module: torch.nn.Module, args: Any, kwargs: Any) -> None:
        """Copies, for a module may write into what it was given."""
        self._open.append((_arrays([args, kwargs]), self._caller()))

    def after(self, path: str) -> Any:
        """A hook for the module of this path."""

        def hook(module: torch.nn.Module, args: Any, output: Any) -> None:
            inputs, line = self._open.pop()
            number = self._count.get(path, 0)
            self._count[path] = number + 1
            self.calls.append(ModuleCall(path, number, inputs, _arrays([output]), line))

        return hook

    def _caller(self) -> str:
        """The line of the user's code that called the module: not PyTorch's, not ours."""
        import torch

        machinery = (os.path.dirname(torch.__file__), os.path.dirname(__file__))
        frame = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename.startswith(machinery):
            if frame.f_code.co_filename.startswith(machinery[1]):
                return ""
            frame = frame.f_back  # type: ignore[assignment]
        if frame is None:
            return ""
        file, line = frame.f_code.co_filename, frame.f_lineno
        code = linecache.getline(file, line).strip()
        inside = self._folder is not None and Path(file).is_relative_to(self._folder)
        shown = os.path.relpath(file, self._folder) if inside else file
        return f"{Path(shown).as_posix()}:{line} {code}".strip()


def _arrays(parts: Sequence[Any]) -> tuple[Array, ...]:
    import torch

    tensors = (tensor for part in parts for tensor in _tensors(part))
    kept = (t for t in tensors if t.dtype is not torch.bfloat16 and not t.is_sparse)
    return tuple(tensor.detach().clone().contiguous().numpy() for tensor in kept)


def _tensors(part: Any) -> list[torch.Tensor]:
    """Those in a nested value; what is no tensor and holds none is passed over."""
    import torch

    if isinstance(part, torch.Tensor):
        return [part]
    if isinstance(part, dict):
        return [tensor for value in part.values() for tensor in _tensors(value)]
    if isinstance(part, list | tuple):
        return [tensor for value in part for tensor in _tensors(value)]
    return []
