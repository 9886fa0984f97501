"""The loop over the ways in which a bundle can be made; one wrong way is not the end.

A way is a concrete target (of those behind an "auto") and a capture (a dialect by an exporter).
For each target `turns.py` takes them one after the other; among targets a PASS beats a NOT_RUN, and
then the fastest wins.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from deploy_targets import bundle as bundles
from deploy_targets import publish
from deploy_targets.errors import (
    DeployError,
    NotRun,
    OverBudget,
    ParityFailed,
    ToolMissing,
    UnsupportedModel,
)
from deploy_targets.records import Bundle
from deploy_targets.runtime import Model, Runner, Session
from deploy_targets.targets.base import Target
from deploy_targets.turns import Attempt as Attempt
from deploy_targets.turns import Candidate, Tally, differing, first_right, told
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

Progress = Callable[[str], AbstractContextManager[object]]
"""Given the name of a stage, a context that lasts as long as the stage does."""


def silent(stage: str) -> AbstractContextManager[object]:
    """Progress for callers who want none."""
    return nullcontext()


@dataclass(frozen=True)
class Compared:
    """One of the concrete targets behind an "auto", and what came of it."""

    options: Mapping[str, object]
    """Those in which the choices differ."""
    verdict: Verdict | None
    """None where nothing was built; `said` is why."""
    seconds: float | None
    """The median of one answer, of the fastest lane that was measured."""
    size: int
    """Bytes of the folder, what only the verdict needs left out."""
    chosen: bool = False
    said: str = ""


@dataclass(frozen=True)
class Best:
    """The bundle to publish, what failed before it, and the choices side by side if several."""

    bundle: Bundle
    tried: tuple[str, ...]
    compared: tuple[Compared, ...] = ()


@contextmanager
def world(target: Target, workspace: Workspace) -> Iterator[Runner]:
    """The target's runner; where this machine lacks what it needs, one that says so."""
    with ExitStack() as stack:
        runner: Runner
        try:
            runner = stack.enter_context(target.runner(workspace))
        except (NotRun, ToolMissing) as error:
            runner = _Absent(error)
        yield runner


@dataclass(frozen=True)
class _Absent:
    """A runner that could not be started: every lane is NOT_RUN, and the bundle is still built."""

    why: DeployError

    def open(self, bundle: Bundle, lane: str) -> AbstractContextManager[Session]:
        raise self.why


def ways(model: Model, target: Target, shop: Path) -> list[tuple[Target, list[Attempt]]]:
    """Each concrete target with its captures, in the target's order of dialects."""
    found: list[tuple[Target, list[Attempt]]] = []
    for number, choice in enumerate(target.choices()):
        made = [
            (by, how)
            for dialect in choice.dialects
            for how in model.captures
            if how.dialect == dialect
            for by in choice.converters(dialect)
        ]
        attempts = [
            Attempt(by, by.captured(how), shop / f"{number}-{i}")
            for i, (by, how) in enumerate(made)
        ]
        found.append((choice, attempts))
    if not any(attempts for _, attempts in found):
        raise _nothing_in_common(model, target, [choice for choice, _ in found])
    return found


def best(
    ways: Sequence[tuple[Target, Sequence[Attempt]]],
    attempt: Callable[[Attempt, Runner], Candidate],
    workspace: Workspace,
    out: Path,
    name: str,
) -> Best:
    """The bundle to publish. Raises where nothing is left."""
    tally, made = Tally(), []
    for choice, attempts in ways:
        said = len(tally.said)
        with world(choice, workspace) as runner:
            try:
                candidate = first_right(attempts, attempt, runner, tally)
            except OverBudget as error:
                # Of several choices one may be too large; alone, it is what the user asked for.
                if len(ways) == 1:
                    raise
                tally.failed("", error)
                candidate = None
        made.append((choice, candidate, [text for _, text in tally.said[said:]]))
    kept = [candidate for _, candidate, _ in made if candidate]
    if not kept:
        raise _refusal(tally, out, name)
    chosen = min(kept, key=_rank)
    table = [_compared(*one, chosen=one[1] is chosen, among=ways) for one in made]
    return Best(chosen.bundle, told(tally.said), tuple(table) if len(table) > 1 else ())


def _compared(
    choice: Target,
    candidate: Candidate | None,
    said: Sequence[str],
    *,
    chosen: bool,
    among: Sequence[tuple[Target, Sequence[Attempt]]],
) -> Compared:
    differ = differing(choice, [other for other, _ in among])
    if candidate is None:
        reason = said[-1] if said else f"the model cannot be captured as {_listed(choice)}"
        return Compared(differ, None, None, 0, said=reason)
    files = candidate.bundle.manifest.files.values()
    size = sum(file.size for file in files if file.role not in ("golden", "doc"))
    return Compared(differ, candidate.verdict, _seconds(candidate), size, chosen, "")


def _rank(candidate: Candidate) -> tuple[bool, float]:
    seconds = _seconds(candidate)
    return candidate.verdict is not Verdict.PASS, float("inf") if seconds is None else seconds


def _seconds(candidate: Candidate) -> float | None:
    rows = candidate.report.rows
    return min((row.seconds for row in rows if row.seconds is not None), default=None)


def _refusal(tally: Tally, out: Path, name: str) -> DeployError:
    said = told(tally.said)
    if tally.refused:
        # The first is what the target would have liked best, so the one worth looking at.
        kept = publish.keep_refused(tally.refused[0].bundle, out)
        look = f"`deploy-target verify {kept} --explain` finds where it parts from the original; "
        hints = [f"{look}the numbers are in its {bundles.PARITY}", *_missing(tally.errors)]
        message = f"no artifact answers as {name} does. {'. '.join(said)}"
        return ParityFailed(message, hint="; or ".join(hints))
    last = tally.errors[-1]
    if len(said) == 1:
        return last
    hints = [*_missing(tally.errors), last.hint]
    return type(last)(". ".join(said), hint="; or ".join(dict.fromkeys(hints)))


def _missing(errors: Sequence[DeployError]) -> list[str]:
    """How to get the tools that were not there: with them another way may be right."""
    return list(dict.fromkeys(error.hint for error in errors if isinstance(error, ToolMissing)))


def _nothing_in_common(model: Model, target: Target, choices: Sequence[Target]) -> UnsupportedModel:
    captured = {how.dialect for how in model.captures}
    takes = dict.fromkeys(dialect for choice in choices for dialect in choice.dialects)
    said = "".join(
        f" with {name} = {_plain(target, name)}" for name in _excluding(target, captured)
    )
    hint = "give the model in another form, for example as a torch module"
    for name in _excluding(target, captured):
        hint = f"leave {name} out, or set it to another; or {hint}"
    return UnsupportedModel(
        f"{model.name} can be captured as {', '.join(sorted(captured))}, and {target.name}{said} "
        f"takes {', '.join(takes)}",
        hint=hint,
    )


def _excluding(target: Target, captured: Set[str]) -> list[str]:
    """The options without each of which it would take what the model can be captured as."""
    fields = {name: info.default for name, info in type(target).model_fields.items()}
    return [
        name
        for name, usual in fields.items()
        if name in target.model_fields_set
        and captured & set(target.model_copy(update={name: usual}).dialects)
    ]


def _plain(target: Target, name: str) -> str:
    return json.dumps(target.model_dump(mode="json")[name])


def _listed(target: Target) -> str:
    return ", ".join(target.dialects)
