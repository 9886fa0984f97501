"""Recordings: from the bytes of a file to samples, frames and log-mel spectrograms.

In: the bytes of a WAV, FLAC or OGG file. Out: float32 [samples], [time, samples of a frame] or
[time, mels]; with channels kept, one axis more in front. The other rate is made in resampling.py,
the spectrogram in melbank.py.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from .melbank import log_mel, padded
from .refused import Refused
from .resampling import resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


KNOWN = {b"RIFF": "WAV", b"RF64": "WAV", b"fLaC": "FLAC", b"OggS": "OGG"}
FORMATS = ("WAV", "WAVEX", "RF64", "FLAC", "OGG")
RATES, CHANNELS = (1_000, 384_000), 8
"""What a recording may declare: beyond, the header is wrong or means to exhaust memory."""
A_SECOND, ALWAYS = 2 * 96_000, 4_000_000
"""Samples in all channels that are read: so many for each of max_seconds, or so many at least."""


def decode_audio(
    value: bytes, frame: dict[str, Any], *, channels: str, amplitude: float, max_seconds: float
) -> Floats:
    """Samples [n], or [c, n] with channels "keep", of -amplitude to amplitude; sets the rate."""
    samples, frame["rate"] = read(value, max_seconds, channels)
    return (samples if channels == "keep" else samples[0]) * np.float32(amplitude)


def read(data: bytes, max_seconds: float, channels: str = "keep") -> tuple[Floats, int]:
    """A file's samples [channels, n] in -1..1, and its rate. Raises Refused.

    With channels "mono" or "first" there is one, made block by block.
    """
    import soundfile  # type: ignore[import-untyped]

    if not data:
        raise Refused("the body is empty; send a WAV, FLAC or OGG file")
    kind = KNOWN.get(bytes(data[:4]))
    if kind is None:
        raise Refused("this is no WAV, FLAC or OGG file", 415)
    if _cut_off(data):
        raise Refused(f"the {kind} file is cut off: its header promises more")
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            return _samples(file, kind, max_seconds, channels), int(file.samplerate)
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise Refused(f"the {kind} file cannot be read: {error}") from None


def _samples(file: Any, kind: str, max_seconds: float, channels: str) -> Floats:
    if file.format not in FORMATS:
        raise Refused(f"a file of {file.format} is not taken; send WAV, FLAC or OGG", 415)
    if not RATES[0] <= file.samplerate <= RATES[1]:
        raise Refused(f"{file.samplerate} samples a second; expected {RATES[0]} to {RATES[1]}")
    if file.channels > CHANNELS:
        raise Refused(f"{file.channels} channels; expected {CHANNELS} at most")
    if file.frames == 0:
        raise Refused(f"the {kind} file holds no samples")
    # A stream of unknown length declares the largest number there is, so reading decides.
    told = file.frames if file.frames < 2**62 else 0
    _bounded(told, file, max_seconds)
    blocks: list[Floats] = []
    n = 0
    while True:
        block = file.read(ALWAYS // file.channels, dtype="float32", always_2d=True)
        if not len(block):
            break
        n += len(block)
        _bounded(n, file, max_seconds)
        if not np.isfinite(block).all():
            raise Refused("the recording holds samples that are no numbers")
        blocks.append(_mixed(np.ascontiguousarray(block.T), channels))
    if n < max(told, 1):
        raise Refused(f"the {kind} file is cut off: its header promises more")
    return np.concatenate(blocks, axis=1) if len(blocks) > 1 else blocks[0]


def _bounded(n: int, file: Any, max_seconds: float) -> None:
    """Raises Refused for so many samples a channel. Some kilobytes may declare gigabytes."""
    if n > int(max_seconds * file.samplerate):
        raise Refused(f"the recording is longer than {max_seconds:g} seconds", 413)
    most = max(ALWAYS, int(max_seconds * A_SECOND))
    if n * file.channels > most:
        raise Refused(
            f"{n} samples in {file.channels} channels are more than the {most} that are read; "
            "send fewer channels or a lower rate",
            413,
        )


def _mixed(block: Floats, channels: str) -> Floats:
    if channels == "mono":
        mean: Floats = block.mean(axis=0, keepdims=True)
        return mean
    return block[:1].copy() if channels == "first" else block


def _cut_off(data: bytes) -> bool:
    """Whether the last chunk of a WAV, or page of an OGG, ends beyond the data."""
    if data[:4] == b"RIFF":
        return _end_of_samples(data) > len(data)
    at = 0
    while data[at : at + 4] == b"OggS":
        segments = data[at + 26] if len(data) > at + 26 else 255
        at += 27 + segments + sum(data[at + 27 : at + 27 + segments])
    return at > len(data)


def _end_of_samples(data: bytes) -> int:
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"data":
            # What was written to a pipe did not know its size.
            return 0 if size >= 2**32 - 256 else at + 8 + size
        at += 8 + size + size % 2
    return at


def length(
    value: Floats, frame: dict[str, Any], *, samples: int | None, least: int, pad: str, trim: str
) -> Floats:
    """Just `samples`, silence added at one end or cut off there; never fewer than `least`."""
    n = value.shape[-1]
    if n < least and (samples is None or pad == "refuse"):
        raise Refused(f"the recording has {n} samples at this rate, expected {least} at least")
    if samples is None or n == samples:
        return value
    if (pad if n < samples else trim) == "refuse":
        raise Refused(f"the recording has {n} samples at this rate, expected {samples}")
    if n > samples:
        return value[..., n - samples :] if trim == "start" else value[..., :samples]
    room = [(0, 0)] * (value.ndim - 1)
    missing = samples - n
    return np.pad(value, [*room, (missing, 0) if pad == "start" else (0, missing)])


def frames(
    value: Floats, frame: dict[str, Any], *, size: int, hop: int, pad: str, pad_mode: str
) -> Floats:
    """[..., time, size]: overlapping pieces; a rest that fills none is dropped, or with pad "end"
    filled up with silence; "centre" pads half a frame at both ends."""
    if pad == "centre":
        value = padded(value, size // 2, size // 2, pad_mode)
    elif pad == "end":
        over = value.shape[-1] - size
        value = padded(value, 0, -over % hop if over > 0 else -over, pad_mode)
    return np.lib.stride_tricks.sliding_window_view(value, size, axis=-1)[..., ::hop, :]


def normalise(
    value: Floats, frame: dict[str, Any], *, over: str, ddof: int, epsilon: float, floor: float
) -> Floats:
    """(x - mean) / max(sqrt(variance + epsilon), floor), over each frame or the whole recording."""
    x = value.astype(np.float64)
    axis: Any = {"frame": -1, "time": -2, "recording": None}[over]
    mean = x.mean(axis=axis, keepdims=True)
    centred = x - mean
    free = max(x.size if axis is None else x.shape[axis], ddof + 1) - ddof
    spread = np.sqrt(np.square(centred).sum(axis=axis, keepdims=True) / free + epsilon)
    scaled: Floats = (centred / np.maximum(spread, floor)).astype(np.float32)
    return scaled


def arrange(value: Floats, frame: dict[str, Any], *, given: list[str], to: list[str]) -> Floats:
    """Axes by name in another order; a name that was not given becomes an axis of one."""
    kept = [name for name in to if name in given]
    value = value.transpose([given.index(name) for name in kept])
    return np.expand_dims(value, [i for i, name in enumerate(to) if name not in given])


__all__ = [
    "arrange",
    "decode_audio",
    "frames",
    "length",
    "log_mel",
    "normalise",
    "read",
    "resample",
]
