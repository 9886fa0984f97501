"""Swift's comparison and Python's come to the same verdict, on pairs that are near a bound."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from conftest import Answers
from safetensors.numpy import save_file

from deploy_targets.integrations import swift
from deploy_targets.parity import judge
from deploy_targets.parity.rows import _fields, _measure, _unsure
from deploy_targets.records import Array, Signature, TensorSpec
from deploy_targets.verdicts import Bound, OutputParity

SHAPES = [(), (7,), (3, 40), (2, 5, 12), (4, 1, 3, 9), (0, 5), (1, 6, 6)]
FEW = 2
"""Elements of which one may not jump: where all do, Python shows the one that it left out."""
PAIRS = 600


def test_swift_and_python_agree_on_every_pair(answers: Answers, job: swift.Job) -> None:
    random = np.random.default_rng(7)
    pairs = {f"pair-{i}": _pair(random, i) for i in range(PAIRS)}
    tensors = {
        f"{name}/{side}": np.ascontiguousarray(array)
        for name, (arrays, _, _) in pairs.items()
        for side, array in arrays.items()
    }
    questions = {
        name: {"bound": _plain(bound), "batch": 0 if arrays["want"].ndim else None, "kind": kind}
        for name, (arrays, bound, kind) in pairs.items()
    }
    save_file(tensors, job.build / "pairs.safetensors", {"questions": json.dumps(questions)})
    answers(["compare", f"{swift.BUILD}/pairs.safetensors", f"{swift.BUILD}/pairs.json"])
    said = json.loads((job.build / "pairs.json").read_bytes())
    wanted = {name: _verdict(*pair) for name, pair in pairs.items()}
    passes = sum(not reason for reason, _ in wanted.values())
    assert PAIRS // 5 < passes < PAIRS * 4 // 5
    apart = {n: (said[n], wanted[n]) for n in pairs if bool(said[n][0]) != bool(wanted[n][0])}
    assert apart == {}
    for name, (_, far) in wanted.items():
        if np.isfinite(far):
            np.testing.assert_allclose(float(said[name][1]), far, rtol=1e-9, err_msg=name)


def _pair(random: np.random.Generator, number: int) -> tuple[dict[str, Array], Bound, str]:
    shape = SHAPES[number % len(SHAPES)]
    dtype = ("float32", "float64", "float16", "int64")[number // len(SHAPES) % 4]
    kind = "detection" if shape[-2:] == (6, 6) and number % 2 else "plain"
    if dtype == "int64":
        want = random.integers(-9, 9, shape)
        got = np.where(random.random(shape) < 0.05, want + 1, want)
        noise = (random.random(shape) < 0.02).astype(np.float32)
        return {"want": want, "got": got, "noise": noise}, _bound(random, want.size), kind
    size = 10.0 ** random.uniform(-3, 3)
    want = (random.standard_normal(shape) * size).astype(dtype)
    if number % 5 == 0 and want.size:
        want.flat[0] = (np.nan, np.inf)[number % 2]
    noise = (np.abs(random.standard_normal(shape)) * size * 1e-3).astype(np.float32)
    moved = random.standard_normal(shape) * noise * 10.0 ** random.uniform(-1, 1.5)
    got = (want + moved).astype(dtype)
    if kind == "detection":
        got = got[:, random.permutation(6)]
    arrays = {"want": want, "got": got}
    return (arrays | {"noise": noise} if number % 3 else arrays), _bound(random, want.size), kind


def _bound(random: np.random.Generator, size: int) -> Bound:
    budget = float(random.choice([0.0, 1e-3]))
    jumps, jump = (float(x) for x in random.choice([(0.0, 0.0), (0.05, 1e3)]))
    if size < FEW:
        jumps = jump = 0.0
    return Bound(1e-2, judge.WHOLE, judge.PART, judge.ELEMENT, budget, jumps, jump)


def _verdict(arrays: dict[str, Array], bound: Bound, kind: str) -> tuple[str, float]:
    want, noise = arrays["want"], arrays.get("noise")
    dims = tuple("batch" if i == 0 else n for i, n in enumerate(want.shape))
    spec = TensorSpec("answer", want.dtype.name, dims, kind)
    signature = Signature((), (spec,), batch="batch")
    with np.errstate(all="ignore"):
        found = _measure(want, arrays["got"], noise, "answer", signature, bound)
        parity = OutputParity("", "answer", unsure=_unsure(want, noise), **_fields(found))
    return judge.reason(parity, bound), found.relative_l2


def _plain(bound: Bound) -> dict[str, Any]:
    return asdict(bound)
