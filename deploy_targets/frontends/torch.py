"""A PyTorch module as a source: what "file.py:callable" or "package.module:callable" gives.

In: a SourceSpec. Out: a `TorchModel`, which answers in eager mode and is captured by exporters in
a child process; that child builds the module again from the same SourceSpec.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.frontends import identity
from deploy_targets.frontends.call_user import call_user
from deploy_targets.frontends.observe import Observed
from deploy_targets.frontends.source import SourceSpec, file_of
from deploy_targets.frontends.torch_files import CALLABLE_HINT
from deploy_targets.records import Capture, Dialect, TensorSpec

if TYPE_CHECKING:
    import torch
    from torch import nn

Arrange = Callable[[Sequence[Any]], tuple[tuple[Any, ...], dict[str, Any]]]
NOT_CALLED = object()
"""In place of what the user's code gave, which can be None."""
CAPTURES = (
    Capture(Dialect.EXPORTED, "torch.export"),
    Capture(Dialect.ONNX, "dynamo"),
    Capture(Dialect.ONNX, "legacy"),
    Capture(Dialect.TORCHSCRIPT, "trace"),
    Capture(Dialect.TORCHSCRIPT, "script"),
)
FROM_SCRIPT = Capture(Dialect.EXPORTED, "TS2EPConverter")
AS_SCRIPT = (FROM_SCRIPT, *CAPTURES[2:])
"""TorchScript is a graph already: torch.export looks through none, and of the exporters to ONNX
only that of its time does. Where no loop is in it, PyTorch's own converter rewrites it."""


@dataclass(frozen=True)
class Callee:
    """A module, and how the declared inputs become its arguments."""

    module: nn.Module
    arrange: Arrange
    captures: tuple[Capture, ...]

    def __call__(self, tensors: Sequence[torch.Tensor]) -> Any:
        args, kwargs = self.arrange(tensors)
        return self.module(*args, **kwargs)


def callee(spec: SourceSpec, observed: Observed, given: object = NOT_CALLED) -> Callee:
    """The module that the source gives, ready to be called. Raises as `module_of` does.

    `given`: what the user's code gave, where it was called already.
    """
    module = module_of(spec, observed, given)
    captures = AS_SCRIPT if holds_script(module) else CAPTURES
    return Callee(module, arrange(module, spec.inputs), captures)


def holds_script(module: nn.Module) -> bool:
    """Whether it is TorchScript, or any part of it is."""
    import torch

    return any(isinstance(part, torch.jit.ScriptModule) for part in module.modules())


def module_of(spec: SourceSpec, observed: Observed, given: object = NOT_CALLED) -> nn.Module:
    """The module that the source gives. Raises ConfigError or UnsupportedModel."""
    import torch

    module = given
    if module is NOT_CALLED:
        module = call_user(spec, observed, as_is=lambda thing: isinstance(thing, torch.nn.Module))
    if not isinstance(module, torch.nn.Module):
        raise _no_module(spec.source, module)
    _refuse_training(spec.source, module)
    _refuse_elsewhere(spec.source, module)
    return module


def digest(spec: SourceSpec, found: Callee, observed: Observed) -> str:
    """SHA-256 over the model's code and weights."""
    file = file_of(spec)
    return identity.digest_of_module(found.module, observed, file.parent if file else None)


def arrange(module: nn.Module, inputs: Sequence[TensorSpec]) -> Arrange:
    """By name where all inputs are named as parameters of forward, by order where none is."""
    parameters = parameters_of(module)
    names = [spec.name for spec in inputs]
    if not names:
        raise _undeclared(list(parameters) or ["x"])
    known = [name for name in names if name in parameters]
    if len(known) == len(names):
        missing = [name for name, needed in parameters.items() if needed and name not in names]
        if missing:
            raise _undeclared(missing)
        return lambda tensors: ((), dict(zip(names, tensors, strict=True)))
    if known:
        unknown = next(name for name in names if name not in parameters)
        raise ConfigError(
            f"input {unknown!r} is no parameter of forward({', '.join(parameters)})",
            hint="name all inputs as forward does, or none: then they are passed in order",
        )
    needed = sum(parameters.values())
    if parameters and not needed <= len(names) <= len(parameters):
        raise _undeclared(list(parameters))
    return lambda tensors: (tuple(tensors), {})


def parameters_of(module: nn.Module) -> Mapping[str, bool]:
    """The names of forward's parameters, and whether each must be given. Empty: any number."""
    if (schema := getattr(module.forward, "schema", None)) is not None:
        # The first is the module itself, whatever its author calls it.
        return {a.name: not a.has_default_value() for a in schema.arguments[1:]}
    parameters = inspect.signature(module.forward).parameters.values()
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return {}
    taken = (p for p in parameters if p.kind is not p.VAR_KEYWORD)
    return {p.name: p.default is p.empty for p in taken}


def _undeclared(names: Sequence[str]) -> ConfigError:
    tables = "; ".join(
        f'[inputs.{name}] dtype = "float32" shape = ["batch", 3, 224, 224]' for name in names
    )
    return ConfigError(
        f"forward takes {', '.join(names)}, and deploy.toml does not declare all of it",
        hint=f"declare, with your own dtypes and shapes: {tables}; and [axes] batch = [1, 8]",
    )


def _no_module(source: str, thing: object) -> UnsupportedModel:
    what = f"an object of type {type(thing).__name__}"
    if isinstance(thing, Mapping):
        what = "a dictionary (of weights?)"
    return UnsupportedModel(f"{source} returned {what}, not a torch.nn.Module", hint=CALLABLE_HINT)


def _refuse_training(source: str, module: nn.Module) -> None:
    training = [name or "the module itself" for name, m in module.named_modules() if m.training]
    if training:
        more = f" and {len(training) - 1} more" if len(training) > 1 else ""
        raise UnsupportedModel(
            f"{source} returned a module in training mode ({training[0]}{more})",
            hint="return module.eval(): dropout and batch normalisation answer differently there",
        )


def _refuse_elsewhere(source: str, module: nn.Module) -> None:
    for name, tensor in identity.tensors(module):
        if tensor.device.type != "cpu":
            raise UnsupportedModel(
                f"{source}: {name} is on {tensor.device}, the reference runs on the CPU",
                hint='return module.cpu(), and load with torch.load(…, map_location="cpu")',
            )
