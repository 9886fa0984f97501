"""A first look at a torch module, before anything about its inputs is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_targets.frontends.eager import home
from deploy_targets.frontends.observe import observing
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.frontends.torch import module_of, parameters_of

if TYPE_CHECKING:
    from torch import nn


def look(spec: SourceSpec) -> tuple[list[str], nn.Module | None]:
    """The parameters of forward that must be given, and the first layer that holds weights.

    Raises ConfigError or UnsupportedModel where the source gives no module.
    """
    with observing(home(spec)) as observed:
        module = module_of(spec, observed)
    names = [name for name, needed in parameters_of(module).items() if needed]
    leaves = (m for m in module.modules() if next(m.parameters(recurse=False), None) is not None)
    return names or ["x"], next(leaves, None)
