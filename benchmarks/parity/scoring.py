"""Who detects what. In: the corpus. Out: rows, of trials and of honest builds, as JSON.

Scores are kept and not verdicts, so that a peer's threshold can be moved afterwards.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy_targets.records import Case, Tensors

from .corpus.onnxruntime import LANES, session
from .corpus.store import Entry, entry
from .ours import NAME, Judge
from .peers import RULES, Pair, Seen
from .trials import Bench, Refused, Trial

Row = dict[str, Any]


def score_faults(cache: Path, model: str, faults: Sequence[str], draws: int) -> list[Row]:
    """Every trial of one model: fault, place, strength, ratio, our verdict, the peers' scores."""
    bench = Bench(entry(cache, model))
    judge = Judge(bench.golden)
    return [_row(bench, judge, trial, model) for trial in bench.trials(faults, draws)]


def score_honest(cache: Path, model: str) -> list[Row]:
    """The same of every honest build of one model; what a rule refuses here is a false alarm."""
    home = entry(cache, model)
    golden = home.read_golden()
    judge, ones = Judge(golden), home.read_ones()
    rows = []
    for build in home.builds():
        said = home.read(build)
        row = judge.row(said)
        # Answers to ones exist where the runtime is at hand; elsewhere that rule sees none.
        answer = _ones(home, build, ones)
        seen = _seen(golden.cases, said, None if answer is None else Pair(ones.outputs, answer))
        rows.append(
            {
                "model": model,
                "build": build,
                NAME: row.verdict == "pass",
                "why": row.reason,
                "scores": _scores(seen),
            }
        )
    return rows


def write(path: Path, rows: Sequence[Row]) -> None:
    """Rows as JSON; infinities are written as strings, which JSON can hold."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_plain(list(rows)), indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> list[Row]:
    """The rows as they were written."""
    rows: list[Row] = json.loads(path.read_text(encoding="utf-8"))
    for row in rows:
        if "ratio" in row:
            row["ratio"] = float(row["ratio"])
        row["scores"] = {name: float(score) for name, score in row.get("scores", {}).items()}
    return rows


def _row(bench: Bench, judge: Judge, trial: Trial | Refused, model: str) -> Row:
    fault = trial.fault
    known: Row = {
        "model": model,
        "fault": fault.name,
        "place": fault.place.value,
        "strength": trial.strength,
        "named": trial.strength in fault.strengths,
    }
    if isinstance(trial, Refused):
        return {**known, "refused": trial.why}
    row = judge.row(trial.said)
    ones = Pair(bench.cases[-1].outputs, trial.ones)
    return {
        **known,
        "ratio": trial.ratio,
        NAME: row.verdict == "pass",
        "why": row.reason,
        "scores": _scores(_seen(bench.golden.cases, trial.said, ones)),
    }


def _seen(cases: Sequence[Case], said: Mapping[str, Tensors], ones: Pair | None) -> Seen:
    asked = [case for case in cases if case.name in said]
    return Seen([Pair(case.outputs, said[case.name]) for case in asked], ones)


def _scores(seen: Seen) -> dict[str, float]:
    return {rule.name: float(rule.score(seen)) for rule in RULES}


def _ones(home: Entry, build: str, ones: Case) -> Tensors | None:
    how, _, lane = build.partition(".")
    if lane not in LANES or how not in home.graphs():
        return None
    level, threads = LANES[lane]
    return session(home.graph(how), level, threads)(ones.inputs)


def _plain(thing: Any) -> Any:
    if isinstance(thing, dict):
        return {key: _plain(value) for key, value in thing.items()}
    if isinstance(thing, list):
        return [_plain(value) for value in thing]
    return str(thing) if isinstance(thing, float) and not math.isfinite(thing) else thing
