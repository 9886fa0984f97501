"""Whether what carries ONNX's operators to TF.js is right: the onnx package's own cases.

    .venv/bin/python benchmarks/tfjs_operators.py
    .venv/bin/python benchmarks/tfjs_operators.py --only 'node/test_softmax*'

First every case in TensorFlow, in the toolchain that `runtime = "tfjs"` makes; then some of each
operator that were right in TF.js itself, in Chromium. Prints a line for each operator and all that
was wrong, and ends with status 1 where anything was. `--seen FILE` writes the names of TensorFlow's
operators that were seen right in TF.js: what deploy_targets/targets/web/tfjs_kernels.py lists.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import pickle
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from backend_suite.cases import SuiteCase, collect
from tfjs import asking, browsed, fused
from tfjs.asking import Case

from deploy_targets.converters import tfjs_from_onnx
from deploy_targets.integrations import worker
from deploy_targets.integrations.pages import PageFailed
from deploy_targets.workspace import Workspace

SECONDS = 3600.0
Verdicts = dict[str, tuple[str, str]]


def main() -> int:
    """Asks, prints, and says whether nothing was wrong."""
    given = arguments()
    every = [*map(_portable, collect()), *fused.cases()]
    cases = [case for case in every if fnmatch.fnmatch(case.id, given.only)]
    workspace = Workspace()
    with workspace.scratch() as scratch:
        eager = _in_tensorflow(cases, scratch, workspace)
        right = [case for case in cases if eager[case.id][0] == asking.RIGHT]
        chosen = list(_some(right, given.each))
        browser, seen = _in_tfjs(chosen, scratch, workspace)
    table(cases, eager, browser)
    if given.seen:
        given.seen.write_text("\n".join(seen) + "\n", encoding="utf-8")
    bad = {*(v for v, _ in eager.values()), *(v for v, _ in browser.values())}
    return 1 if bad & {asking.WRONG, asking.CRASH} else 0


def arguments() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="*", help="a pattern of kind/name")
    parser.add_argument("--each", type=int, default=3, help="cases of an operator in Chromium")
    parser.add_argument("--seen", type=Path, help="where to write TensorFlow's operators")
    return parser.parse_args()


def _portable(case: SuiteCase) -> Case:
    raw = case.model.SerializeToString()
    return Case(case.id, case.operator, raw, case.data, case.rtol, case.atol)


def _in_tensorflow(cases: Sequence[Case], scratch: Path, workspace: Workspace) -> Verdicts:
    asked, said = scratch / "cases.pkl", scratch / "verdicts.jsonl"
    asked.write_bytes(pickle.dumps(cases))
    _call("judge", {"file": str(asked), "results": str(said)}, workspace)
    lines = [json.loads(line) for line in said.read_text().splitlines()]
    return {name: (verdict, why) for name, verdict, why in lines}


def _call(function: str, given: Mapping[str, object], workspace: Workspace) -> object:
    path = [str(Path(__file__).parent), str(Path(tfjs_from_onnx.__file__).parent)]
    python = str(tfjs_from_onnx.python(workspace))
    return worker.call(
        f"tfjs.computed:{function}", given, who="it", timeout=SECONDS, python=python, path=path
    )


def _some(cases: Sequence[Case], each: int) -> Iterator[Case]:
    """The first of each operator; what is one operator before what is many."""
    taken: Counter[str] = Counter()
    for case in sorted(cases, key=lambda case: ("_expanded" in case.id, case.id)):
        taken[case.operator] += 1
        if taken[case.operator] <= (each if case.operator[0] != "(" else 10 * each):
            yield case


def _in_tfjs(
    cases: Sequence[Case], scratch: Path, workspace: Workspace
) -> tuple[Verdicts, list[str]]:
    folder = scratch / "site"
    folder.mkdir()
    (scratch / "chosen.pkl").write_bytes(pickle.dumps(cases))
    given = {"file": str(scratch / "chosen.pkl"), "folder": str(folder)}
    operators: dict[str, list[str]] = _call("write", given, workspace)  # type: ignore[assignment]
    found: Verdicts = {}
    with browsed.page(folder, workspace) as tab:
        for index, case in enumerate(cases):
            found[case.id] = _seen(tab, folder / str(index), case)
    right = {n for case in cases if found[case.id][0] == asking.RIGHT for n in operators[case.id]}
    return found, sorted(right)


def _seen(tab: browsed.Tab, folder: Path, case: Case) -> tuple[str, str]:
    if (folder / "why.txt").is_file():
        return asking.REFUSED, (folder / "why.txt").read_text()
    try:
        why = asking.wrong(case, case.data[0][1], browsed.answers(tab, folder))
    except PageFailed as error:
        return asking.CRASH, str(error)
    return (asking.WRONG, why) if why else (asking.RIGHT, "")


def table(cases: Sequence[Case], eager: Verdicts, browser: Verdicts) -> None:
    """A line for each operator, and one for each case that was not right and not refused."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for case in cases:
        counts[case.operator][eager[case.id][0]] += 1
        if case.id in browser:
            counts[case.operator][f"{browser[case.id][0]} in TF.js"] += 1
    for operator, count in sorted(counts.items()):
        said = ", ".join(f"{number} {what}" for what, number in sorted(count.items()))
        sys.stdout.write(f"{operator}: {said}\n")
    for where, verdicts in (("TensorFlow", eager), ("TF.js", browser)):
        for name, (verdict, why) in verdicts.items():
            if verdict in (asking.WRONG, asking.CRASH):
                sys.stdout.write(f"{verdict} in {where}: {name}: {why[:300]}\n")
        total = Counter(verdict for verdict, _ in verdicts.values())
        sys.stdout.write(f"{where}: {dict(total)}\n")


if __name__ == "__main__":
    sys.exit(main())
