"""PyTorch -> TorchScript, by tracing or by scripting. The child's half: `onnx_from_torch` calls it.

In: a Callee and the Signature. Out: model.pt, which takes the inputs by position and returns a
tuple, both in the Signature's order. Neither line numbers of the source nor example inputs are in
it, so that its bytes do not depend on the folder of the user's source.

Tracing notes down what one run does: a loop, a branch or a size that followed from those inputs is
silently burnt in. So the answers are compared at other sizes and with other values before it is
written. A module that is TorchScript already is kept as it is, its branches and loops with it.
"""

from __future__ import annotations

import linecache
import re
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_targets.errors import ConversionFailed, UnsupportedModel
from deploy_targets.frontends.arrays import to_tensor
from deploy_targets.frontends.observe import is_installed
from deploy_targets.frontends.signature import Sizes, probe, sizes_to_run
from deploy_targets.records import Array, Signature, TensorSpec

if TYPE_CHECKING:
    import torch

    from deploy_targets.converters.flat import Flat
    from deploy_targets.frontends.torch import Callee

FILE = "model.pt"
NEAR = 1e-3
"""How far answers may be apart, relative to the largest of them: the judge looks closer. What was
burnt in is wrong by far more."""
TRACE_HINT = (
    "the next way, torch.jit.script, keeps branches and loops; if it is the last, compute sizes "
    "with x.shape inside of forward and choose among values with torch.where"
)
SCRIPT_HINT = (
    "write it as TorchScript takes it (arguments and attributes of one type each, annotated where "
    "they are no tensors; no *args, no try, no numpy), or mark a method that answers without it "
    "with @torch.jit.unused"
)
_PLACE = re.compile(r'File "([^"\n]+)", line (\d+)\n')


def write(callee: Callee, signature: Signature, how: str, folder: Path) -> None:
    """Writes model.pt. Raises UnsupportedModel, ConversionFailed."""
    import torch

    from deploy_targets.converters.flat import Flat

    inner = replace(callee, module=scripted(callee.module)) if how == "script" else callee
    with torch.no_grad(), warnings.catch_warnings():
        # That it is deprecated and that it traces is known; both go to the log of the job.
        warnings.simplefilter("default")
        # What is scripted stays so: the trace is of what unpacks its outputs alone.
        made = traced(Flat(inner), signature)
        check(Flat(callee), made, signature, how)
        save(made, folder / FILE)


def scripted(module: torch.nn.Module) -> torch.nn.Module:
    """The module as TorchScript. Raises UnsupportedModel naming the line that it cannot take."""
    import torch

    try:
        made: torch.nn.Module = torch.jit.script(module)
    except Exception as error:
        raise UnsupportedModel(f"torch.jit.script {_refused(error)}", hint=SCRIPT_HINT) from error
    return made


def traced(flat: Flat, signature: Signature) -> Any:
    """A ScriptModule of one run; what is TorchScript in it stays whole. Raises UnsupportedModel."""
    import torch

    torch.manual_seed(0)
    trace: Any = torch.jit.trace  # untyped
    try:
        return trace(flat, _first(signature), check_trace=False, _store_inputs=False)
    except RuntimeError as error:
        if "Tracer cannot set value trace" not in str(error):
            raise
        raise UnsupportedModel(
            f"one of the outputs of its TorchScript is no tensor: {error}",
            hint="return tensors, and tuples, lists and dictionaries of them; leave None out",
        ) from error


def rewritten(flat: Flat, signature: Signature) -> Flat:
    """The module without TorchScript in it, as torch.export can read it."""
    from torch._export.converter import TS2EPConverter

    from deploy_targets.converters.flat import Flat
    from deploy_targets.frontends.torch import Callee

    convert: Any = TS2EPConverter  # untyped
    program = convert(traced(flat, signature), _first(signature)).convert()
    return Flat(Callee(program.module(), lambda tensors: (tuple(tensors), {}), ()))


def check(flat: Flat, made: Any, signature: Signature, how: str) -> None:
    """Raises ConversionFailed where it answers otherwise than the module, naming the sizes."""
    first, *others = sizes_to_run(signature.axes)
    for sizes in (first, *others):
        for turned in (False, True):
            inputs = _inputs(signature.inputs, sizes, turned=turned)
            wanted = _answer(flat, inputs)
            # Values that the model does not take, it need not take as TorchScript.
            if wanted is None and turned:
                continue
            if wrong := _wrong(wanted or (), _answer(made, inputs), signature):
                raise _burnt_in(how, wrong, sizes, sizes == first)


def save(module: Any, path: Path) -> None:
    """Without the places of its source: they are paths on this machine."""
    import torch

    with tempfile.TemporaryDirectory() as temporary:
        whole = Path(temporary) / path.name
        torch.jit.save(module, whole)
        reader = torch._C.PyTorchFileReader(str(whole))
        writer = torch._C.PyTorchFileWriter(str(path))
        for name in reader.get_all_records():
            # The version and the digest of all records are written by the writer itself.
            if not name.endswith((".debug_pkl", ".data/serialization_id")) and name != "version":
                data = reader.get_record(name)
                writer.write_record(name, data, len(data))
        writer.write_end_of_file()


def _first(signature: Signature) -> tuple[torch.Tensor, ...]:
    sizes = sizes_to_run(signature.axes)[0]
    return tuple(map(to_tensor, _inputs(signature.inputs, sizes, turned=False)))


def _inputs(specs: Sequence[TensorSpec], sizes: Sizes, *, turned: bool) -> tuple[Array, ...]:
    """As the probe has them or, `turned`, at the other end of what they may be."""
    plain = probe(specs, sizes)
    return tuple(_turned(spec, plain[spec.name]) if turned else plain[spec.name] for spec in specs)


def _turned(spec: TensorSpec, array: Array) -> Array:
    if spec.dtype == "bool":
        return np.logical_not(array)
    if spec.range is None:
        return array if "int" in spec.dtype else np.negative(array)
    low, high = spec.range
    end = int(low) + int(high) if "int" in spec.dtype else low + high
    return np.subtract(end, array).astype(array.dtype)


def _answer(module: Any, inputs: Sequence[Array]) -> tuple[torch.Tensor, ...] | None:
    """None where it raises."""
    import torch

    torch.manual_seed(0)
    try:
        answer: tuple[torch.Tensor, ...] = module(*map(to_tensor, inputs))
    except Exception:
        return None
    return answer


def _wrong(
    wanted: Sequence[torch.Tensor], got: Sequence[torch.Tensor] | None, signature: Signature
) -> str:
    """What is wrong with an answer; empty where nothing is."""
    if got is None or len(got) != len(wanted):
        return "it fails"
    said = (_apart(want, have) for want, have in zip(wanted, got, strict=True))
    named = zip((spec.name for spec in signature.outputs), said, strict=True)
    return next((f"{name} {wrong}" for name, wrong in named if wrong), "")


def _apart(want: torch.Tensor, got: torch.Tensor) -> str:
    import torch

    if (want.shape, want.dtype) != (got.shape, got.dtype):
        return f"is {_shown(got)} where the model answers {_shown(want)}"
    exact = not want.is_floating_point()
    size = want.double().abs().nan_to_num(posinf=0).max().item() if want.numel() else 0.0
    off = NEAR * size
    if torch.allclose(
        got.double(), want.double(), rtol=0, atol=0 if exact else off, equal_nan=True
    ):
        return ""
    far = (got.double() - want.double()).abs().nan_to_num(posinf=0).max().item()
    return f"is off by {far:.2g} where the largest number is {size:.2g}"


def _shown(tensor: torch.Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"


def _burnt_in(how: str, wrong: str, sizes: Sizes, seen: bool) -> ConversionFailed:
    at = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    where = f"at {at}" if at and not seen else "with other values"
    return ConversionFailed(
        f"the TorchScript ({how}) answers otherwise than the model {where}: {wrong}",
        hint=TRACE_HINT if how == "trace" else SCRIPT_HINT,
    )


def _refused(error: Exception) -> str:
    """The reason and the line of the user's code, out of a text with many."""
    text = str(error).strip()
    why = re.split(r"\s*(?: at)?\s+File \"|\n", text)[0].strip(" :") or type(error).__name__
    places = [(file, int(line)) for file, line in _PLACE.findall(text)]
    own = [place for place in places if not is_installed(place[0])] or places
    if not own:
        return f"refuses it: {why}"
    file, line = own[0]
    code = linecache.getline(file, line).strip()
    return f"refuses {Path(file).name}, line {line}, `{code}`: {why}"
