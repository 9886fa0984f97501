"""The web: a static folder that any site can take, run in a real browser.

A graph comes in; modules, a runtime, the model and a page to ask it go out. `site.py` puts the
folder together with one of `runtimes.py`, `runner.py` opens it in a browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from deploy_targets.binding import identity
from deploy_targets.needs import Need
from deploy_targets.records import BYTES, Built, Dialect, Entry, Lane, Prepared, Stage, Staging
from deploy_targets.runtime import Runner
from deploy_targets.stages import own
from deploy_targets.stages import plan as plans
from deploy_targets.stages.plan import Plan
from deploy_targets.targets.base import Target
from deploy_targets.targets.web import runtimes
from deploy_targets.workspace import Workspace


class Web(Target):
    """A static folder that runs the model in the browser, from any path of any host."""

    name: ClassVar[str] = "web"
    accepts: ClassVar[tuple[Dialect, ...]] = (
        Dialect.ONNX,
        Dialect.EXPORTED,
        Dialect.SAVED_MODEL,
    )
    stages: ClassVar[bool] = True

    runtime: Literal["onnxruntime-web", "litert", "tfjs", "auto"] = Field(
        "onnxruntime-web",
        description="What runs the model in the browser; auto measures them and keeps the fastest.",
    )
    webgpu: bool = Field(
        False, description="Whether the folder has what a page needs that asks for WebGPU."
    )
    sizes: dict[str, int] = Field(
        default_factory=dict,
        description="Sizes of axes other than the batch, for a runtime that needs them fixed "
        "(litert).",
    )
    browsers: tuple[Literal["chromium", "firefox"], ...] = Field(
        ("chromium",), description="Where it is verified; Chromium always is."
    )
    max_download_mb: float | None = Field(
        None, gt=0, description="Megabytes that a first visit may download at most."
    )
    precompress: bool = Field(
        True, description="Whether compressed copies lie beside the files (.br and .gz)."
    )
    golden: Literal["samples", "synthetic", "none"] = Field(
        "synthetic",
        description="Which questions and answers are published with the site; all are judged at "
        "the build.",
    )

    @model_validator(mode="after")
    def _fits_the_runtime(self) -> Self:
        if self.webgpu and self.runtime not in ("onnxruntime-web", "auto"):
            raise ValueError(f"webgpu is for onnxruntime-web alone, not for {self.runtime}")
        if self.sizes and self.runtime not in ("litert", "auto"):
            raise ValueError(f"{self.runtime} leaves axes open; sizes are for litert")
        return self

    @property
    def fixed(self) -> Mapping[str, int]:
        """The sizes that were said."""
        return self.sizes

    @property
    def dialects(self) -> tuple[Dialect, ...]:
        """What the chosen runtime takes; of "auto", what any of them does."""
        return runtimes.find(self.runtime).DIALECTS if self.runtime != "auto" else self.accepts

    def choices(self) -> Sequence[Self]:
        """The runtimes behind "auto", litert first where it is given sizes: they may be wrong."""
        if self.runtime != "auto":
            return (self,)
        own: dict[str, dict[str, object]] = {
            "onnxruntime-web": {"webgpu": self.webgpu},
            "litert": {"sizes": self.sizes},
        }
        none: dict[str, object] = {"webgpu": False, "sizes": {}}
        names = sorted(runtimes.MODULES, key=lambda name: bool(self.sizes) and name != "litert")
        return tuple(
            self.model_copy(update={**none, **own.get(name, {}), "runtime": name}) for name in names
        )

    def check(self, prepared: Prepared) -> tuple[str, ...]:
        """Datatypes and sizes that a browser does not have. Raises ConfigError for `sizes`.

        Of several runtimes one that has no problem is enough.
        """
        from deploy_targets.targets.web import litert

        litert.check_sizes(prepared.signature, self.sizes)
        if self.runtime != "auto":
            return runtimes.find(self.runtime).problems(prepared)
        found = {name: runtimes.find(name).problems(prepared) for name in runtimes.MODULES}
        if not all(found.values()):
            return ()
        return tuple(f"{name}: {problem}" for name, said in found.items() for problem in said)

    def build(self, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
        """The modules, the runtime, the model, a page and a README."""
        from deploy_targets.targets.web import site

        plan = planned(prepared.staging) if prepared.staging else None
        made = site.write(self, prepared, plan, folder, workspace)
        raw = (raw_entry(prepared.staging),) if prepared.staging else ()
        return Built(
            entries=(*made.entries, *raw),
            lanes=self._lanes(prepared.recipe.name),
            roles=made.roles,
            tools=made.tools,
            notes=made.notes,
            stages=plan.stages if plan else (),
        )

    def runner(self, workspace: Workspace) -> AbstractContextManager[Runner]:
        """One browser for all bundles."""
        from deploy_targets.targets.web.runner import started

        return started(workspace)

    def serve(
        self, bundle: Path, port: int, workspace: Workspace, ready: Callable[[str], object]
    ) -> None:
        """The folder with the headers that it asks its host to send, until interrupted."""
        from deploy_targets.targets.web.serve import serve

        serve(bundle, port, ready)

    @classmethod
    def needs(cls) -> tuple[Need, ...]:
        """Node.js, and browsers with what drives them."""
        from deploy_targets.targets.web.needs import needs

        return needs()

    def _lanes(self, recipe: str) -> tuple[Lane, ...]:
        """WebGPU proves itself to each visitor; Firefox is a second opinion on the same bytes."""
        several = [Lane("wasm-1t", recipe)]
        if "wasm" in runtimes.find(self.runtime).LADDER:
            several.append(Lane("wasm-2t", recipe))
        if self.webgpu:
            several.append(Lane("webgpu", recipe, required=False))
        if "firefox" in self.browsers:
            several.append(Lane("firefox-1t", recipe, required=False))
        return tuple(several)


def planned(staging: Staging) -> Plan:
    """Every step runs in JavaScript but torch modules, which are graphs everywhere."""

    def on_host(stage: Stage) -> bool:
        return stage.op != own.MODULE

    return plans.plan(staging, on_host)


def raw_entry(staging: Staging) -> Entry:
    """`predict`: from raw bytes to words."""
    return replace(identity(staging.signature, "predict"), golden=BYTES)
