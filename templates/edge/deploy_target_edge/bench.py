"""How fast a way answers, and what it takes: percentiles, answers in a second, watts, degrees.

Runtimes are asked in turns, so that a device which grows hot grows hot for all of them.
"""

from __future__ import annotations

import time

from . import sensors

PERCENTILES = (50, 90, 99)


def measured(runtimes, inputs, rounds=200, warm=20):
    """Way -> seconds of each call, in turns; the first calls are not counted."""
    taken = {way: [] for way in runtimes}
    for count in range(warm + rounds):
        for way, runtime in runtimes.items():
            started = time.perf_counter()
            runtime.run(inputs)
            seconds = time.perf_counter() - started
            if count >= warm:
                taken[way].append(seconds)
    return taken


def watched(runtimes, inputs, rounds=200, warm=20):
    """The same as rows to print, with what the board's sensors said meanwhile."""
    with sensors.Watch() as watch:
        taken = measured(runtimes, inputs, rounds, warm)
    rows = [
        {"way": way, "where": runtimes[way].where, **_row(seconds)}
        for way, seconds in taken.items()
    ]
    return rows, {**watch.said(), "tegrastats": sensors.tegrastats()}


def percentile(values, share):
    """The value below which so many percent lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, -(-share * len(ordered) // 100) - 1)]


def _row(seconds):
    named = {f"p{share}_ms": percentile(seconds, share) * 1e3 for share in PERCENTILES}
    return {**named, "per_second": len(seconds) / sum(seconds)}
