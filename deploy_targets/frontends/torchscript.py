"""A TorchScript file, as torch.jit.save writes it, as a source: known by what is in it.

In: a .pt (.pth, .torchscript, .ts), or a .ptl that still has its code. Out: a `Callee`. The file
names its inputs; dtypes and shapes must be declared, for its code says only "Tensor". A traced file
may hold the inputs that it was traced with: `examples`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.errors import UnsupportedModel
from deploy_targets.frontends import torch as from_code
from deploy_targets.frontends.arrays import DTYPES
from deploy_targets.frontends.call_user import described
from deploy_targets.frontends.source import SourceSpec, file_of
from deploy_targets.frontends.torch import FROM_SCRIPT, Callee, arrange
from deploy_targets.records import Capture, Dialect, TensorSpec

if TYPE_CHECKING:
    import torch
    from torch import nn

CAPTURES = (
    Capture(Dialect.TORCHSCRIPT, "as given"),
    FROM_SCRIPT,
    Capture(Dialect.ONNX, "legacy"),
)
WRAP = (
    "write a file.py:function that returns a module with tensors as arguments, which calls "
    "torch.jit.load(…) with what they make up"
)
_ORIGINAL = re.compile(r'File "([^"]+)", line (\d+)')
_REASON = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception): (.+)$", re.MULTILINE)
_INSTALLED = ("code/", "/site-packages/", "/dist-packages/")
"""In the names of files that are not the user's: the archive's own, and those of packages."""


@dataclass(frozen=True)
class Scripted(Callee):
    """A callee whose errors are the reason alone: TorchScript puts its whole stack before it."""

    def __call__(self, tensors: Sequence[torch.Tensor]) -> Any:
        try:
            return super().__call__(tensors)
        except Exception as error:
            said = reason(str(error)) if "TorchScript" in str(error) else described(error)
            if "CUDA" in said:
                raise _for_a_gpu(said) from error
            raise RuntimeError(said) from error


def callee(spec: SourceSpec) -> Callee:
    """The module in the file. Raises UnsupportedModel, and ConfigError for undeclared inputs."""
    path = file_of(spec)
    assert path is not None, "a TorchScript source is a file"
    module = read(path)
    return Scripted(module, arrange(module, spec.inputs), CAPTURES)


def read(path: Path) -> nn.Module:
    """The module in the file, on the CPU. Raises UnsupportedModel where it cannot answer."""
    import torch

    try:
        with quiet():
            load: Any = torch.jit.load  # untyped
            module: nn.Module = load(path, map_location="cpu")
    except Exception as error:
        raise UnsupportedModel(
            f"{path} cannot be loaded by torch.jit.load: {described(error)}",
            hint="fetch it again, or save it again with this version of PyTorch",
        ) from error
    _refuse_training(path, module)
    _refuse_arguments(path, module)
    return module


def examples(path: Path) -> tuple[TensorSpec, ...]:
    """The inputs that a traced file was traced with, at their sizes; empty where it keeps none."""
    module: Any = read(path)
    kept = module._retrieve_traced_inputs().get("forward", []) if _keeps_inputs(module) else []
    names = list(from_code.parameters_of(module))
    dtypes = [str(getattr(value, "dtype", "")).removeprefix("torch.") for value in kept]
    if len(names) < len(kept) or not set(dtypes) <= DTYPES:
        return ()
    told = zip(names, dtypes, kept, strict=False)
    return tuple(TensorSpec(name, dtype, tuple(value.shape)) for name, dtype, value in told)


def first_layer(module: nn.Module) -> nn.Module | None:
    """A layer of Python like the first one in the file that holds weights, on no device."""
    for part in module.modules():
        if next(part.parameters(recurse=False), None) is not None:
            return _like(part)
    return None


def reason(text: str) -> str:
    """What went wrong, without the stack, and the line of the code that was scripted."""
    said = [*_REASON.findall(text), text.strip().splitlines()[-1].strip()][0]
    places = _ORIGINAL.findall(text)
    own = [place for place in places if not any(part in place[0] for part in _INSTALLED)]
    return f"{said} ({Path(own[-1][0]).name}, line {own[-1][1]})" if own else said


@contextmanager
def quiet() -> Iterator[None]:
    """While active, PyTorch's warnings that TorchScript is deprecated go nowhere: that is known."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*torch\.jit\.", DeprecationWarning)
        yield


def _for_a_gpu(said: str) -> UnsupportedModel:
    first = said.partition(". ")[0]
    return UnsupportedModel(
        f"the code in the file makes tensors on a GPU, and the reference runs on the CPU: {first}",
        hint="trace or script it again after module.cpu(), with device=x.device in place of a name",
    )


def _keeps_inputs(module: Any) -> bool:
    return hasattr(module, "_retrieve_traced_inputs")


def _like(part: Any) -> nn.Module | None:
    """Frozen and traced files keep no numbers of a layer but the shapes of its weights."""
    from torch import nn

    name, weights = part.original_name, dict(part.named_parameters(recurse=False))
    shape = next(iter(weights.values())).shape
    if name in ("Conv1d", "Conv2d", "Conv3d"):
        kind = {"Conv1d": nn.Conv1d, "Conv2d": nn.Conv2d, "Conv3d": nn.Conv3d}[name]
        return kind(shape[1], 1, 1, device="meta")
    if name == "Linear":
        return nn.Linear(weights["weight"].shape[1], 1, device="meta")
    if name == "Embedding":
        return nn.Embedding(shape[0], 1, device="meta")
    if name in ("LSTM", "GRU", "RNN"):
        return nn.RNN(weights["weight_ih_l0"].shape[1], 1, device="meta")
    return None


def _refuse_training(path: Path, module: nn.Module) -> None:
    # A frozen module has no such attribute: it was frozen while it evaluated.
    parts = module.named_modules()
    training = [name or "the module itself" for name, m in parts if getattr(m, "training", False)]
    if training:
        more = f" and {len(training) - 1} more" if len(training) > 1 else ""
        raise UnsupportedModel(
            f"{path} was saved in training mode ({training[0]}{more})",
            hint="call module.eval() before torch.jit.script or torch.jit.trace, and save it again",
        )


def _refuse_arguments(path: Path, module: Any) -> None:
    if not hasattr(module, "forward"):
        raise UnsupportedModel(f"{path} has no method forward", hint=WRAP)
    for argument in module.forward.schema.arguments[1:]:
        kind = str(argument.type)
        if not argument.has_default_value() and kind not in ("Tensor", "Optional[Tensor]"):
            raise UnsupportedModel(
                f"{path}: {argument.name} of forward is {kind}, and no tensor", hint=WRAP
            )
