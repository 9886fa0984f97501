"""What is ordered of the converter, what was checked in words, and the package, which is kept.

In: the target's options and a Prepared. Out: what is known to be impossible (`problems`), or the
package and how it is called (`converted`). The converter itself is `converters/coreml/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.binding import batch_axis
from deploy_targets.converters import coreml
from deploy_targets.converters.coreml import Converted, Order
from deploy_targets.errors import ConfigError
from deploy_targets.integrations import beside
from deploy_targets.records import Dialect, Prepared, Signature
from deploy_targets.workspace import Workspace, digest_of, digest_of_file

if TYPE_CHECKING:
    from deploy_targets.targets.coreml.target import Coreml

KIND = "coreml"
"""The kind under which the workspace keeps what was converted."""
CODE = Path(coreml.__file__).parent
"""The converter."""
GRAPHS = {Dialect.EXPORTED: "model.pt2", Dialect.TORCHSCRIPT: "model.pt"}
"""Dialect -> the file of a captured graph."""
READ_BACK = (
    "the package was read back: its program is well-formed, and its inputs and outputs have the "
    "names, shapes and datatypes that were ordered"
)
UNASKED = 'golden = "none": no question travels, so no device can be asked and nothing is proven'


def problems(target: Coreml, prepared: Prepared) -> tuple[str, ...]:
    """Datatypes and axes that a package cannot have. Raises ConfigError for the options."""
    _check_sizes(target, prepared.signature)
    return (*coreml.problems(prepared.signature), *_unsplittable(target, prepared.signature))


def converted(target: Coreml, prepared: Prepared, workspace: Workspace) -> tuple[Path, Converted]:
    """The package, and how it is called; made once, for that takes ten seconds and more.

    Raises UnsupportedModel, ConversionFailed, ToolMissing.
    """
    from deploy_targets.converters.coreml import from_torch

    order = ordered(target, prepared)

    def make(folder: Path) -> None:
        from_torch.convert(order, folder, workspace, timeout=prepared.timeout)

    folder = workspace.cached(KIND, key(order), make)
    made = coreml.read(folder)
    return folder / coreml.FOLDER, replace(made, notes=tuple(notes(target, order, made)))


def ordered(target: Coreml, prepared: Prepared) -> Order:
    """What the converter is asked for. Every tensor lies as it does in the model."""
    return Order(
        prepared.graph,
        prepared.signature,
        half=prepared.recipe.weights == "float16",
        fixed=dict(target.sizes),
        minimum=target.minimum,
    )


def key(order: Order) -> str:
    """Of all that decides the bytes: the graph's own, the order, the packages and the code."""
    return digest_of(
        digest_of_file(order.graph.folder / GRAPHS[order.graph.dialect]),
        {**coreml.packed(order), "graph": order.graph.dialect.value},
        digest_of_file(beside.LOCKS / f"{coreml.LOCK}.txt"),
        [digest_of_file(file) for file in sorted(CODE.glob("*.py"))],
        version("torch"),
    )


def notes(target: Coreml, order: Order, made: Converted) -> Iterator[str]:
    """What was checked, and what a reader must know of the package, one line each."""
    yield READ_BACK
    yield from made.notes
    yield from _narrowed(order.signature, made)
    if order.fixed:
        sizes = (f"{name} = {size}" for name, size in sorted(order.fixed.items()))
        yield f"fixed by the option sizes: {', '.join(sizes)}"
    if order.half:
        yield "it computes in float16; what goes in and comes out is float32"
    if target.golden == "none":
        yield UNASKED


def _narrowed(signature: Signature, made: Converted) -> Iterator[str]:
    dtypes = {spec.name: spec.dtype for spec in (*signature.inputs, *signature.outputs)}
    for port in (*made.entries[0].inputs, *made.entries[0].outputs):
        if dtypes[port.of] != port.spec.dtype:
            was, here = dtypes[port.of], port.spec.dtype
            yield f"{port.of} is {was} in the model and {here} in the package"


def _check_sizes(target: Coreml, signature: Signature) -> None:
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


def _unsplittable(target: Coreml, signature: Signature) -> Iterator[str]:
    """With a fixed batch a question of other sizes is several calls, whose answers are joined."""
    if signature.batch not in target.sizes:
        return
    for spec in signature.outputs:
        if batch_axis(spec, signature.batch) is None:
            yield (
                f"{spec.name} has no axis {signature.batch}, so the answers of several calls could "
                f"not be joined; leave {signature.batch} out of the option sizes"
            )
