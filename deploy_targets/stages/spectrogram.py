"""The tables inside type = "audio": frames, log_mel with its conventions, normalise.

To add a convention: a line in `CONVENTIONS` with all that it says; docs and a test name where it
is from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from deploy_targets.stages.base import Table

Count = Annotated[int, Field(ge=1)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]

CONVENTIONS: dict[str, dict[str, Any]] = {
    "librosa": {
        "n_fft": 2048,
        "hop": 512,
        "mels": 128,
        "pad_mode": "constant",
        "scale": "slaney",
        "norm": "slaney",
        "log": "db",
        "top_db": 80.0,
    },
    "torchaudio": {
        "n_fft": 400,
        "hop": 200,
        "mels": 128,
        "pad_mode": "reflect",
        "scale": "htk",
        "norm": "none",
        "log": "db",
        "top_db": "none",
    },
    "whisper": {
        "n_fft": 400,
        "hop": 160,
        "mels": 80,
        "pad_mode": "reflect",
        "drop_last": True,
        "scale": "slaney",
        "norm": "slaney",
        "log": "log10",
        "top_db": 80.0,
    },
}
"""What melspectrogram + power_to_db, MelSpectrogram + AmplitudeToDB, and Whisper do by default."""
TO_SAY = ("n_fft", "hop", "mels", "scale", "norm", "log", "top_db")
"""Conventions differ here, so there is no default beside them."""


class Normalise(Table):
    """(x - mean) / max(sqrt(variance + epsilon), floor); ddof = 1 is torch.std's way to count."""

    over: Literal["frame", "time", "recording"]
    ddof: Literal[0, 1] = 0
    epsilon: NotNegative = 0.0
    floor: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-10


class FrameNormalise(Normalise):
    """The same, of each frame by itself."""

    over: Literal["frame"] = "frame"


class Frames(Table):
    """Overlapping pieces of a recording."""

    size: Count
    hop: Count
    pad: Literal["none", "centre", "end"] = "none"
    pad_mode: Literal["constant", "reflect"] = "constant"
    normalise: FrameNormalise | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Frames:
        if self.pad == "end" and self.pad_mode == "reflect":
            raise ValueError('pad = "end" fills up with silence; expected pad_mode = "constant"')
        return self

    def options(self) -> dict[str, Any]:
        """Of the operation `frames`."""
        return self.model_dump(exclude={"normalise"})

    def least(self) -> int:
        """The fewest samples that make one frame."""
        return _least(self.size, self.pad, self.pad_mode)

    def count(self, samples: int) -> int:
        """How many frames so many samples make."""
        return _count(samples, self.size, self.hop, self.pad)


class LogMel(Table):
    """A log-mel spectrogram; what is not said comes of the convention."""

    convention: Literal["librosa", "torchaudio", "whisper"] | None = None
    n_fft: Count
    hop: Count
    win: Count | None = None
    window: Literal["hann", "hamming", "ones"] = "hann"
    fft_pad: Literal["both", "end"] = "both"
    center: bool = True
    pad_mode: Literal["reflect", "constant"] = "reflect"
    drop_last: bool = False
    power: Literal[1, 2] = 2
    mels: Count
    fmin: NotNegative = 0.0
    fmax: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    scale: Literal["slaney", "htk"]
    norm: Literal["slaney", "none"]
    log: Literal["db", "ln", "log10", "none"]
    floor: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1e-10
    add: NotNegative = 0.0
    top_db: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["none"]

    @model_validator(mode="before")
    @classmethod
    def _conventional(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        said = {**CONVENTIONS.get(str(given.get("convention")), {}), **given}
        if unsaid := [key for key in TO_SAY if key not in said]:
            raise ValueError(
                f"{', '.join(unsaid)} must be said, or a convention set: {', '.join(CONVENTIONS)}"
            )
        return said

    @model_validator(mode="after")
    def _agrees(self) -> LogMel:
        if self.win is not None and self.win > self.n_fft:
            raise ValueError(f"win = {self.win} is longer than n_fft = {self.n_fft}")
        if self.fft_pad == "end" and self.center:
            raise ValueError('fft_pad = "end" goes with center = false, as in TensorFlow\'s stft')
        if self.log == "none" and self.top_db != "none":
            raise ValueError('top_db goes with a logarithm; expected top_db = "none"')
        return self

    def options(self, rate: int) -> dict[str, Any]:
        """Of the operation `log_mel`: every number spelled out."""
        return {
            **self.model_dump(exclude={"convention"}),
            "rate": rate,
            "win": self.win or self.n_fft,
            "fmax": self.highest(rate),
            "power": float(self.power),
            "norm": None if self.norm == "none" else self.norm,
            "top_db": None if self.top_db == "none" else self.top_db,
        }

    def highest(self, rate: int) -> float:
        """The upper end of the highest filter, in Hz."""
        return self.fmax if self.fmax is not None else rate / 2

    def least(self) -> int:
        """The fewest samples that make one frame."""
        more = self.hop if self.drop_last else 0
        return _least(self._size(), self._pad(), self.pad_mode, more)

    def count(self, samples: int) -> int:
        """How many frames so many samples make."""
        return _count(samples, self._size(), self.hop, self._pad()) - self.drop_last

    def _size(self) -> int:
        return self.n_fft if self.fft_pad == "both" else self.win or self.n_fft

    def _pad(self) -> str:
        return "centre" if self.center else "none"


def _least(size: int, pad: str, pad_mode: str, more: int = 0) -> int:
    """`more`: what must follow the first frame."""
    if pad == "end":
        return 1
    if pad == "none":
        return size + more
    # A reflection does not repeat the edge, so it needs more than it adds.
    return max(size // 2 + 1 if pad_mode == "reflect" else 1, size % 2 + more)


def _count(samples: int, size: int, hop: int, pad: str) -> int:
    if pad == "end":
        return max(0, -(-(samples - size) // hop)) + 1
    return (samples + (size // 2 * 2 if pad == "centre" else 0) - size) // hop + 1
