"""Plants every fault in many models and shows who detects it: our judge, and nine projects' rules.

    python benchmarks/fault_detection.py corpus     honest builds, kept in --cache (an hour, once)
    python benchmarks/fault_detection.py score      plants the faults and judges
    python benchmarks/fault_detection.py report     docs/judge-benchmark.md from what was scored

Each takes --models and --seeds, `score` also --faults, --draws and --quick. What tuned the judge is
never scored: parity/split.toml says what that is (--tuning looks at it nevertheless).
"""

from __future__ import annotations

import argparse
import functools
import sys
import time
from pathlib import Path

from parity import pool, report, scoring, split
from parity.corpus import models, steps

from deploy_targets.testing.faults import FAULTS
from deploy_targets.workspace import default_home

DOCS = Path(__file__).parents[1] / "docs" / "judge-benchmark.md"
QUICK = ("vit-0", "detector-0", "zoo-three_inputs")
BEGIN = "<!-- figures: what follows is written by `python benchmarks/fault_detection.py report` -->"


def main() -> int:
    """Returns the exit status: 0 unless a model could not be done."""
    chosen = _arguments()
    names = _models(chosen)
    if chosen.step == "report":
        return _report(chosen, names)
    if chosen.step == "corpus":
        work = functools.partial(steps.record, chosen.cache, chosen.again)
    else:
        frozen = split.read()
        known = sorted(frozen.tuning_faults) if chosen.tuning else frozen.scored_faults(FAULTS)
        faults = [name for name in known if not chosen.faults or name in chosen.faults]
        work = functools.partial(steps.score, chosen.cache, faults, chosen.draws, chosen.tuning)
    failed = 0
    began = time.monotonic()
    for line in pool.each(work, names, chosen.cache, chosen.jobs):
        failed += pool.FAILED in line
        sys.stdout.write(f"{time.monotonic() - began:7.1f} s  {line}\n")
        sys.stdout.flush()
    if chosen.step == "corpus" and chosen.elsewhere:
        for line in steps.elsewhere(chosen.cache, names, chosen.elsewhere):
            sys.stdout.write(line + "\n")
    return 1 if failed else 0


def _report(chosen: argparse.Namespace, names: list[str]) -> int:
    """Prints the figures, and writes them into the page unless only a part was asked for."""
    honest = [row for path in sorted(steps.honest(chosen.cache)) for row in scoring.read(path)]
    wanted = [steps.faults(chosen.cache, name) for name in names]
    trials = [row for path in wanted if path.is_file() for row in scoring.read(path)]
    text = report.text(honest, trials)
    sys.stdout.write(text)
    if not (chosen.models or chosen.quick or chosen.tuning):
        kept, found, _ = DOCS.read_text(encoding="utf-8").partition(BEGIN)
        if not found:
            sys.exit(f"{DOCS} has lost the line after which figures are written: {BEGIN}")
        DOCS.write_text(f"{kept}{BEGIN}\n\n{text}", encoding="utf-8")
    return 0


def _models(chosen: argparse.Namespace) -> list[str]:
    if chosen.quick:
        return list(QUICK)
    # Honest builds of all models may raise false alarms; faults are planted in some alone.
    tuning = models.tuning(chosen.seeds) if chosen.tuning or chosen.step != "report" else []
    scored = [] if chosen.tuning else models.scored(chosen.seeds)
    # When many run at a time, the slowest go first: none is left to run alone at the end.
    known = sorted((*tuning, *scored), key=lambda name: not name.startswith("real-"))
    return [name for name in known if not chosen.models or name in chosen.models]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("step", choices=("corpus", "score", "report"))
    parser.add_argument("--cache", type=Path, default=default_home() / "fault-detection")
    parser.add_argument("--models", nargs="*", help="such as vit-0, real-onet, zoo-crop")
    parser.add_argument("--faults", nargs="*", choices=list(FAULTS), metavar="FAULT")
    parser.add_argument("--seeds", type=int, default=3, help="of each architecture")
    parser.add_argument("--draws", type=int, default=1, help="places that each fault is put in")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--tuning", action="store_true", help="what tuned the judge, not the rest")
    parser.add_argument("--again", action="store_true", help="record golden answers anew")
    parser.add_argument(
        "--elsewhere", nargs="*", choices=list(steps.ELSEWHERE), default=list(steps.ELSEWHERE)
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
