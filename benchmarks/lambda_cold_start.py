"""Cold start: from the start of the function's process to its first answer, in the sandbox.

    .venv/bin/python benchmarks/lambda_cold_start.py [--runs 9]

Variants take turns, so that the machine's mood falls on all of them alike; medians and ratios are
what to quote. The apps' first answer is an inference; the bare handler's is empty, so the ratio to
it counts the first run of the model, too.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import lambda_variants as variants
import numpy as np

from deploy_targets.binding import identity
from deploy_targets.bundle import open_bundle, read_golden
from deploy_targets.integrations import lambda_emulator
from deploy_targets.targets.aws_lambda import calls
from deploy_targets.workspace import Workspace


def main() -> None:
    """Prints a table of medians, and the ratios that are aimed for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    workspace = Workspace()
    with tempfile.TemporaryDirectory() as home:
        made = prepare(Path(home))
        times: dict[str, list[float]] = {variant.name: [] for variant in made}
        event = first_question(Path(home))
        for _ in range(runs):
            for variant in made:
                times[variant.name].append(cold(variant, event, workspace))
        show(made, {name: statistics.median(each) * 1000 for name, each in times.items()}, runs)


def prepare(home: Path) -> list[variants.Variant]:
    """Every variant, unpacked, with the size of its zip."""
    fastapi, lean = (variants.build(flavor, home) for flavor in ("fastapi", "lean"))
    tasks = {
        "fastapi": variants.unpacked(fastapi, home / "fastapi"),
        "lean": variants.unpacked(lean, home / "lean"),
    }
    python = str(fastapi.manifest.options["python"])
    tasks["plain"] = variants.plain(tasks["fastapi"], python, home)
    tasks["bare"] = variants.bare(tasks["lean"], variants.LOADS, python, home / "bare")
    return [
        variants.Variant(name, variants.spec_of(task, fastapi), variants.zipped(task, home))
        for name, task in tasks.items()
    ]


def first_question(home: Path) -> dict[str, object]:
    """One golden call of the example, as API Gateway would send it."""
    bundle = open_bundle(home / "bundle-fastapi")
    check = next(c for c in read_golden(bundle) if c.call.name.startswith("photo-"))
    outputs = identity(bundle.manifest.signature).outputs
    return calls.infer(bundle.manifest.name, check.call.inputs, outputs, "bench")


def cold(variant: variants.Variant, event: dict[str, object], workspace: Workspace) -> float:
    """Seconds from the start of the runtime's process to the first answer."""
    with lambda_emulator.start(variant.spec, workspace) as function:
        raw = function.invoke(event, timeout=120)
        status, _, body = calls.response(raw)
        if status != 200:
            sys.exit(f"{variant.name} answered {status}: {body[:300]!r}")
        if variant.name != "bare":
            assert np.isfinite(calls.answer(raw).outputs["logits"]).all()
        assert function.cold_start_seconds is not None
        return function.cold_start_seconds


def show(made: list[variants.Variant], medians: dict[str, float], runs: int) -> None:
    """The table, and the three ratios."""
    sizes = {variant.name: variant.zipped for variant in made}
    sys.stdout.write(f"median of {runs}, interleaved\n")
    for name, median in medians.items():
        sys.stdout.write(f"{name:<8} {median:7.0f} ms   zip {sizes[name] / 1e6:5.1f} MB\n")
    ratios = {
        "fastapi / plain (aim 0.50)": medians["fastapi"] / medians["plain"],
        "lean / bare (aim 1.20)": medians["lean"] / medians["bare"],
        "zip of fastapi / plain (aim 0.78)": sizes["fastapi"] / sizes["plain"],
    }
    for name, ratio in ratios.items():
        sys.stdout.write(f"{name:<34} {ratio:.2f}\n")


if __name__ == "__main__":
    main()
