"""One line of log for each request, in CloudWatch's embedded metric format.

CloudWatch turns the times into metrics under the namespace DeployTarget, by model and by route.
This is the only place that writes to the log.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

NAMESPACE = "DeployTarget"


class Clock:
    """The time of one request, split into spans, in milliseconds."""

    def __init__(self) -> None:
        self.spans: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Times what is inside it, also where that fails."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.spans[name] = (time.perf_counter() - start) * 1000

    def total(self) -> float:
        return (time.perf_counter() - self._start) * 1000

    def header(self) -> str:
        """As Server-Timing has it: "decode;dur=0.412, run;dur=8.120, encode;dur=0.091"."""
        return ", ".join(f"{name};dur={spent:.3f}" for name, spent in self.spans.items())


def log_request(clock: Clock, facts: Mapping[str, object]) -> None:
    """Writes the line of one request. `facts` must hold "model" and "route"."""
    times = {f"{name}_ms": round(spent, 3) for name, spent in clock.spans.items()}
    times["total_ms"] = round(clock.total(), 3)
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["model"], ["model", "route"]],
        "Metrics": [{"Name": name, "Unit": "Milliseconds"} for name in times],
    }
    aws = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    write({"_aws": aws, **facts, **times})


def log_failure(request_id: str, trace: str) -> None:
    """Writes what an answer of 500 keeps to itself."""
    write({"level": "ERROR", "request_id": request_id, "trace": trace})


def write(line: Mapping[str, object]) -> None:
    """One line, in one piece: Lambda's runtime makes a log event of each write."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
