"""Many cases on several targets, in processes that may die. In: names. Out: a file of results.

A crash in native code ends a process and no more: the case is noted as a defect and the rest goes
on. Results are appended one line each as they come, so that an interrupted sweep goes on where it
ended; a result counts for the same case, options, packages and program only.
"""

from __future__ import annotations

import dataclasses
import json
import queue
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from deploy_targets import rebuild, registry
from deploy_targets.frontends import environment
from deploy_targets.workspace import Workspace, digest_of

from .cases import SuiteCase, collect
from .trial import DEFECT, Result, attempt

PATIENCE = 600.0
"""Seconds after which a case is given up, and its process ended."""

Asked = tuple[str, str]  # target and case


@dataclasses.dataclass(frozen=True)
class Noted:
    """A result, and what it is a result of."""

    result: Result
    case: str
    """The case's digest."""
    program: str
    """Digest of the program, its packages and the target's options."""


def program(target: str) -> str:
    """What decides a result besides the case."""
    options = registry.load(target).model_dump(mode="json")
    return digest_of(rebuild.program(), environment(), target, options)[:16]


def read(path: Path) -> dict[Asked, Noted]:
    """The last result of each case and target in a file; none where there is no file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    noted = [_noted(json.loads(line)) for line in lines]
    return {(each.result.target, each.result.id): each for each in noted}


def sweep(
    cases: Sequence[SuiteCase],
    targets: Iterable[str],
    path: Path,
    workers: int,
    *,
    keep: bool = False,
    said: Callable[[Result], object] = lambda result: None,
) -> None:
    """Fills the file with what is missing; with `keep`, an earlier program's results count too."""
    known = read(path)
    programs = {target: program(target) for target in targets}
    todo: queue.Queue[tuple[str, SuiteCase]] = queue.Queue()
    for target, now in programs.items():
        for case in _in_any_order(cases):
            before = known.get((target, case.id))
            same = before and before.case == case.digest and (keep or before.program == now)
            if not same:
                todo.put((target, case))
    lock = threading.Lock()

    def note(result: Result, case: SuiteCase) -> None:
        line = Noted(result, case.digest, programs[result.target])
        with lock, path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(line)) + "\n")
            said(result)

    threads = [threading.Thread(target=_drain, args=(todo, note)) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def work() -> None:
    """What a worker process does: a target and a case per line in, a result per line out."""
    # What anything prints must not be taken for a result.
    out, sys.stdout = sys.stdout, sys.stderr
    cases = {case.id: case for case in collect()}
    for line in sys.stdin:
        target, name = json.loads(line)
        result = attempt(cases[name], registry.load(target), Workspace())
        out.write(json.dumps(dataclasses.asdict(result)) + "\n")
        out.flush()


def _in_any_order(cases: Sequence[SuiteCase]) -> list[SuiteCase]:
    """Always the same one, in which an interrupted sweep has seen some of everything."""
    mixed = list(cases)
    random.Random(0).shuffle(mixed)
    return mixed


def _drain(todo: queue.Queue[tuple[str, SuiteCase]], note: Callable[..., None]) -> None:
    """Feeds one worker process after another, until nothing is left to do."""
    worker: subprocess.Popen[str] | None = None
    while True:
        try:
            target, case = todo.get_nowait()
        except queue.Empty:
            break
        if worker is None or worker.poll() is not None:
            worker = _start()
        note(_ask(worker, target, case), case)
    if worker is not None:
        assert worker.stdin
        worker.stdin.close()
        worker.wait()


def _start() -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).parents[1] / "onnx_suite.py"), "--work"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)


def _ask(worker: subprocess.Popen[str], target: str, case: SuiteCase) -> Result:
    assert worker.stdin
    assert worker.stdout
    impatience = threading.Timer(PATIENCE, worker.kill)
    impatience.start()
    try:
        worker.stdin.write(json.dumps([target, case.id]) + "\n")
        worker.stdin.flush()
        answer = worker.stdout.readline()
    except BrokenPipeError:
        answer = ""
    finally:
        impatience.cancel()
    if answer:
        return Result(**json.loads(answer))
    ended = f"the process ended with status {worker.wait()}"
    known = (case.operator, case.is_float, 0.0)
    return Result(case.id, target, DEFECT, ended, "", *known)


def _noted(plain: dict[str, Any]) -> Noted:
    return Noted(Result(**plain["result"]), plain["case"], plain["program"])
