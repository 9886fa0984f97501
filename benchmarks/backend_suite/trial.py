"""One case, one target: the whole way of a build, in the target's real runtime.

In: a case and a target. Out: a Result. What the artifact answered while it was judged is noted, so
that after a PASS it can be held against what the suite expects: a verdict on that verdict.
"""

from __future__ import annotations

import dataclasses
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from deploy_targets import bundle as bundles
from deploy_targets import frontends, pipeline
from deploy_targets.binding import NotCovered, encode
from deploy_targets.errors import DeployError
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity import expected
from deploy_targets.pipeline import Job, Outcome
from deploy_targets.records import Answer, Bundle, Call, Case, Tensors
from deploy_targets.runtime import Runner, Session
from deploy_targets.targets.base import Target
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

from .cases import SuiteCase

VERIFIED, REFUSED, WRONG, NOT_RUN, DEFECT = "verified", "refused", "wrong", "not run", "defect"
"""Wrong: accepted by the build, and not what the suite expects. Defect: a stack trace."""

OF_ONE_MODEL = ("bundle", "graph", "witness")
"""What the cache holds for a model, and not for the next."""

Heard = dict[tuple[str, str, str], Answer]
"""Bundle's digest, lane and call -> what the artifact said."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What came of one case on one target."""

    id: str
    target: str
    outcome: str
    said: str
    """Why, in the product's own words; for a defect the stack trace."""
    how: str
    """How the graph was captured."""
    operator: str
    is_float: bool
    seconds: float


def attempt(case: SuiteCase, target: Target, kept: Workspace) -> Result:
    """Builds the case in a folder that is gone afterwards. Never raises for what the build does."""
    start = time.monotonic()
    with kept.scratch() as folder:
        try:
            outcome, said, how = _outcome(case, target, Passing(kept, folder), folder)
        except DeployError as error:
            outcome, said, how = REFUSED, f"{type(error).__name__}: {error}", ""
            said = said.replace(f"{folder}/", "")
        except Exception:
            outcome, said, how = DEFECT, traceback.format_exc(), ""
    took = round(time.monotonic() - start, 2)
    known = (case.operator, case.is_float, took)
    return Result(case.id, target.name, outcome, said, how, *known)


class Passing(Workspace):
    """The user's cache for what serves many models, and a folder for what serves one.

    A bundle takes 40 MB, and nobody asks for it again.
    """

    def __init__(self, kept: Workspace, folder: Path) -> None:
        super().__init__(folder / "workspace")
        self._kept = kept

    def find(self, kind: str, key: str) -> Path | None:
        return super().find(kind, key) if kind in OF_ONE_MODEL else self._kept.find(kind, key)

    def cached(self, kind: str, key: str, make: Callable[[Path], None]) -> Path:
        if kind in OF_ONE_MODEL:
            return super().cached(kind, key, make)
        return self._kept.cached(kind, key, make)

    def replace(self, kind: str, key: str, make: Callable[[Path], None]) -> Path:
        if kind in OF_ONE_MODEL:
            return super().replace(kind, key, make)
        return self._kept.replace(kind, key, make)


def _outcome(
    case: SuiteCase, target: Target, workspace: Workspace, folder: Path
) -> tuple[str, str, str]:
    file = folder / f"{case.name}.onnx"
    file.write_bytes(case.model.SerializeToString())
    asked = _questions(case)
    (folder / "samples").mkdir()
    spec = SourceSpec(file.name, base=folder)
    # What no target carries is refused here: some of it no file of samples can hold.
    frontends.load(spec)
    # The suite's answers are those that a user would have written down beside the samples, and it
    # says how exactly it means them. A name that is both stays an input.
    strict = expected.Tolerance(case.rtol, 0.0, case.atol, 0.0)
    expects = {value.name: strict for value in case.model.graph.output}
    for number, (inputs, wanted) in enumerate(asked):
        save_file({**wanted, **inputs}, folder / "samples" / f"data-{number}.safetensors")
    heard: Heard = {}
    listened = _listened_to(target, heard)
    job = Job(spec, listened, folder / "bundle", folder / "samples", expects=expects)
    outcome = pipeline.build(job, workspace, reuse=False)
    how = outcome.bundle.manifest.capture
    if outcome.verdict is not Verdict.PASS:
        return NOT_RUN, "; ".join(row.reason for row in outcome.report.rows), how
    return (*_judged(case, asked, outcome, heard), how)


def _questions(case: SuiteCase) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Inputs and expected outputs by name, without those that no file of samples can hold."""
    return [
        (
            _tensors(zip((value.name for value in case.inputs), given, strict=True)),
            _tensors(zip((value.name for value in case.model.graph.output), wanted, strict=True)),
        )
        for given, wanted in case.data
    ]


def _tensors(pairs: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    return {
        name: np.asarray(value, order="C")
        for name, value in pairs
        if name and isinstance(value, np.ndarray) and value.dtype.kind not in "OUS"
    }


def _judged(
    case: SuiteCase,
    asked: list[tuple[dict[str, Any], dict[str, Any]]],
    outcome: Outcome,
    heard: Heard,
) -> tuple[str, str]:
    """Whether what passed is what the suite expects, by the suite's own rule."""
    bundle = outcome.bundle
    signature, entries = bundle.manifest.signature, bundle.manifest.entries
    passed = [row.lane for row in outcome.report.rows if row.verdict is Verdict.PASS]
    for number, (inputs, wanted) in enumerate(asked):
        try:
            whole = Case(f"data-{number}", "", inputs, wanted)
            checks = encode(signature, entries, whole)
        except NotCovered as reason:
            return REFUSED, f"NotCovered: {reason}"
        for check in checks:
            for lane in passed:
                answer = heard[bundles.digest(bundle), lane, check.call.name]
                if problem := _differs(check.expected, answer.outputs, case):
                    return WRONG, f"{lane}, {check.call.name}: {problem}"
    return VERIFIED, ""


def _differs(wanted: Tensors, answered: Tensors, case: SuiteCase) -> str:
    """What onnx's own runner of its suite would object to; "" for nothing."""
    for name, want in wanted.items():
        got = answered.get(name)
        if got is None or (got.shape, got.dtype) != (want.shape, want.dtype):
            return f"{name} is {None if got is None else (got.dtype.name, got.shape)}"
        pair: Any = {"actual": got, "desired": want}
        try:
            with np.errstate(all="ignore"):
                np.testing.assert_allclose(**pair, rtol=case.rtol, atol=case.atol)
        except AssertionError as error:
            return f"{name}: {' '.join(str(error).split())[:300]}"
    return ""


def _listened_to(target: Target, heard: Heard) -> Target:
    """The same target; what its real runner's sessions answer is noted."""

    class Listened(type(target)):  # type: ignore[misc]
        @contextmanager
        def runner(self, workspace: Workspace) -> Iterator[Runner]:
            with super().runner(workspace) as runner:
                yield _Listener(runner, heard)

    # To the product it is the target that it stands for, code digest included.
    Listened.__module__, Listened.__name__ = type(target).__module__, type(target).__name__
    made: Target = Listened.model_validate(target.model_dump())
    return made


@dataclasses.dataclass(frozen=True)
class _Listener:
    runner: Runner
    heard: Heard

    def open(self, bundle: Bundle, lane: str) -> AbstractContextManager[Session]:
        return self._open(bundle, lane)

    @contextmanager
    def _open(self, bundle: Bundle, lane: str) -> Iterator[Session]:
        with self.runner.open(bundle, lane) as session:
            yield _Session(session, self.heard, (bundles.digest(bundle), lane))


@dataclasses.dataclass(frozen=True)
class _Session:
    session: Session
    heard: Heard
    at: tuple[str, str]

    @property
    def where(self) -> str:
        return self.session.where

    @property
    def notes(self) -> tuple[str, ...]:
        return self.session.notes

    def run(self, call: Call) -> Answer:
        answer = self.session.run(call)
        self.heard[(*self.at, call.name)] = answer
        return answer
