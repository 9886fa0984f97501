"""The log-mel spectrogram and what it is made of: window, mel filters, decibels.

In: samples [..., n]. Out: float32 [..., time, mels]. Computed in float64 throughout, since a
logarithm makes differences between quiet bins large.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

Real = TypeVar("Real", np.float32, np.float64)

LINEAR, BREAK = 200.0 / 3, 1000.0
"""Slaney's scale: so many Hz a mel up to 1 kHz; above, 27 mels for a factor of 6.4."""
WINDOWS = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46), "ones": (1.0, 0.0)}
MODES: dict[str, Any] = {"constant": "constant", "reflect": "reflect"}


def log_mel(
    value: NDArray[np.float32], frame: dict[str, Any], **options: Any
) -> NDArray[np.float32]:
    """The spectrogram [..., time, mels]; `window_of` and `mel_filters` say what the options are."""
    size = options["n_fft"] if options["fft_pad"] == "both" else options["win"]
    x = value.astype(np.float64)
    if options["center"]:
        x = padded(x, size // 2, size // 2, options["pad_mode"])
    framed = np.lib.stride_tricks.sliding_window_view(x, size, axis=-1)[..., :: options["hop"], :]
    if options["drop_last"]:
        framed = framed[..., :-1, :]
    spectrum = np.fft.rfft(
        framed * window_of(size, options["win"], options["window"]), options["n_fft"]
    )
    energies = np.abs(spectrum) ** options["power"] @ mel_filters(**bank_options(options)).T
    return logarithm(energies, options).astype(np.float32)


def padded(x: NDArray[Real], before: int, after: int, mode: str) -> NDArray[Real]:
    """Along the last axis; "reflect" does not repeat the edge."""
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(before, after)], MODES[mode])


def window_of(size: int, win: int, name: str) -> Doubles:
    """A periodic window of `win` samples in the middle of `size`."""
    level, swing = WINDOWS[name]
    wave = level - swing * np.cos(2 * np.pi * np.arange(win) / win)
    left = (size - win) // 2
    return np.pad(wave, (left, size - win - left))


def bank_options(options: dict[str, Any]) -> dict[str, Any]:
    """Those options of `log_mel` that `mel_filters` takes."""
    return {key: options[key] for key in ("rate", "n_fft", "mels", "fmin", "fmax", "scale", "norm")}


def mel_filters(
    *, rate: int, n_fft: int, mels: int, fmin: float, fmax: float, scale: str, norm: str | None
) -> Doubles:
    """Triangles [mels, 1 + n_fft // 2], evenly spaced in mels; norm "slaney": each of area 1."""
    lowest, highest = to_mel(np.array([fmin, fmax]), scale)
    corners = from_mel(np.linspace(lowest, highest, mels + 2), scale)
    bins = np.arange(1 + n_fft // 2) * (rate / n_fft)
    low, peak, high = (corners[i : i + mels, None] for i in range(3))
    triangles = np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak))
    filters: Doubles = np.maximum(0.0, triangles)
    return filters * (2.0 / (high - low)) if norm == "slaney" else filters


def to_mel(hertz: Doubles, scale: str) -> Doubles:
    """Hz to mels, on Slaney's scale or HTK's."""
    if scale == "htk":
        return 2595.0 * np.log10(1.0 + hertz / 700.0)
    above = BREAK / LINEAR + np.log(np.maximum(hertz, BREAK) / BREAK) * (27 / np.log(6.4))
    return np.where(hertz < BREAK, hertz / LINEAR, above)


def from_mel(mel: Doubles, scale: str) -> Doubles:
    """Mels to Hz."""
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    above = BREAK * np.exp((mel - BREAK / LINEAR) * (np.log(6.4) / 27))
    return np.where(mel < BREAK / LINEAR, mel * LINEAR, above)


def logarithm(energies: Doubles, options: dict[str, Any]) -> Doubles:
    """factor * log(max(energies + add, floor)), cut off `top` below the loudest of it all."""
    if options["log"] == "none":
        return energies
    floored = np.maximum(energies + options["add"], options["floor"])
    logged: Doubles = np.log(floored) * factor(options)
    top = top_of(options)
    return logged if top is None else np.maximum(logged, logged.max() - top)


def factor(options: dict[str, Any]) -> float:
    """By which a natural logarithm becomes the one asked for; decibels are of energy."""
    return 1.0 if options["log"] == "ln" else _tens(options["log"], options) / math.log(10.0)


def top_of(options: dict[str, Any]) -> float | None:
    """`top_db` in the unit of the logarithm."""
    if options["top_db"] is None:
        return None
    decibel = _tens("db", options) / math.log(10.0)
    return float(options["top_db"] * factor(options) / decibel)


def _tens(log: str, options: dict[str, Any]) -> float:
    """Of a decimal logarithm: a decibel is of energy, so magnitudes count twice."""
    return 20.0 / float(options["power"]) if log == "db" else 1.0
