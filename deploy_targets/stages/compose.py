"""The original with its declared steps around it: a `Model` from raw bytes to the answer.

What it says is the golden of the verdict's second line. The steps before the model are the
original's own preprocessing where the user named one (`reference`), else the declared ones in
Python. Roundings move what the steps compute as they move what the model computes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from deploy_targets import bundle as bundles
from deploy_targets.records import Array, Capture, Case, Signature, Stage, Staging, Tensors
from deploy_targets.runtime import Model, Rounding
from deploy_targets.stages import host
from deploy_targets.stages.own import FUNCTION, MODULE, key
from deploy_targets.workspace import digest_of, digest_of_file

Reference = Callable[[bytes], Array]
Step = Callable[[Array], Array]
Function = Callable[..., Array]
"""A step, with `rounding` and `seed`."""
Frames = dict[str, dict[str, Any]]

EXACT = frozenset(
    (
        *("decode_image", "decode_audio", "decode_table", "length", "frames", "crop", "pad"),
        *("channels", "layout", "arrange", "impute", "one_hot", "own"),
    )
)
"""Operations that only read, choose or move numbers."""
SUMS = frozenset(("resize", "resample", "normalise", "scale"))
"""Operations whose result is as near as the largest of its terms."""
LOSSY = (b"\xff\xd8\xff", b"RIFF")
"""How files begin whose decoders differ by a level: JPEG and WebP."""


class Staged:
    """A model and the steps around it. It answers; what is captured is the model alone."""

    captures: tuple[Capture, ...] = ()

    def __init__(
        self,
        model: Model,
        staging: Staging,
        references: Mapping[str, Reference] | None = None,
        levels: float = 0.0,
        own: Mapping[str, Function] | None = None,
    ) -> None:
        """`levels`: how far the target's image decoder may be from this one's, of 255.
        `own`: the user's own steps, by their keys.
        """
        self._model, self.staging = model, staging
        self.references, self._levels = dict(references or {}), levels
        self._own = dict(own or {})
        self._known: dict[str, Case] = {}

    @property
    def name(self) -> str:
        """The model's."""
        return self._model.name

    @property
    def digest(self) -> str:
        """SHA-256 over the model and its steps."""
        graphs = {name: digest_of_file(file) for name, file in self.staging.files.items()}
        plain = replace(self.staging, files={})
        return digest_of(self._model.digest, bundles.as_json(plain), graphs)

    @property
    def signature(self) -> Signature:
        """From raw bytes to the answer."""
        return self.staging.signature

    @property
    def roundings(self) -> tuple[Rounding, ...]:
        """What the model's noise does to the answer, and what stands before it; no more, for the
        model has been asked the rest (`learn`)."""
        return (Rounding.CARRIED, Rounding.STEPS, *([Rounding.DECODER] if self._levels else []))

    def second_opinion(self, inputs: Tensors) -> Tensors | None:
        """There is none from raw bytes."""
        return None

    def capture(self, capture: Capture, folder: Any) -> None:
        """Raises NotImplementedError: the steps are compiled by the target."""
        raise NotImplementedError("the steps around a model are compiled, not captured")

    def learn(self, cases: Iterable[Case]) -> None:
        """What the model answered to its own tensors, and how sure it is of that."""
        self._known |= {_key(case.inputs): case for case in cases}

    def knows(self, tensors: Tensors) -> bool:
        """Whether the model has been asked this."""
        return _key(tensors) in self._known

    def run(self, inputs: Tensors, *, rounding: Rounding | None = None, seed: int = 0) -> Tensors:
        """The answer to raw bytes (uint8 vectors). Raises host.Refused for what cannot be read."""
        tensors, frames = self.tensors(inputs, rounding, seed)
        case = self._known.get(_key(tensors))
        outputs = case.outputs if case else self._model.run(tensors)
        if case and rounding is Rounding.CARRIED:
            outputs = _carried(case, np.random.default_rng(seed))
        answer = after(self.staging.after, outputs, frames)
        return {spec.name: answer[spec.name] for spec in self.signature.outputs}

    def tensors(
        self, inputs: Tensors, rounding: Rounding | None = None, seed: int = 0
    ) -> tuple[dict[str, Array], Frames]:
        """What the model itself is asked, and what the later steps must know of the raw input."""
        tensors, frames = dict(inputs), Frames()
        for name in self.staging.ports:
            draw = np.random.default_rng([seed, len(frames)])
            moves = _moves(rounding, self._levels, draw)
            data, frame = inputs[name].tobytes(), frames.setdefault(name, {})
            value = before(self.staging.of(name), data, frame, moves, self.own(rounding, seed))
            if name in self.references:
                value = self.references[name](data)
                value = moves("reference", np.asarray(value), data)
            tensors[name] = value
        return tensors, frames

    def own(self, rounding: Rounding | None = None, seed: int = 0) -> dict[str, Step]:
        """The user's own steps, by their keys, to be computed in this way."""
        return {
            name: functools.partial(function, rounding=rounding, seed=seed)
            for name, function in self._own.items()
        }


Move = Callable[[str, Any, bytes], Any]


def _key(tensors: Tensors) -> str:
    return digest_of(
        [[name, str(a.dtype), a.shape, a.tobytes().hex()] for name, a in sorted(tensors.items())]
    )


def _carried(case: Case, draw: np.random.Generator) -> dict[str, Array]:
    """The model's answer, moved at random as far as it strays from itself."""
    moved = dict(case.outputs)
    for name, spread in case.noise.items():
        if moved[name].dtype.kind == "f":
            moved[name] = _strayed(moved[name], spread.astype(np.float64), draw)
    return moved


def _strayed(array: Array, spread: Any, draw: np.random.Generator) -> Array:
    """Each number moved by its noise, and by a unit in its last place at least: what never strayed
    may still be rounded the other way, and a later step may subtract what it is near to."""
    stray = np.asarray(draw.standard_normal(array.shape) * spread, np.float64)
    ulp = np.abs(np.spacing(array)).astype(np.float64)
    least = np.where(np.isfinite(ulp) & (array != 0), ulp, 0.0)
    way = np.where(draw.random(array.shape) < 0.5, -1.0, 1.0)
    return np.asarray(
        array.astype(np.float64) + np.where(np.abs(stray) < least, way * least, stray), array.dtype
    )


def before(
    stages: tuple[Stage, ...],
    data: bytes,
    frame: dict[str, Any],
    moves: Move | None = None,
    own: Mapping[str, Step] | None = None,
) -> Array:
    """The steps of one input in Python. `moves` sees each value that a step hands on.

    Raises ValueError where a step is the user's own and not among `own`.
    """
    value: Any = data
    for stage in stages:
        if stage.op in (FUNCTION, MODULE):
            value = _own(stage, own or {})(value)
        else:
            value = host.before([plain(stage)], value, frame)
        if moves is not None:
            value = moves(stage.op, value, data)
    return np.asarray(value)


def _own(stage: Stage, known: Mapping[str, Step]) -> Step:
    if key(stage) not in known:
        raise ValueError(f"{stage.op} of {stage.of} is the user's own, and its code is not at hand")
    return known[key(stage)]


def after(stages: tuple[Stage, ...], outputs: Tensors, frames: Frames) -> dict[str, Array]:
    """The steps of all outputs in Python."""
    tensors: dict[str, Array] = dict(outputs)
    for stage in stages:
        tensors = host.after([plain(stage)], tensors, frame_of(stage, frames))
    return tensors


def frame_of(stage: Stage, frames: Frames) -> dict[str, Any]:
    """What a step must know of the raw input: of the one that it names, else of the only one."""
    return frames.get(str(stage.options.get("input")), next(iter(frames.values()), {}))


def plain(stage: Stage) -> dict[str, Any]:
    """A step as host/ takes it."""
    return {"op": stage.op, "of": stage.of, "options": dict(stage.options)}


def _moves(rounding: Rounding | None, levels: float, draw: np.random.Generator) -> Move:
    def move(op: str, value: Any, data: bytes) -> Any:
        if rounding is Rounding.DECODER and op == "decode_image" and data.startswith(LOSSY):
            apart = draw.integers(-1, 1, value.shape, endpoint=True) * levels
            return np.clip(value + apart, 0, 255).astype(value.dtype)
        if rounding is Rounding.STEPS and op not in EXACT and value.dtype.kind == "f":
            return _rounded(value, draw, near=op in SUMS)
        return value

    return move


def _rounded(value: Array, draw: np.random.Generator, near: bool) -> Array:
    """Each number moved to a neighbour, or by half an ulp of the largest where it is a sum.

    What float16 can hold is exact: a code, a level, a silence.
    """
    with np.errstate(all="ignore"):
        exact = value.astype(np.float16).astype(value.dtype) == value
    finite = np.abs(np.where(np.isfinite(value), value, 0))
    largest = finite.max(initial=0) if near else finite
    ulp = np.spacing(largest.astype(value.dtype))
    moved = value + draw.choice([-0.5, 0.5] if near else [-1.0, 1.0], value.shape) * ulp
    return np.asarray(np.where(exact, value, moved), value.dtype)


def raw_cases(tables: Mapping[str, Any], signature: Signature) -> Iterator[tuple[str, str, Any]]:
    """Made-up raw inputs, input by input; where there are several, the shorter lists go round."""
    specs = {spec.name: spec for spec in signature.inputs}
    made = {name: list(table.made(specs[name])) for name, table in tables.items()}
    for index in range(max(map(len, made.values()), default=0)):
        chosen = {name: several[index % len(several)] for name, several in made.items()}
        first = next(iter(chosen.values()))
        yield (
            "-and-".join(one.name for one in chosen.values()),
            first.why,
            {name: np.frombuffer(one.data, np.uint8) for name, one in chosen.items()},
        )
