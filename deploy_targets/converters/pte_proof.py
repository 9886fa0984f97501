"""Asks a .pte in ExecuTorch's own runtime, in a process of its own: it may crash.

In: the file, and a folder of questions with the answers of the program that it was made of, one
safetensors file for each size. Out: how far its answers are from those, or how it failed. This is
no verdict on the artifact, only a reason to convert it in another way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.records import Signature

if TYPE_CHECKING:
    import torch
    from torch.export import ExportedProgram

NEAR = 1e-3
"""Relative L2 within which it computes the same; nonsense is far beyond it."""
JUMPS = 0.1
"""Share of integers that may differ: those of near ties."""
SMALL = 2**28
"""Bytes of planned memory up to which the largest sizes are asked too."""


def questions(
    program: ExportedProgram, signature: Signature, planned: int, folder: Path
) -> list[str]:
    """Writes them, and returns their names: "batch=1,time=7"."""
    import torch
    from safetensors.torch import save_file

    from deploy_targets.converters.pte_rewrites import examples

    run = program.module(check_guards=False)
    names: list[str] = []
    for sizes in _sizes(signature, planned):
        given = examples(signature, sizes)
        with torch.no_grad():
            answers = run(*given)
        name = ",".join(f"{axis}={size}" for axis, size in sizes.items()) or "as it is"
        held = {f"in{i}": each for i, each in enumerate(given)}
        held |= {f"out{i}": each.contiguous().clone() for i, each in enumerate(answers)}
        save_file(held, folder / f"{len(names)}.safetensors")
        names.append(name)
    return names


def ask(file: str, folder: str, names: list[str]) -> dict[str, Any]:
    """The child: loads the file, asks it everything. `wrong` is "" where all answers are near."""
    from executorch.runtime import Runtime  # type: ignore[import-not-found,unused-ignore]

    method = Runtime.get().load_program(Path(file)).load_method("forward")
    worst = 0.0
    for index, name in enumerate(names):
        given, wanted = _read(Path(folder, f"{index}.safetensors"))
        said = method.execute(given)
        for number, problem in enumerate(_problems(said, wanted)):
            if isinstance(problem, str):
                return {"wrong": f"at {name}, output {number}: {problem}", "worst": None}
            worst = max(worst, problem)
    return {"wrong": "", "worst": worst}


def _sizes(signature: Signature, planned: int) -> list[dict[str, int]]:
    """Such as tell axes apart, then all at their smallest and, where it fits, at their largest."""
    from deploy_targets.frontends.signature import sizes_to_run

    every = [dict(sizes) for sizes in sizes_to_run(signature.axes)]
    every.append({axis.name: axis.minimum for axis in signature.axes})
    if planned <= SMALL:
        every.append({axis.name: axis.maximum for axis in signature.axes})
    return [sizes for index, sizes in enumerate(every) if sizes not in every[:index]]


def _read(file: Path) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    from safetensors.torch import load_file

    held = load_file(file)

    def side(kind: str) -> list[torch.Tensor]:
        return [held[f"{kind}{i}"] for i in range(sum(key.startswith(kind) for key in held))]

    return side("in"), side("out")


def _problems(
    said: Sequence[torch.Tensor], wanted: Sequence[torch.Tensor]
) -> Iterator[str | float]:
    """Per output how far it is, or in words what is wrong with it."""
    if len(said) != len(wanted):
        yield f"{len(said)} outputs, expected {len(wanted)}"
        return
    for own, other in zip(said, wanted, strict=True):
        if own.dtype != other.dtype or own.shape != other.shape:
            yield f"{own.dtype}{list(own.shape)}, expected {other.dtype}{list(other.shape)}"
        else:
            off, most = _off(own, other)
            yield off if off <= most else f"{off:.1e} from the program's answer"


def _off(own: torch.Tensor, other: torch.Tensor) -> tuple[float, float]:
    """How far, and how far it may be."""
    import torch

    if own.numel() == 0:
        return 0.0, NEAR
    if not own.is_floating_point():
        return float((own != other).double().mean()), JUMPS if own.numel() > 1 else 1.0
    a, b = own.double(), other.double()
    alike = (a == b) | (a.isnan() & b.isnan())
    a, b = torch.where(alike, 0.0, a), torch.where(alike, 0.0, b)
    # Loose for half of the bits.
    near = NEAR if own.dtype in (torch.float32, torch.float64) else 30 * NEAR
    scale = float(torch.nan_to_num(other.double(), 0.0, 0.0, 0.0).norm())
    off = float((a - b).norm()) / scale if scale else float((a - b).abs().max())
    # Written so that NaN is far.
    return (off if off <= near else max(off, 2 * near)) if off == off else float("inf"), near
