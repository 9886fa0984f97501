"""All files of one model: converted, then asked in turn. In: what rivals.py entered. Out: Results.

A converter that fails, and a file that LiteRT does not load or that ends it, are results.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from web.figures import ratio

from deploy_targets.integrations import beside
from deploy_targets.workspace import Workspace
from mobile import measured
from mobile.measured import Run
from mobile.rivals import Entered, Rival

ASK = Path(__file__).with_name("ask.py")


@dataclass(frozen=True)
class Result:
    """One converter on one model. `failed` holds why there are no answers."""

    name: str
    run: Run
    """Of its conversions the one with the median time."""
    megabytes: float = 0.0
    error: float = 0.0
    seconds: tuple[float, ...] = ()
    failed: str = ""


def raced(entered: Entered, conversions: int, rounds: int, workspace: Workspace) -> list[Result]:
    """Each converts so many times, taking turns; then those that answer are asked in turn."""
    # Before anything is timed: ours reads its files back with it, and would fetch it at first.
    packages = beside.folder("litert", workspace)
    runs: dict[str, list[Run]] = {rival.name: [] for rival in entered.rivals}
    for _ in range(conversions):
        for rival in entered.rivals:
            runs[rival.name].append(_converted(rival))
    made = [rival for rival in entered.rivals if rival.file.is_file()]
    alone = {rival.name: _asked(entered.folder, 0, [rival], packages) for rival in made}
    fit = [rival for rival in made if "error" in alone[rival.name].get(rival.name, {})]
    together = _asked(entered.folder, rounds, fit, packages) if fit else {}
    said = {**{name: one.get(name, one) for name, one in alone.items()}, **together}
    return [_result(rival, runs[rival.name], said.get(rival.name, {})) for rival in entered.rivals]


def table(results: Sequence[Result]) -> str:
    """A line for each converter; ratios are to the first of them that answers."""
    base = next((one.seconds for one in results if one.seconds), ())
    head = (
        "| converter | seconds | peak memory, MB | file, MB | relative L2 | answer, ms "
        "| x the first line |\n|---|---|---|---|---|---|---|\n"
    )
    lines = "".join(_line(one, base) for one in results)
    said = "".join(f"\n- {one.name}: {one.failed}" for one in results if one.failed)
    return f"{head}{lines}{said}\n" if said else f"{head}{lines}"


def _converted(rival: Rival) -> Run:
    """From an empty folder, so that nothing of an earlier turn serves again."""
    shutil.rmtree(rival.file.parent, ignore_errors=True)
    return measured.run(rival.command, rival.environment)


def _asked(folder: Path, rounds: int, rivals: Sequence[Rival], packages: Path) -> dict[str, Any]:
    """What ask.py says of each, by name; of none where the process was ended."""
    files = {str(rival.file): rival.name for rival in rivals}
    done = subprocess.run(
        [sys.executable, str(ASK), str(folder), str(rounds), *files],
        capture_output=True,
        text=True,
        env={**os.environ, "BESIDE": str(packages)},
    )
    if done.returncode:
        words = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        return {"refused": f"LiteRT was ended: {words[0]}"}
    said: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {files[file]: one for file, one in said.items()}


def _result(rival: Rival, runs: Sequence[Run], said: Mapping[str, Any]) -> Result:
    run = sorted(runs, key=lambda one: one.seconds)[len(runs) // 2]
    if not rival.file.is_file():
        return Result(rival.name, run, failed=run.failed or "it wrote no file")
    megabytes = rival.file.stat().st_size / 1e6
    if "seconds" not in said:
        return Result(rival.name, run, megabytes, failed=said.get("refused", "not asked"))
    return Result(rival.name, run, megabytes, said["error"], tuple(said["seconds"]))


def _line(one: Result, base: Sequence[float]) -> str:
    cost = f"| {one.name} | {one.run.seconds:.1f} | {one.run.megabytes:.0f} |"
    if not one.seconds:
        size = f"{one.megabytes:.2f}" if one.megabytes else ""
        return f"{cost} {size} | failed | | |\n"
    middle = 1000 * statistics.median(one.seconds)
    against = ratio(one.seconds, base)
    return f"{cost} {one.megabytes:.2f} | {one.error:.1e} | {middle:.3f} | {against:.2f} |\n"
