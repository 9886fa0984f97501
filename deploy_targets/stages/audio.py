"""[inputs.NAME.preprocess] type = "audio": from a recording to samples, frames or log-mel.

In: the bytes of a WAV, FLAC or OGG file. Out: the model's float tensor. What comes of a recording
has named axes: "samples"; "time" and "samples" for frames; "time" and "mels"; with channels kept,
"channels" before them. `layout` puts them in the model's order, where "batch" and "1" are axes of
one. The conventions that a spectrogram can follow lie in spectrogram.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from deploy_targets.records import Array, Dim, Stage, TensorSpec
from deploy_targets.stages.base import Before, Raw, Table
from deploy_targets.stages.recordings import recordings
from deploy_targets.stages.spectrogram import Frames, LogMel, Normalise

Finite = Annotated[float, Field(allow_inf_nan=False)]
AXES = ("batch", "1", "channels", "time", "samples", "mels")


class Length(Table):
    """Just so many samples, at the rate that the model takes."""

    samples: Annotated[int, Field(ge=1)]
    pad: Literal["end", "start", "refuse"] = "refuse"
    trim: Literal["end", "start", "refuse"] = "refuse"


class AudioBefore(Before):
    """type = "audio"."""

    media: ClassVar[tuple[str, ...]] = ("audio/wav", "audio/*")
    suffixes: ClassVar[tuple[str, ...]] = (".wav", ".flac", ".ogg", ".oga")

    type: Literal["audio"]
    rate: Annotated[int, Field(ge=1000, le=384_000)]
    channels: Literal["mono", "first", "keep"] = "mono"
    resample: Literal["sinc_hann", "polyphase", "refuse"] = "refuse"
    amplitude: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    max_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0
    length: Length | None = None
    frames: Frames | None = None
    log_mel: LogMel | None = None
    normalise: Normalise | None = None
    mean: tuple[Finite, ...] | Finite = 0.0
    std: tuple[Finite, ...] | Finite = 1.0
    layout: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _agrees(self) -> AudioBefore:
        if self.frames and self.log_mel:
            raise ValueError("both frames and log_mel are given; log_mel makes its own frames")
        if self.log_mel and self.log_mel.highest(self.rate) > self.rate / 2:
            raise ValueError(
                f"log_mel.fmax = {self.log_mel.fmax:g} is above half the rate, {self.rate / 2:g}"
            )
        if self.log_mel and self.log_mel.fmin >= self.log_mel.highest(self.rate):
            raise ValueError(f"log_mel.fmin = {self.log_mel.fmin:g} is not below fmax")
        if self.normalise and self.normalise.over == "frame" and not self.frames:
            raise ValueError('normalise.over = "frame" needs frames; expected over = "recording"')
        if self.normalise and self.normalise.over == "time" and not self.log_mel:
            raise ValueError('normalise.over = "time" needs log_mel; expected over = "recording"')
        if self.length and self.length.samples < self.least():
            raise ValueError(
                f"length.samples = {self.length.samples} is less than one frame, {self.least()}"
            )
        self._check_seconds()
        self._check_scaling()
        self._check_layout()
        return self

    def _check_seconds(self) -> None:
        """No recording could be long enough, where none is filled up."""
        form = self.length or Length(samples=self.least())
        most = int(self.max_seconds * self.rate)
        if not most or (form.samples > most and form.pad == "refuse"):
            what = "length.samples" if self.length else "one frame"
            raise ValueError(
                f"max_seconds = {self.max_seconds:g} is {most} samples, fewer than {what}, "
                f"{form.samples}; expected {form.samples / self.rate:g} seconds at least"
            )

    def _check_scaling(self) -> None:
        wide = self.log_mel.mels if self.log_mel else self.frames.size if self.frames else 1
        for key, values in (("mean", _several(self.mean)), ("std", _several(self.std))):
            if len(values) not in (1, wide):
                raise ValueError(f"{key} holds {len(values)} numbers; expected 1 or {wide}")
        if 0.0 in _several(self.std):
            raise ValueError("std holds 0, by which nothing can be divided")

    def _check_layout(self) -> None:
        if self.layout is None:
            if self.log_mel:
                raise ValueError(
                    'log_mel needs a layout, such as layout = ["batch", "mels", "time"]'
                )
            return
        if bad := [name for name in self.layout if name not in AXES]:
            raise ValueError(f"layout: {bad[0]!r} is no axis; known are {', '.join(AXES)}")
        named = [name for name in self.layout if name not in ("batch", "1")]
        if sorted(named) != sorted(self.axes()):
            raise ValueError(
                f"layout names {', '.join(named) or 'nothing'}; what is made here has "
                f"{', '.join(self.axes())}, each of them once, besides axes of one"
            )

    @property
    def single(self) -> bool:  # type: ignore[override]
        """Where frames are the batch, the leading axis of an answer says which frame."""
        return (self.layout is None and not self.frames) or "batch" in (self.layout or ())

    def axes(self) -> list[str]:
        """The axes of what is made of a recording, before `layout`."""
        form = ["time", "mels"] if self.log_mel else ["samples"]
        form = ["time", *form] if self.frames else form
        return ["channels", *form] if self.channels == "keep" else form

    def least(self) -> int:
        """The fewest samples that make one frame."""
        form = self.log_mel or self.frames
        return form.least() if form else 1

    def arranged(self, tensor: TensorSpec) -> tuple[str, ...]:
        """`layout`, or the axes as they are, with one for the batch where the tensor has it."""
        if self.layout is not None:
            return self.layout
        axes = self.axes()
        return ("batch", *axes) if len(tensor.shape) == len(axes) + 1 else tuple(axes)

    def check(self, tensor: TensorSpec) -> None:
        """Rank, dtype, and every size that is known."""
        if tensor.dtype not in ("float16", "float32", "float64"):
            raise ValueError(f"{tensor.name} is {tensor.dtype}; a recording ends in floats")
        layout, sizes = self.arranged(tensor), self._sizes()
        if len(layout) != len(tensor.shape):
            raise ValueError(
                f"{tensor.name} has {len(tensor.shape)} axes, and the layout is "
                f"[{', '.join(layout)}]; expected a layout of {len(tensor.shape)}"
            )
        for name, dim in zip(layout, tensor.shape, strict=True):
            made = sizes.get(name)
            if isinstance(dim, str) or name == "channels" or made == dim:
                continue
            if made is None:
                raise ValueError(
                    f"{tensor.name} has {dim} along {name}, always, and recordings differ; "
                    'set length = { samples = ..., pad = "end", trim = "end" }'
                )
            raise ValueError(f"{tensor.name} has {dim} along {name}, and these steps make {made}")

    def _sizes(self) -> dict[str, int | None]:
        """Every size that does not depend on the recording."""
        n = self.length.samples if self.length else None
        form = self.log_mel or self.frames
        time = form.count(n) if form and n else None
        samples = self.frames.size if self.frames else n
        mels = self.log_mel.mels if self.log_mel else None
        return {"batch": 1, "1": 1, "time": time, "samples": samples, "mels": mels}

    def stages(self, tensor: TensorSpec, base: Path) -> tuple[Stage, ...]:
        """decode_audio, resample, length, frames or log_mel, normalise, standardise, arrange."""
        steps: list[tuple[str, dict[str, object]]] = [
            (
                "decode_audio",
                {
                    "channels": self.channels,
                    "amplitude": self.amplitude,
                    "max_seconds": self.max_seconds,
                },
            ),
            ("resample", {"to": self.rate, "method": self.resample}),
            ("length", self._length()),
        ]
        if self.frames:
            steps.append(("frames", self.frames.options()))
        if self.log_mel:
            steps.append(("log_mel", self.log_mel.options(self.rate)))
        for normalise in (self.frames and self.frames.normalise, self.normalise):
            if normalise:
                steps.append(("normalise", normalise.model_dump()))
        if self.mean != 0.0 or self.std != 1.0:
            scaling: dict[str, object] = {"mean": _several(self.mean), "scale": _several(self.std)}
            steps.append(("standardise", scaling))
        layout = list(self.arranged(tensor))
        if layout != self.axes():
            steps.append(("arrange", {"given": self.axes(), "to": layout}))
        if tensor.dtype != "float32":
            steps.append(("cast", {"dtype": tensor.dtype}))
        return tuple(Stage(tensor.name, op, options) for op, options in steps)

    def _length(self) -> dict[str, object]:
        given = self.length
        return {
            "samples": given.samples if given else None,
            "least": self.least(),
            "pad": given.pad if given else "refuse",
            "trim": given.trim if given else "refuse",
        }

    def port(self, stages: Sequence[Stage], at: int, tensor: TensorSpec) -> TensorSpec:
        """Float32 until the cast; an axis of the tensor keeps its name, another is called so."""
        done = {stage.op for stage in stages[:at]}
        if at >= len(stages):
            return tensor
        if "arrange" in done:
            return TensorSpec(tensor.name, "float32", tensor.shape)
        made = self._sizes() if done & {"length", "frames", "log_mel"} else {}
        axes = self.axes()
        if not done & {"frames", "log_mel"}:
            made = {"samples": self.length.samples} if self.length and "length" in done else {}
            axes = [*(["channels"] if self.channels == "keep" else []), "samples"]
        known: dict[str, Dim] = {}
        if axes == self.axes():
            known = dict(zip(self.arranged(tensor), tensor.shape, strict=True))
        shape = tuple(made.get(axis) or known.get(axis, axis) for axis in axes)
        return TensorSpec(tensor.name, "float32", shape)

    def made(self, tensor: TensorSpec) -> Iterable[Raw]:
        """A chirp, silence, 24 bits, floats, FLAC, stereo, and other rates where they are taken."""
        layout = dict(zip(self.arranged(tensor), tensor.shape, strict=True))
        channels = layout.get("channels")
        return recordings(
            rate=self.rate,
            samples=self.length.samples if self.length else None,
            least=self.least(),
            channels=channels if isinstance(channels, int) else None,
            seconds=self.max_seconds,
            other_rates=self.resample != "refuse",
            shorter=self.length is not None and self.length.pad != "refuse",
            longer=self.length is not None and self.length.trim != "refuse",
        )

    def given(self, data: bytes) -> tuple[Array, int]:
        """Float32 samples [channels, n], and the rate."""
        from deploy_targets.stages.host.audio import read

        return read(data, self.max_seconds)


def _several(values: tuple[float, ...] | float) -> list[float]:
    return list(values) if isinstance(values, tuple) else [values]
