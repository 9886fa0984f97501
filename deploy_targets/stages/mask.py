"""[outputs.NAME.postprocess] type = "mask": scores of each pixel -> the class of each pixel.

In: a float output [batch, classes, height, width], or one score a pixel and a threshold. Out:
`NAME` as uint8 [batch, height, width], of the photo's own size where `input` names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from deploy_targets.records import Stage, TensorSpec
from deploy_targets.stages import classes
from deploy_targets.stages.base import After

Level = Annotated[int, Field(ge=0, le=255, strict=True)]
MOST = 256
"""Classes that one byte a pixel can tell apart, and a PNG with a palette."""


class MaskAfter(After):
    """The best class of each pixel, or whether its score is above `threshold`."""

    type: Literal["mask"] = "mask"
    axis: Literal[1, 3] = 1
    """Where the classes are: 1 in [batch, classes, h, w], 3 in [batch, h, w, classes]."""
    activation: Literal["sigmoid", "none"] = "none"
    threshold: Annotated[float, Field(allow_inf_nan=False)] | None = None
    labels: classes.Labels | None = None
    palette: tuple[tuple[Level, Level, Level], ...] | None = None
    size: tuple[int, int] | None = None
    """[height, width] of what the model sees, where the mask is of another size."""
    input: str | None = None
    """The input whose photo the mask lies on; without it, it stays on what the model saw."""

    @model_validator(mode="after")
    def _agree(self) -> MaskAfter:
        if self.activation == "sigmoid" and self.threshold is None:
            raise ValueError(
                "sigmoid changes nothing about which class is best; it goes with threshold = 0.5"
            )
        if self.size is not None and (min(self.size) < 1 or self.input is None):
            raise ValueError(
                "size is [height, width] of what the model sees, for a mask that is brought "
                'back to a photo: it goes with input = "image"'
            )
        return self

    def check(self, of: str, outputs: Sequence[TensorSpec]) -> None:
        """Raises ValueError where `of` is no mask, or the other keys do not fit its classes."""
        wanted = "[batch, classes, height, width]"
        scores = classes.counted(classes.scores_of(of, outputs, 4, wanted), self.axis)
        if scores == 1 and self.threshold is None:
            raise ValueError(
                f"{of} has one score a pixel: say above which it counts, as threshold = 0.5"
            )
        if scores > 1 and self.threshold is not None:
            raise ValueError(
                f"threshold is for one score a pixel, and {of} has {scores} on axis {self.axis}, "
                "of which the best is taken; leave threshold out"
            )
        if scores > MOST:
            raise ValueError(f"{of} has {scores} classes; masks have {MOST} at most")
        kinds = self._kinds(of, outputs)
        classes.count(self.labels, kinds, of)
        if self.palette is not None and len(self.palette) != kinds:
            raise ValueError(
                f"palette: {len(self.palette)} colours for the {kinds} classes of {of}; "
                "write [red, green, blue] for each, in their order"
            )

    def stages(self, of: str, outputs: Sequence[TensorSpec], base: Path) -> tuple[Stage, ...]:
        """Raises ValueError where the labels cannot be read or are not as many as the classes."""
        kinds = self._kinds(of, outputs)
        labels = classes.names(self.labels, kinds, of, base)
        steps = classes.activated(of, self.activation, self.axis)
        if self.threshold is None:
            steps.append(Stage(of, "argmax", {"axis": self.axis}))
        else:
            steps.append(Stage(of, "above", {"axis": self.axis, "at": self.threshold}))
        if self.input is not None:
            size = self.size and list(self.size)
            steps.append(Stage(of, "resize_mask", {"input": self.input, "size": size}))
        colours = [list(colour) for colour in self.palette or map(_colour, range(kinds))]
        steps.append(Stage(of, "palette", {"colours": colours}))
        return (*steps, Stage(of, "label", {"says": "mask", "labels": labels}))

    def gives(self, of: str, outputs: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
        """A class for each pixel, of the photo or of what the model saw."""
        batch, *pixels = (
            dim for axis, dim in enumerate(classes.find(of, outputs).shape) if axis != self.axis
        )
        if self.input is not None:
            pixels = [f"{of}.height", f"{of}.width"]
        return (TensorSpec(of, "uint8", (batch, *pixels), "segmentation"),)

    def _kinds(self, of: str, outputs: Sequence[TensorSpec]) -> int:
        """With a threshold there are two: not above it, and above it."""
        scores = classes.counted(classes.find(of, outputs), self.axis)
        return scores if self.threshold is None else 2


def _colour(kind: int) -> tuple[int, int, int]:
    """Black for 0; then the bits of the number, dealt to red, green and blue from the top down."""
    dealt = [
        sum((kind >> 3 * bit + colour & 1) << 7 - bit for bit in range(3)) for colour in range(3)
    ]
    return dealt[0], dealt[1], dealt[2]
