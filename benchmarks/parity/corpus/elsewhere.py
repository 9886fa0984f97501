"""Lanes of runtimes in environments of their own: arrays go over as .npz, jobs as JSON."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .environments import python
from .record import keep
from .store import Entry

HERE = Path(__file__).parent
Job = dict[str, Any]


def openvino(cache: Path, homes: Sequence[Entry]) -> None:
    """OpenVINO over every ONNX graph, on one and on two threads."""
    jobs: list[tuple[Entry, str, Job]] = []
    for home in homes:
        for how, graph in home.graphs().items():
            for threads in (1, 2):
                build = f"{how}.openvino-{threads}t"
                if not home.tried(build):
                    jobs.append((home, build, {"graph": str(graph), "threads": threads}))
    _run(cache, "openvino", "openvino_child.py", jobs)


def mobile(cache: Path, homes: Sequence[Entry]) -> None:
    """litert-torch to LiteRT, and ExecuTorch with and without XNNPACK, from the .pt2 program."""
    jobs: list[tuple[Entry, str, Job]] = []
    for home in homes:
        program = home.folder / "graphs" / "torch.export" / "model.pt2"
        for how in ("litert.litert", "xnnpack.executorch", "portable.executorch"):
            if program.is_file() and not home.tried(how):
                spec = home.signature()
                job: Job = {"graph": str(program), "how": how}
                job["inputs"] = [tensor.name for tensor in spec.inputs]
                job["outputs"] = [tensor.name for tensor in spec.outputs]
                jobs.append((home, how, job))
    _run(cache, "mobile", "mobile_child.py", jobs)


def _run(
    cache: Path, environment: str, script: str, jobs: Sequence[tuple[Entry, str, Job]]
) -> None:
    """All jobs in one child: these toolchains take ten seconds to import."""
    if not jobs:
        return
    folder = cache / "scratch" / environment
    folder.mkdir(parents=True, exist_ok=True)
    for number, (home, _, job) in enumerate(jobs):
        job["golden"] = str(home.folder / "golden.npz")
        job["out"] = str(folder / f"{number}.npz")
        Path(job["out"]).unlink(missing_ok=True)
        _why(job).unlink(missing_ok=True)
    left = [job for _, _, job in jobs]
    while left:
        with (folder / "log").open("a") as log:
            child = subprocess.run(
                [python(environment, cache), str(HERE / script)],
                input=json.dumps(left),
                text=True,
                stdout=log,
                stderr=log,
                check=False,
            )
        left = [job for job in left if not Path(job["out"]).is_file() and not _why(job).is_file()]
        if left:
            # The one that it had begun is the one that it died of.
            _why(left.pop(0)).write_text(f"the converter died with exit code {child.returncode}")
    for home, build, job in jobs:
        if _why(job).is_file():
            home.refuse(build, _why(job).read_text())
        else:
            _collect(home, build, Path(job["out"]))


def _why(job: Job) -> Path:
    return Path(f"{job['out']}.why")


def _collect(home: Entry, build: str, out: Path) -> None:
    said: dict[str, dict[str, Any]] = {}
    with np.load(out) as archive:
        for key in archive.files:
            case, name = key.split("|", 1)
            said.setdefault(case, {})[name] = archive[key]
    keep(home, build, home.read_cases(), said)
