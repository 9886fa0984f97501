"""Every case of the onnx package's own backend tests, through every registered target.

    .venv/bin/python benchmarks/onnx_suite.py --page docs/onnx-suite.md
    .venv/bin/python benchmarks/onnx_suite.py --target lambda --only 'node/test_softmax*'

It goes on where an interrupted sweep ended, and takes about half an hour on two free cores.

Each case is built as a user would build it (the model as a file, the suite's inputs as samples)
and run in the target's real runtime. It is verified, refused with a reason, or wrong but accepted.
Ends with status 1 where anything was wrong but accepted, ended in a stack trace or could not be
run, or where fewer float cases were verified than backend_suite/floors.toml demands.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
from pathlib import Path

from backend_suite import page, sweep, tally
from backend_suite.cases import SuiteCase, collect
from backend_suite.trial import Result

from deploy_targets import registry
from deploy_targets.workspace import Workspace


def main() -> int:
    """Sweeps, prints the tables, and says whether the suite is passed."""
    given = arguments()
    if given.work:
        sweep.work()
        return 0
    results = given.results or Workspace().root / "onnx-suite.jsonl"
    cases = [case for case in collect() if fnmatch.fnmatch(case.id, given.only)]
    targets = given.target or list(registry.installed())
    if not given.no_run:
        sweep.sweep(cases, targets, results, given.workers, keep=given.keep, said=progress)
    known = sweep.read(results)
    found = {
        target: tally.of(
            [known[target, case.id].result for case in cases if (target, case.id) in known],
            sum((target, case.id) not in known for case in cases),
        )
        for target in targets
    }
    sys.stdout.write(page.tables(found))
    if given.page:
        given.page.write_text(page.page(found, stale(cases, targets, results)), encoding="utf-8")
    whole = given.only == "*"
    problems = [said for target in targets for said in found[target].problems(target, whole=whole)]
    sys.stdout.write("".join(f"\n{problem}" for problem in problems) + "\n" * bool(problems))
    return 1 if problems else 0


def arguments() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--target", action="append", help="default: every registered one")
    parser.add_argument("--only", default="*", help="a pattern of kind/name")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--results", type=Path, help="default: in the cache folder")
    parser.add_argument("--keep", action="store_true", help="results of an earlier program count")
    parser.add_argument("--no-run", action="store_true", help="shows the results that there are")
    parser.add_argument("--page", type=Path, help="writes the tables as a page")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def stale(cases: list[SuiteCase], targets: list[str], results: Path) -> int:
    """How many results are an earlier program's."""
    known, now = sweep.read(results), {target: sweep.program(target) for target in targets}
    there = [known[t, case.id] for t in targets for case in cases if (t, case.id) in known]
    return sum(each.program != now[each.result.target] for each in there)


def progress(result: Result) -> None:
    """One line for each case, on standard error."""
    said = result.said.strip().splitlines()[-1:] or [""]
    sys.stderr.write(
        f"{result.target} {result.id}: {result.outcome} {said[0][:120]} ({result.seconds:.1f} s)\n"
    )


if __name__ == "__main__":
    sys.exit(main())
