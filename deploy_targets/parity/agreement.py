"""Do the declared steps do what the original's own preprocessing does? Asked before any build.

In: a model with its steps and its references, and raw inputs. Out: nothing, or an error that says
which usual mistake in deploy.toml would explain the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from deploy_targets.errors import ConfigError
from deploy_targets.parity.compare import relative_l2
from deploy_targets.parity.made import Question
from deploy_targets.records import Array, Stage
from deploy_targets.stages import compose
from deploy_targets.stages.compose import Staged
from deploy_targets.stages.host import Refused
from deploy_targets.stages.variants import Variant, variants

SAME = 1e-5
"""Relative L2 that the rounding of float32 explains."""
NOTHING = 1e-7
"""Root mean square below which numbers that are all but zero are the same."""
FEW = 4
"""Raw inputs on which a mistake must explain the difference to be named."""


def check(staged: Staged, asked: Sequence[Question]) -> None:
    """Raises ConfigError where a reference and the declared steps part ways."""
    for name in staged.references:
        stages = staged.staging.of(name)
        apart = [(far, question) for question in asked if (far := _far(staged, name, question))]
        worst = max(apart, key=lambda one: one[0], default=None)
        if worst is not None and not worst[0] <= SAME:
            shown = [question for far, question in sorted(apart, key=lambda o: -o[0])][:FEW]
            raise _parted(name, worst[0], worst[1], _explained(staged, name, stages, shown))


def _far(staged: Staged, name: str, question: Question) -> float:
    data = question.inputs[name].tobytes()
    stages = staged.staging.of(name)
    return _apart(staged.references[name](data), _steps(staged, stages, data), _is_table(stages))


def _steps(staged: Staged, stages: Sequence[Stage], data: bytes) -> Array | None:
    try:
        return compose.before(tuple(stages), data, {}, own=staged.own())
    except (Refused, ValueError, IndexError):
        return None


def _apart(want: Array, got: Array | None, table: bool) -> float:
    if got is None or want.shape != got.shape:
        return float("inf")
    apart = want.astype(np.float64) - got.astype(np.float64)
    if float(np.sqrt((apart**2).mean())) <= NOTHING:
        return 0.0
    far = max(relative_l2(w, g) for w, g in _parts(want, got, table))
    return far if np.isfinite(far) else float("inf")


def _parts(want: Array, got: Array, table: bool) -> Iterator[tuple[Array, Array]]:
    """The whole; and of a table each column, for each has a unit of its own."""
    yield want, got
    if table and want.ndim == 2:
        for w, g in zip(want.T, got.T, strict=True):
            # A column that is all but zero has no size to be compared with.
            if not np.abs(w.astype(np.float64) - g).max(initial=0) <= NOTHING:
                yield w, g


def _is_table(stages: Sequence[Stage]) -> bool:
    return stages[0].op == "decode_table"


def _explained(
    staged: Staged, name: str, stages: Sequence[Stage], asked: Iterable[Question]
) -> list[Variant]:
    """The mistakes that would make the declared steps the reference's."""
    found = variants(stages)
    for question in asked:
        data = question.inputs[name].tobytes()
        want = staged.references[name](data)
        table = _is_table(stages)
        found = [v for v in found if _apart(want, _steps(staged, v.stages, data), table) <= SAME]
    return found


def _parted(name: str, far: float, question: Question, explained: Sequence[Variant]) -> ConfigError:
    said = " or ".join(variant.said for variant in explained)
    return ConfigError(
        f"[inputs.{name}.preprocess]: the declared steps are not what `reference` does: on "
        f"{question.name} ({question.why}) they differ by a relative L2 of {far:.1e}",
        hint=f"the reference does what would follow if {said}: declare that"
        if explained
        else "compare them step by step; no usual mistake explains the difference",
    )
