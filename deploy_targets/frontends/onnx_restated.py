"""The graph that ONNX Runtime runs: the file itself, or the same written in an opset that it has.

In: an .onnx file. Out: a session, the file it came from, and how that was made. A restated graph
is not the user's any more, so everything that it answers is held against what onnx's reference
evaluator makes of the file as given.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import warnings
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deploy_targets.errors import UnsupportedModel
from deploy_targets.frontends.onnx_session import plain
from deploy_targets.graph.restate import opset_of, restatements
from deploy_targets.records import Array, Tensors

AS_GIVEN = "as given"
APART = 1e-3
"""Relative L2 between the file as given and restated that is taken for another model."""


@dataclass(frozen=True)
class Running:
    """A session, and the graph in it."""

    session: Any
    path: Path
    how: str


def running(path: Path, files: Sequence[Path]) -> Running:
    """The file as given if ONNX Runtime takes it, else its first restatement that it takes.

    Raises UnsupportedModel with what ONNX Runtime says of the file as given.
    """
    try:
        return Running(plain(path), path, AS_GIVEN)
    except UnsupportedModel:
        # What keeps weights beside it can be too large for one file.
        found = _restated(path) if len(files) == 1 else None
        if found is None:
            raise
        return found


def _restated(path: Path) -> Running | None:
    import onnx

    model = onnx.load(path)
    folder = Path(tempfile.mkdtemp(prefix="deploy-target-"))
    for restatement in restatements(model):
        beside = folder / "model.onnx"
        beside.write_bytes(restatement.model.SerializeToString())
        with contextlib.suppress(UnsupportedModel):
            how = f"restated from opset {opset_of(model)} in {restatement.how}"
            found = Running(plain(beside), beside, how)
            # The graph is read again when it is captured: it stays for as long as the model does.
            weakref.finalize(found, shutil.rmtree, folder, ignore_errors=True)
            return found
    shutil.rmtree(folder, ignore_errors=True)
    return None


def evaluated(path: Path, outputs: Sequence[str], inputs: Tensors) -> dict[str, Array] | None:
    """What onnx's reference evaluator answers; None where it cannot run the graph."""
    from onnx.reference import ReferenceEvaluator

    # It is written in numpy: overflow and the like are warnings there, and no failure.
    with warnings.catch_warnings(), contextlib.suppress(Exception):
        warnings.simplefilter("ignore")
        answers = ReferenceEvaluator(str(path)).run(list(outputs), dict(inputs))
        return {name: np.asarray(a) for name, a in zip(outputs, answers, strict=True)}
    return None


def refuse_another_model(
    how: str, restated: Mapping[str, Array], given: Mapping[str, Array] | None
) -> None:
    """Raises UnsupportedModel where a restated graph does not answer as the file as given."""
    hint = "export it again in an opset that ONNX Runtime has"
    if given is None:
        raise UnsupportedModel(
            f"ONNX Runtime takes this model only {how}, and onnx's reference evaluator, which "
            "would have to confirm that, cannot run it",
            hint=hint,
        )
    for name, array in restated.items():
        if not _alike(given[name], array):
            raise UnsupportedModel(
                f"{how}, the model gives another {name} than onnx's reference evaluator does for "
                "the file as given",
                hint=hint,
            )


def _alike(want: Array, got: Array) -> bool:
    if (want.shape, want.dtype) != (got.shape, got.dtype):
        return False
    w, g = want.astype(np.float64), got.astype(np.float64)
    same = (w == g) | (np.isnan(w) & np.isnan(g))
    if got.dtype.kind in "iub":
        return bool(same.all())
    with np.errstate(all="ignore"):
        apart, size = np.where(same, 0.0, w - g), np.where(np.isfinite(w), w, 0.0)
    return bool(np.linalg.norm(apart) <= APART * np.linalg.norm(size))
