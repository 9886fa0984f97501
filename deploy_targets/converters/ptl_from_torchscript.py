"""TorchScript -> a .ptl for PyTorch's lite interpreter, in a child process.

In: an Order whose graph is of Dialect.TORCHSCRIPT. Out: what `ptl.py` says.

The most is done to the module that leaves its answers what they are: frozen and rewritten for
XNNPACK, else frozen, else as it is; what was not done is said. To add a way: a line in `WAYS`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.converters import ptl, ptl_numbers
from deploy_targets.converters.ptl import CAST, Converted, Order, carried
from deploy_targets.errors import ConversionFailed, UnsupportedModel
from deploy_targets.integrations import worker
from deploy_targets.records import Signature

if TYPE_CHECKING:
    import torch

WHO = "the converter to the lite interpreter"
UNRUN = {"FORK": "torch.jit.fork", "ENTER": "`with` blocks"}
"""Instruction that the lite interpreter lacks -> what it is in Python."""
NEAR = 1e-3
"""How far answers may be apart, relative to the largest of them: the judge looks closer."""
_NOT_RUN = re.compile(r"(\w+) is not supported in mobile module")
_CLASS = re.compile(r"problematic type is: (?:__torch__\.)?([\w.]+)")
_ASSERTED = "please report a bug to PyTorch. "


def convert(order: Order, folder: Path, *, timeout: float = worker.TIMEOUT) -> Converted:
    """Writes model.ptl and entries.json into `folder`.

    Raises UnsupportedModel with what the lite interpreter cannot run, ConversionFailed for a crash
    or the time limit.
    """
    arguments = {"order": ptl.packed(order), "folder": str(folder.absolute())}
    log = folder / ptl.LOG
    worker.call(f"{__name__}:export", arguments, who=WHO, timeout=timeout, log=log)
    return ptl.read(folder)


def export(order: dict[str, Any], folder: str) -> None:
    """The child's half: converts, then reads back what the file says of itself."""
    import torch
    from torch.jit import mobile

    asked, file = ptl.unpacked(order), Path(folder, ptl.FILE)
    with torch.no_grad(), warnings.catch_warnings():
        # That TorchScript and its interpreter are deprecated is known, and said elsewhere.
        warnings.simplefilter("ignore", DeprecationWarning)
        notes = _best(_given(asked), asked, file)
        made = Converted(
            ptl.entry(asked.signature),
            {"torch": str(torch.__version__).partition("+")[0]},
            mobile._get_model_bytecode_version(str(file)),
            tuple(sorted(mobile._export_operator_list(_opened(file)))),
            tuple(notes),
        )
    ptl.write(made, Path(folder))


def _given(asked: Order) -> Any:
    """The captured module, with the casts of the boundary where there are any."""
    import torch

    load: Any = torch.jit.load  # untyped
    module = load(asked.graph.folder / "model.pt", map_location="cpu").eval()
    specs = (*asked.signature.inputs, *asked.signature.outputs)
    if not any(spec.dtype in CAST for spec in specs):
        return module
    trace: Any = torch.jit.trace
    # What it wraps is TorchScript and stays whole, so nothing of the example is burnt in.
    example = next(_questions(asked.signature))
    return trace(_cast(module, asked.signature), example, check_trace=False).eval()


def _cast(module: Any, signature: Signature) -> torch.nn.Module:
    import torch

    takes = [getattr(torch, spec.dtype) for spec in signature.inputs]
    gives = [getattr(torch, carried(s.dtype)) for s in signature.outputs]

    class Cast(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = module

        def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
            own = (tensor.to(dtype) for tensor, dtype in zip(tensors, takes, strict=True))
            answers = zip(self.model(*own), gives, strict=True)
            return tuple(answer.to(dtype) for answer, dtype in answers)

    return Cast()


def _best(module: Any, asked: Order, file: Path) -> list[str]:
    """Writes the file in the first of the ways that is right; what was not done, in words."""
    ways = WAYS if asked.freeze else WAYS[-1:]
    wanted = [(inputs, _answer(module, inputs)) for inputs in _questions(asked.signature)]
    # Before it is frozen: then weights are constants, too.
    ptl_numbers.restore(module.graph)
    said: list[str] = []
    for name, make in ways:
        try:
            make(module)._save_for_lite_interpreter(str(file))
            wrong = _wrong(file, wanted, asked.signature)
        except RuntimeError as error:
            if name == AS_IS:
                raise _refused(error) from error
            wrong = _reason(error)
        if not wrong:
            return said
        said.append(f"{name} was not used: {wrong}")
    raise ConversionFailed(
        f"the lite interpreter answers otherwise than TorchScript: {wrong}",
        hint="build for executorch, which takes the model from torch.export",
    )


def _optimized(module: Any) -> Any:
    import torch
    from torch.utils.mobile_optimizer import optimize_for_mobile

    try:
        return optimize_for_mobile(torch.jit.freeze(module))
    except RuntimeError as error:
        if "XNNPACK is not enabled" not in str(error):
            raise
        raise RuntimeError("this PyTorch is built without XNNPACK") from error


def _frozen(module: Any) -> Any:
    import torch

    return torch.jit.freeze(module)


AS_IS = "the module as it is"
WAYS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("optimize_for_mobile", _optimized),
    ("torch.jit.freeze", _frozen),
    (AS_IS, lambda module: module),
)
"""The best first."""


def _questions(signature: Signature) -> Iterator[tuple[torch.Tensor, ...]]:
    """Inputs at several sizes, as the file takes them."""
    from deploy_targets.frontends.arrays import to_tensor
    from deploy_targets.frontends.signature import probe, sizes_to_run

    for sizes in sizes_to_run(signature.axes):
        arrays = probe(signature.inputs, sizes)
        yield tuple(
            to_tensor(arrays[spec.name].astype(carried(spec.dtype))) for spec in signature.inputs
        )


def _answer(module: Any, inputs: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
    import torch

    torch.manual_seed(0)
    answer: Sequence[torch.Tensor] = module(*(tensor.clone() for tensor in inputs))
    return answer


def _wrong(file: Path, wanted: Sequence[tuple[Any, Any]], signature: Signature) -> str:
    """What is wrong with the file's answers; empty where nothing is."""
    module = _opened(file)
    for inputs, want in wanted:
        for spec, one, other in zip(signature.outputs, want, _answer(module, inputs), strict=True):
            if not _alike(one, other):
                return f"the answer {spec.name} changes"
    return ""


def _opened(file: Path) -> Any:
    from torch.jit import mobile

    load: Any = mobile._load_for_lite_interpreter  # untyped
    return load(str(file))


def _alike(want: torch.Tensor, got: torch.Tensor) -> bool:
    import torch

    if (want.shape, want.dtype) != (got.shape, got.dtype):
        return False
    if not want.is_floating_point():
        return torch.equal(want, got)
    finite = want.double().abs().nan_to_num(posinf=0.0)
    off = NEAR * (finite.max().item() if want.numel() else 0.0)
    return torch.allclose(want.double(), got.double(), rtol=0, atol=off, equal_nan=True)


def _refused(error: RuntimeError) -> UnsupportedModel:
    return UnsupportedModel(
        f"the lite interpreter cannot run it: {_reason(error)}",
        hint="write it without, or build for executorch",
    )


def _reason(error: RuntimeError) -> str:
    """What was wrong, without the stacks of C++ and TorchScript."""
    if found := _NOT_RUN.match(str(error)):
        return f"it has no {UNRUN.get(found[1], found[1])}"
    if found := _CLASS.search(str(error)):
        return f"it takes no classes that are no modules, and {found[1]} is one"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1] if "Traceback of TorchScript" in str(error) else lines[0]
    return last.rpartition(_ASSERTED)[2].removeprefix("RuntimeError: ").rstrip(". ")
