"""[outputs.NAME.postprocess] type = "text": scores of each step in time -> what was said.

In: a float output [1, steps, tokens]. Out: `NAME` as int64 [tokens said], and their letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from deploy_targets.records import Stage, TensorSpec
from deploy_targets.stages import classes
from deploy_targets.stages.base import After


class TextAfter(After):
    """CTC, greedily: the best token of each step, repeats once, blanks never."""

    type: Literal["text"] = "text"
    decoder: Literal["ctc"] = "ctc"
    blank: Annotated[int, Field(ge=0, strict=True)] = 0
    time: Literal[0, 1] = 1
    """The axis of the steps: 1 in [1, steps, tokens], 0 in [steps, 1, tokens]."""
    labels: classes.Labels | None = None
    alphabet: str | None = None
    """The labels where each is one character, as one string; the blank's place counts, too."""
    space: str | None = None
    """The label, or the part of labels, that stands for a space between words."""

    @model_validator(mode="after")
    def _agree(self) -> TextAfter:
        if self.labels is not None and self.alphabet is not None:
            raise ValueError("labels and alphabet say the same; leave out one of them")
        if self.space == "":
            raise ValueError('space is what stands for a space, for example "|"')
        if self.space is not None and self.labels is None and self.alphabet is None:
            raise ValueError("space goes with labels or with alphabet, of which it is a part")
        return self

    def check(self, of: str, outputs: Sequence[TensorSpec]) -> None:
        """Raises ValueError where `of` is no [1, steps, tokens], or has other tokens than said."""
        tokens = self._tokens(of, outputs)
        if self.blank >= tokens:
            raise ValueError(f"blank = {self.blank}, and {of} has the tokens 0 to {tokens - 1}")
        classes.count(self._labels(), tokens, of)

    def stages(self, of: str, outputs: Sequence[TensorSpec], base: Path) -> tuple[Stage, ...]:
        """Raises ValueError where the labels cannot be read or are not as many as the tokens."""
        labels = classes.names(self._labels(), self._tokens(of, outputs), of, base)
        if labels is not None and self.space and not any(self.space in label for label in labels):
            raise ValueError(f"space = {self.space!r} is in none of the labels")
        said = {"says": "text", "labels": labels, "space": self.space}
        steps = Stage(of, "ctc", {"blank": self.blank, "time": self.time})
        return (steps, Stage(of, "label", said))

    def gives(self, of: str, outputs: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
        """As many tokens as were said."""
        return (TensorSpec(of, "int64", (f"{of}.length",), "sequence"),)

    def _labels(self) -> classes.Labels | None:
        return self.labels if self.alphabet is None else tuple(self.alphabet)

    def _tokens(self, of: str, outputs: Sequence[TensorSpec]) -> int:
        wanted = "[1, steps, tokens]" if self.time == 1 else "[steps, 1, tokens]"
        return classes.counted(classes.scores_of(of, outputs, 3, wanted), 2)
