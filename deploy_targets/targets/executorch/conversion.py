"""What is ordered of the converter, what came of it in words, and the file, which is kept.

In: the target's options and a Prepared. Out: what is known to be impossible (`problems`), or the
file, how it is called, and what of the model XNNPACK computes (`converted`). The converter itself
is `converters/pte_from_torch.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.binding import batch_axis
from deploy_targets.converters import pte, pte_from_torch
from deploy_targets.converters.pte import Converted, Order
from deploy_targets.errors import ConfigError
from deploy_targets.integrations import beside
from deploy_targets.records import Prepared, Signature
from deploy_targets.workspace import Workspace, digest_of, digest_of_file

if TYPE_CHECKING:
    from deploy_targets.targets.executorch.target import Executorch

KIND = "executorch"
"""The kind under which the workspace keeps what was converted."""
CODE = Path(pte.__file__).parent
"""The converter, and what it shares with others."""
ANDROID = frozenset({"float16", "float32", "float64", "int8", "int32", "int64", "uint8"})
"""Datatypes that ExecuTorch's API for Android has; its API for Swift has bool besides."""


def problems(target: Executorch, prepared: Prepared) -> tuple[str, ...]:
    """Datatypes and axes that a .pte cannot have. Raises ConfigError for the options."""
    _check_sizes(target, prepared.signature)
    return (*pte.problems(prepared.signature), *_unsplittable(target, prepared.signature))


def converted(
    target: Executorch, prepared: Prepared, workspace: Workspace
) -> tuple[Path, Converted]:
    """The file, and how it is called; made once, for that takes half a minute and more.

    Raises UnsupportedModel, ConversionFailed, ToolMissing.
    """
    order = ordered(target, prepared)

    def make(folder: Path) -> None:
        pte_from_torch.convert(order, folder, workspace, timeout=prepared.timeout)

    folder = workspace.cached(KIND, key(order), make)
    made = pte.read(folder)
    return folder / pte.FILE, replace(made, notes=tuple(notes(prepared.signature, order, made)))


def ordered(target: Executorch, prepared: Prepared) -> Order:
    """What the converter is asked for."""
    backend: pte.Backend = "portable" if target.backend == "portable" else "xnnpack"
    return Order(prepared.graph, prepared.signature, backend, dict(target.sizes))


def key(order: Order) -> str:
    """Of all that decides the bytes: the graph's own, the order, the packages and the code."""
    return digest_of(
        digest_of_file(order.graph.folder / "model.pt2"),
        {**pte.packed(order), "graph": order.graph.dialect.value},
        digest_of_file(beside.LOCKS / f"{pte_from_torch.LOCK}.txt"),
        [digest_of_file(file) for file in sorted(CODE.glob("*.py"))],
        version("torch"),
    )


@dataclass(frozen=True)
class Delegation:
    """What of a file XNNPACK computes, as the converter counted it."""

    delegates: int
    share: float | None
    """Of the multiply-adds; None where the model has none."""
    inside: Mapping[str, int]
    outside: Mapping[str, int]

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> Delegation:
        """Read from report.json."""
        share = report["multiply_adds"]["share"]
        return cls(report["delegates"], share, report["delegated"], report["undelegated"])


def notes(signature: Signature, order: Order, made: Converted) -> Iterator[str]:
    """What a reader must know of the file, one line each."""
    yield from made.notes
    yield from counted(made.report)
    if order.fixed:
        yield f"fixed by the option sizes: {_counts(order.fixed, ' = ')}"
    for spec in (*signature.inputs, *signature.outputs):
        if spec.dtype not in ANDROID:
            yield f"{spec.name} is {spec.dtype}, which ExecuTorch's API for Android does not have"


def counted(report: Mapping[str, Any]) -> Iterator[str]:
    """Who computes what, and the memory."""
    delegation = Delegation.of(report)
    outside = _counts(delegation.outside) or "nothing"
    if delegation.delegates:
        yield f"delegated to XNNPACK: {_counts(delegation.inside)}"
        yield f"left to ExecuTorch's own kernels: {outside}"
    else:
        if report["backend"] == "xnnpack":
            yield "XNNPACK takes no part of it, and ExecuTorch's own kernels compute all"
        yield f"computed by ExecuTorch's own kernels: {outside}"
    yield f"{report['planned_bytes'] / 1e6:.1f} MB of memory are planned besides the weights"


def _counts(counts: Mapping[str, int], between: str = " ") -> str:
    """ "convolution 4, linear 2": without the overloads, which say little to a reader."""
    return ", ".join(f"{name}{between}{count}" for name, count in plain(counts).items())


def plain(counts: Mapping[str, int]) -> dict[str, int]:
    """Operators by their plain names, the most frequent first."""
    found: dict[str, int] = {}
    for name, count in counts.items():
        short = name.removeprefix("dim_order_ops.").strip("_").partition(".")[0]
        found[short] = found.get(short, 0) + count
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def _check_sizes(target: Executorch, signature: Signature) -> None:
    axes = {axis.name: axis for axis in signature.axes}
    for name, size in target.sizes.items():
        if name not in axes:
            raise ConfigError(
                f"sizes: the model has no dynamic axis {name!r}; it has {sorted(axes)}",
                hint="name one of [axes] in deploy.toml",
            )
        if not axes[name].minimum <= size <= axes[name].maximum:
            raise ConfigError(
                f"sizes: {name} = {size} is not within {axes[name].minimum}..{axes[name].maximum}",
                hint="choose a size that [axes] allows",
            )


def _unsplittable(target: Executorch, signature: Signature) -> Iterator[str]:
    """With a fixed batch a question of other sizes is several calls, whose answers are joined."""
    if signature.batch not in target.sizes:
        return
    for spec in signature.outputs:
        if batch_axis(spec, signature.batch) is None:
            yield (
                f"{spec.name} has no axis {signature.batch}, so the answers of several calls could "
                f"not be joined; leave {signature.batch} out of the option sizes"
            )
