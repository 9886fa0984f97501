"""Runs one function over many models, some at a time, each process's chatter going to a log."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

FAILED = "FAILED:"


def each(
    work: Callable[[str], str], models: Sequence[str], cache: Path, jobs: int
) -> Iterator[str]:
    """What `work` says of each model, as it ends; what it raises is said as well."""
    (cache / "scratch").mkdir(parents=True, exist_ok=True)
    fresh = multiprocessing.get_context("spawn")
    log = str(cache / "scratch" / "log")
    with ProcessPoolExecutor(jobs, fresh, _into, (log,)) as pool:
        running = {pool.submit(work, name): name for name in models}
        for done in as_completed(running):
            error = done.exception()
            yield f"{running[done]} {FAILED} {error!r}" if error else done.result()


def _into(log: str) -> None:
    """Exporters print from C as well as from Python: the descriptors themselves are turned."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
