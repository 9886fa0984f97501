"""The verdict on this device: every golden question, asked of what will serve.

A proof is of one bundle on one runtime: another engine, another version, another bundle is proven
again. The answers can be written down for `deploy-target verify BUNDLE --actual FILE`.
"""

from __future__ import annotations

import hashlib
import json
import os
import time

from . import steps, tensors
from .errors import EdgeError
from .judging import judged

TENSORS = "tensors"


class Proof:
    """What came of asking."""

    def __init__(self, where, recipe, rows, seconds, cases):
        self.where, self.recipe, self.rows = where, recipe, rows
        self.seconds, self.cases = seconds, cases

    @property
    def wrong(self):
        """The rows that fail."""
        return [row for row in self.rows if row.reason]

    @property
    def passed(self):
        """Whether something was asked, and nothing was wrong."""
        return bool(self.rows) and not self.wrong

    @property
    def furthest(self):
        """The largest relative L2."""
        return max((row.relative_l2 for row in self.rows), default=float("nan"))

    def said(self):
        """In one line."""
        if self.passed:
            return (
                f"answers as the original does: {self.cases} questions, relative L2 at most "
                f"{self.furthest:.1e}"
            )
        if not self.rows:
            return "no golden question travels in this bundle, so nothing can be proven"
        first = self.wrong[0]
        return (
            f"{first.output} of {first.call}: {first.reason} "
            f"({len(self.wrong)} of {len(self.rows)} comparisons failed)"
        )


def prove(folder, runtime, recipe, keep=None):
    """Asks all of golden. `keep`: a dict that gets the answers, as recorded.

    Questions of raw bytes go through the declared steps, and back through them.
    """
    rows, seconds, cases, around = [], [], 0, steps.read(folder)
    for case in folder.cases():
        cases += 1
        started = time.perf_counter()
        answer = asked(folder, runtime, around, case.golden, case.inputs)
        seconds.append(time.perf_counter() - started)
        rows += judged(case, answer, folder.manifest, recipe)
        if keep is not None:
            keep.update(
                {f"{case.golden}/{case.call}/{name}": array for name, array in answer.items()}
            )
    return Proof(runtime.where, recipe, rows, seconds, cases)


def asked(folder, runtime, around, golden, inputs):
    """The answer to one question, of the model's tensors or of raw bytes."""
    if golden == TENSORS:
        return _as_declared(folder, runtime.run(dict(inputs)))
    raw = {name: array.tobytes() for name, array in inputs.items() if name in around.inputs}
    rest = {name: array for name, array in inputs.items() if name not in raw}
    made, frames = around.before(raw)
    outputs = _as_declared(folder, runtime.run({**rest, **made}))
    return around.after(outputs, frames)


def record(path, folder, lane, runtime, device, answers):
    """Writes what `deploy-target verify --actual` judges."""
    known = [each["name"] for each in folder.manifest["lanes"]]
    if lane not in known:
        raise EdgeError(f"this bundle has no lane {lane!r}", f"it has {', '.join(known)}")
    said = {"manifest": folder.digest, "lane": lane, "runtime": runtime, "device": str(device)}
    tensors.write(path, answers, said)


class Proofs:
    """What was proven on this device, by what it was proven of."""

    def __init__(self, home):
        self._home = os.path.join(home, "proofs")

    def holds(self, folder, identity):
        """Whether this very bundle passed on this very runtime."""
        try:
            with open(self._path(folder, identity), encoding="utf-8") as file:
                said = json.load(file)
        except (OSError, ValueError):
            return False
        kept = (said.get("bundle"), said.get("identity"), said.get("passed"))
        return kept == (folder.digest, identity, True)

    def keep(self, folder, identity, proof):
        """Remembers a verdict; where that cannot be written down, golden is asked again."""
        said = {
            "bundle": folder.digest,
            "identity": identity,
            "passed": proof.passed,
            "said": proof.said(),
        }
        path = self._path(folder, identity)
        try:
            os.makedirs(self._home, exist_ok=True)
            with open(f"{path}.part", "w", encoding="utf-8") as file:
                json.dump(said, file, indent=1)
            os.replace(f"{path}.part", path)
        except OSError:
            if os.path.exists(f"{path}.part"):
                os.remove(f"{path}.part")

    def _path(self, folder, identity):
        name = hashlib.sha256(f"{folder.digest} {identity}".encode()).hexdigest()[:32]
        return os.path.join(self._home, f"{name}.json")


def _as_declared(folder, answer):
    """In the datatypes that the artifact declares: an engine may count in fewer bits."""
    (entry,) = [each for each in folder.manifest["entries"] if each["golden"] == TENSORS]
    declared = {port["spec"]["name"]: port["spec"]["dtype"] for port in entry["outputs"]}
    return {
        name: array.astype(declared[name])
        if name in declared and array.dtype.kind == "i" and declared[name].startswith("int")
        else array
        for name, array in answer.items()
    }
