"""A recording, from the table of deploy.toml to the tensor: on the host, and in the graph."""

from __future__ import annotations

import io
import json
import re
import time
import tomllib
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pydantic import ValidationError

from deploy_targets.records import Array, Stage, TensorSpec
from deploy_targets.stages import graphs, host
from deploy_targets.stages.audio import AudioBefore, Length
from deploy_targets.stages.base import Before
from deploy_targets.stages.host.audio import read
from deploy_targets.stages.rows import TableBefore
from deploy_targets.stages.spectrogram import CONVENTIONS, Frames, LogMel, Normalise

WAVE = TensorSpec("audio", "float32", ("batch", "time"))
MELS = TensorSpec("audio", "float32", ("batch", 40, "time"))

TABLES = {
    "waveform": ('rate = 16000\nresample = "sinc_hann"', WAVE),
    "int16": ('rate = 16000\nresample = "polyphase"\namplitude = 32768', WAVE),
    "stereo": (
        'rate = 8000\nchannels = "keep"\nresample = "polyphase"\nframes = {size = 200, hop = 80}',
        TensorSpec("audio", "float32", (1, 2, "frames", 200)),
    ),
    "fixed": (
        'rate = 16000\nchannels = "first"\nresample = "sinc_hann"\nmean = 0.1\nstd = 0.5\n'
        'length = {samples = 4000, pad = "end", trim = "end"}\n'
        'normalise = {over = "recording", epsilon = 1e-7}',
        TensorSpec("audio", "float32", (4000,)),
    ),
    "crepe": (
        'rate = 16000\nresample = "sinc_hann"\n'
        'frames = {size = 1024, hop = 160, pad = "centre", normalise = {ddof = 1}}',
        TensorSpec("audio", "float32", ("batch", 1024)),
    ),
    "frames to the end": (
        'rate = 16000\nframes = {size = 512, hop = 500, pad = "end"}\nlayout = ["samples", "time"]',
        TensorSpec("audio", "float64", (512, "frames")),
    ),
    "librosa": (
        'rate = 22050\nresample = "polyphase"\nlog_mel = {convention = "librosa", mels = 40}\n'
        'layout = ["batch", "mels", "time"]',
        MELS,
    ),
    "torchaudio": (
        'rate = 16000\nlog_mel = {convention = "torchaudio", mels = 40, power = 1}\n'
        'layout = ["batch", "1", "time", "mels"]\nnormalise = {over = "time", ddof = 1}',
        TensorSpec("audio", "float32", ("batch", 1, "time", 40)),
    ),
    "whisper": (
        'rate = 16000\nlength = {samples = 8000, pad = "end", trim = "start"}\n'
        'log_mel = {convention = "whisper"}\nmean = -4\nstd = 4\n'
        'layout = ["batch", "mels", "time"]',
        TensorSpec("audio", "float32", (1, 80, 50)),
    ),
    "yamnet": (
        'rate = 16000\nlayout = ["time", "mels"]\n'
        'log_mel = {n_fft = 512, hop = 160, win = 400, fft_pad = "end", center = false, mels = 64,'
        ' fmin = 125, fmax = 7500, scale = "htk", norm = "none", power = 1, log = "ln",'
        ' add = 0.001, top_db = "none"}',
        TensorSpec("audio", "float32", ("time", 64)),
    ),
}


def table(text: str) -> AudioBefore:
    return AudioBefore.model_validate({"type": "audio", **tomllib.loads(text)})


def steps(stages: tuple[Stage, ...]) -> list[dict[str, Any]]:
    """As a bundle has them: through JSON."""
    return json.loads(json.dumps([{"op": s.op, "options": s.options} for s in stages]))


def on_host(before: Before, tensor: TensorSpec, data: bytes) -> Array:
    return host.before(steps(before.stages(tensor, base=None)), data, {})  # type: ignore[arg-type]


def through_graphs(before: Before, tensor: TensorSpec, data: bytes) -> list[Array]:
    """The tensor, with the graph beginning at every step from which on all can be a graph."""
    import onnxruntime

    stages = before.stages(tensor, base=None)  # type: ignore[arg-type]
    last = max(i for i, stage in enumerate(stages) if stage.op not in graphs.BEFORE)
    found = []
    for at in range(last + 1, len(stages)):
        frame: dict[str, Any] = {}
        value = host.before(steps(stages[:at]), data, frame)
        port = before.port(stages, at, tensor)
        assert fits(value, port), (at, value.shape, value.dtype, port)
        made = graphs.before(stages[at:], port, tensor)
        session = onnxruntime.InferenceSession(
            made.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        found += session.run(None, {f"{port.name}.given": value})
    return found


def fits(value: Array, spec: TensorSpec) -> bool:
    sizes = zip(value.shape, spec.shape, strict=True)
    return value.dtype.name == spec.dtype and all(
        size == dim or isinstance(dim, str) for size, dim in sizes
    )


def wav(samples: Array, rate: int = 16000, **kind: Any) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **{"format": "WAV", **kind})
    return file.getvalue()


def noise(n: int, channels: int = 1) -> Array:
    return np.random.default_rng(1).uniform(-0.5, 0.5, (n, channels))


def refused(data: bytes, text: str = 'rate = 16000\nresample = "polyphase"') -> host.Refused:
    with pytest.raises(host.Refused) as caught:
        on_host(table(text), WAVE, data)
    return caught.value


@pytest.mark.parametrize("name", TABLES)
def test_the_graph_gives_what_the_host_gives(name: str) -> None:
    text, tensor = TABLES[name]
    before = table(text)
    before.check(tensor)
    for raw in before.made(tensor):
        expected = on_host(before, tensor, raw.data)
        assert fits(expected, tensor), raw.name
        assert np.isfinite(expected).all()
        for given in through_graphs(before, tensor, raw.data):
            np.testing.assert_allclose(given, expected, rtol=1e-6, atol=1e-6, err_msg=raw.name)


def test_made_recordings_are_small_seeded_and_of_every_kind() -> None:
    before, tensor = table(TABLES["crepe"][0]), TABLES["crepe"][1]
    made = {raw.name: raw.data for raw in before.made(tensor)}
    time.sleep(1.1)  # a WAV of floats notes the second in which it was written
    assert made == {raw.name: raw.data for raw in before.made(tensor)}
    assert max(map(len, made.values())) < 50_000
    assert {"chirp", "silence", "24_bit", "float", "channels", "44100_hz", "8000_hz"} == set(made)
    assert soundfile.info(io.BytesIO(made["24_bit"])).subtype == "PCM_24"
    assert soundfile.info(io.BytesIO(made["channels"])).channels == 2


@pytest.mark.parametrize(
    "text",
    [
        'rate = 16000\nmax_seconds = 0.01\nresample = "polyphase"',
        'rate = 383987\nresample = "sinc_hann"',
        'rate = 16000\nmax_seconds = 0.1\nresample = "polyphase"\n'
        'length = {samples = 2400, pad = "end", trim = "end"}',
        'rate = 16000\nmax_seconds = 0.26\nlength = {samples = 4001, trim = "end"}',
        'rate = 16000\nresample = "polyphase"\nlength = {samples = 4001}',
        'rate = 1000\nmax_seconds = 0.001\nresample = "polyphase"',
    ],
)
def test_made_recordings_are_taken_whatever_the_table_declares(text: str) -> None:
    before = table(text)
    made = {raw.name: on_host(before, WAVE, raw.data) for raw in before.made(WAVE)}
    assert {"chirp", "silence", "24_bit", "float", "channels"} <= set(made)
    if before.length:
        assert {value.shape[1] for value in made.values()} == {before.length.samples}


def test_half_a_minute_of_made_recordings_stays_small() -> None:
    before = table('rate = 16000\nlength = {samples = 480000, pad = "end"}')
    tensor = TensorSpec("audio", "float32", (1, 480_000))
    assert sum(len(raw.data) for raw in before.made(tensor)) < 2_000_000


@pytest.mark.parametrize(
    ("subtype", "levels"), [("PCM_U8", 2**7), ("PCM_16", 2**15), ("PCM_24", 2**23)]
)
def test_a_wav_of_any_depth_is_read_to_the_last_bit(subtype: str, levels: int) -> None:
    samples = np.round(noise(999) * levels) / levels
    value = on_host(table("rate = 16000"), WAVE, wav(samples, subtype=subtype))
    np.testing.assert_array_equal(value, samples.T.astype(np.float32))


@pytest.mark.parametrize("kind", [{"format": "FLAC"}, {"format": "OGG"}])
def test_flac_and_ogg_are_read(kind: dict[str, str]) -> None:
    samples = np.sin(np.arange(8000) / 9)[:, None] * 0.5
    value = on_host(table("rate = 16000"), WAVE, wav(samples, **kind))
    assert np.abs(value[0] - samples[:, 0]).max() < 0.02


def test_channels_are_averaged_or_the_first_is_taken() -> None:
    samples = np.round(noise(500, 2) * 2**15) / 2**15
    mono = on_host(table("rate = 16000"), WAVE, wav(samples))
    first = on_host(table('rate = 16000\nchannels = "first"'), WAVE, wav(samples))
    np.testing.assert_allclose(mono[0], samples.mean(axis=1), atol=1e-7)
    np.testing.assert_array_equal(first[0], samples[:, 0].astype(np.float32))


def test_length_adds_silence_or_cuts_at_the_end_that_is_named() -> None:
    samples = noise(300).astype(np.float32)
    for n, key, expected in (
        (400, 'pad = "end"', np.pad(samples[:, 0], (0, 100))),
        (400, 'pad = "start"', np.pad(samples[:, 0], (100, 0))),
        (100, 'trim = "end"', samples[:100, 0]),
        (100, 'trim = "start"', samples[200:, 0]),
    ):
        before = table(f"rate = 16000\nlength = {{samples = {n}, {key}}}")
        value = on_host(before, WAVE, wav(samples, subtype="FLOAT"))
        np.testing.assert_array_equal(value[0], expected)


def test_what_the_original_is_called_with_is_samples_and_rate() -> None:
    samples = noise(700, 2).astype(np.float32)
    given, rate = table("rate = 16000").given(wav(samples, 44_100, subtype="FLOAT"))
    np.testing.assert_array_equal(given, samples.T)
    assert rate == 44_100


def test_a_recording_that_is_cut_off_is_refused() -> None:
    for kind in ({}, {"format": "FLAC"}, {"format": "OGG"}):
        data = wav(noise(20_000), **kind)
        assert refused(data[: len(data) * 2 // 3]).status == 422
        assert "cut off" in str(refused(data[: len(data) * 2 // 3])) or kind["format"] == "FLAC"
        assert refused(data[:30]).status == 422


def test_what_is_no_recording_is_refused_as_another_medium() -> None:
    for data in (b"hello", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(1000), b"\xff\xfb\x90d" * 99):
        assert refused(data).status == 415


def test_nothing_and_no_samples_are_refused() -> None:
    assert "empty" in str(refused(b""))
    assert "no samples" in str(refused(wav(np.zeros((0, 1)))))


def test_no_bytes_whatever_bring_it_down() -> None:
    draw = np.random.default_rng(0)
    before = table('rate = 16000\nresample = "polyphase"')
    for kind in ({}, {"format": "FLAC"}, {"format": "OGG"}):
        whole = bytearray(wav(noise(3000), **kind))
        for _ in range(60):
            data = bytearray(whole)
            for at in draw.integers(0, min(len(data), 200), 3):
                data[at] = draw.integers(0, 256)
            try:
                assert on_host(before, WAVE, bytes(data)).dtype == np.float32
            except host.Refused as error:
                assert error.status in (413, 415, 422)  # noqa: PT017


def test_a_long_recording_is_too_large() -> None:
    error = refused(wav(noise(1700)), "rate = 16000\nmax_seconds = 0.1")
    assert error.status == 413
    assert "0.1 seconds" in str(error)


def test_a_small_file_that_holds_gigabytes_is_refused_before_they_are_read() -> None:
    data = wav(np.zeros((15 * 192_000, 8), np.int16), 192_000, format="FLAC")
    assert len(data) < 300_000
    tracemalloc.start()
    try:
        error = refused(data)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert error.status == 413
    assert "2880000 samples in 8 channels are more than the 11520000 that are read" in str(error)


def test_channels_are_mixed_block_by_block_as_they_would_be_at_once() -> None:
    samples = np.random.default_rng(0).integers(-(2**15), 2**15, (1_200_000, 4), np.int16)
    for kind in ("WAV", "FLAC"):
        data = wav(samples, 48_000, format=kind)
        whole, _ = read(data, 60)
        np.testing.assert_array_equal(whole, (samples / 2**15).astype(np.float32).T)
        mono, _ = read(data, 60, "mono")
        np.testing.assert_array_equal(mono[0], whole.mean(axis=0))
        first, _ = read(data, 60, "first")
        np.testing.assert_array_equal(first, whole[:1])


@pytest.mark.parametrize("method", ["sinc_hann", "polyphase"])
def test_a_rate_that_needs_an_enormous_filter_is_refused(method: str) -> None:
    text = f'rate = 16000\nresample = "{method}"'
    error = refused(wav(noise(400), 383_987), text)
    assert error.status == 422
    assert "383987 samples a second cannot become 16000" in str(error)
    assert on_host(table(text), WAVE, wav(noise(400), 44_101)).shape[1] == 146


def test_a_float_wav_with_no_numbers_is_refused() -> None:
    assert "no numbers" in str(refused(wav(np.full((9, 1), np.nan), subtype="FLOAT")))


def test_another_rate_or_length_than_taken_is_refused_with_both_numbers() -> None:
    assert "44100 samples a second, expected 16000" in str(
        refused(wav(noise(99), 44_100), "rate = 16000")
    )
    fixed = "rate = 16000\nlength = {samples = 100}"
    assert "99 samples at this rate, expected 100" in str(refused(wav(noise(99)), fixed))
    frames = "rate = 16000\nframes = {size = 400, hop = 160}"
    assert "expected 400 at least" in str(refused(wav(noise(99)), frames))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "rate"),
        ('rate = 16000\nresample = "linear"', "sinc_hann"),
        ("rate = 16000\nhop = 3", "hop"),
        ("rate = 16000\nlog_mel = {hop = 160, mels = 40}", "n_fft, scale, norm, log, top_db must"),
        ('rate = 16000\nlog_mel = {convention = "kaldi", mels = 40}', "must be said, or a conven"),
        ('rate = 16000\nlog_mel = {convention = "librosa"}', "needs a layout"),
        (
            'rate = 16000\nlog_mel = {convention = "librosa"}\nlayout = ["batch", "bins", "time"]',
            "'bins' is no axis; known are batch, 1, channels, time, samples, mels",
        ),
        (
            'rate = 16000\nlog_mel = {convention = "librosa"}\nlayout = ["batch", "mels"]',
            "layout names mels; what is made here has time, mels",
        ),
        (
            'rate = 16000\nlog_mel = {convention = "librosa", fmax = 9000}\n'
            'layout = ["mels", "time"]',
            "above half the rate, 8000",
        ),
        (
            'rate = 16000\nlog_mel = {convention = "librosa", win = 4096}\n'
            'layout = ["mels", "time"]',
            "win = 4096 is longer than n_fft = 2048",
        ),
        (
            'rate = 16000\nlog_mel = {convention = "whisper"}\nlayout = ["mels", "time"]\n'
            "frames = {size = 4, hop = 2}",
            "makes its own frames",
        ),
        ('rate = 16000\nnormalise = {over = "frame"}', "needs frames"),
        ("rate = 16000\nmean = [1, 2]", "mean holds 2 numbers; expected 1"),
        ("rate = 16000\nstd = 0", "std holds 0"),
        (
            "rate = 16000\nframes = {size = 400, hop = 160}\nlength = {samples = 100}",
            "less than one frame, 400",
        ),
        (
            "rate = 16000\nmax_seconds = 1\nlength = {samples = 32000}",
            "1 is 16000 samples, fewer than length.samples, 32000; expected 2 seconds",
        ),
        (
            "rate = 16000\nmax_seconds = 0.01\nframes = {size = 400, hop = 160}",
            "160 samples, fewer than one frame, 400",
        ),
    ],
)
def test_a_mistake_in_the_table_is_refused_with_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        table(text)


@pytest.mark.parametrize(
    ("text", "tensor", "said"),
    [
        ("rate = 16000", TensorSpec("audio", "int16", ("n",)), "ends in floats"),
        ("rate = 16000", TensorSpec("audio", "float32", ("n", 1, 1)), "a layout of 3"),
        ("rate = 16000", TensorSpec("audio", "float32", (16000,)), "set length"),
        ("rate = 16000", TensorSpec("audio", "float32", (2, "n")), "these steps make 1"),
        (TABLES["crepe"][0], TensorSpec("audio", "float32", ("n", 512)), "these steps make 1024"),
        (TABLES["librosa"][0], TensorSpec("audio", "float32", (1, 80, "n")), "make 40"),
        (TABLES["whisper"][0], TensorSpec("audio", "float32", (1, 80, 51)), "make 50"),
    ],
)
def test_a_tensor_that_the_steps_cannot_end_in_is_refused(
    text: str, tensor: TensorSpec, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        table(text).check(tensor)


def test_frames_that_are_the_batch_are_no_single_item() -> None:
    assert not table(TABLES["crepe"][0]).single
    assert table(TABLES["waveform"][0]).single
    assert table(TABLES["librosa"][0]).single


def test_any_frames_are_the_same_in_the_graph_and_as_many_as_counted() -> None:
    draw = np.random.default_rng(0)
    for pad, mode in (("none", "constant"), ("centre", "reflect"), ("end", "constant")):
        for _ in range(8):
            size, hop = int(draw.integers(1, 40)), int(draw.integers(1, 50))
            form = Frames(size=size, hop=hop, pad=pad, pad_mode=mode)
            check_form(Stage("audio", "frames", form.options()), form, draw)


def test_any_log_mel_is_the_same_in_the_graph_and_has_as_many_frames_as_counted() -> None:
    draw = np.random.default_rng(0)
    for name in ("librosa", "torchaudio", "whisper"):
        for n_fft in (2, 63, 200, 1024):
            keys = {"n_fft": n_fft, "win": int(draw.integers(1, n_fft + 1)), "mels": 7}
            form = LogMel.model_validate({"convention": name, "hop": n_fft // 2, **keys})
            check_form(Stage("audio", "log_mel", form.options(8000)), form, draw)


def check_form(stage: Stage, form: Frames | LogMel, draw: np.random.Generator) -> None:
    """At the fewest samples and at some more."""
    import onnxruntime

    port = TensorSpec("audio", "float32", ("channels", "samples"))
    tensor = TensorSpec("audio", "float32", ("channels", "time", "columns"))
    session = onnxruntime.InferenceSession(
        graphs.before([stage], port, tensor).SerializeToString(),
        providers=["CPUExecutionProvider"],
    )
    for n in (form.least(), form.least() + int(draw.integers(1, 99))):
        samples = draw.normal(size=(2, n)).astype(np.float32)
        expected = host.before(steps((stage,)), samples, {})
        (given,) = session.run(None, {"audio.given": samples})
        assert given.shape[1] == form.count(n) >= 1
        np.testing.assert_allclose(given, expected, rtol=1e-6, atol=1e-6)


def test_every_table_in_the_docs_is_taken_and_every_key_is_there() -> None:
    page = (Path(__file__).parents[2] / "docs" / "preprocessing-audio-table.md").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    kinds = {"audio": AudioBefore, "table": TableBefore}
    assert len(blocks) == 4
    for block in blocks:
        ((given,),) = [[one["preprocess"] for one in tomllib.loads(block)["inputs"].values()]]
        kinds[given["type"]].model_validate(given)
    for kind in (*kinds.values(), Frames, LogMel, Length, Normalise):
        for key in kind.model_fields:
            assert f"`{key}`" in page or f"{key} = " in page, key


def test_the_conventions_are_as_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "preprocessing-audio-table.md").read_text()
    for place, convention in enumerate(CONVENTIONS.values()):
        for key in ("pad_mode", "scale", "norm", "log", "top_db"):
            (row,) = re.findall(rf"^\| `{key}` \|(.*)\|$", page, re.MULTILINE)
            said = row.split("|")[place].strip().strip('`"')
            assert said == str(convention[key]).removesuffix(".0"), key
