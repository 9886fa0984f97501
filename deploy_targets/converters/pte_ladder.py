"""The ways of lowering a program, in the order in which they are tried, and one of them walked.

In: an exported program, the order, and the step to begin with. Out: model.pte of the first step
that ExecuTorch's tools do not refuse, and what was done and why, for the report. A file that then
fails in the runtime is made again, beginning with the step after. To add a step: a line in STEPS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.converters import exported_operators, pte, pte_report, pte_rewrites
from deploy_targets.converters.pte_delegation import Kept, culprits, operator, partitioner
from deploy_targets.errors import DeployError, UnsupportedModel
from deploy_targets.records import Signature

if TYPE_CHECKING:
    from torch.export import ExportedProgram

_OPERATOR = re.compile(r"aten(?:\.|::)(\w+)")
ATTEMPTS = 12
"""How often operators are kept out of the delegate before that step is given up."""
WORDS = 300
"""Characters that the report quotes of an exception."""


@dataclass(frozen=True)
class Step:
    """One way of lowering."""

    name: str
    delegate: bool = False
    rewrite: bool = False
    learn: bool = False
    """Keeps out of the delegate what its lowering fails on, and tries again."""
    sums_alone: bool = False
    """Delegates nothing but what multiplies and adds."""
    spells_out: bool = False
    """Recurrent layers may be written out, however long they are."""
    unchecked: bool = False
    """Operators outside of ATen's core are left to whatever kernel there is for them."""


PORTABLE = (
    Step("portable kernels", rewrite=False),
    Step("portable kernels, rewritten", rewrite=True),
    Step("portable kernels, loops written out", spells_out=True),
    Step("portable kernels, beyond ATen's core", rewrite=True, unchecked=True),
)
STEPS = {
    "xnnpack": (
        Step("plain", delegate=True),
        Step("rewritten", delegate=True, rewrite=True),
        Step("some operators kept out", delegate=True, rewrite=True, learn=True),
        Step("sums alone", delegate=True, rewrite=True, learn=True, sums_alone=True),
        *PORTABLE,
    ),
    "portable": PORTABLE,
}


@dataclass
class Walk:
    """What was tried so far, and what was done in the step that is tried now."""

    program: ExportedProgram
    signature: Signature
    tried: list[dict[str, str]] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    kept: Kept = field(default_factory=Kept)

    def missed(self, step: Step, why: str) -> None:
        """One step that led nowhere."""
        self.tried.append({"step": step.name, "why not": why[:WORDS]})


def climb(
    program: ExportedProgram, order: pte.Order, begin: int, file: Path
) -> tuple[int, dict[str, Any]]:
    """Writes the file. Returns the number of the step that did it, and the report.

    Raises UnsupportedModel where no step is left, with the reason of the last.
    """
    walk = Walk(program, pte.settled(order))
    steps = STEPS[order.backend]
    last: Exception | None = None
    for number, step in list(enumerate(steps))[begin:]:
        try:
            report = _step(walk, step, file)
        except DeployError:
            raise
        except Exception as error:
            last = error
            walk.missed(step, _words(error))
            continue
        if report is not None:
            return number, {"backend": order.backend, "tried": walk.tried, **report}
    raise _refused(last, program)


def _step(walk: Walk, step: Step, file: Path) -> dict[str, Any] | None:
    """The report, None where the step does not apply. Raises what the tools raise."""
    long = pte_rewrites.long_recurrence(walk.program)
    if long and not step.rewrite and not step.spells_out:
        walk.missed(step, f"{long} would be written out, which takes minutes; it is made a loop")
        return None
    if step.spells_out and not long:
        return None
    program, walk.done = _prepared(walk, step)
    if step.rewrite and not walk.done and not step.learn and not step.unchecked:
        walk.missed(step, "nothing of it is known to need a rewrite")
        return None
    walk.kept = Kept(sums_alone=step.sums_alone)
    lower = _learning if step.learn else _lowered
    return _written(walk, step, program, lower(walk, step, program), file)


def _prepared(walk: Walk, step: Step) -> tuple[ExportedProgram, list[str]]:
    """The program as it is where it is as ordered; else exported again."""
    if not step.rewrite and pte_rewrites.same_axes(walk.program, walk.signature):
        return walk.program, []
    return pte_rewrites.again(walk.program, walk.signature, rewrite=step.rewrite)


def _lowered(walk: Walk, step: Step, program: ExportedProgram) -> Any:
    from executorch.exir import (  # type: ignore[import-not-found,unused-ignore]
        EdgeCompileConfig,
        to_edge_transform_and_lower,
    )

    parts = [partitioner(walk.kept)] if step.delegate else None
    config = EdgeCompileConfig(_check_ir_validity=not step.unchecked)
    return to_edge_transform_and_lower(
        {pte.METHOD: program}, partitioner=parts, compile_config=config
    )


def _learning(walk: Walk, step: Step, program: ExportedProgram) -> Any:
    """Keeps out what the lowering fails on, one operator after the other."""
    for _ in range(ATTEMPTS):
        try:
            return _lowered(walk, step, program)
        except Exception as error:
            more = walk.kept.and_also(culprits(error))
            if more == walk.kept:
                raise
            walk.kept = more
            walk.done.append(f"kept out of the delegate for: {_words(error)}")
    return _lowered(walk, step, program)


def _written(
    walk: Walk, step: Step, program: ExportedProgram, edge: Any, file: Path
) -> dict[str, Any]:
    from deploy_targets.converters.pte_loops import resizing

    sizes = pte_report.sizes_of(program, walk.signature)
    # Before it is written: that changes the names of its operators.
    operators = pte_report.operators(edge.exported_program(), sizes)
    with resizing():
        made = edge.to_executorch()
    plan = made._emitter_output.program.execution_plan[0]
    _check_memory(pte_report.planned(plan), walk.signature)
    _check_kernels(plan, edge.exported_program())
    file.write_bytes(made.buffer)
    return {
        "step": step.name,
        "done": walk.done,
        "kept_out": walk.kept.said(),
        **operators,
        "delegates": len(plan.delegates),
        "planned_bytes": pte_report.planned(plan),
    }


def _check_memory(planned: int, signature: Signature) -> None:
    if planned > pte.LARGEST_ARENA and signature.axes:
        ranges = ", ".join(f"{a.name} = [{a.minimum}, {a.maximum}]" for a in signature.axes)
        raise UnsupportedModel(
            f"its memory is planned for the largest sizes of {ranges}, and would take "
            f"{planned:,} bytes; at most {pte.LARGEST_ARENA:,} are allowed",
            hint="narrow the range of an axis in [axes] of deploy.toml, or give it one size",
        )


def _check_kernels(plan: Any, lowered: ExportedProgram) -> None:
    """Raises UnsupportedModel for operators that the runtime has no kernel for."""
    from executorch.runtime import Runtime  # type: ignore[import-not-found,unused-ignore]

    known = Runtime.get().operator_registry.operator_names
    names = {f"{op.name}.{op.overload}".rstrip(".") for op in plan.operators}
    if missing := sorted(names - set(known)):
        short = [name.removeprefix("aten::").partition(".")[0] for name in missing]
        nodes = [n for n in lowered.graph.nodes if any(s in str(n.target) for s in short)]
        found = dict.fromkeys(
            f"{operator(node)} has no kernel {exported_operators.origin(node)}" for node in nodes
        )
        raise MissingKernel("; ".join(found) or f"no kernel for {', '.join(missing)}")


class MissingKernel(Exception):
    """ExecuTorch's runtime does not have what the program calls."""


def _refused(error: Exception | None, program: ExportedProgram) -> UnsupportedModel:
    said = str(error) if isinstance(error, MissingKernel) else _words(error)
    where = "" if isinstance(error, MissingKernel) else _where(said, program)
    return UnsupportedModel(
        f"ExecuTorch cannot carry it: {said}{where}",
        hint="write it with other operators, or use a runtime that takes ONNX",
    )


def _where(said: str, program: ExportedProgram) -> str:
    """The lines that made the operators which an exception names."""
    names = set(_OPERATOR.findall(said))
    found = [
        f"{operator(node)} {exported_operators.origin(node)}"
        for node in (program.run_decompositions({}).graph.nodes if names else ())
        if node.op == "call_function" and operator(node).partition(".")[0] in names
    ]
    return f" ({'; '.join(dict.fromkeys(found))})" if found else ""


def _words(error: Exception | None) -> str:
    """The first cause of an exception, for one line."""
    if error is None:
        return "no way of lowering is left"
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    said = " ".join(str(cause).split())
    return f"{type(cause).__name__}: {said}"[:WORDS]
