"""Read this first.

    load -> compose -> record -> capture -> build -> seal -> verify -> publish

In: a job (a model, samples, a target, a precision, a place for the bundle). Out: a published
bundle and its parity report. Each stage takes frozen records and returns a new one; the reference
answers are fixed in `record`, and every later stage is judged against them. Nothing here asks
which target it is serving. `choose.py` holds the loop over the ways a bundle can be made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from deploy_targets import bundle as bundles
from deploy_targets import choose, composing, frontends, publish, rebuild, registry, sealing
from deploy_targets.choose import Compared, Progress, silent
from deploy_targets.composing import Steps
from deploy_targets.errors import DeployError, UnsupportedModel
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity import (
    agreement,
    cases,
    expected,
    golden,
    kept,
    raw_samples,
    rows,
    samples,
    withheld,
)
from deploy_targets.parity.expected import Tolerance
from deploy_targets.parity.verify import merged, verify
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import (
    BYTES,
    Bundle,
    Capture,
    Golden,
    Graph,
    Prepared,
    Recipe,
    Signature,
)
from deploy_targets.runtime import Model, Runner
from deploy_targets.stages.compose import Staged
from deploy_targets.targets.base import Target
from deploy_targets.turns import Attempt, Candidate
from deploy_targets.verdicts import ParityReport, Row, Verdict
from deploy_targets.workspace import Workspace, digest_of

GRAPH = "graph"
"""The kind under which the workspace caches captured graphs."""


@dataclass(frozen=True)
class Job:
    """One model for one target."""

    spec: SourceSpec
    target: Target
    out: Path
    samples: Path | None = None
    budget: float = 0.0
    recipe: Recipe = RECIPES["fp32"]
    timeout: float = 600.0  # seconds that one capture or conversion may take
    expects: Mapping[str, Tolerance] = field(default_factory=dict)
    """Per output: how exactly the answers in the samples are meant, where that was said."""
    steps: Steps = field(default_factory=Steps)
    """What is declared to happen before and after the model."""


@dataclass(frozen=True)
class Outcome:
    """A published bundle and what is known of it."""

    bundle: Bundle
    report: ParityReport
    verdict: Verdict
    tried: tuple[str, ...] = ()
    """Captures that failed or were wrong before this one, each with the reason."""
    cached: bool = False
    """Whether nothing had changed, so that the bundle of an earlier build serves."""
    compared: tuple[Compared, ...] = ()
    """The choices behind an "auto" side by side, where there were several."""
    unkept: tuple[Row, ...] = ()
    """Rows of this run that are not in the report, because more was known already."""


def build(
    job: Job, workspace: Workspace, progress: Progress = silent, *, reuse: bool = True
) -> Outcome:
    """The whole path; with `reuse`, an identical job's bundle serves again.

    Raises ParityFailed, having kept what was refused, and other DeployErrors.
    """
    publish.check_out(job.out)
    before = rebuild.stamp(job)
    if reuse and (earlier := rebuild.recall(job, workspace)):
        with progress("unchanged: taken from the cache"):
            return outcome(publish.copy(earlier, job.out), cached=True)
    with progress("load the model"):
        model = frontends.load(job.spec, workspace, timeout=job.timeout)
    staged = composing.compose(model, job.steps, job.target, workspace)
    with progress("record the original's answers"):
        known = recorded(model, job, staged, workspace, reuse=reuse)

    def attempt(way: Attempt, runner: Runner) -> Candidate:
        return one_way(way, model, staged, known, job, runner, workspace, progress, reuse=reuse)

    with publish.workshop(job.out) as shop:
        ways = choose.ways(model, job.target, shop)
        best = choose.best(ways, attempt, workspace, job.out, model.name)
        moved = publish.move(best.bundle, job.out)
        made = replace(outcome(moved, best.tried), compared=best.compared)
    if made.verdict is Verdict.PASS:
        rebuild.remember(job, model, made.bundle, workspace, before)
    return made


def recorded(
    model: Model, job: Job, staged: Staged | None, workspace: Workspace, *, reuse: bool
) -> tuple[Golden, ...]:
    """The original's answers; with `reuse`, asked once for all targets that ask the same."""
    key = rebuild.asked(job, model, workspace) if reuse else None
    if key is None:
        return record(model, job, staged)
    return kept.kept(workspace, key, lambda: record(model, job, staged))


def record(model: Model, job: Job, staged: Staged | None = None) -> tuple[Golden, ...]:
    """The original's answers to the user's samples and to what they leave out.

    With declared steps they are asked from raw bytes, too; raw samples serve both.
    """
    raw = raw_samples.read(job.samples, staged.staging) if staged else {}
    given = samples.read(job.samples, model.signature)
    if job.samples and not (raw or given):
        raise samples.none_in(job.samples)
    asked, wanted = expected.split(given, model.signature)
    derived = composing.derived(staged, raw) if staged else {}
    known = golden.record(
        model, cases.questions(model.signature, {**derived, **asked}, job.target.fixed)
    )
    expected.check(known.cases, wanted, job.expects)
    if staged is None or not job.target.stages:
        return (known,)
    made = raw_samples.questions(raw, job.steps.before, staged.staging, known)
    from_bytes, left = composing.askable(staged, made, model.signature)
    agreement.check(staged, from_bytes)
    composing.learn(model, staged, known, from_bytes)
    answers = golden.record(staged, from_bytes, BYTES)
    return known, replace(answers, doubts=(*answers.doubts, *left))


def one_way(
    way: Attempt,
    model: Model,
    staged: Staged | None,
    known: Sequence[Golden],
    job: Job,
    runner: Runner,
    workspace: Workspace,
    progress: Progress,
    *,
    reuse: bool,
) -> Candidate:
    """One capture, built, sealed and judged."""
    how, staging = way.capture, staged.staging if staged else None
    none_yet = Graph(how.dialect, way.folder, model.digest, how.how)
    prepared = Prepared(
        model.name, model.signature, none_yet, job.recipe, staging=staging, timeout=job.timeout
    )
    refuse(prepared, way.target, captured=False)
    with progress(f"capture {how.dialect} by {how.how}"):
        prepared = replace(prepared, graph=capture(model, how, workspace, reuse=reuse))
    with progress(f"build for {way.target.name}"):
        bundle = seal(prepared, known, job, way, workspace)
    with progress(f"verify in {way.target.name}'s runtime"):
        report = merged(bundle, verify(bundle, runner))
    verdict = rows.overall(bundle.manifest.lanes, report.rows)
    # What is refused stays here, and whoever looks into it needs the names.
    shown = report if verdict is Verdict.FAIL else withheld.without(report, bundle)
    bundles.write_report(bundle, shown)
    return Candidate(bundle, report, verdict)


def capture(model: Model, how: Capture, workspace: Workspace, *, reuse: bool = True) -> Graph:
    """The model as a graph on disk; with `reuse`, made once for each model and way."""
    make = workspace.cached if reuse else workspace.replace
    key = capture_key(model.digest, model.signature, how)
    folder = make(GRAPH, key, lambda home: model.capture(how, home))
    return Graph(how.dialect, folder, model.digest, how.how)


def capture_key(digest: str, signature: Signature, how: Capture) -> str:
    """What the graph of a model is cached under; a manifest holds all of it."""
    return digest_of(
        digest,
        frontends.environment(),
        rebuild.program(),
        bundles.as_json(signature),
        how.dialect,
        how.how,
        how.opset,
    )


def refuse(prepared: Prepared, target: Target, *, captured: bool = True) -> None:
    """Raises UnsupportedModel for what the target knows that it cannot carry, and ConfigError.

    Not yet `captured`, the graph's folder is not there: most problems show without it, and need
    not wait for minutes of capturing.
    """
    try:
        problems = target.check(prepared)
    except DeployError:
        raise
    except Exception:
        if captured:
            raise
        # It looks into the graph, and is asked again when there is one.
        return
    if problems:
        raise UnsupportedModel(
            f"{target.name} cannot carry {prepared.name}: {'; '.join(problems)}",
            hint="`deploy-target inspect MODEL` shows what each target would not take",
        )


def seal(
    prepared: Prepared,
    known: Sequence[Golden],
    job: Job,
    way: Attempt,
    workspace: Workspace,
) -> Bundle:
    """The target's files, then golden in the artifact's terms, then the seal."""
    refuse(prepared, way.target)
    way.folder.mkdir()
    built = way.target.build(prepared, way.folder, workspace)
    asked = sealing.encoded(known, built, way.target.golden)
    bundles.write_golden(way.folder, asked.sent)
    notes = (*way.notes, *composing.left_behind(job.steps, way.target))
    manifest = sealing.manifest(prepared, known, way.target, built, asked, job.budget, notes)
    return replace(bundles.seal(way.folder, manifest, built.roles), withheld=tuple(asked.withheld))


def verify_folder(
    path: Path,
    workspace: Workspace,
    lanes: Sequence[str] = (),
    recorded: Runner | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Judges a bundle again. Needs the folder alone: its manifest names target and options.

    The verdict is that of this run and its lanes; the report also keeps what was said earlier.
    """
    opened = bundles.open_bundle(path)
    target = registry.load(opened.manifest.target, opened.manifest.options)
    with progress(f"verify in {target.name}'s runtime"), ExitStack() as stack:
        runner = recorded or stack.enter_context(choose.world(target, workspace))
        found = verify(opened, runner, lanes)
    report = merged(opened, found)
    try:
        bundles.write_report(opened, report)
    except OSError as error:
        with progress(f"{bundles.PARITY} could not be written: {error.strerror}"):
            pass
    asked = [replace(lane, required=True) for lane in opened.manifest.lanes if lane.name in lanes]
    unkept = tuple(row for row in found if not any(row is kept for kept in report.rows))
    verdict = rows.overall(asked or opened.manifest.lanes, found)
    return Outcome(opened, report, verdict, unkept=unkept)


def outcome(bundle: Bundle, tried: tuple[str, ...] = (), *, cached: bool = False) -> Outcome:
    """What is known of a bundle that has been judged."""
    report = bundles.read_report(bundle)
    assert report is not None, "only judged bundles are published"
    verdict = rows.overall(bundle.manifest.lanes, report.rows)
    return Outcome(bundle, report, verdict, tried, cached)
