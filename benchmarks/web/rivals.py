"""The ways to run one model in the browser. In: settings. Out: bundles, each proven, and rivals.

A runtime that refuses the model has no rival; why is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.numpy import save

import deploy_targets
from deploy_targets import bundle as bundles
from deploy_targets.config import Settings
from deploy_targets.errors import ConversionFailed, ParityFailed, UnsupportedModel
from deploy_targets.records import TENSORS, Bundle, Call
from deploy_targets.targets.web.runner import Way
from deploy_targets.workspace import Workspace

RUNTIMES = ("onnxruntime-web", "litert", "tfjs")
THREADS = (1, 2)
_NOTE = re.compile(r"downloads ([\d.]+) MB in \d+ files(?:, ([\d.]+) MB where)?")


@dataclass(frozen=True)
class Rival:
    """One bundle, run in one way, and the question that it is asked."""

    bundle: Bundle
    runtime: str
    way: Way
    call: Call

    @property
    def name(self) -> str:
        """As it stands in the tables."""
        many = "1 thread" if self.way.threads == 1 else f"{self.way.threads} threads"
        return f"{self.runtime}, {many}"

    @property
    def body(self) -> bytes:
        """The question as it travels."""
        return save({name: array.copy(order="C") for name, array in self.call.inputs.items()})

    @property
    def download(self) -> tuple[float, float]:
        """Megabytes of a first visit, as they are and as brotli, as the bundle itself has them."""
        return download(self.bundle.manifest.notes)


def rivals(
    settings: Settings, runtimes: Sequence[str], home: Path, workspace: Workspace
) -> tuple[list[Rival], dict[str, str]]:
    """All ways that there are, onnxruntime-web with one thread first; and why others are not."""
    found: list[Rival] = []
    refused: dict[str, str] = {}
    for runtime in runtimes:
        try:
            bundle = _built(settings, runtime, home / runtime, workspace)
        except (UnsupportedModel, ConversionFailed, ParityFailed) as error:
            refused[runtime] = f"{type(error).__name__}: {error}"
            continue
        call = _smallest(bundle)
        # TF.js has one thread only, whatever it is asked for.
        lanes = {lane.name for lane in bundle.manifest.lanes}
        ways = [Way("chromium", count) for count in THREADS if f"wasm-{count}t" in lanes]
        found += [Rival(bundle, runtime, way, call) for way in ways]
    return found, refused


def download(notes: Sequence[str]) -> tuple[float, float]:
    """Raises ValueError where no note says it."""
    for note in notes:
        if said := _NOTE.search(note):
            raw, sent = said.groups()
            return float(raw), float(sent or raw)
    raise ValueError(f"no note of the bundle says what a first visit downloads: {list(notes)}")


def _built(settings: Settings, runtime: str, out: Path, workspace: Workspace) -> Bundle:
    """Raises DeployError; a bundle that is not proven with one and with two threads is no rival."""
    made = deploy_targets.build(
        settings, target="web", out=out, options={"runtime": runtime}, workspace=workspace
    )
    if made.verdict != "pass":
        raise SystemExit(f"{settings.name} is {made.verdict} on {runtime}: {made.report}")
    return made.bundle


def _smallest(bundle: Bundle) -> Call:
    """The shortest question among the golden ones; by name, where several are."""
    calls = [check.call for check in bundles.read_golden(bundle) if check.golden == TENSORS]
    return min(calls, key=lambda c: (sum(a.nbytes for a in c.inputs.values()), c.name))
