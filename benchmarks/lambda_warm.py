"""Warm answers: latency and requests per second, over binary and JSON bodies, one at a time.

    .venv/bin/python benchmarks/lambda_warm.py [--requests 60]

The floor is a handler that runs the model on an input that is already there. What a flavor adds is
decoding, checking, encoding, events and logs. Variants take turns; medians are quoted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import lambda_variants as variants
import numpy as np

from deploy_targets.binding import identity
from deploy_targets.integrations import lambda_emulator
from deploy_targets.integrations.lambda_emulator import Function
from deploy_targets.targets.aws_lambda import calls
from deploy_targets.workspace import Workspace

Event = dict[str, object]


def main() -> None:
    """Prints medians for each flavor and body, and what they add to the floor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=60)
    requests = parser.parse_args().requests
    workspace = Workspace()
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        home = Path(temporary)
        bundles = {f: variants.build(f, home) for f in ("fastapi", "lean")}
        tasks = {f: variants.unpacked(bundle, home / f) for f, bundle in bundles.items()}
        python = str(bundles["lean"].manifest.options["python"])
        tasks["bare run"] = variants.bare(tasks["lean"], variants.RUNS, python, home / "bare")
        functions = {
            name: stack.enter_context(
                lambda_emulator.start(variants.spec_of(task, bundles["fastapi"]), workspace)
            )
            for name, task in tasks.items()
        }
        name = bundles["fastapi"].manifest.name
        outputs = identity(bundles["fastapi"].manifest.signature).outputs
        image = np.random.default_rng(0).normal(size=(1, 3, 224, 224)).astype(np.float32)
        bodies = {
            "binary": calls.infer(name, {"image": image}, outputs, "bench"),
            "json": json_event(name, image),
        }
        pairs = [(f, b) for f in ("fastapi", "lean") for b in bodies] + [("bare run", "binary")]
        show(measure(functions, bodies, pairs, requests))


def json_event(name: str, image: np.ndarray) -> Event:
    """The same question with its tensor as a list of numbers."""
    import json

    tensor = {
        "name": "image",
        "datatype": "FP32",
        "shape": list(image.shape),
        "data": image.ravel().tolist(),
    }
    body = json.dumps({"inputs": [tensor]}).encode()
    headers = {"content-type": "application/json"}
    return calls.event("POST", f"/v2/models/{name}/infer", body, headers)


def measure(
    functions: dict[str, Function],
    bodies: dict[str, Event],
    pairs: list[tuple[str, str]],
    requests: int,
) -> dict[tuple[str, str], list[float]]:
    """Seconds of each request, after three that do not count."""
    times: dict[tuple[str, str], list[float]] = {pair: [] for pair in pairs}
    for number in range(requests + 3):
        for flavor, body in pairs:
            start = time.perf_counter()
            raw = functions[flavor].invoke(bodies[body], timeout=60)
            took = time.perf_counter() - start
            if calls.response(raw)[0] != 200:
                sys.exit(f"{flavor}, {body}: {raw[:300]!r}")
            if number >= 3:
                times[flavor, body].append(took)
    return times


def show(times: dict[tuple[str, str], list[float]]) -> None:
    """Median and 95th percentile in ms, requests per second, and the ratio to the floor."""
    floor = statistics.median(times["bare run", "binary"])
    for (flavor, body), each in times.items():
        median, p95 = statistics.median(each), statistics.quantiles(each, n=20)[-1]
        sys.stdout.write(
            f"{flavor:<9} {body:<7} median {median * 1000:6.1f} ms  p95 {p95 * 1000:6.1f} ms  "
            f"{1 / median:5.1f} requests/s  {median / floor:.2f} x bare run\n"
        )


if __name__ == "__main__":
    main()
