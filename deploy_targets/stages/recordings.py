"""Recordings that are made up: awkward, and yet right. Seeded, so the same bytes each time."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from deploy_targets.stages.base import Raw

SECONDS = 0.25
"""Of a recording whose length is free."""
OTHERS = (44_100, 8_000)


def recordings(
    *,
    rate: int,
    samples: int | None,
    least: int,
    channels: int | None,
    seconds: float,
    other_rates: bool,
    shorter: bool,
    longer: bool,
) -> Iterator[Raw]:
    """What a table takes, and no more: `samples` and `channels` are None where they are free.

    None is longer than `seconds`.
    """
    most = int(seconds * rate)
    n = min(samples or max(least, int(SECONDS * rate)), most)
    short = max(1, n // 3) if shorter else n
    one, two = channels or 1, channels or 2
    yield _raw("chirp", "a tone that rises through the band", rate, n, one)
    yield _raw("silence", "nothing but zeros", rate, n, one, loud=0.0)
    yield _raw("24_bit", "samples of three bytes", rate, short, one, subtype="PCM_24")
    yield _raw("float", "samples beyond full scale", rate, short, one, 1.5, subtype="FLOAT")
    yield _raw("channels", "channels that differ", rate, short, two, kind="FLAC")
    if longer and most > n:
        more = min(n + rate // 10, most)
        yield _raw("long", "more than the model takes", rate, more, one, kind="FLAC")
    for other in OTHERS if other_rates else ():
        there = _there(other, rate, short, samples, least, int(seconds * other), shorter, longer)
        if there:
            yield _raw(f"{other}_hz", "another rate", other, there, two, kind="FLAC")


def _there(
    other: int,
    rate: int,
    wanted: int,
    samples: int | None,
    least: int,
    most: int,
    shorter: bool,
    longer: bool,
) -> int:
    """How many samples at another rate become about as many as wanted; 0 where none would do."""
    from deploy_targets.stages.host.resampling import together

    for there in (wanted * other // rate, -(-wanted * other // rate), most):
        made = -(-there * rate // other)
        fits = made >= least if samples is None else made == samples
        fits = fits or (samples is not None and (shorter if made < samples else longer))
        if 0 < there <= most and fits and together(other, rate):
            return there
    return 0


def _raw(
    name: str,
    why: str,
    rate: int,
    n: int,
    channels: int,
    loud: float = 0.5,
    *,
    kind: str = "WAV",
    subtype: str = "PCM_16",
) -> Raw:
    import soundfile  # type: ignore[import-untyped]

    long = n * channels > 40_000 and subtype != "FLOAT"
    file = io.BytesIO()
    sound = loud * _chirp(rate, n, channels)
    kind = "FLAC" if long else kind
    # FLAC's header has no room for other high rates.
    odd = rate > 65_535 and rate % 10
    soundfile.write(file, sound, rate, format="WAV" if odd else kind, subtype=subtype)
    return Raw(name, why, undated(file.getvalue()))


def undated(data: bytes) -> bytes:
    """Without the second in which it was written, which a WAV of floats notes beside its peaks."""
    at = data[:200].find(b"PEAK")
    return data if at < 0 else data[: at + 12] + bytes(4) + data[at + 16 :]


def _chirp(rate: int, n: int, channels: int) -> NDArray[np.float64]:
    """[n, channels] in -1..1, each channel another start, with a little noise under it."""
    seconds = np.arange(n) / rate
    sweep = 100 * seconds + (0.35 * rate - 100) * seconds**2 / max(2 * n / rate, 1e-9)
    noise = np.random.default_rng(0).uniform(-0.01, 0.01, (n, channels))
    waves = [np.sin(2 * np.pi * sweep + channel) for channel in range(channels)]
    return 0.98 * np.stack(waves, axis=1) + noise
