"""Recordings: short ones at several rates, and what is asked of them.

To add a form: a line in `_forms`, or in `_refused`; a table: a line in `_tables`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy_targets.records import TensorSpec
from deploy_targets.stages.audio import AudioBefore
from deploy_targets.stages.recordings import undated
from deploy_targets.testing.vectors import ogg
from deploy_targets.testing.vectors.declared import Filed, Raw, before
from deploy_targets.testing.vectors.slack import Slack

CHAIN = "chain-audio"
VORBIS = Slack("absolute", 1e-3, "Vorbis decoders differ in rounding, by far less than this")
RATE, SAMPLES = 8_000, 400

Declared = tuple[str, tuple[Any, ...], str, dict[str, Any], list[str]]
"""A name, the tensor's shape and dtype, the table, the recordings."""


def cases() -> Filed:
    """Every table with the recordings that tell it from its neighbours."""
    forms = {raw.name: raw for raw in (*_forms(), *_refused())}
    for name, shape, dtype, declared, asked in _tables():
        table = AudioBefore.model_validate({"type": "audio", "rate": RATE, **declared})
        tensor = TensorSpec("audio", dtype, shape)
        yield from before(CHAIN, name, table, tensor, [_chosen(forms, one) for one in asked])


def _chosen(forms: dict[str, Raw], asked: str) -> Raw:
    """A form by its name; "name: about" where this table refuses it, and what about it."""
    name, _, about = asked.partition(": ")
    return replace(forms[name], refused=about or forms[name].refused)


def _tables() -> Iterator[Declared]:
    fixed = {"samples": SAMPLES, "pad": "end", "trim": "end"}
    bad = ["empty", "text", "cut-wav", "nan", "endless"]
    yield (
        "wave",
        (1, SAMPLES),
        "float32",
        {"resample": "sinc_hann", "length": fixed, "max_seconds": 0.5},
        ["plain", "stereo", "fast", "slow", "deep", "float", "flac", "ogg", "short", *bad],
    )
    yield (
        "kaldi-like",
        (1, SAMPLES),
        "float32",
        {
            "channels": "first",
            "resample": "polyphase",
            "amplitude": 32768.0,
            "length": {"samples": SAMPLES, "pad": "start", "trim": "start"},
            "normalise": {"over": "recording", "ddof": 1, "epsilon": 1e-5},
        },
        ["stereo", "fast", "slow", "short"],
    )
    yield (
        "strict",
        (SAMPLES, 2),
        "float16",
        {"channels": "keep", "length": {"samples": SAMPLES}, "layout": ["samples", "channels"]},
        ["stereo-exact", "stereo: another length", "fast-exact: another rate"],
    )
    yield from _framed()
    yield from _spectrograms()


def _framed() -> Iterator[Declared]:
    for pad, mode in (("none", "constant"), ("centre", "reflect"), ("end", "constant")):
        frames: dict[str, Any] = {"size": 160, "hop": 60, "pad": pad, "pad_mode": mode}
        if pad == "end":
            frames["normalise"] = {"floor": 0.25}
        table = {"resample": "polyphase", "frames": frames}
        asked = ["stereo", "fast", "tiny: too short" if pad == "none" else "tiny"]
        yield f"frames-{pad}", ("frames", 160), "float32", table, asked


def _spectrograms() -> Iterator[Declared]:
    asked = ["stereo", "pause", "fast", "silence"]
    small: dict[str, Any] = {"n_fft": 128, "hop": 80, "mels": 12}
    mels = ["batch", "mels", "time"]
    for convention in ("librosa", "torchaudio", "whisper"):
        spectrogram = {"convention": convention, **small}
        table: dict[str, Any] = {"resample": "sinc_hann", "log_mel": spectrogram, "layout": mels}
        yield convention, (1, 12, "time"), "float32", table, asked
    other: dict[str, Any] = {
        **small,
        "convention": "torchaudio",
        "power": 1,
        "win": 100,
        "window": "hamming",
        "fft_pad": "end",
        "center": False,
        "fmin": 60.0,
        "fmax": 3600.0,
        "log": "ln",
        "add": 1e-3,
    }
    table = {
        "resample": "polyphase",
        "log_mel": other,
        "normalise": {"over": "time", "epsilon": 0.1},
        "mean": [0.1 * i for i in range(12)],
        "std": [1 + 0.1 * i for i in range(12)],
        "layout": ["batch", "1", "time", "mels"],
    }
    yield "tensorflow-like", (1, 1, "time", 12), "float32", table, [*asked, "tiny: too short"]
    plain = {**small, "convention": "librosa", "log": "none", "top_db": "none", "window": "ones"}
    plain = {**plain, "n_fft": 100, "win": 90}
    table = {"channels": "keep", "log_mel": plain, "layout": ["channels", "mels", "time"]}
    yield "energies", (2, 12, "time"), "float32", table, ["stereo"]


def _forms() -> Iterator[Raw]:
    """A tone that rises, in every form."""
    plain = _tone(SAMPLES)
    yield Raw("plain", "16 bits, one channel", _file(plain))
    yield Raw("stereo", "channels that differ", _file(_tone(470, 2)))
    yield Raw("stereo-exact", "channels that differ, just as long", _file(_tone(SAMPLES, 2)))
    yield Raw("fast", "another rate, no multiple", _file(_tone(1201, 2), 44_100))
    exact = _tone(SAMPLES * 441 // 80, 2)
    yield Raw("fast-exact", "another rate, and the right length after it", _file(exact, 44_100))
    yield Raw("slow", "a lower rate", _file(_tone(251, 2), 6_000))
    yield Raw("deep", "three bytes a sample", _file(plain, subtype="PCM_24"))
    yield Raw("float", "beyond full scale, not cut off", _file(3 * plain, subtype="FLOAT"))
    yield Raw("flac", "FLAC", _file(_tone(SAMPLES, 2), kind="FLAC"))
    vorbis = ogg.numbered(_file(plain, kind="OGG", subtype="VORBIS"))
    yield Raw("ogg", "Ogg Vorbis", vorbis, lossy=VORBIS)
    yield Raw("short", "fewer samples than asked for", _file(_tone(213, 2)))
    yield Raw("tiny", "less than a frame", _file(_tone(90)))
    pause = plain * (np.arange(SAMPLES)[:, None] < SAMPLES // 3)
    yield Raw("pause", "a tone, then nothing", _file(pause))
    yield Raw("silence", "nothing but zeros", _file(0 * plain))


def _refused() -> Iterator[Raw]:
    """What no answer is right for."""
    plain = _tone(SAMPLES)
    wav = _file(plain)
    yield Raw("empty", "nothing at all", b"", "empty")
    yield Raw("text", "another medium", b"id,size\n1,2\n", "no recording")
    yield Raw("cut-wav", "half of a WAV", wav[: len(wav) // 2], "damaged")
    odd = np.where(np.arange(SAMPLES)[:, None] == 20, np.nan, plain)
    yield Raw("nan", "a sample that is no number", _file(odd, subtype="FLOAT"), "no number")
    silence = np.zeros((RATE, 1))
    yield Raw("endless", "longer than max_seconds", _file(silence, kind="FLAC"), "too long")


def _tone(n: int, channels: int = 1) -> NDArray[np.float64]:
    """[n, channels] of -0.6 to 0.6, no two channels alike."""
    at = np.arange(n) / n
    waves = [np.sin((20 + 15 * channel + 0.4 * n * at) * at * 2) for channel in range(channels)]
    noise = np.random.default_rng(n).uniform(-0.05, 0.05, (n, channels))
    return 0.55 * np.stack(waves, axis=1) + noise


def _file(
    sound: NDArray[np.float64], rate: int = RATE, kind: str = "WAV", subtype: str = "PCM_16"
) -> bytes:
    import soundfile  # type: ignore[import-untyped]

    file = io.BytesIO()
    soundfile.write(file, sound, rate, format=kind, subtype=subtype)
    return undated(file.getvalue())
