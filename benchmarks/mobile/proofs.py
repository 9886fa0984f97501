"""What came of building one model for the tflite target. In: settings. Out: a Proof, and a table.

A refusal is an answer: it is kept with its reason, as a user gets it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from web.proofs import REFUSED, terms

import deploy_targets
from deploy_targets.config import Settings
from deploy_targets.errors import DeployError
from deploy_targets.pipeline import Outcome
from deploy_targets.workspace import Workspace

FILE = "model.tflite"
SIZES = {"attacut": {"time": 36}}
"""Of the axes that a .tflite fixes."""
HERE = {"arm": "none", "old_runtime": False}
DEVICES = ("android", "ios")
"""How the lanes begin that no machine but a phone answers."""


@dataclass(frozen=True)
class Proof:
    """One model."""

    model: str
    verdict: str
    """Of the bundle, or "refused"."""
    takes: str = ""
    converter: str = ""
    """Which one of them made the file in the bundle."""
    megabytes: float = 0.0
    """Of the .tflite alone."""
    lanes: tuple[tuple[str, str, int, float], ...] = ()
    """Per lane: its name, its verdict, how many cases it was asked, the largest relative L2."""
    said: tuple[str, ...] = ()


def prove(settings: Settings, out: Path, everywhere: bool, workspace: Workspace) -> Proof:
    """Builds and verifies as a user would."""
    name = settings.name or ""
    options = {"sizes": SIZES.get(name, {}), "golden": "samples", **({} if everywhere else HERE)}
    try:
        made = deploy_targets.build(
            settings, target="tflite", out=out, options=options, workspace=workspace
        )
    except DeployError as error:
        return Proof(name, REFUSED, said=(f"{type(error).__name__}: {error}",))
    return _proof(name, made)


def table(proofs: Sequence[Proof]) -> str:
    """A line for each lane of each model, and below them what was said."""
    head = (
        "| model | takes and gives | converter | MB | verdict | lane | its verdict | cases "
        "| relative L2 |\n|---|---|---|---|---|---|---|---|---|\n"
    )
    lines = "".join(line for proof in proofs for line in _lines(proof))
    said = "".join(f"\n- {proof.model}: {one}" for proof in proofs for one in proof.said)
    return f"{head}{lines}{said}\n" if said else f"{head}{lines}"


def _proof(name: str, made: Outcome) -> Proof:
    manifest = made.bundle.manifest
    rows = [row for row in made.report.rows if not row.lane.startswith(DEVICES)]
    lanes = tuple(
        (
            row.lane,
            str(row.verdict),
            len({parity.call for parity in row.parity}),
            max((parity.relative_l2 for parity in row.parity), default=float("nan")),
        )
        for row in rows
    )
    uncovered = [
        f"{len(manifest.uncovered)} cases could not be asked, such as: {each}"
        for each in manifest.uncovered[:1]
    ]
    reasons = [f"{row.lane}: {row.reason}" for row in rows if row.reason]
    return Proof(
        model=name,
        verdict=str(made.verdict),
        takes=terms(manifest.signature),
        converter=str(manifest.options["converter"]),
        megabytes=manifest.files[FILE].size / 1e6,
        lanes=lanes,
        said=(*made.tried, *reasons, *manifest.notes, *uncovered),
    )


def _lines(proof: Proof) -> Iterator[str]:
    if proof.verdict == REFUSED:
        yield f"| {proof.model} | | | | {REFUSED} | | | | |\n"
        return
    for lane, verdict, cases, apart in proof.lanes:
        yield (
            f"| {proof.model} | {proof.takes} | {proof.converter} | {proof.megabytes:.2f} "
            f"| {proof.verdict} | {lane} | {verdict} | {cases} | {apart:.1e} |\n"
        )
