"""How far audio and table steps are from the libraries whose conventions they follow.

    .venv/bin/python benchmarks/mel_conventions.py

Each line is the largest difference, element by element, over all its signals: noise, a chirp under
noise, a pure tone, clicks, silence; four seconds each. float64 is the library given doubles,
float32 as it is mostly called. torchaudio's lines need it installed; what is compared is its
Python code, which does without its compiled part.
"""

from __future__ import annotations

import importlib
import math
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import librosa
import numpy as np
import torch
from scipy.signal import resample_poly

from deploy_targets.records import Array, Stage, TensorSpec
from deploy_targets.stages import graphs
from deploy_targets.stages.host import audio, melbank
from deploy_targets.stages.spectrogram import LogMel

SECONDS = 4
RATES = ((44_100, 16_000), (48_000, 16_000), (8_000, 16_000), (22_050, 16_000), (16_000, 44_100))
BANKS = ((16_000, 400, 80), (16_000, 512, 64), (22_050, 2_048, 128))
Line = tuple[str, str, float]


def main() -> None:
    """Prints a table in Markdown."""
    torchaudio = installed("torchaudio")
    warnings.filterwarnings("ignore", "(?s).*filter")
    write("| ours | theirs | largest difference |\n|---|---|---|")
    for make in (filters, log_mels, graph_of_log_mels, crepe, resampled):
        for ours, theirs, far in make(torchaudio):
            write(f"| {ours} | {theirs} | {far:.1e} |")


def installed(name: str) -> Any:
    """The module, or None with the reason on stderr."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        sys.stderr.write(f"{name} was not compared: {error}\n")
        return None


def signals(rate: int) -> Iterator[Array]:
    """Float32, seeded."""
    at, draw = np.arange(SECONDS * rate) / rate, np.random.default_rng(0)
    noise = draw.normal(size=at.size)
    clicks = np.where(np.arange(at.size) % (rate // 3) == 0, 0.9, 0.0)
    chirp = 0.5 * np.sin(2 * np.pi * (rate / 2.2) * at**2 / (2 * SECONDS)) + 0.01 * noise
    for signal in (0.2 * noise, chirp, 0.5 * np.sin(2 * np.pi * 440 * at), clicks, 0 * at):
        yield signal.astype(np.float32)


def filters(torchaudio: Any) -> Iterator[Line]:
    """Both scales, both norms."""
    for scale in ("slaney", "htk"):
        for norm in ("slaney", None):
            far = {"librosa, float64": 0.0, "torchaudio, float32": 0.0}
            for rate, n_fft, mels in BANKS:
                options: dict[str, Any] = {
                    "rate": rate, "n_fft": n_fft, "mels": mels, "fmin": 0.0,
                    "fmax": rate / 2, "scale": scale, "norm": norm,
                }  # fmt: skip
                bank = melbank.mel_filters(**options)
                theirs = librosa.filters.mel(
                    sr=rate, n_fft=n_fft, n_mels=mels, htk=scale == "htk", norm=norm,
                    dtype=np.float64,
                )  # fmt: skip
                widen(far, "librosa, float64", bank, theirs)
                if torchaudio:
                    banks = torchaudio.functional.melscale_fbanks
                    other = banks(n_fft // 2 + 1, 0.0, rate / 2, mels, rate, norm, scale)
                    widen(far, "torchaudio, float32", bank, other.numpy().T)
            yield from lines(f"mel filters, {scale}, norm {norm or 'none'}", far, torchaudio)


def log_mels(torchaudio: Any) -> Iterator[Line]:
    """In decibels: librosa's convention at 22,050 Hz, torchaudio's at 16,000 Hz."""
    far: dict[str, float] = {}
    for signal in signals(22_050):
        mel = audio.log_mel(signal, {}, **conventional("librosa", 22_050)).T
        for kind in (np.float64, np.float32):
            energies = librosa.feature.melspectrogram(y=signal.astype(kind), sr=22_050)
            widen(far, f"librosa, {np.dtype(kind)}", mel, librosa.power_to_db(energies))
    yield from lines("log-mel, librosa's convention, dB", far, True)
    far = {}
    for signal in signals(22_050):
        mel = audio.log_mel(signal, {}, **conventional("librosa", 22_050, top_db="none")).T
        for kind in (np.float64, np.float32):
            energies = librosa.feature.melspectrogram(y=signal.astype(kind), sr=22_050)
            decibels = librosa.power_to_db(energies, top_db=None)
            widen(far, f"librosa, {np.dtype(kind)}", mel, decibels)
    yield from lines("the same with top_db none, dB", far, True)
    if torchaudio:
        yield from torchaudios(torchaudio)


def torchaudios(torchaudio: Any) -> Iterator[Line]:
    """MelSpectrogram and AmplitudeToDB as they are by default."""
    far: dict[str, float] = {}
    for dtype in (torch.float64, torch.float32):
        transform = torchaudio.transforms.MelSpectrogram().to(dtype)
        decibels = torchaudio.transforms.AmplitudeToDB("power")
        for signal in signals(16_000):
            mel = audio.log_mel(signal, {}, **conventional("torchaudio", 16_000)).T
            theirs = decibels(transform(torch.from_numpy(signal).to(dtype)))
            widen(far, f"torchaudio, {str(dtype)[6:]}", mel, theirs.numpy())
    yield from lines("log-mel, torchaudio's convention, dB", far, True)


def graph_of_log_mels(_: Any) -> Iterator[Line]:
    """The host against onnxruntime."""
    for name, rate in (("librosa", 22_050), ("torchaudio", 16_000), ("whisper", 16_000)):
        options, far = conventional(name, rate), {"the graph in onnxruntime": 0.0}
        run = session(Stage("audio", "log_mel", options))
        for signal in signals(rate):
            mel = audio.log_mel(signal, {}, **options)
            widen(far, "the graph in onnxruntime", mel, run(signal))
        yield from lines(f"log-mel on the host, {name}'s convention", far, True)


def crepe(_: Any) -> Iterator[Line]:
    """Frames of 1024, each less its mean and by its standard deviation, as torchcrepe has them."""
    far: dict[str, float] = {}
    steps = {"size": 1024, "hop": 160, "pad": "centre", "pad_mode": "constant"}
    scaling = {"over": "frame", "ddof": 1, "epsilon": 0.0, "floor": 1e-10}
    for signal in signals(16_000):
        ours = audio.normalise(audio.frames(signal, {}, **steps), {}, **scaling)
        for dtype in (torch.float64, torch.float32):
            padded = torch.nn.functional.pad(torch.from_numpy(signal).to(dtype), (512, 512))
            frames = padded.unfold(0, 1024, 160)
            centred = frames - frames.mean(dim=1, keepdim=True)
            theirs = centred / centred.std(dim=1, keepdim=True).clamp(min=1e-10)
            widen(far, f"torch, {str(dtype)[6:]}", ours, theirs.numpy())
    yield from lines("CREPE's frames", far, True)


def resampled(torchaudio: Any) -> Iterator[Line]:
    """Each pair of rates, both methods."""
    for rate, to in RATES:
        far = {"torchaudio, float64": 0.0, "torchaudio, float32": 0.0}
        scipy = {"scipy, float64": 0.0, "scipy, float32": 0.0}
        shared = math.gcd(rate, to)
        for signal in signals(rate):
            ours = audio.resample(signal, {"rate": rate}, to=to, method="polyphase")
            for name in scipy:
                typed = signal.astype(name.split()[1])
                widen(scipy, name, ours, resample_poly(typed, to // shared, rate // shared))
            ours = audio.resample(signal, {"rate": rate}, to=to, method="sinc_hann")
            for name in far if torchaudio else ():
                typed = torch.from_numpy(signal.astype(name.split()[1]))
                other = torchaudio.functional.resample(typed, rate, to).numpy()
                widen(far, name, ours, other)
        yield from lines(f"polyphase, {rate} to {to}", scipy, True)
        yield from lines(f"sinc_hann, {rate} to {to}", far, torchaudio)


def conventional(name: str, rate: int, **other: Any) -> dict[str, Any]:
    return LogMel.model_validate({"convention": name, **other}).options(rate)


def session(stage: Stage) -> Callable[[Array], Array]:
    import onnxruntime

    port = TensorSpec("audio", "float32", ("samples",))
    tensor = TensorSpec("audio", "float32", ("time", "mels"))
    model = graphs.before([stage], port, tensor).SerializeToString()
    made = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return lambda signal: made.run(None, {"audio.given": signal})[0]


def widen(far: dict[str, float], name: str, ours: Array, theirs: Array) -> None:
    """Fails where shapes differ, so that no line is of a part."""
    assert ours.shape == theirs.shape, (name, ours.shape, theirs.shape)
    far[name] = max(far.get(name, 0.0), float(np.abs(ours - theirs).max()))


def lines(ours: str, far: Mapping[str, float], torchaudio: Any) -> Iterator[Line]:
    for theirs, most in far.items():
        if torchaudio or not theirs.startswith("torchaudio"):
            yield ours, theirs, most


def write(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
