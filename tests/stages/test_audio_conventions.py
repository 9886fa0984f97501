"""Resampling, mel filters, log-mel and frames, held to those whose conventions they follow."""

from __future__ import annotations

import io
import math
import tomllib
import warnings
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from deploy_targets.records import Array, TensorSpec
from deploy_targets.stages import host
from deploy_targets.stages.audio import AudioBefore
from deploy_targets.stages.host import audio, melbank

RATES = [(44_100, 16_000), (8_000, 16_000), (16_000, 44_100), (44_101, 16_000), (96_000, 8_000)]
BANKS = [
    (16_000, 400, 80, 0.0, 8_000.0),
    (16_000, 512, 64, 125.0, 7_500.0),
    (22_050, 2_048, 128, 0.0, 11_025.0),
    (8_000, 201, 23, 20.0, 3_800.0),
]


def chirp(n: int) -> Array:
    """A tone that rises, under noise, so that no bin is silent."""
    at = np.arange(n)
    draw = np.random.default_rng(2).normal(size=n)
    return (0.4 * np.sin(at**2 * (1.2 / n)) + 0.02 * draw).astype(np.float32)


def before(text: str, samples: Array, rate: int, shape: tuple[int | str, ...]) -> Array:
    table = AudioBefore.model_validate({"type": "audio", **tomllib.loads(text)})
    tensor = TensorSpec("audio", "float32", shape)
    table.check(tensor)
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="FLOAT")
    stages = table.stages(tensor, base=None)  # type: ignore[arg-type]
    steps = [{"op": stage.op, "options": dict(stage.options)} for stage in stages]
    return host.before(steps, file.getvalue(), {})


@pytest.mark.parametrize(("rate", "to"), RATES)
def test_polyphase_is_what_scipy_makes(rate: int, to: int) -> None:
    from scipy.signal import resample_poly

    samples, shared = chirp(9_001), math.gcd(rate, to)
    expected = resample_poly(samples, to // shared, rate // shared)
    made = audio.resample(samples, {"rate": rate}, to=to, method="polyphase")
    assert made.shape == expected.shape
    np.testing.assert_allclose(made, expected, atol=1e-6)


@pytest.mark.parametrize(("rate", "to"), [pair for pair in RATES if pair[0] != 44_101])
def test_sinc_hann_is_a_strided_convolution_in_torch(rate: int, to: int) -> None:
    samples = chirp(9_001)
    made = audio.resample(samples, {"rate": rate}, to=to, method="sinc_hann")
    expected = convolved(samples, rate, to)
    assert made.shape == expected.shape
    np.testing.assert_allclose(made, expected, atol=1e-6)


def convolved(samples: Array, rate: int, to: int) -> Array:
    """As torchaudio describes it: for each output phase a kernel, one step per input period."""
    shared = math.gcd(rate, to)
    period, phases = rate // shared, to // shared
    cutoff = 0.99 * min(period, phases)
    reach = math.ceil(6 * period / cutoff)
    places = torch.arange(-reach, reach + period, dtype=torch.float64) / period
    starts = torch.arange(phases, dtype=torch.float64)[:, None] / phases
    turns = ((places - starts) * cutoff).clamp(-6, 6)
    kernel = torch.sinc(turns) * torch.cos(turns * math.pi / 12) ** 2 * cutoff / period
    padded = torch.nn.functional.pad(torch.from_numpy(samples).double(), (reach, reach + period))
    steps = torch.nn.functional.conv1d(padded[None, None], kernel[:, None], stride=period)
    return steps[0].T.reshape(-1)[: math.ceil(len(samples) * to / rate)].float().numpy()


def test_a_recording_shorter_than_the_filter_is_resampled_too() -> None:
    from scipy.signal import resample_poly

    for n in (1, 2, 7):
        made = audio.resample(chirp(n), {"rate": 48_000}, to=16_000, method="polyphase")
        np.testing.assert_allclose(made, resample_poly(chirp(n), 1, 3), atol=1e-6)


@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize("norm", ["slaney", None])
def test_mel_filters_are_librosas(scale: str, norm: str | None) -> None:
    import librosa

    for rate, n_fft, mels, fmin, fmax in BANKS:
        with warnings.catch_warnings():
            # Of filters that are so narrow that they are empty; ours are then empty too.
            warnings.simplefilter("ignore", UserWarning)
            expected = librosa.filters.mel(
                sr=rate, n_fft=n_fft, n_mels=mels, fmin=fmin, fmax=fmax,
                htk=scale == "htk", norm=norm, dtype=np.float64,
            )  # fmt: skip
        made = melbank.mel_filters(
            rate=rate, n_fft=n_fft, mels=mels, fmin=fmin, fmax=fmax, scale=scale, norm=norm
        )
        np.testing.assert_allclose(made, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ("", {}),
        ("mels = 40, hop = 160, win = 300, n_fft = 400", {"n_mels": 40, "win_length": 300}),
        ('mels = 40, scale = "htk", norm = "none", fmin = 50', {"n_mels": 40, "htk": True}),
        ("mels = 40, center = false", {"n_mels": 40, "center": False}),
        ('mels = 40, pad_mode = "reflect", power = 1', {"pad_mode": "reflect", "power": 1.0}),
    ],
)
def test_log_mel_is_librosas(keys: str, options: dict[str, Any]) -> None:
    import librosa

    samples, comma = chirp(22_050), ", " if keys else ""
    text = f'rate = 22050\nlog_mel = {{convention = "librosa"{comma}{keys}}}\n'
    mels = 40 if keys else 128
    made = before(text + 'layout = ["mels", "time"]', samples, 22_050, (mels, "time"))
    options = {"n_mels": mels, **options}
    if "htk" in options:
        options |= {"norm": None, "fmin": 50.0}
    if "win_length" in options:
        options |= {"n_fft": 400, "hop_length": 160}
    mel = librosa.feature.melspectrogram(y=samples.astype(np.float64), sr=22_050, **options)
    if options.get("power") == 1.0:
        expected = librosa.amplitude_to_db(mel, amin=1e-10)
    else:
        expected = librosa.power_to_db(mel)
    np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("power", [1, 2])
def test_log_mel_by_torchaudios_convention_is_torch_stft(power: int) -> None:
    samples = chirp(16_000)
    text = (
        f'rate = 16000\nlog_mel = {{convention = "torchaudio", mels = 64, power = {power}}}\n'
        'layout = ["batch", "mels", "time"]'
    )
    made = before(text, samples, 16_000, (1, 64, "time"))
    spectrum = torch.stft(
        torch.from_numpy(samples).double(), 400, 200,
        window=torch.hann_window(400, dtype=torch.float64), return_complex=True,
    ).abs()  # fmt: skip
    bank = melbank.mel_filters(
        rate=16_000, n_fft=400, mels=64, fmin=0.0, fmax=8_000.0, scale="htk", norm=None
    )
    mels = (torch.from_numpy(bank) @ spectrum**power).clamp(min=1e-10)
    expected = (20 / power * mels.log10()).numpy()[None]
    np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-5)


def test_whispers_log_mel_leaves_its_last_frame_out_and_ends_within_eight_decades() -> None:
    samples = chirp(16_000)
    text = (
        'rate = 16000\nlog_mel = {convention = "whisper"}\nmean = -4\nstd = 4\n'
        'layout = ["mels", "time"]'
    )
    made = before(text, samples, 16_000, (80, "time"))
    spectrum = torch.stft(
        torch.from_numpy(samples).double(), 400, 160,
        window=torch.hann_window(400, dtype=torch.float64), return_complex=True,
    )[:, :-1].abs() ** 2  # fmt: skip
    bank = melbank.mel_filters(
        rate=16_000, n_fft=400, mels=80, fmin=0.0, fmax=8_000.0, scale="slaney", norm="slaney"
    )
    decades = (torch.from_numpy(bank) @ spectrum).clamp(min=1e-10).log10()
    expected = (torch.maximum(decades, decades.max() - 8) + 4) / 4
    np.testing.assert_allclose(made, expected.numpy(), rtol=1e-5, atol=1e-5)


def test_yamnets_log_mel_is_a_transform_of_frames_that_are_padded_at_their_end() -> None:
    """As TensorFlow's stft has it: 400 samples in 512, a natural logarithm of magnitudes."""
    samples = chirp(8_000)
    text = (
        "rate = 16000\nlayout = ['time', 'mels']\nlog_mel = {n_fft = 512, hop = 160, win = 400, "
        "fft_pad = 'end', center = false, mels = 64, fmin = 125, fmax = 7500, scale = 'htk', "
        "norm = 'none', power = 1, log = 'ln', add = 0.001, top_db = 'none'}"
    )
    made = before(text, samples, 16_000, ("time", 64))
    frames = torch.from_numpy(samples).double().unfold(0, 400, 160)
    magnitudes = torch.fft.rfft(frames * torch.hann_window(400, dtype=torch.float64), 512).abs()
    bank = melbank.mel_filters(
        rate=16_000, n_fft=512, mels=64, fmin=125.0, fmax=7_500.0, scale="htk", norm=None
    )
    expected = (magnitudes @ torch.from_numpy(bank).T + 0.001).log()
    np.testing.assert_allclose(made, expected.numpy(), rtol=1e-5, atol=1e-5)


def test_crepes_frames_are_unfold_then_mean_and_std_in_torch() -> None:
    """torchcrepe.preprocess at its own rate: frames of 1024, ten milliseconds apart."""
    samples = chirp(9_001)
    text = "rate = 16000\nframes = {size = 1024, hop = 160, pad = 'centre', normalise = {ddof = 1}}"
    made = before(text, samples, 16_000, ("batch", 1024))
    frames = torch.nn.functional.pad(torch.from_numpy(samples), (512, 512)).unfold(0, 1024, 160)
    centred = frames - frames.mean(dim=1, keepdim=True)
    expected = centred / centred.std(dim=1, keepdim=True).clamp(min=1e-10)
    assert made.shape == (1 + 9_001 // 160, 1024)
    np.testing.assert_allclose(made, expected.numpy(), rtol=1e-5, atol=1e-5)


def test_a_forgotten_convention_is_seen() -> None:
    """What the tolerances above would not let pass: another scale, norm, padding or window."""
    base = {"rate": 16_000, "n_fft": 400, "mels": 64, "fmin": 0.0, "fmax": 8_000.0}
    right = melbank.mel_filters(**base, scale="slaney", norm="slaney")
    for scale, norm in (("htk", "slaney"), ("slaney", None), ("htk", None)):
        assert np.abs(right - melbank.mel_filters(**base, scale=scale, norm=norm)).max() > 1e-3
    text = 'rate = 16000\nlayout = ["mels", "time"]\nlog_mel = {convention = "librosa", '
    default = before(text + "mels = 40}", chirp(16_000), 16_000, (40, "time"))
    for key in ('window = "hamming"', 'pad_mode = "reflect"', 'scale = "htk"', "power = 1"):
        other = before(f"{text}mels = 40, {key}}}", chirp(16_000), 16_000, (40, "time"))
        assert np.abs(other - default).max() > 0.1, key
