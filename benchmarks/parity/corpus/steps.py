"""What is done with one model, by name: recorded, scored; and where the results lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .. import scoring, split
from ..ours import NAME
from . import elsewhere as lanes
from . import lambda_lane
from .store import Entry, entry

ELSEWHERE: dict[str, Callable[[Path, Sequence[Entry]], None]] = {
    "openvino": lanes.openvino,
    "mobile": lanes.mobile,
    "lambda": lambda_lane.run,
}
FIRST = ("mobile", "lambda")
"""Lanes that take a minute per model: they are asked the first seed of each architecture."""


def record(cache: Path, again: bool, name: str) -> str:
    """One model: golden set, graphs, and the lanes that run in this process."""
    from .record import record, run_here

    home = record(cache, name, again=again)
    run_here(home)
    return f"{name}: {len(home.builds())} builds, {len(home.refused())} refused"


def elsewhere(cache: Path, names: Sequence[str], which: Sequence[str]) -> Iterator[str]:
    """The lanes that need an environment or a sandbox of their own."""
    for lane in which:
        homes = [
            entry(cache, name)
            for name in names
            if lane not in FIRST or not name[-1].isdigit() or name.endswith("-0")
        ]
        ELSEWHERE[lane](cache, [home for home in homes if (home.folder / "about.json").is_file()])
        yield f"{lane}: {len(homes)} models"


def score(cache: Path, planted: Sequence[str], draws: int, tuning: bool, name: str) -> str:
    """One model: its honest builds and its faults, judged by everybody.

    No fault is planted in a model that tuned the judge, unless that is what is to be looked at.
    """
    if (name.partition("-")[0] in split.read().tuning_architectures) != tuning:
        planted = ()
    alarms = scoring.score_honest(cache, name)
    scoring.write(cache / "results" / "honest" / f"{name}.json", alarms)
    rows = scoring.score_faults(cache, name, planted, draws) if planted else []
    scoring.write(faults(cache, name), rows)
    false = sum(not row[NAME] for row in alarms)
    missed = sum(bool(row.get(NAME)) and row["ratio"] > 1 for row in rows)
    return f"{name}: {false} of {len(alarms)} refused, {missed} of {len(rows)} trials missed"


def honest(cache: Path) -> list[Path]:
    """The files of honest scores."""
    return list((cache / "results" / "honest").glob("*.json"))


def faults(cache: Path, name: str) -> Path:
    """The file of one model's trials."""
    return cache / "results" / "faults" / f"{name}.json"
