"""What is made of seconds: medians, ratios, a table. In: Times of each rival. Out: text."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Times:
    """What was measured of one rival. Seconds; entry i of all rivals' answers is of one round."""

    raw: float
    """Megabytes of a first visit."""
    sent: float
    """The same, where the host sends brotli."""
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)


def ratio(seconds: Sequence[float], base: Sequence[float]) -> float:
    """The median of the ratios within each round: what slows a whole round slows both."""
    return statistics.median(one / other for one, other in zip(seconds, base, strict=True))


def table(found: Mapping[str, Times]) -> str:
    """A line for each rival; ratios are to the first of them."""
    base = next(iter(found.values()))
    head = (
        "| runtime | first visit, MB | as brotli, MB | load, empty cache, ms "
        "| load, full cache, ms | first answer, ms | answer, ms | x the first line |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(_line(name, times, base) for name, times in found.items())


def turns(count: int, rivals: int) -> list[list[int]]:
    """Per round the order of the rivals; each comes after every other about as often."""
    return [[(at + start) % rivals for at in _order(rivals, start)] for start in range(count)]


def _order(rivals: int, start: int) -> range:
    forward = range(rivals)
    return forward if start % 2 == 0 else forward[::-1]


def _line(name: str, times: Times, base: Times) -> str:
    loads = f"{_ms(times.cold):.0f} | {_ms(times.warm):.0f}"
    answers = f"{_ms(times.first):.1f} | {_ms(times.answers):.2f}"
    against = ratio(times.answers, base.answers)
    return (
        f"| {name} | {times.raw:.2f} | {times.sent:.2f} | {loads} | {answers} | {against:.2f} |\n"
    )


def _ms(seconds: Sequence[float]) -> float:
    return 1000 * statistics.median(seconds)
