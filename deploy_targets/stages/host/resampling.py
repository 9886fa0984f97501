"""Another sampling rate, as torchaudio ("sinc_hann") or SciPy ("polyphase") makes it by default.

In: samples [..., n] at `frame["rate"]`. Out: float32 samples [..., ceil(n * to / from)]. Both
methods are one filter, evaluated where an output sample falls between input samples; they differ
in that filter. To add one: a function that gives its weights, and a line in `METHODS`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .refused import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]
    Weights = Callable[[Doubles, int, int], Doubles]


AT_ONCE = 4_000_000
"""Products that are in memory at one time."""
MOST = 50_000
"""Of either rate, by what both share: the filter has twenty times as many weights."""


def resample(
    value: NDArray[np.float32], frame: dict[str, Any], *, to: int, method: str
) -> NDArray[np.float32]:
    """Samples at rate `to`; method "refuse" takes no other rate. Sets frame["rate"]."""
    rate = int(frame["rate"])
    if rate == to:
        return value
    if method == "refuse":
        raise Refused(f"the recording has {rate} samples a second, expected {to}")
    shared = math.gcd(rate, to)
    if not together(rate, to):
        raise Refused(
            f"{rate} samples a second cannot become {to} with a filter of a sane size; "
            f"expected {to}, or a usual rate such as 44100 or 48000"
        )
    frame["rate"] = to
    return _filtered(value, rate // shared, to // shared, *METHODS[method])


def together(rate: int, to: int) -> bool:
    """Whether two rates share enough that a filter between them is small."""
    return max(rate, to) // math.gcd(rate, to) <= MOST


def sinc_hann(distance: Doubles, down: int, up: int) -> Doubles:
    """A sinc under a Hann window of six zero crossings a side, rolled off at 0.99 of the band."""
    crossings = np.clip(distance * (0.99 * min(down, up) / down), -6.0, 6.0)
    window = np.cos(crossings * (math.pi / 12)) ** 2
    weights: Doubles = np.sinc(crossings) * window * (0.99 * min(down, up) / down)
    return weights


def reach_of_sinc_hann(down: int, up: int) -> int:
    """How many input samples away the filter still weighs one."""
    return math.ceil(6 * down / (0.99 * min(down, up)))


def polyphase(distance: Doubles, down: int, up: int) -> Doubles:
    """A low-pass by the window method: Kaiser, beta 5, ten periods of the lower rate a side."""
    half, most = 10 * max(down, up), max(down, up)
    taps = np.arange(-half, half + 1)
    whole = np.sinc(taps / most) * np.kaiser(2 * half + 1, 5.0)
    place = np.rint(distance * up).astype(np.int64) + half
    inside = (place >= 0) & (place <= 2 * half)
    gain = up / float(whole.sum())
    weights: Doubles = np.where(inside, gain * whole[np.clip(place, 0, 2 * half)], 0.0)
    return weights


def reach_of_polyphase(down: int, up: int) -> int:
    """How many input samples away the filter still weighs one."""
    return 10 * max(down, up) // up + 1


METHODS: dict[str, tuple[Weights, Callable[[int, int], int]]] = {
    "sinc_hann": (sinc_hann, reach_of_sinc_hann),
    "polyphase": (polyphase, reach_of_polyphase),
}


def _filtered(
    value: NDArray[np.float32], down: int, up: int, weights: Weights, reach: Callable[..., int]
) -> NDArray[np.float32]:
    """Output n lies at n * down / up: a whole number of input samples, and one of `up` phases."""
    wide, n = reach(down, up), value.shape[-1]
    count = -(-n * up // down)
    phases = np.arange(min(up, count)) * down % up
    near = np.arange(-wide, wide + 2)
    table = weights(near - (phases / up)[:, None], down, up)
    edges = [(0, 0)] * (value.ndim - 1) + [(wide, wide + 2)]
    padded = np.pad(value.astype(np.float64), edges)
    out = np.empty((*value.shape[:-1], count), np.float32)
    step = max(1, AT_ONCE // (near.size * max(1, value[..., 0].size)))
    for start in range(0, count, step):
        at = np.arange(start, min(start + step, count))
        taken = padded[..., (at * down // up)[:, None] + np.arange(near.size)]
        out[..., at] = np.einsum("...nk,nk->...n", taken, table[at % up])
    return out
