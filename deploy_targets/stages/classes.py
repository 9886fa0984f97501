"""[outputs.NAME.postprocess] type = "classes": scores of classes -> probabilities, names, the best.

In: a float output [batch, classes]. Out: the same as probabilities, or the best `top_k` of them as
`NAME.scores` and `NAME.indices`. `names` reads labels for every table that has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from deploy_targets.records import Stage, TensorSpec
from deploy_targets.stages.base import After

Labels = str | tuple[str, ...]
"""A file with one name a line, or the names themselves."""

FLOATS = ("float32", "float16", "bfloat16", "float64")


class ClassesAfter(After):
    """Activation, then either all scores, or those above `threshold`, or the best `top_k`."""

    type: Literal["classes"] = "classes"
    activation: Literal["softmax", "sigmoid", "none"] | None = None
    top_k: Annotated[int, Field(ge=1, strict=True)] | None = None
    threshold: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] | None = None
    labels: Labels | None = None

    @model_validator(mode="after")
    def _agree(self) -> ClassesAfter:
        if self.activation is None:
            raise ValueError(
                'activation is missing: "softmax" where one class is right, "sigmoid" where '
                'several can be, "none" where the model gives probabilities already'
            )
        if self.threshold is not None and self.activation == "softmax":
            raise ValueError(
                "threshold is for several classes at once, and softmax is for one; "
                'say activation = "sigmoid", or top_k in place of threshold'
            )
        if self.threshold is not None and self.top_k is not None:
            raise ValueError(
                "threshold gives every class above it and top_k so many, whatever their score; "
                "leave out one of them"
            )
        return self

    def check(self, of: str, outputs: Sequence[TensorSpec]) -> None:
        """Raises ValueError where `of` is no [batch, classes] of floats, or has fewer classes."""
        spec = scores_of(of, outputs, 2, "[batch, classes]")
        classes = counted(spec, 1)
        if self.top_k is not None and self.top_k > classes:
            raise ValueError(
                f"top_k = {self.top_k}, and {of} has {classes} classes: {classes} at most"
            )
        if self.activation == "softmax" and classes == 1:
            raise ValueError(
                f'softmax of the one score in {of} is always 1; say activation = "sigmoid"'
            )
        count(self.labels, classes, of)

    def stages(self, of: str, outputs: Sequence[TensorSpec], base: Path) -> tuple[Stage, ...]:
        """Raises ValueError where the labels cannot be read or are not as many as the classes."""
        labels = names(self.labels, counted(find(of, outputs), 1), of, base)
        steps = activated(of, self.activation, -1)
        if self.threshold is not None:
            steps.append(Stage(of, "threshold", {"at": self.threshold}))
        if self.top_k is not None:
            steps.append(Stage(of, "top_k", {"k": self.top_k}))
        said = {"says": "classes", "labels": labels, "zeros": self.threshold is None}
        return (*steps, Stage(of, "label", said))

    def gives(self, of: str, outputs: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
        """All scores by class, or scores and indices of the best."""
        batch, classes = find(of, outputs).shape
        if self.top_k is not None:
            shape = (batch, self.top_k)
            scores = TensorSpec(f"{of}.scores", "float32", shape)
            return (scores, TensorSpec(f"{of}.indices", "int64", shape))
        kind = "classifier" if self.threshold is None else "plain"
        changed = self.activation != "none" or self.threshold is not None
        dtype = "float32" if changed else find(of, outputs).dtype
        return (TensorSpec(of, dtype, (batch, classes), kind),)


def activated(of: str, activation: str | None, axis: int) -> list[Stage]:
    """The step that makes probabilities of scores, if there is one."""
    if activation == "softmax":
        return [Stage(of, "softmax", {"axis": axis})]
    return [Stage(of, "sigmoid", {})] if activation == "sigmoid" else []


def find(of: str, outputs: Sequence[TensorSpec]) -> TensorSpec:
    """The output of that name. Raises ValueError with those that there are."""
    if spec := next((spec for spec in outputs if spec.name == of), None):
        return spec
    raise ValueError(f"there is no output {of!r}; there are {', '.join(s.name for s in outputs)}")


def scores_of(of: str, outputs: Sequence[TensorSpec], rank: int, wanted: str) -> TensorSpec:
    """The output, which must hold floats and have so many axes. Raises ValueError."""
    spec = find(of, outputs)
    shape = f"[{', '.join(map(str, spec.shape))}]"
    if spec.dtype not in FLOATS:
        raise ValueError(f"{of} is {spec.dtype}; scores are floats, for example float32 {wanted}")
    if len(spec.shape) != rank:
        raise ValueError(f"{of} is {shape}; expected {wanted}")
    return spec


def counted(spec: TensorSpec, axis: int) -> int:
    """How many classes there are. Raises ValueError where the axis has no fixed size."""
    size = spec.shape[axis]
    if isinstance(size, str):
        raise ValueError(
            f"axis {axis % len(spec.shape)} of {spec.name} is of any size ({size!r}), and classes "
            "are counted; give the output a fixed number there"
        )
    return size


def count(labels: Labels | None, classes: int, of: str) -> None:
    """Raises ValueError where labels that are given as a list are not as many as the classes."""
    if isinstance(labels, tuple):
        _same(labels, classes, of, "labels")


def names(labels: Labels | None, classes: int, of: str, base: Path) -> list[str] | None:
    """The labels, from their file or as they are. Raises ValueError."""
    if labels is None or isinstance(labels, tuple):
        count(labels, classes, of)
        return None if labels is None else list(labels)
    try:
        text = (base / labels).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"labels = {labels!r} is no UTF-8 text, with one name a line") from error
    except OSError as error:
        raise ValueError(
            f"labels = {labels!r} cannot be read ({error.strerror}); expected a file in {base} "
            "with one name a line, or a list of names"
        ) from error
    lines = text.removesuffix("\n").split("\n")
    if "" in lines:
        raise ValueError(f"line {lines.index('') + 1} of {labels} is empty; write a name there")
    _same(lines, classes, of, labels)
    return lines


def _same(labels: Sequence[str], classes: int, of: str, where: str) -> None:
    if len(labels) != classes:
        raise ValueError(
            f"{where}: {len(labels)} names for the {classes} classes of {of}; "
            "write one for each, in their order"
        )
