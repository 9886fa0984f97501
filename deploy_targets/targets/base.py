"""A target is its options: a frozen pydantic model whose fields are its table in deploy.toml.

To add one: subclass `Target`, write `build` and `runner`, and register the class under the
entry-point group `deploy_targets.targets`. docs/first-target.md does it in 30 lines.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from deploy_targets.errors import ConfigError
from deploy_targets.needs import Need
from deploy_targets.records import Built, Bundle, Capture, Dialect, Prepared
from deploy_targets.runtime import Runner
from deploy_targets.workspace import Workspace


class Target(BaseModel, ABC):
    """Somewhere a model must run."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: ClassVar[str]
    accepts: ClassVar[tuple[Dialect, ...]]
    """In order of preference: the next is tried when one fails or is wrong."""
    recipes: ClassVar[frozenset[str]] = frozenset({"fp32"})
    stages: ClassVar[bool] = False
    """Whether its bundles carry the declared steps before and after the model."""
    levels: ClassVar[float] = 0.0
    """How far its image decoder may be from Pillow's, in levels of 255: docs/decoders.md."""

    golden: Literal["samples", "synthetic", "none"] = Field(
        "samples",
        description="Which questions and answers travel in the bundle: all, those that were not "
        "made of your samples, or none. All are judged at the build.",
    )

    @property
    def dialects(self) -> tuple[Dialect, ...]:
        """What these options take; `accepts` is what any of them do."""
        return self.accepts

    @property
    def fixed(self) -> Mapping[str, int]:
        """Axes other than the batch of which its artifacts have one size: they are asked at it."""
        return {}

    @abstractmethod
    def build(self, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
        """Writes the target's own files into `folder`, which is empty.

        Raises UnsupportedModel, ConversionFailed, ToolMissing or OverBudget.
        """

    @abstractmethod
    def runner(self, workspace: Workspace) -> AbstractContextManager[Runner]:
        """Starts the world that runs this target's bundles; serves many of them.

        Raises ToolMissing.
        """

    def converters(self, dialect: Dialect) -> Sequence[Self]:
        """The same target by each converter that it has for a dialect, the best first.

        The next is tried when one fails, is wrong or is not installed.
        """
        return (self,)

    def captured(self, how: Capture) -> Capture:
        """How it would have a graph captured: in an older opset, where its runtimes are old."""
        return how

    def choices(self) -> Sequence[Self]:
        """The concrete targets behind an "auto"; the pipeline measures them and keeps the best."""
        return (self,)

    def check(self, prepared: Prepared) -> tuple[str, ...]:
        """What is known to be impossible before any tool starts. Empty: nothing known."""
        return ()

    def graph(self, bundle: Bundle, folder: Path) -> Path | None:
        """The artifact as an ONNX file, for `verify --explain`; None where it is none.

        Override it where the file is packed: `folder` is empty, and gone afterwards.
        """
        files = bundle.manifest.files
        models = [name for name, file in files.items() if file.role == "model"]
        graphs = [name for name in models if name.endswith(".onnx")]
        return bundle.path / graphs[0] if len(graphs) == 1 else None

    @classmethod
    def needs(cls) -> tuple[Need, ...]:
        """The host tools that this target uses, found or not."""
        return ()

    def serve(
        self, bundle: Path, port: int, workspace: Workspace, ready: Callable[[str], object]
    ) -> None:
        """Serves a bundle on a loopback port until interrupted; tells `ready` the URL."""
        raise ConfigError(
            f"a {self.name} bundle cannot be served", hint="see its README for how it is run"
        )
