"""A first look at a torch module, before anything about its inputs is declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from deploy_targets.frontends import torchscript
from deploy_targets.frontends.eager import home
from deploy_targets.frontends.observe import observing
from deploy_targets.frontends.source import Kind, SourceSpec, file_of, kind_of
from deploy_targets.frontends.torch import module_of, parameters_of
from deploy_targets.records import TensorSpec

if TYPE_CHECKING:
    from torch import nn


def look(spec: SourceSpec) -> tuple[list[str], nn.Module | None]:
    """The parameters of forward that must be given, and the first layer that holds weights.

    Raises ConfigError or UnsupportedModel where the source gives no module.
    """
    if kind_of(spec) is Kind.TORCHSCRIPT and (path := file_of(spec)):
        module = torchscript.read(path)
        return list(_needed(module)) or ["x"], torchscript.first_layer(module)
    with observing(home(spec)) as observed:
        module = module_of(spec, observed)
    leaves = (m for m in module.modules() if next(m.parameters(recurse=False), None) is not None)
    return list(_needed(module)) or ["x"], next(leaves, None)


def examples(spec: SourceSpec) -> tuple[TensorSpec, ...]:
    """The inputs that the source was made with, where it keeps them: traced TorchScript does."""
    path = file_of(spec) if kind_of(spec) is Kind.TORCHSCRIPT else None
    return torchscript.examples(path) if path else ()


def _needed(module: nn.Module) -> Iterator[str]:
    return (name for name, needed in parameters_of(module).items() if needed)
