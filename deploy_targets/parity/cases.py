"""Which questions the original is asked. In: a signature and the user's samples. Out: inputs.

Samples come first, as they are. Then every dynamic axis is moved through at least three sizes
where its range allows, an empty one included: an artifact can be right at the example's shape and
wrong beside it. A batch is made of samples where there are any; other axes need made-up inputs,
which are seeded and marked as synthetic (made.py). Probes come last (probes.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from deploy_targets.binding import batch_axis, sizes_of
from deploy_targets.errors import ConfigError
from deploy_targets.parity.made import Question, sizes_to_try, synthetic
from deploy_targets.parity.probes import probes
from deploy_targets.records import Array, Signature, Tensors, TensorSpec


def questions(
    signature: Signature, samples: Mapping[str, Tensors], fixed: Mapping[str, int] | None = None
) -> list[Question]:
    """The user's samples, then what the samples leave out, at least one of it made up.

    `fixed`: the sizes of axes that an artifact will have alone, and so has to be asked at.
    """
    for name, tensors in samples.items():
        check_sample(signature, name, tensors)
    given = [Question(name, "a sample", tensors, False) for name, tensors in samples.items()]
    made = [
        *_sizes_of_batch(signature, samples),
        *_sizes_of_other_axes(signature, samples),
        *_at_fixed_sizes(signature, fixed or {}),
    ]
    probing = probes(signature, samples)
    if not (given or made) or not any(question.synthetic for question in (*made, *probing)):
        # One at least may be shown to anyone; where it is the only one, it must be answered.
        seeded = synthetic(signature, {}, 0)
        made.append(Question("synthetic", "seeded inputs", seeded, True, optional=bool(given)))
    made += probing
    if taken := {question.name for question in given} & {question.name for question in made}:
        raise ConfigError(
            f"sample {sorted(taken)[0]} has the name of a made-up case", hint="rename the sample"
        )
    return given + made


def check_sample(signature: Signature, name: str, tensors: Tensors) -> None:
    """Raises ConfigError naming the sample, the input and what was expected."""
    hint = "make each sample hold one array per input, named as the input"
    wanted = {spec.name for spec in signature.inputs}
    for missing in sorted(wanted - set(tensors)):
        raise ConfigError(f"sample {name} has no array named {missing!r}", hint=hint)
    for extra in sorted(set(tensors) - wanted):
        raise ConfigError(
            f"sample {name} has an array {extra!r}, and the model no such input", hint=hint
        )
    for spec in signature.inputs:
        _check_tensor(name, spec, tensors[spec.name])
    _check_axes(signature, name, tensors)


def _check_tensor(name: str, spec: TensorSpec, array: Array) -> None:
    fits = array.ndim == len(spec.shape) and all(
        isinstance(dim, str) or dim == size
        for dim, size in zip(spec.shape, array.shape, strict=True)
    )
    if not fits:
        raise ConfigError(
            f"sample {name}: {spec.name} has shape {list(array.shape)}, "
            f"expected {_shape(spec.shape)}",
            hint="reshape the sample, or correct the shape in deploy.toml",
        )
    if array.dtype.name != spec.dtype:
        raise ConfigError(
            f"sample {name}: {spec.name} is {array.dtype.name}, expected {spec.dtype}",
            hint=f"save it as {spec.dtype}, or correct the dtype in deploy.toml",
        )


def _shape(shape: Sequence[int | str]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _check_axes(signature: Signature, name: str, tensors: Tensors) -> None:
    sizes = sizes_of(signature.inputs, tensors)
    for spec in signature.inputs:
        for dim, size in zip(spec.shape, tensors[spec.name].shape, strict=True):
            if isinstance(dim, str) and sizes[dim] != size:
                raise ConfigError(
                    f"sample {name}: axis {dim} has size {size} in {spec.name}, and {sizes[dim]} "
                    "in another input",
                    hint="one axis has one size; correct the sample, or name the axes differently",
                )
    for axis in signature.axes:
        size = sizes.get(axis.name, axis.minimum)
        if not axis.minimum <= size <= axis.maximum:
            raise ConfigError(
                f"sample {name}: axis {axis.name} has size {size}, "
                f"declared are {axis.minimum} to {axis.maximum}",
                hint=f"widen it (--axis {axis.name}={min(size, axis.minimum)}.."
                f"{max(size, axis.maximum)}, or under [axes] in deploy.toml), or drop the sample",
            )


def _sizes_of_batch(signature: Signature, samples: Mapping[str, Tensors]) -> Iterator[Question]:
    """The batch at several sizes. Its rows differ, so that exchanged rows show."""
    axis = next((axis for axis in signature.axes if axis.name == signature.batch), None)
    if axis is None:
        return
    rows = _compatible_rows(signature, samples)
    for size in sizes_to_try(axis):
        why = f"{axis.name} = {size}, every row another"
        if 0 < size <= len(rows):
            inputs = {
                spec.name: _join(spec, [row[spec.name] for row in rows[:size]], signature.batch)
                for spec in signature.inputs
            }
            yield Question(f"{axis.name}-{size}", why, inputs, False)
        else:
            inputs = synthetic(signature, {axis.name: size}, seed=size)
            yield Question(f"{axis.name}-{size}", why, inputs, True)


def _at_fixed_sizes(signature: Signature, fixed: Mapping[str, int]) -> Iterator[Question]:
    """One row and several; sizes that the model does not take are for the target to refuse."""
    axes = {axis.name: axis for axis in signature.axes}
    sizes = {
        name: size
        for name, size in fixed.items()
        if name in axes and axes[name].minimum <= size <= axes[name].maximum
    }
    if not sizes:
        return
    batch = axes.get(signature.batch or "")
    rows = sorted({batch.minimum, min(3, batch.maximum)} - {0}) if batch else [None]
    said = ", ".join(f"{name} = {size}" for name, size in sorted(sizes.items()))
    for number, count in enumerate(rows):
        asked = sizes if batch is None or count is None else {**sizes, batch.name: count}
        inputs = synthetic(signature, asked, seed=2000 + number)
        yield Question(f"fixed-{number}", f"{said}, as the artifact is fixed", inputs, True)


def _compatible_rows(signature: Signature, samples: Mapping[str, Tensors]) -> list[Tensors]:
    """Single rows of samples that agree in all other axes with the first."""
    rows = [
        t for t in samples.values() if sizes_of(signature.inputs, t)[signature.batch or ""] == 1
    ]
    return [row for row in rows if _shapes(row) == _shapes(rows[0])]


def _shapes(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in tensors.items()}


def _join(spec: TensorSpec, arrays: list[Array], batch: str | None) -> Array:
    axis = batch_axis(spec, batch)
    return arrays[0] if axis is None else np.concatenate(arrays, axis)


def _sizes_of_other_axes(
    signature: Signature, samples: Mapping[str, Tensors]
) -> Iterator[Question]:
    seen = [sizes_of(signature.inputs, tensors) for tensors in samples.values()]
    for axis in signature.axes:
        if axis.name == signature.batch:
            continue
        for size in sizes_to_try(axis):
            if all(sizes.get(axis.name) != size for sizes in seen):
                inputs = synthetic(signature, {axis.name: size}, seed=1000 + size)
                yield Question(f"{axis.name}-{size}", f"{axis.name} = {size}", inputs, True)
