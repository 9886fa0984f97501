"""Results counted: by outcome, kind, reason and operator, and held against the target's floor."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .trial import DEFECT, NOT_RUN, REFUSED, VERIFIED, WRONG, Result

OUTCOMES = (VERIFIED, REFUSED, WRONG, NOT_RUN, DEFECT)
FLOORS = Path(__file__).parent / "floors.toml"

REASONS = {
    r"only tensors leave a model": "a sequence or an optional goes in or out",
    r"is str, which no target carries": "strings go in or out",
    r"which no target carries": "a dtype goes in or out that no target carries",
    r"Inference Protocol's servers do not carry": "a dtype that the target's protocol lacks",
    r"ONNX Runtime.* cannot (load|take)|in Python takes no": "ONNX Runtime cannot load it",
    r"does not give the .* that sample": "ONNX Runtime contradicts the suite",
    r"differently when asked": "it is random",
    r"than onnx's reference evaluator|would have to confirm": "restating it is not confirmed",
    r"the original model fails on case": "ONNX Runtime fails on the suite's inputs",
    r"no artifact answers as": "the artifact did not pass",
    r"^ConfigError": "it fails on made-up inputs of other sizes",
}
"""What a refusal says -> its class; the first that is found counts."""


@dataclass(frozen=True)
class Tally:
    """All results of one target."""

    results: tuple[Result, ...]
    missing: int = 0
    """Cases that have no result yet."""

    def outcomes(self, results: Iterable[Result] | None = None) -> Counter[str]:
        """Outcome -> how many, of these or of all results."""
        chosen = self.results if results is None else results
        return Counter(result.outcome for result in chosen)

    @property
    def floats(self) -> tuple[Result, ...]:
        """Those of float cases."""
        return tuple(result for result in self.results if result.is_float)

    @property
    def float_share(self) -> float:
        """Percent of the float cases that are verified."""
        return 100.0 * self.outcomes(self.floats)[VERIFIED] / max(1, len(self.floats))

    def kinds(self) -> dict[str, tuple[Result, ...]]:
        """ "node", "simple", … -> results."""
        return self._by(lambda result: result.id.partition("/")[0])

    def operators(self) -> dict[str, tuple[Result, ...]]:
        """Operator -> results."""
        return self._by(lambda result: result.operator)

    def reasons(self) -> dict[str, tuple[Result, ...]]:
        """Class of refusal -> results, the most frequent first."""
        refused = Tally(tuple(r for r in self.results if r.outcome == REFUSED))
        found = refused._by(lambda result: reason(result.said))
        return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))

    def problems(self, target: str, *, whole: bool) -> list[str]:
        """Why the target does not pass, a line each; the floor is for the whole suite."""
        found = [
            f"{target} {result.id}: {result.outcome}: {result.said.strip().splitlines()[-1]}"
            for result in self.results
            if result.outcome in (WRONG, NOT_RUN, DEFECT)
        ]
        if self.missing:
            found.append(f"{target}: {self.missing} cases have no result yet")
        floor = floors().get(target)
        if whole and floor is None:
            found.append(f"{target} has no floor in {FLOORS.name}")
        elif whole and floor is not None and not self.float_share >= floor:
            found.append(f"{target}: {self.float_share:.2f} % of the float cases, below {floor} %")
        return found

    def _by(self, key: Callable[[Result], str]) -> dict[str, tuple[Result, ...]]:
        found: dict[str, list[Result]] = {}
        for result in self.results:
            found.setdefault(key(result), []).append(result)
        return {name: tuple(found[name]) for name in sorted(found)}


def of(results: Sequence[Result], missing: int = 0) -> Tally:
    """The results of one target, sorted by id, and how many cases have none."""
    return Tally(tuple(sorted(results, key=lambda result: result.id)), missing)


def floors() -> dict[str, float]:
    """Target -> least percentage of float cases."""
    return tomllib.loads(FLOORS.read_text(encoding="utf-8"))


def reason(said: str) -> str:
    """The class of a refusal; its own words where it is of none."""
    return next((name for pattern, name in REASONS.items() if re.search(pattern, said)), said[:90])
