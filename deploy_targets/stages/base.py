"""What a table of deploy.toml that declares steps must be able to say of itself.

`Before` is [inputs.NAME.preprocess], `After` is [outputs.NAME.postprocess]. Each is a frozen
pydantic model with a `type`; a new type is a file beside this one and a line in `tables.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from deploy_targets.records import Stage, TensorSpec
from deploy_targets.stages.own import Own


@dataclass(frozen=True)
class Raw:
    """One raw input that is made up: a name, what it catches, the bytes."""

    name: str
    why: str
    data: bytes


class Table(BaseModel):
    """A table of deploy.toml: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Before(Table, ABC):
    """From raw bytes to one tensor of the model."""

    media: ClassVar[tuple[str, ...]]
    """Content types of the raw bytes, the most usual first; "image/*" is all of its kind."""
    suffixes: ClassVar[tuple[str, ...]]
    """Of files that hold such bytes, in lower case."""
    single: ClassVar[bool] = True
    """Whether one body is one item, so that the answer's leading axis of 1 says nothing."""
    reference: str | None = None
    """The original's own preprocessing, "file.py:callable": golden answers are made with it."""
    own: tuple[Own, ...] = ()
    """The user's own steps, among the declared ones."""

    @abstractmethod
    def check(self, tensor: TensorSpec) -> None:
        """Raises ValueError where these steps cannot end in this tensor; says what would."""

    @abstractmethod
    def stages(self, tensor: TensorSpec, base: Path) -> tuple[Stage, ...]:
        """All steps in order, from bytes to the tensor, with every option spelled out as JSON.

        `base` is the folder that files are relative to.
        """

    @abstractmethod
    def port(self, stages: Sequence[Stage], at: int, tensor: TensorSpec) -> TensorSpec:
        """The tensor that lies between step `at` - 1 and step `at`, dynamic axes by name."""

    @abstractmethod
    def made(self, tensor: TensorSpec) -> Iterable[Raw]:
        """Raw inputs to ask besides the user's: what is awkward and yet right, seeded."""

    @abstractmethod
    def given(self, data: bytes) -> object:
        """What the original's own preprocessing is called with: a PIL image, samples and rate…"""


class After(Table, ABC):
    """From tensors of the model to an answer."""

    @abstractmethod
    def check(self, of: str, outputs: Sequence[TensorSpec]) -> None:
        """Raises ValueError where these steps cannot begin at output `of`; says what would do."""

    @abstractmethod
    def stages(self, of: str, outputs: Sequence[TensorSpec], base: Path) -> tuple[Stage, ...]:
        """All steps in order, with every option spelled out as JSON (labels too)."""

    @abstractmethod
    def gives(self, of: str, outputs: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
        """The tensors of the answer, with the `kind` by which each is judged."""

    def consumes(self, of: str) -> tuple[str, ...]:
        """The model's outputs that are not in the answer by themselves any more."""
        return (of,)
