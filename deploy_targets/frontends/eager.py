"""A PyTorch model that answers in eager mode: the oracle that every artifact is judged against.

In: a SourceSpec of code, of a .pt2 or of a TorchScript file. Out: an `EagerModel`. `build` gives
the bare module, for the exporters, which make it again in a process of their own.
"""

from __future__ import annotations

import copy
import functools
import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy_targets.errors import ConfigError, DeployError, UnsupportedModel
from deploy_targets.frontends import exported, identity, torchscript
from deploy_targets.frontends import torch as from_code
from deploy_targets.frontends.arrays import FLOATS, check_inputs, to_array, to_tensor
from deploy_targets.frontends.call_user import described
from deploy_targets.frontends.flatten import flatten
from deploy_targets.frontends.observe import Observed, observing
from deploy_targets.frontends.signature import infer, probe, sizes_to_run
from deploy_targets.frontends.source import (
    Kind,
    SourceSpec,
    changed,
    file_of,
    kind_of,
    name_of,
)
from deploy_targets.frontends.torch import NOT_CALLED, Callee
from deploy_targets.frontends.witness import Witness, witness_files, witness_load
from deploy_targets.records import Array, Capture, Signature, Tensors
from deploy_targets.runtime import Rounding
from deploy_targets.workspace import digest_of, digest_of_file


@dataclass(frozen=True)
class EagerModel:
    """A module, its signature, and where it came from."""

    name: str
    digest: str
    signature: Signature
    witness: Witness
    spec: SourceSpec
    callee: Callee
    timeout: float

    @property
    def captures(self) -> tuple[Capture, ...]:
        """The ways to a graph, best first."""
        return self.callee.captures

    @property
    def weights(self) -> str:
        """What a module that is built again must have, too."""
        of_file = kind_of(self.spec) is Kind.TORCHSCRIPT
        # The file may be another by now.
        return self.digest if of_file else identity.weights(self.callee.module)

    @functools.cached_property
    def roundings(self) -> tuple[Rounding, ...]:
        """Those that the whole of it can be computed with: found by trying."""
        wanted = (Rounding.DOUBLE, Rounding.OPERANDS, Rounding.THREADS)
        return tuple(rounding for rounding in wanted if self._takes(rounding))

    @functools.cached_property
    def _double(self) -> Callee:
        with warnings.catch_warnings():
            # A copy of TorchScript has lost where its gradients go; none is asked for.
            warnings.filterwarnings("ignore", r"The \.grad attribute", UserWarning)
            double = copy.deepcopy(self.callee.module).double()
        return Callee(double, self.callee.arrange, self.callee.captures)

    def run(
        self, inputs: Tensors, *, rounding: Rounding | None = None, seed: int = 0
    ) -> dict[str, Array]:
        """Eager, in inference mode. Raises ConfigError for inputs that do not fit."""
        check_inputs(self.signature, inputs)
        arrays = [inputs[spec.name] for spec in self.signature.inputs]
        double = rounding is Rounding.DOUBLE
        with self._otherwise(rounding, seed):
            answers = _answers(self._double if double else self.callee, arrays, double)
        names = [spec.name for spec in self.signature.outputs]
        return dict(zip(names, answers.values(), strict=True))

    def _otherwise(self, rounding: Rounding | None, seed: int) -> AbstractContextManager[object]:
        from deploy_targets.frontends.rounding import Jitter, one_thread

        if rounding is Rounding.OPERANDS:
            return Jitter(seed)
        return one_thread() if rounding is Rounding.THREADS else nullcontext()

    def _takes(self, rounding: Rounding) -> bool:
        inputs = probe(self.signature.inputs, sizes_to_run(self.signature.axes)[0])
        try:
            answers = self.run(inputs, rounding=rounding)
        except Exception:
            return False
        floats = [spec.name for spec in self.signature.outputs if spec.dtype in FLOATS]
        double = all(answers[name].dtype.name == "float64" for name in floats)
        return bool(floats) and (double or rounding is not Rounding.DOUBLE)

    def second_opinion(self, inputs: Tensors) -> None:
        """None: eager PyTorch is judged by nobody here."""

    def capture(self, capture: Capture, folder: Path) -> None:
        """Writes the graph. Raises ConversionFailed, UnsupportedModel."""
        from deploy_targets.converters import onnx_from_torch

        if capture == exported.CAPTURES[0] and (path := file_of(self.spec)):
            (folder / exported.FILE).write_bytes(path.read_bytes())
            if _digest_of_file(folder / exported.FILE) != self.digest:
                raise changed(path)
            return
        onnx_from_torch.capture(
            self.spec,
            self.signature,
            capture,
            folder,
            weights=self.weights,
            timeout=self.timeout,
        )


def load(spec: SourceSpec, kind: Kind, timeout: float) -> EagerModel:
    """The model, after some runs that show what comes out of it."""
    started = time.time()
    with observing(home(spec)) as observed:
        learnt = learn(spec, observed)
    return identified(spec, kind, learnt, observed, started, timeout)


def learn(
    spec: SourceSpec, observed: Observed, given: object = NOT_CALLED
) -> tuple[Callee, Signature]:
    """The module, `given` or built, and what some runs show to come out of it."""
    callee, full = build(spec, observed, given)
    return callee, infer(
        full.inputs, full.axes, spec.outputs, spec.batch, lambda given: _try(callee, given)
    )


def identified(
    spec: SourceSpec,
    kind: Kind,
    learnt: tuple[Callee, Signature],
    observed: Observed,
    started: float,
    timeout: float,
) -> EagerModel:
    """The model with its digest, and the record of what was read since `started`."""
    callee, signature = learnt
    if kind in (Kind.EXPORTED, Kind.TORCHSCRIPT):
        digest, witness = _identify_file(spec)
    else:
        digest = from_code.digest(spec, callee, observed)
        stored = ((name, identity.layouts(tensor)) for name, tensor in _stored(callee))
        witness = witness_load(spec, digest, observed, stored, started)
    return EagerModel(name_of(spec), digest, signature, witness, spec, callee, timeout)


def build(
    spec: SourceSpec, observed: Observed, given: object = NOT_CALLED
) -> tuple[Callee, SourceSpec]:
    """The module of a source, and the spec completed by what the source tells."""
    if kind_of(spec) is Kind.EXPORTED:
        return exported.callee(spec)
    if kind_of(spec) is Kind.TORCHSCRIPT:
        return torchscript.callee(spec), spec
    return from_code.callee(spec, observed, given), spec


def weights(spec: SourceSpec, callee: Callee) -> str:
    """SHA-256 over the parameters and buffers alone; of TorchScript over all of the file.

    A frozen module has neither: its weights are constants of its code.
    """
    if kind_of(spec) is Kind.TORCHSCRIPT and (path := file_of(spec)):
        return _digest_of_file(path)
    return identity.weights(callee.module)


def strayed(spec: SourceSpec) -> DeployError:
    """The error for a module that, built again, has other weights."""
    if kind_of(spec) is Kind.TORCHSCRIPT and (path := file_of(spec)):
        return changed(path)
    return UnsupportedModel(
        f"{spec.source} has other weights each time it is loaded",
        hint="load them from a file, or call torch.manual_seed(0) before they are drawn",
    )


def home(spec: SourceSpec) -> Path | None:
    """The folder whose modules the user's file may import by their plain names."""
    file = file_of(spec)
    holds_code = kind_of(spec) in (Kind.CALLABLE, Kind.PICKLED)
    return file.parent.absolute() if file and holds_code else None


def _identify_file(spec: SourceSpec) -> tuple[str, Witness]:
    path = file_of(spec)
    assert path is not None, "a .pt2 or a .pt is a file"
    digest = _digest_of_file(path)
    return digest, witness_files(spec, digest, [path])


def _digest_of_file(path: Path) -> str:
    import torch

    return digest_of("pt2", digest_of_file(path), torch.__version__)


def _stored(callee: Callee) -> list[tuple[str, Any]]:
    """What must have come from a file: not the masks and counters that code makes by itself."""
    import torch

    saved = set(callee.module.state_dict(keep_vars=True))
    return [
        (name, tensor)
        for name, tensor in identity.tensors(callee.module)
        if name in saved or tensor.is_floating_point() or tensor.dtype is torch.complex64
    ]


def _answers(callee: Callee, arrays: Sequence[Array], float64: bool = False) -> dict[str, Array]:
    """Outputs under the model's own names."""
    import torch

    tensors = [to_tensor(array) for array in arrays]
    if float64:
        tensors = [t.double() if t.is_floating_point() else t for t in tensors]
    # What user code prints must not mix with our results on stdout.
    with torch.inference_mode(), redirect_stdout(sys.stderr):
        outputs = flatten(callee(tensors))
    return {name: to_array(f"output {name}", tensor) for name, tensor in outputs}


def _try(callee: Callee, inputs: Tensors) -> dict[str, Array]:
    try:
        return _answers(callee, list(inputs.values()))
    except DeployError:
        raise
    except Exception as error:
        shapes = ", ".join(f"{name} {a.dtype.name}{list(a.shape)}" for name, a in inputs.items())
        raise ConfigError(
            f"the model cannot take the declared inputs ({shapes}): {described(error)}",
            hint="correct dtype, shape or range under [inputs.NAME], or the sizes under [axes]",
        ) from error
