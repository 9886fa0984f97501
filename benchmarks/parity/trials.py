"""Plants a fault in what one model answers. Out: the wrong answers, and by how much they are wrong.

A fault counts where it changes an answer by more than the model's own noise, which is defined
without our judge: the largest difference from the original, over that output in that case, of any
honest build of the model (an ulp of its largest value where all are equal). Integers count when
any differs. `ratio` is the largest change in units of that noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from deploy_targets.records import Array, Case, Golden, Tensors
from deploy_targets.testing.faults import FAULTS, Fault, Place, in_answers

from .corpus.onnxruntime import Run, session
from .corpus.store import Entry

ONES = "ones"
WEAKER = 6
"""How many strengths may follow beyond those that a fault names."""

Said = dict[str, Tensors]


@dataclass(frozen=True)
class Trial:
    """One fault of one strength in one model: what it answered (`said`, `ones`), how far off."""

    fault: Fault
    strength: float
    ratio: float
    said: Said = field(repr=False)
    ones: Tensors = field(repr=False)


@dataclass(frozen=True)
class Refused:
    """A fault that the runtime itself refuses to load or to run: nobody needs a rule for it."""

    fault: Fault
    strength: float
    why: str


class Bench:
    """One model, ready to be spoilt."""

    def __init__(self, home: Entry) -> None:
        self.home = home
        self.golden: Golden = home.read_golden()
        self.cases: tuple[Case, ...] = (*self.golden.cases, home.read_ones())
        self.how, path = next(iter(home.graphs().items()))
        self._raw = path.read_bytes()
        self._run = session(self._raw)
        self.base = {case.name: self._run(case.inputs) for case in self.cases}

    @cached_property
    def noise(self) -> dict[str, dict[str, float]]:
        """case -> output -> the largest honest difference from the original."""
        found = {
            case.name: {
                name: _ulp(array) for name, array in case.outputs.items() if _is_float(array)
            }
            for case in self.golden.cases
        }
        for build in self.home.builds():
            said = self.home.read(build)
            for case in self.golden.cases:
                for name in found[case.name] if case.name in said else ():
                    apart = _apart(case.outputs[name], said[case.name][name])
                    found[case.name][name] = max(found[case.name][name], apart)
        return found

    def trials(self, faults: Sequence[str], draws: int) -> Iterator[Trial | Refused]:
        """Every fault that has a place here, in `draws` places, from gross to what is no fault.

        Below the weakest strength that a fault names, weaker ones follow until it no longer counts
        (or grows no weaker).
        """
        for name in faults:
            for seed in range(draws):
                yield from self._weaker_and_weaker(FAULTS[name], seed)

    def _weaker_and_weaker(self, fault: Fault, seed: int) -> Iterator[Trial | Refused]:
        last = np.inf
        for strength in (*fault.strengths, *_beyond(fault.strengths)):
            trial = self._trial(fault, strength, seed)
            if trial is not None:
                yield trial
            if strength == fault.strengths[-1] or strength not in fault.strengths:
                if not isinstance(trial, Trial) or not 1 < trial.ratio < 0.99 * last:
                    return
                last = trial.ratio

    def _trial(self, fault: Fault, strength: float, seed: int) -> Trial | Refused | None:
        try:
            said = self._spoilt(fault, strength, seed)
        except Exception as error:
            return Refused(fault, strength, str(error).partition("\n")[0][:200])
        if said is None:
            return None
        ones = said.pop(ONES)
        return Trial(fault, strength, self._ratio(said), said, ones)

    def _spoilt(self, fault: Fault, strength: float, seed: int) -> Said | None:
        if fault.place is Place.ANSWERS:
            honest = [self.base[case.name] for case in self.cases]
            wrong = in_answers(fault, honest, strength, seed)
            if all(answer is None for answer in wrong):
                return None
            pairs = zip(self.cases, honest, wrong, strict=True)
            return {case.name: own if w is None else w for case, own, w in pairs}
        if fault.place is Place.INPUTS:
            inputs = {c.name: fault.change(c.inputs, strength, seed) for c in self.cases}
            if all(given is None for given in inputs.values()):
                return None
            return {
                name: self.base[name] if given is None else self._run(given)
                for name, given in inputs.items()
            }
        run = self._wrong_graph(fault, strength, seed)
        return None if run is None else {case.name: run(case.inputs) for case in self.cases}

    def _wrong_graph(self, fault: Fault, strength: float, seed: int) -> Run | None:
        thing: Any = self._raw
        if fault.place is Place.GRAPH:
            import onnx

            thing = onnx.load_model_from_string(self._raw)
        changed = fault.change(thing, strength, seed)
        if changed is None:
            return None
        return session(changed if isinstance(changed, bytes) else changed.SerializeToString())

    def _ratio(self, said: Mapping[str, Tensors]) -> float:
        """The largest change of any answer, in units of the noise; infinite for what is exact."""
        worst = 0.0
        for case, answer in said.items():
            base = self.base[case]
            for name in {*answer, *base}:
                if name not in answer or name not in base or _unlike(answer[name], base[name]):
                    return np.inf
                if not _is_float(base[name]):
                    worst = max(worst, np.inf if (answer[name] != base[name]).any() else 0.0)
                else:
                    apart = _apart(base[name], answer[name])
                    worst = max(worst, apart / self.noise[case][name])
        return worst


def _beyond(strengths: Sequence[float]) -> Iterator[float]:
    """Strengths that are weaker still: tenths, or, where strength counts bits, more of them.

    Nothing is weaker than a share of 0, which is one element.
    """
    weakest = strengths[-1]
    more = weakest > strengths[0]
    step = weakest - strengths[-2] if more else 0.0
    for _ in range(WEAKER if len(strengths) > 1 and weakest else 0):
        weakest = weakest + step if more else weakest / 10
        yield weakest


def _is_float(array: Array) -> bool:
    return array.dtype.kind == "f"


def _unlike(one: Array, other: Array) -> bool:
    return one.shape != other.shape or one.dtype != other.dtype


def _apart(want: Array, got: Array) -> float:
    """The largest difference; infinite where only one of them is no finite number."""
    w, g = want.astype(np.float64), got.astype(np.float64)
    same = (w == g) | (np.isnan(w) & np.isnan(g))
    with np.errstate(all="ignore"):
        apart = np.where(same, 0.0, np.abs(w - g))
    return float(np.nan_to_num(apart, nan=np.inf).max(initial=0.0))


def _ulp(array: Array) -> float:
    largest = np.abs(array[np.isfinite(array)].astype(np.float64)).max(initial=0.0)
    least = float(np.finfo(array.dtype.name).smallest_normal)
    return float(np.spacing(np.asarray(max(largest, least), array.dtype)))
