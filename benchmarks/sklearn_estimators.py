"""Judges the graphs of many scikit-learn estimators, as they are and with faults planted in them.

    python benchmarks/sklearn_estimators.py              docs/sklearn.md from all of them
    python benchmarks/sklearn_estimators.py KMeans PCA   prints those whose names hold a word

An estimator is fitted, kept by joblib, loaded as a source, recorded and captured as `build` does,
and ONNX Runtime answers in the artifact's place. A fault that changes no answer is planted
elsewhere, a few times: which leaf of which tree is wrong matters only to rows that end there.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import onnx
from estimators.faults import FAULTS as LEARNED
from estimators.zoo import ESTIMATORS
from parity.ours import Judge

from deploy_targets import frontends
from deploy_targets.errors import DeployError
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity import cases, golden
from deploy_targets.records import Golden, Tensors
from deploy_targets.testing.faults import FAULTS, Place
from deploy_targets.verdicts import Row, Verdict

DOCS = Path(__file__).parents[1] / "docs" / "sklearn.md"
BEGIN = "<!-- figures: what follows is written by `python benchmarks/sklearn_estimators.py` -->"
SAMPLES, ROWS = 8, 40
"""Samples of one row, and rows of the one that holds many."""

PLACES = 6
"""Where a fault is tried until an answer changes."""

SEEN = 1e-5
"""What changes no answer by more than this share of its largest number has not gone wrong yet."""

Said = Mapping[str, Tensors]


@dataclass(frozen=True)
class Result:
    """What was found of one estimator."""

    name: str
    verdict: str
    note: str
    seconds: float
    found: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()


def main() -> int:
    """Returns the exit status: 1 where an honest graph failed or a fault was missed."""
    words = sys.argv[1:]
    names = [name for name in ESTIMATORS if not words or any(word in name for word in words)]
    results = []
    with ProcessPoolExecutor(2) as pool:
        for result in pool.map(judged, names):
            sys.stdout.write(_line(result) + "\n")
            sys.stdout.flush()
            results.append(result)
    if not words:
        kept, found, _ = DOCS.read_text(encoding="utf-8").partition(BEGIN)
        if not found:
            sys.exit(f"{DOCS} has lost the line after which figures are written: {BEGIN}")
        DOCS.write_text(f"{kept}{BEGIN}\n\n{_table(results)}", encoding="utf-8")
    return int(any(r.verdict == Verdict.FAIL or r.missed for r in results))


def judged(name: str) -> Result:
    """The verdict on an honest graph, and which faults in it were found."""
    started = time.monotonic()
    estimator, rows = ESTIMATORS[name].fitted()
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        joblib.dump(estimator, folder / "model.joblib")
        try:
            model = frontends.load(SourceSpec("model.joblib", folder))
            known = golden.record(model, cases.questions(model.signature, samples(rows)))
            model.capture(model.captures[0], folder)
        except DeployError as error:
            return Result(name, "refused", str(error), time.monotonic() - started)
        graph = onnx.load(folder / "model.onnx")
    return _found(name, known, graph, started)


def samples(rows: np.ndarray) -> dict[str, Tensors]:
    """A few rows as the user's samples, by one and together."""
    chosen = np.random.default_rng(1).permutation(len(rows))[:ROWS]
    made = {f"row{n}": {"features": rows[i : i + 1]} for n, i in enumerate(chosen[:SAMPLES])}
    return {**made, "rows": {"features": rows[chosen]}}


def _found(name: str, known: Golden, graph: onnx.ModelProto, started: float) -> Result:
    judge, honest = Judge(known), _answers(graph, known)
    assert honest is not None, "the converter has run it"
    row = judge.row(honest)
    found, missed = [], []
    for fault, wrong in _planted(graph, known, honest):
        # A graph that does not run at all fails, too.
        accepted = wrong is not None and judge.accepts(wrong)
        (missed if accepted else found).append(fault)
    note = row.reason or _nearest(row)
    seconds = time.monotonic() - started
    return Result(name, row.verdict.value, note, seconds, tuple(found), tuple(missed))


def _planted(
    graph: onnx.ModelProto, known: Golden, honest: Said
) -> Iterator[tuple[str, Said | None]]:
    """Each fault that has a place in the graph, and what the graph answers then."""
    names = [name for name, fault in FAULTS.items() if fault.place is Place.GRAPH]
    for name in (*LEARNED, *names):
        for seed in range(PLACES):
            wrong = _spoilt(graph, name, seed)
            if wrong is None:
                break
            said = _answers(wrong, known)
            if said is None or _differs(said, honest):
                yield name, said
                break


def _spoilt(graph: onnx.ModelProto, name: str, seed: int) -> onnx.ModelProto | None:
    if name in FAULTS:
        fault = FAULTS[name]
        changed: onnx.ModelProto | None = fault.change(graph, fault.strengths[0], seed)
        return changed
    copy = onnx.ModelProto()
    copy.CopyFrom(graph)
    return copy if LEARNED[name](copy, np.random.default_rng(seed)) else None


def _answers(graph: onnx.ModelProto, known: Golden) -> Said | None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    try:
        session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
        names = [output.name for output in session.get_outputs()]
        return {
            case.name: dict(zip(names, session.run(names, dict(case.inputs)), strict=True))
            for case in known.cases
        }
    except Exception:
        return None


def _differs(said: Said, honest: Said) -> bool:
    return any(
        array.shape != honest[case][name].shape or _moved(array, honest[case][name])
        for case, tensors in said.items()
        for name, array in tensors.items()
    )


def _moved(array: np.ndarray, honest: np.ndarray) -> bool:
    if array.dtype.kind != "f":
        return not np.array_equal(array, honest)
    largest = np.abs(honest).max(initial=0.0, where=np.isfinite(honest))
    return not np.allclose(array, honest, rtol=0, atol=SEEN * largest, equal_nan=True)


def _nearest(row: Row) -> str:
    """Of what is allowed, how much was needed at most by any number of any answer."""
    element = max((p.element for p in row.parity if p.relative_l2), default=0.0)
    relative = max(p.relative_l2 for p in row.parity)
    jumped = sum(p.jumped for p in row.parity)
    return f"{relative:.0e}, {element:.1f} x noise" + (f", {jumped} differ" if jumped else "")


def _line(result: Result) -> str:
    count = len(result.found) + len(result.missed)
    found = f"{len(result.found)} of {count}" if count else "-"
    missed = f"  MISSED {', '.join(result.missed)}" if result.missed else ""
    return (
        f"{result.seconds:5.1f} s  {result.verdict:8}{result.name:48}  {result.note:32}  "
        f"{found}{missed}"
    )


def _table(results: list[Result]) -> str:
    head = "| estimator, data | verdict | furthest from scikit-learn | faults found |"
    lines = [head, "|---|---|---|---|"]
    for r in results:
        count = len(r.found) + len(r.missed)
        missed = f"; missed: {', '.join(f'`{name}`' for name in r.missed)}" if r.missed else ""
        note = re.sub(r"[|\n]", " ", r.note)
        lines.append(f"| {r.name} | {r.verdict} | {note} | {len(r.found)} of {count}{missed} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
