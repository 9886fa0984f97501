"""Reads a package back and holds it against its order and the original's numbers.

In: the folder of an .mlpackage, the Order, the original's constants. Out: notes for the reader; or
ConversionFailed, naming the tensor that is not as ordered. It runs wherever coremltools can be
imported; what the package answers is another question, which only Apple's systems can be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy_targets.converters import coreml
from deploy_targets.converters.coreml import Order, weights
from deploy_targets.converters.coreml.constants import Constants
from deploy_targets.converters.coreml.package import WEIGHTS
from deploy_targets.errors import ConversionFailed
from deploy_targets.records import Array, Dim, Port


def check(package: Path, asked: Order, constants: Constants) -> tuple[str, ...]:
    """Raises ConversionFailed for a package that does not load, or is not what was ordered."""
    spec = _spec(package)
    wanted = coreml.VERSIONS[asked.minimum]
    if spec.specificationVersion != wanted:
        raise _refused(
            f"it is of version {spec.specificationVersion}, "
            f"expected {wanted}, which {asked.minimum} takes"
        )
    main = _program(spec, package).functions["main"]
    inputs, outputs = coreml.ports(asked)
    _check_inputs(spec.description.input, inputs, asked)
    _check_outputs(spec.description.output, main.outputs, outputs)
    found = weights.compare(held(main), constants, asked.half)
    return (*weights.notes(found, asked.half), *_scalars(outputs))


def _scalars(outputs: Sequence[Port]) -> tuple[str, ...]:
    """Of which it is not known how Core ML hands them over."""
    return tuple(
        f"{port.of} is a scalar, which Core ML may hand over as an array of one number"
        for port in outputs
        if not port.spec.shape
    )


def held(function: Any) -> dict[str, Array]:
    """Every constant tensor of a function, those of its inner blocks too."""
    import numpy as np

    found: dict[str, Array] = {}
    waiting = [function]
    while waiting:
        for op in waiting.pop().operations:
            waiting += op.blocks
            if op.op_type == "const" and not isinstance(op.val.val, str):
                value = np.asarray(op.val.val)
                if value.dtype.kind in "fiub":
                    found[op.outputs[0].name] = value
    return found


def _spec(package: Path) -> Any:
    from coremltools.models import utils  # type: ignore[import-not-found,unused-ignore]

    try:
        return utils.load_spec(str(package))
    except Exception as error:
        raise _refused(f"it cannot be read: {error}") from error


def _program(spec: Any, package: Path) -> Any:
    """The package's program, as coremltools reads it back: its types are inferred again."""
    from coremltools.converters.mil.frontend.milproto import (  # type: ignore[import-not-found,unused-ignore]
        load,
    )

    numbers = str(package / WEIGHTS)
    try:
        return load.load(spec, spec.specificationVersion, numbers)
    except Exception as error:
        raise _refused(f"its program cannot be read: {error}") from error


def _check_inputs(found: Sequence[Any], wanted: Sequence[Port], asked: Order) -> None:
    _check_names([each.name for each in found], wanted)
    axes = {axis.name: (axis.minimum, axis.maximum) for axis in asked.signature.axes}
    for feature, port in zip(found, wanted, strict=True):
        array = feature.type.multiArrayType
        _check_dtype(array, port)
        ranges = [(r.lowerBound, r.upperBound) for r in array.shapeRange.sizeRanges]
        sizes = ranges or [(size, size) for size in array.shape]
        expected = [(d, d) if isinstance(d, int) else axes[d] for d in port.spec.shape]
        if sizes != expected:
            raise _refused(f"{port.of} takes {_said(sizes)}, expected {_said(expected)}")


def _check_outputs(found: Sequence[Any], inferred: Sequence[Any], wanted: Sequence[Port]) -> None:
    """Shapes are the program's: a package says nothing of the shape of an output that moves."""
    _check_names([each.name for each in found], wanted)
    shapes = {each.name: each.shape for each in inferred}
    for feature, port in zip(found, wanted, strict=True):
        _check_dtype(feature.type.multiArrayType, port)
        shape = shapes.get(port.spec.name, ())
        if not _fits(shape, port.spec.shape):
            raise _refused(
                f"{port.of} has the shape [{', '.join(map(str, shape))}], "
                f"expected [{', '.join(map(str, port.spec.shape))}]"
            )


def _fits(shape: Sequence[Any], wanted: Sequence[Dim]) -> bool:
    """A number for a number. What moves must not be a number, unless its name is not known."""

    def fits(size: Any, dim: Dim) -> bool:
        number = isinstance(size, int) or getattr(size, "is_Integer", False)
        if isinstance(dim, int):
            return not number or int(size) == dim
        return not number or "_dim_" in dim

    if not wanted:
        return [*shape] in ([], [1])
    return len(shape) == len(wanted) and all(map(fits, shape, wanted))


def _check_names(found: Sequence[str], wanted: Sequence[Port]) -> None:
    expected = [port.spec.name for port in wanted]
    if [*found] != expected:
        raise _refused(f"it has the tensors {[*found]}, expected {expected}")


def _check_dtype(array: Any, port: Port) -> None:
    said = array.ArrayDataType.Name(array.dataType).lower()
    if said != port.spec.dtype:
        raise _refused(f"{port.of} is {said}, expected {port.spec.dtype}")


def _said(sizes: Sequence[tuple[int, int]]) -> str:
    return f"[{', '.join(str(low) if low == high else f'{low}..{high}' for low, high in sizes)}]"


def _refused(what: str) -> ConversionFailed:
    return ConversionFailed(
        f"the package is not what was ordered: {what}",
        hint="another way of conversion may work; if it is the last, change what the message names",
    )
