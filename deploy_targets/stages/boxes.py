"""[outputs.NAME.postprocess] type = "boxes": what a detector proposes -> the boxes that are meant.

In: [1, proposals, 4] and an output of scores, or one output with the scores behind the four. Out:
`NAME` as [found, 6]: x1, y1, x2, y2, score, class; best first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from deploy_targets.records import Dim, Stage, TensorSpec
from deploy_targets.stages import classes
from deploy_targets.stages.base import After

Layout = Literal["rows", "columns"]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class _Form(NamedTuple):
    """Where things lie: of the boxes, of their scores, and how many classes there are."""

    boxes: Layout
    scores: Layout
    classes: int


class BoxesAfter(After):
    """Non-maximum suppression, class by class, then back to the photo."""

    type: Literal["boxes"] = "boxes"
    scores: str | None = None
    """The output with the scores; without it they follow the four numbers of each box."""
    activation: Literal["softmax", "sigmoid", "none"] = "none"
    format: Literal["xyxy", "xywh", "cxcywh"]
    unit: Literal["pixels", "relative"] = "pixels"
    size: tuple[int, int] | None = None
    """[height, width] of what the model sees, for relative boxes."""
    layout: Layout | None = None
    """Whether a proposal is a row or a column, where shapes do not tell."""
    per_box: Literal["all", "best"] = "all"
    """Whether a proposal may be found as several classes, or as its best alone."""
    background: Annotated[int, Field(ge=0, strict=True)] | None = None
    """The class that means that there is nothing."""
    iou: Share = 0.45
    score: Number = 0.25
    max: Annotated[int, Field(ge=1, strict=True)] = 100
    labels: classes.Labels | None = None
    input: str | None = None
    """The input whose photo the boxes are drawn on; without it they stay on what the model saw."""

    @model_validator(mode="after")
    def _agree(self) -> BoxesAfter:
        if self.unit == "relative" and self.size is None:
            raise ValueError('unit = "relative": say of what, for example size = [640, 640]')
        if self.unit == "pixels" and self.size is not None:
            raise ValueError('size is for unit = "relative"; boxes in pixels do not need it')
        if self.size is not None and min(self.size) < 1:
            raise ValueError("size is [height, width] of what the model sees, in pixels")
        if self.scores is None and self.activation != "none":
            raise ValueError(
                "activation is for scores in an output of their own: name it, as scores = "
                '"scores", or give them as probabilities'
            )
        return self

    def check(self, of: str, outputs: Sequence[TensorSpec]) -> None:
        """Raises ValueError where the outputs are no boxes and scores, or do not fit together."""
        form = self._form(of, outputs)
        if self.background is not None and self.background >= form.classes:
            raise ValueError(f"background = {self.background}, of {form.classes} classes from 0 on")
        classes.count(self.labels, form.classes, self.scores or of)

    def stages(self, of: str, outputs: Sequence[TensorSpec], base: Path) -> tuple[Stage, ...]:
        """Raises ValueError where the labels cannot be read or are not as many as the classes."""
        form = self._form(of, outputs)
        labels = classes.names(self.labels, form.classes, self.scores or of, base)
        axis = -1 if form.scores == "rows" else 1
        options = {
            "scores": self.scores,
            "layout": form.boxes,
            "scores_layout": form.scores,
            "format": self.format,
            "unit": self.unit,
            "size": self.size and list(self.size),
            "background": self.background,
            "best": self.per_box == "best",
            "iou": self.iou,
            "score": self.score,
            "max": self.max,
        }
        steps = classes.activated(self.scores or of, self.activation, axis)
        steps.append(Stage(of, "detections", options))
        if self.input is not None:
            steps.append(Stage(of, "unframe", {"input": self.input}))
        return (*steps, Stage(of, "label", {"says": "boxes", "labels": labels}))

    def gives(self, of: str, outputs: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
        """As many rows as were found."""
        return (TensorSpec(of, "float32", (f"{of}.found", 6), "detection"),)

    def consumes(self, of: str) -> tuple[str, ...]:
        """The boxes, and the output with their scores."""
        return (of,) if self.scores is None else (of, self.scores)

    def _form(self, of: str, outputs: Sequence[TensorSpec]) -> _Form:
        if self.scores is None:
            spec = classes.scores_of(of, outputs, 3, "[1, 4 + classes, proposals]")
            layout = self.layout or _together(spec)
            count = classes.counted(spec, 2 if layout == "rows" else 1) - 4
            if count < 1:
                raise ValueError(
                    f"{of} holds four numbers for each box and no scores; "
                    'name the output that has them, as scores = "scores"'
                )
            return _Form(layout, layout, count)
        if self.scores == of:
            raise ValueError(f"scores = {of!r} are the boxes themselves; leave it out")
        spec = classes.scores_of(of, outputs, 3, "[1, proposals, 4]")
        layout, proposals = _four(spec)
        marks = classes.scores_of(self.scores, outputs, 3, "[1, proposals, classes]")
        side = _beside(marks, proposals, self.layout)
        return _Form(layout, side, classes.counted(marks, 2 if side == "rows" else 1))


def _together(spec: TensorSpec) -> Layout:
    """The shorter axis has the four and the classes; a dynamic one has the proposals."""
    first, second = (float("inf") if isinstance(dim, str) else dim for dim in spec.shape[1:])
    if first == second:
        raise ValueError(
            f"{spec.name} is {list(spec.shape)}: is a box a row of it, or a column? "
            'say layout = "rows" for [1, proposals, 4 + classes], or "columns"'
        )
    return "columns" if first < second else "rows"


def _four(spec: TensorSpec) -> tuple[Layout, Dim]:
    """How boxes alone lie, and how many proposals there are."""
    if spec.shape[2] == 4:
        return "rows", spec.shape[1]
    if spec.shape[1] == 4:
        return "columns", spec.shape[2]
    raise ValueError(
        f"{spec.name} is {list(spec.shape)}; expected [1, proposals, 4] or [1, 4, proposals]"
    )


def _beside(spec: TensorSpec, proposals: Dim, said: Layout | None) -> Layout:
    """How the scores lie, from where as many proposals are as there are boxes."""
    sides: tuple[tuple[Layout, Dim], ...] = (("rows", spec.shape[1]), ("columns", spec.shape[2]))
    fit = [side for side, dim in sides if dim == proposals]
    if isinstance(proposals, str) and not fit:
        fit = [side for side, dim in sides if isinstance(dim, str)]
    if said is not None and fit:
        if said not in fit:
            raise ValueError(
                f'layout = "{said}", and {spec.name} {list(spec.shape)} has the {proposals} boxes '
                f"as {fit[0]}; leave layout out"
            )
        return said
    if len(fit) == 1:
        return fit[0]
    problem = "either axis could be the proposals" if fit else f"no axis is the {proposals} boxes"
    raise ValueError(
        f"{spec.name} is {list(spec.shape)}: {problem}; expected [1, proposals, classes], or "
        '[1, classes, proposals] with layout = "columns"'
    )
