"""Golden answers and captured graphs of one model, and its honest answers in this process.

What an exporter gets plainly wrong (another shape, or further off than `GROSS`) is no honest build
but a fault of the exporter: it is noted as refused, and listed for a person to look at.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from deploy_targets import frontends
from deploy_targets.converters import onnx_from_torch
from deploy_targets.frontends.eager import EagerModel
from deploy_targets.parity import golden
from deploy_targets.parity.cases import questions
from deploy_targets.records import Array, Capture, Case, Tensors

from .models import Source, source_of
from .onnxruntime import LANES, ROWS, answers, row_by_row, session
from .store import Answers, Entry, entry

GROSS = 1e-2
"""Of the largest value: no right float32 build is so far off, whatever rule one follows."""


def record(cache: Path, name: str, *, again: bool = False) -> Entry:
    """Golden set and graphs of one model, unless they lie there already. `again`: golden anew."""
    home = entry(cache, name)
    known = (home.folder / "about.json").is_file() and not again
    if known and (home.folder / "ones.npz").is_file():
        return home
    source = source_of(name, cache)
    model = frontends.load(source.spec)
    if not known:
        home.write_golden(golden.record(model, questions(model.signature, source.samples())))
    ones = _ones(home.read_cases()[:2][-1].inputs)
    home.write_ones(ones, model.run(ones))
    for how in model.captures:
        if not home.graph(named(how)).parent.is_dir():
            _capture(model, source, how, home)
    return home


def run_here(home: Entry) -> None:
    """Every lane of ONNX Runtime over every graph."""
    cases, signature = home.read_cases(), home.signature()
    for how, path in home.graphs().items():
        for lane, (level, threads) in LANES.items():
            build = f"{how}.{lane}"
            if not home.tried(build):
                with noted(home, build):
                    keep(home, build, cases, answers(cases, session(path, level, threads)))
        build = f"{how}.{ROWS}"
        if not home.tried(build):
            with noted(home, build):
                keep(home, build, cases, row_by_row(signature, cases, session(path)))


def keep(home: Entry, build: str, cases: Sequence[Case], said: Answers) -> None:
    """Stores a build's answers, or why they are none."""
    if not said:
        home.refuse(build, "its batch cannot be split")
    elif why := _plainly_wrong(cases, said):
        home.refuse(build, f"WRONG: {why}")
    else:
        home.write(build, said)


@contextlib.contextmanager
def noted(home: Entry, build: str) -> Iterator[None]:
    """What is raised inside becomes the reason why there is no such build."""
    try:
        yield
    except Exception as error:
        home.refuse(build, f"{type(error).__name__}: {_first_line(error)}")


def _ones(inputs: Tensors) -> dict[str, Array]:
    """What some converters check themselves with."""
    return {name: np.ones_like(array) for name, array in inputs.items()}


def named(how: Capture) -> str:
    """What a way of capturing is called in the names of folders and builds."""
    return how.how.replace(" ", "-")


def _capture(model: frontends.LoadedModel, source: Source, how: Capture, home: Entry) -> None:
    folder = home.graph(named(how)).parent
    folder.mkdir(parents=True)
    with noted(home, folder.name):
        if isinstance(model, EagerModel):
            # The product's own export, without a process of its own for each of a hundred graphs.
            onnx_from_torch.export(
                **onnx_from_torch.arguments(
                    source.spec, model.signature, how, folder, model.weights
                )
            )
        else:
            model.capture(how, folder)


def _plainly_wrong(cases: Sequence[Case], said: Answers) -> str:
    for case in cases:
        for name, want in case.outputs.items():
            if case.name not in said:
                continue  # a runtime of fixed shapes is asked some of the cases only
            got = said[case.name].get(name)
            if got is None or got.shape != want.shape:
                return f"{name} of {case.name}: {None if got is None else got.shape}"
            if want.dtype.kind != "f":
                continue
            apart = np.abs(want.astype(np.float64) - got.astype(np.float64))
            limit = GROSS * np.abs(want[np.isfinite(want)]).max(initial=0.0)
            if not (np.isnan(want) | (apart <= limit) | (want == got)).all():
                return f"{name} of {case.name} differs by {np.nanmax(apart):.2e}, limit {limit:.2e}"
    return ""


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
