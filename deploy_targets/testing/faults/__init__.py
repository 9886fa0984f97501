"""Faults to plant, so that a check can be seen to fail: docs/faults.md lists them.

`FAULTS` holds them by name; `plant` puts one into a bundle or before its runner. To add one, write
a function under a decorator of fault.py, in the module of its kind; tests, the table in the
documentation and the benchmark take it from there.
"""

from __future__ import annotations

from collections.abc import Mapping

from deploy_targets.testing.faults import (
    activations,
    answers,
    axes,
    files,
    inputs,
    norms,
    quantization,
    serving,
    weights,
    windows,
)
from deploy_targets.testing.faults.fault import Fault, Place, same
from deploy_targets.testing.faults.plant import (
    Planted,
    Saboteur,
    in_answers,
    in_bundle,
    in_file,
    in_graph,
    plant,
)

_GRAPH = (weights, norms, activations, windows, axes, quantization)
_MODULES = (*_GRAPH, inputs, answers, serving, files)

FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for module in _MODULES
    for fault in vars(module).values()
    if isinstance(fault, Fault)
}
"""Every fault, by name."""

__all__ = [
    "FAULTS",
    "Fault",
    "Place",
    "Planted",
    "Saboteur",
    "in_answers",
    "in_bundle",
    "in_file",
    "in_graph",
    "plant",
    "same",
]
