"""How far another implementation of a step may be from the reference, and why.

In: the steps of a case, the dtype of an output, and how lossy a raw input is. Out: a `Slack`. What
numbers have no say in is exact: where pixels are copied from, which classes win, what is read from
a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

FUSED = "float32, and products that may be added without rounding in between"
SUMS = "sums of floats, in whatever order"
POWERS = "exponential functions differ in their last digit"
HALF = "float16: where a value lies between two, a digit elsewhere decides"

OFF = {
    "scale": (1e-6, FUSED),
    "resize": (1e-5, SUMS),
    "decode_audio": (1e-6, SUMS),
    "resample": (1e-5, SUMS),
    "normalise": (1e-5, SUMS),
    "log_mel": (1e-5, SUMS),
    "softmax": (1e-6, POWERS),
    "sigmoid": (1e-6, POWERS),
    "unframe": (1e-6, FUSED),
}
"""Operation -> relative L2 that is granted; all others are exact."""


@dataclass(frozen=True)
class Slack:
    """`kind`: "exact", "relative_l2", "absolute", "json", "picture": see the docs."""

    kind: str
    value: float = 0.0
    why: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON; of the exact, there is no more to say."""
        return asdict(self) if self.why else {"kind": self.kind}


EXACT = Slack("exact")


def granted(steps: Sequence[Mapping[str, Any]], dtype: str, lossy: Slack | None) -> Slack:
    """What one output of these steps may be off. `lossy`: what its raw input's decoder may be."""
    if lossy is not None:
        return _carried(lossy, steps)
    if not dtype.startswith("float"):
        return EXACT
    value, why = _most(steps)
    if value and dtype == "float16":
        return Slack("relative_l2", 5e-4, HALF)
    return Slack("relative_l2", value, why) if value else EXACT


def said(name: str, steps: Sequence[Mapping[str, Any]]) -> Slack:
    """Of words: a picture is exact, and numbers are what the tensors hold."""
    if name == "picture":
        return Slack("picture")
    value, why = _most(steps)
    return Slack("json", value, why)


def _most(steps: Sequence[Mapping[str, Any]]) -> tuple[float, str]:
    """What the loosest of the steps is granted, and why; nothing where all are exact."""
    return max((OFF[step["op"]] for step in steps if _inexact(step)), default=(0.0, ""))


def _inexact(step: Mapping[str, Any]) -> bool:
    options = step["options"]
    if step["op"] == "resize":
        return bool(options["antialias"] != "pil" and options["interpolation"] != "nearest")
    if step["op"] == "decode_audio":
        return bool(options["channels"] == "mono" or options["amplitude"] != 1)
    return step["op"] in OFF


def _carried(lossy: Slack, steps: Sequence[Mapping[str, Any]]) -> Slack:
    """Levels that a decoder is off, as they are after the other steps."""
    scales = [step["options"] for step in steps if step["op"] == "scale"]
    by = scales[0]["by"] / min(scales[0]["std"]) if scales else 1.0
    if any(_overshoots(step) for step in steps):
        by *= 2
    return Slack(lossy.kind, lossy.value * by, lossy.why)


def _overshoots(step: Mapping[str, Any]) -> bool:
    """Whether weights are below zero, so that they sum to more than 1 without their sign."""
    return bool(step["op"] == "resize" and step["options"]["interpolation"] == "bicubic")
