"""What came of building one model for one runtime. In: settings. Out: a Proof, and rows of a table.

A refusal is an answer: it is kept with its reason, as a user gets it. What is no error of ours is
raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import deploy_targets
from deploy_targets import bundle as bundles
from deploy_targets.config import Settings
from deploy_targets.errors import DeployError
from deploy_targets.pipeline import Outcome
from deploy_targets.records import TENSORS, Bundle, Signature, TensorSpec
from deploy_targets.verdicts import Row
from deploy_targets.workspace import Workspace

REFUSED = "refused"
DOWNLOADS = "a first visit downloads"
"""How the note begins that benchmarks/web_latency.py tells."""
SHORT = {"float32": "f32", "int64": "i64", "int32": "i32"}


@dataclass(frozen=True)
class Proof:
    """One model, one runtime."""

    model: str
    asked: str
    """The runtime that was asked for."""
    verdict: str
    """Of the bundle, or "refused"."""
    runtime: str = ""
    """The runtime that the bundle has; another than was asked for where that was "auto"."""
    takes: str = ""
    cases: int = 0
    sizes: str = ""
    """At each place of the first input's shape: which sizes the artifact was asked about."""
    relative_l2: float = 0.0
    """The largest of all outputs, cases and lanes."""
    noise: float = 0.0
    """The same, in units of the model's own noise."""
    milliseconds: tuple[tuple[str, float], ...] = ()
    """Lane -> median of one answer."""
    said: tuple[str, ...] = ()


def prove(settings: Settings, runtime: str, out: Path, workspace: Workspace) -> Proof:
    """Builds and verifies as a user would."""
    name = settings.name or ""
    try:
        made = deploy_targets.build(
            settings,
            target="web",
            out=out,
            options={"runtime": runtime, "golden": "samples"},
            workspace=workspace,
        )
    except DeployError as error:
        return Proof(name, runtime, REFUSED, said=(f"{type(error).__name__}: {error}",))
    return _proof(name, runtime, made)


def missing(proofs: Sequence[Proof], runtime: str) -> list[str]:
    """The models that are no PASS on this runtime, each with what is known."""
    return [
        f"{proof.model} is {proof.verdict} on {runtime}: {'; '.join(proof.said)}"
        for proof in proofs
        if proof.asked == runtime and proof.verdict != "pass"
    ]


def table(proofs: Sequence[Proof]) -> str:
    """One line for each, and below it what was said."""
    head = (
        "| model | takes and gives | runtime | verdict | cases | sizes | relative L2 "
        "| in units of its noise | ms: 1 thread, 2 threads |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    lines = "".join(_line(proof) for proof in proofs)
    said = "".join(
        f"\n- {proof.model}, {proof.asked}: {one}" for proof in proofs for one in proof.said
    )
    return f"{head}{lines}{said}\n" if said else f"{head}{lines}"


def _proof(name: str, runtime: str, made: Outcome) -> Proof:
    rows = made.report.rows
    found = [parity for row in rows for parity in row.parity]
    compared = [
        f"{one.options['runtime']}: {one.said or one.verdict}"
        + (f", {1000 * one.seconds:.2f} ms" if one.seconds is not None else "")
        for one in made.compared
    ]
    manifest = made.bundle.manifest
    return Proof(
        model=name,
        asked=runtime,
        verdict=str(made.verdict),
        runtime=str(manifest.options["runtime"]),
        takes=terms(manifest.signature),
        cases=len({parity.call for parity in found}),
        sizes=_asked(made.bundle),
        relative_l2=max((parity.relative_l2 for parity in found), default=float("nan")),
        noise=max((parity.whole for parity in found), default=float("nan")),
        milliseconds=tuple((r.lane, 1000 * r.seconds) for r in rows if r.seconds is not None),
        said=(*made.tried, *compared, *_reasons(rows), *_limits(made.bundle)),
    )


def sizes(shapes: Iterable[Sequence[int]]) -> str:
    """Of shapes of one rank: the sizes at each place, "1 2 8 x 1024"."""
    places = zip(*shapes, strict=True)
    return " x ".join(" ".join(str(size) for size in sorted(set(place))) for place in places)


def _asked(bundle: Bundle) -> str:
    checks = [check for check in bundles.read_golden(bundle) if check.golden == TENSORS]
    port = bundle.manifest.entries[0].inputs[0].spec.name
    return sizes([check.call.inputs[port].shape for check in checks])


def terms(signature: Signature) -> str:
    """What a model takes and gives: "f32[batch, 3] → i64[batch]"."""
    gives = ", ".join(_term(spec) for spec in signature.outputs)
    return f"{', '.join(_term(spec) for spec in signature.inputs)} → {gives}"


def _term(spec: TensorSpec) -> str:
    return f"{SHORT.get(spec.dtype, spec.dtype)}[{', '.join(str(dim) for dim in spec.shape)}]"


def _reasons(rows: Sequence[Row]) -> list[str]:
    return [f"{row.lane}: {row.reason}" for row in rows if row.reason]


def _limits(bundle: Bundle) -> list[str]:
    """What the artifact is not, and which cases it could not be asked."""
    manifest = bundle.manifest
    notes = [note for note in manifest.notes if DOWNLOADS not in note]
    several = f"{len(manifest.uncovered)} cases could not be asked, such as: "
    return [*notes, *(several + each for each in manifest.uncovered[:1])]


def _line(proof: Proof) -> str:
    runtime = proof.asked if proof.runtime in ("", proof.asked) else f"auto: {proof.runtime}"
    if proof.verdict == REFUSED:
        return f"| {proof.model} | | {runtime} | {REFUSED} | | | | | |\n"
    times = ", ".join(f"{each:.2f}" for _, each in proof.milliseconds)
    return (
        f"| {proof.model} | {proof.takes} | {runtime} | {proof.verdict} | {proof.cases} "
        f"| {proof.sizes} | {proof.relative_l2:.1e} | {proof.noise:.2f} | {times} |\n"
    )
