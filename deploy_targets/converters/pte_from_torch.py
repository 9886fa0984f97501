"""PyTorch (.pt2) -> ExecuTorch, in a child process, and asked in another.

In: an Order whose graph is of Dialect.EXPORTED. Out: what `pte.py` says. What torch.export accepts,
this builds: where the plain way fails the program is rewritten, then operators are kept out of the
delegate, then it is left to the portable kernels (`pte_ladder.py`); each file is loaded and asked
in ExecuTorch's own runtime before it is believed. The bytes do not depend on the folder.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from deploy_targets.converters import pte
from deploy_targets.converters.pte import Converted, Order
from deploy_targets.errors import ConversionFailed, UnsupportedModel
from deploy_targets.integrations import beside, worker
from deploy_targets.workspace import Workspace

LOCK = "executorch"
WHO = "ExecuTorch"
ASKING = "deploy_targets.converters.pte_proof:ask"


def convert(
    order: Order, folder: Path, workspace: Workspace, *, timeout: float = worker.TIMEOUT
) -> Converted:
    """Writes model.pte, entries.json and report.json into `folder`.

    Raises UnsupportedModel naming what cannot be carried, ConversionFailed for a crash or the time
    limit, ToolMissing where ExecuTorch cannot be had.
    """
    signature = pte.settled(order)
    if found := pte.problems(signature):
        raise UnsupportedModel("; ".join(found), hint="cast it inside of the model")
    path = [*_here(), str(beside.folder(LOCK, workspace))]
    with tempfile.TemporaryDirectory() as temporary:
        attempts = _Attempts(order, Path(temporary), path, time.monotonic() + timeout)
        try:
            said = attempts.first_that_runs()
        finally:
            attempts.keep_log(folder / pte.LOG)
        shutil.copyfile(said["file"], folder / pte.FILE)
    made = Converted((pte.entry(signature),), said["tools"], tuple(_notes(said)), said["report"])
    pte.write(made, folder)
    return pte.read(folder)


def lower(order: dict[str, Any], folder: str, begin: int) -> dict[str, Any]:
    """The child's half: one file, and the questions that it is then asked."""
    from importlib.metadata import version

    from deploy_targets.converters import pte_ladder, pte_proof
    from deploy_targets.frontends.exported import read

    asked, home = pte.unpacked(order), Path(folder)
    program = read(asked.graph.folder / "model.pt2")
    file = home / pte.FILE
    step, report = pte_ladder.climb(program, asked, begin, file)
    planned = int(report["planned_bytes"])
    names = pte_proof.questions(program, pte.settled(asked), planned, home)
    tools = {"executorch": version("executorch"), "torch": version("torch")}
    return {"file": str(file), "next": step + 1, "report": report, "asked": names, "tools": tools}


class _Attempts:
    """One conversion after another until the file runs; they share one time limit."""

    def __init__(self, order: Order, home: Path, path: list[str], deadline: float) -> None:
        self.order, self.home, self.path, self.deadline = pte.packed(order), home, path, deadline
        self.tried: list[dict[str, str]] = []
        self.count = 0

    def first_that_runs(self) -> dict[str, Any]:
        begin = 0
        while True:
            said = self._lower(begin)
            wrong = self._wrong(said)
            said["report"]["tried"] = [*self.tried, *said["report"]["tried"]]
            if not wrong:
                return said
            self.tried = [
                *said["report"]["tried"],
                {"step": said["report"]["step"], "why not": f"in the runtime {wrong}"},
            ]
            begin = said["next"]

    def keep_log(self, place: Path) -> None:
        """All logs, one after the other."""
        logs = sorted(self.home.glob("*.log"))
        place.write_text("".join(log.read_text(errors="replace") for log in logs))

    def _lower(self, begin: int) -> dict[str, Any]:
        folder = self.home / f"{self.count}"
        folder.mkdir()
        arguments = {"order": self.order, "folder": str(folder), "begin": begin}
        try:
            return dict(self._call(f"{__name__}:lower", arguments, "lower"))
        except UnsupportedModel as error:
            if not self.tried:
                raise
            raise UnsupportedModel(
                f"{error}; before that {self.tried[-1]['why not']}", hint=error.hint
            ) from error

    def _wrong(self, said: dict[str, Any]) -> str:
        """How the file failed in the runtime, "" where it did not."""
        file = Path(said["file"])
        arguments = {"file": str(file), "folder": str(file.parent), "names": said["asked"]}
        try:
            answer = self._call(ASKING, arguments, "ask")
        except ConversionFailed as error:
            return str(error)[-200:]
        said["report"]["asked"] = {"sizes": said["asked"], "worst": answer["worst"]}
        return str(answer["wrong"])

    def _call(self, function: str, arguments: dict[str, Any], name: str) -> Any:
        self.count += 1
        return worker.call(
            function,
            arguments,
            who=WHO,
            timeout=max(self.deadline - time.monotonic(), 0.1),
            path=self.path,
            log=self.home / f"{self.count:03}-{name}.log",
        )


def _here() -> list[str]:
    import sys

    return list(sys.path)


def _notes(said: dict[str, Any]) -> list[str]:
    """What a reader must know without opening report.json."""
    report = said["report"]
    share = report["multiply_adds"]["share"]
    notes = [f"ExecuTorch: {report['step']}", *report["done"]]
    if report["backend"] == "xnnpack" and share is not None:
        notes.append(f"XNNPACK computes {share:.1%} of the multiply-adds")
    return notes
