"""A bundle and a runner go in, a report comes out. Knows no target."""

from __future__ import annotations

import errno
import statistics
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

from deploy_targets import bundle as bundles
from deploy_targets.errors import ConfigError, NotRun, ToolMissing
from deploy_targets.parity import rows as judged
from deploy_targets.records import Answer, Bundle, Call, Check, Lane
from deploy_targets.runtime import Runner, Session
from deploy_targets.verdicts import ParityReport, Row, Verdict

HOST_ERRORS = (errno.ENOSPC, errno.ENOMEM, errno.EMFILE, errno.EDQUOT)
"""What says something of this machine and nothing of the artifact."""


def verify(bundle: Bundle, runner: Runner, lanes: Container[str] = ()) -> tuple[Row, ...]:
    """Runs the lanes (all, if none is named) and judges them: one row per lane and golden."""
    asked = [lane for lane in bundle.manifest.lanes if not lanes or lane.name in lanes]
    return tuple(row for lane in asked for row in run_lane(bundle, runner, lane))


def merged(bundle: Bundle, rows: Iterable[Row]) -> ParityReport:
    """These rows and those of earlier runs.

    Rows of other lanes survive, and a new NOT_RUN never erases what a device said earlier.
    """
    earlier = bundles.read_report(bundle)
    known = {(row.lane, row.golden): row for row in earlier.rows} if earlier else {}
    for row in rows:
        if row.verdict is not Verdict.NOT_RUN or (row.lane, row.golden) not in known:
            known[row.lane, row.golden] = row
    return ParityReport(bundles.digest(bundle), tuple(known[key] for key in sorted(known)))


def run_lane(bundle: Bundle, runner: Runner, lane: Lane) -> list[Row]:
    """One row per golden of the bundle."""
    try:
        with runner.open(bundle, lane.name) as session:
            return [_row(bundle, session, lane, name) for name in bundle.manifest.goldens]
    except Exception as error:
        verdict, said = _of_failure(error)
        return [Row(lane.name, golden, verdict, "", said) for golden in bundle.manifest.goldens]


def _row(bundle: Bundle, session: Session, lane: Lane, golden: str) -> Row:
    """One line of the verdict. What cannot be answered there says nothing of the other lines."""
    try:
        return _ask(bundle, session, lane, golden)
    except Exception as error:
        verdict, said = _of_failure(error)
        return Row(lane.name, golden, verdict, session.where, said)


def _of_failure(error: Exception) -> tuple[Verdict, str]:
    if isinstance(error, NotRun | ToolMissing):
        return Verdict.NOT_RUN, f"{error} ({error.hint})"
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or getattr(error, "errno", None) in HOST_ERRORS:
        return Verdict.NOT_RUN, f"this machine failed: {said}"
    # A runtime that refuses its own artifact is a verdict on it, not an accident.
    return Verdict.FAIL, said


def answers(
    bundle: Bundle,
    runner: Runner,
    lane: str,
    calls: Container[str] | None = None,
    golden: str | None = None,
) -> Iterator[tuple[Check, Answer]]:
    """Golden calls of a bundle (all, if none is named) with what it answers in one lane.

    `golden`: of one line of the verdict alone.
    """
    with runner.open(bundle, lane) as session:
        for check in bundles.read_golden(bundle):
            if (calls is None or check.call.name in calls) and golden in (None, check.golden):
                yield check, session.run(check.call)


class Recorded:
    """A runner that replays answers written elsewhere, so that the same code judges them.

    `answers`: by CALL, or by ENTRY/CALL where several entries are asked calls of one name.
    `doubt` says why they prove nothing. recorded.py reads them from a file.
    """

    def __init__(
        self,
        where: str,
        lane: str,
        answers: Mapping[str, Answer],
        notes: tuple[str, ...] = (),
        doubt: str = "",
    ) -> None:
        self.where, self.lane, self._answers = where, lane, answers
        self.notes, self._doubt = notes, doubt

    def open(self, bundle: Bundle, lane: str) -> AbstractContextManager[Session]:
        """Raises NotRun for a lane that was not recorded, and for answers that prove nothing."""
        if lane != self.lane:
            raise NotRun(f"the recording is of lane {self.lane}", hint=f"--lane {self.lane}")
        if self._doubt:
            raise NotRun(
                f"{self.where}: {self._doubt}",
                hint="record what the runtime itself answers; if it computes with the original's "
                "very arithmetic, say so in the recording's metadata: identical = WHY",
            )
        return nullcontext(self)

    def run(self, call: Call) -> Answer:
        """What was recorded; no outputs, and so a failure, where nothing was."""
        by_entry = self._answers.get(f"{call.entry}/{call.name}")
        return by_entry or self._answers.get(call.name, Answer({}))


def _left_out(skipped: Sequence[str]) -> tuple[str, ...]:
    """What was not asked, by reason: nobody should take it for passed."""
    counted = Counter(reason for reason in skipped if reason)
    return tuple(
        f"not run: {count} of {len(skipped)} cases, {reason}" for reason, count in counted.items()
    )


def check_lanes(bundle: Bundle, lanes: Iterable[str]) -> None:
    """Raises ConfigError where the bundle has no such lane."""
    known = [lane.name for lane in bundle.manifest.lanes]
    for lane in lanes:
        if lane not in known:
            raise ConfigError(
                f"{bundle.path} has no lane {lane!r}", hint=f"it has {', '.join(map(repr, known))}"
            )


def _ask(bundle: Bundle, session: Session, lane: Lane, golden: str) -> Row:
    manifest = bundle.manifest
    entries = {entry.name: entry for entry in manifest.entries}
    allowed = manifest.bounds[lane.recipe][golden]
    every = (*bundles.read_golden(bundle), *bundle.withheld)
    checks = [check for check in every if check.golden == golden]
    asked = [(check, session.run(check.call)) for check in checks]
    said = [(check, answer) for check, answer in asked if not answer.skipped]
    parity = tuple(
        measured
        for check, answer in said
        for measured in judged.measured(
            check, answer, entries[check.call.entry], manifest.signatures[golden], allowed
        )
    )
    seconds = [answer.seconds for _, answer in said if answer.seconds is not None]
    row = judged.row(
        lane,
        golden,
        session.where,
        parity,
        allowed,
        statistics.median(seconds) if seconds else None,
        (*session.notes, *_left_out([answer.skipped for _, answer in asked])),
    )
    refused = next((answer.refused for _, answer in said if answer.refused), "")
    if refused and row.verdict is Verdict.PASS:
        return replace(row, verdict=Verdict.FAIL, reason=refused)
    return row
