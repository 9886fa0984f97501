"""Rewrites of an exported program: the same mathematics in operators that ExecuTorch carries.

In: a program and a Signature (some of its axes may be fixed or narrower than the program's). Out: a
program exported again, and what was rewritten. Nodes keep the module and the line of the user's
code. To add a rewrite: a function of the operator's arguments, and its line in `REWRITES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deploy_targets.records import DynamicAxis, Signature

if TYPE_CHECKING:
    import torch
    from torch.export import ExportedProgram
    from torch.fx import GraphModule, Node

LONG = 8
"""Steps of a recurrent layer above which it is not written out."""


@dataclass(frozen=True)
class Rewrite:
    """What takes an operator's place, when, and why."""

    why: str
    instead: Callable[..., Any]
    when: Callable[[Node], bool]


def again(
    program: ExportedProgram, signature: Signature, *, rewrite: bool
) -> tuple[ExportedProgram, list[str]]:
    """The program exported again for the axes of the signature. Raises what torch raises."""
    import torch

    module = program.module(check_guards=False)
    said = rewritten(module) if rewrite else []

    class Again(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.training = module, False

        def forward(self, *tensors: torch.Tensor) -> Any:
            # Each node leaves its module and its line in what is traced.
            with torch.fx.traceback.preserve_node_meta():
                return torch.fx.Interpreter(self.inner).run(*tensors)

    with torch.no_grad():
        made = torch.export.export(Again(), examples(signature), dynamic_shapes=_shapes(signature))
    return made, said


def same_axes(program: ExportedProgram, signature: Signature) -> bool:
    """Whether the program takes just what the signature says."""
    import torch

    ranges = {axis.name: axis for axis in signature.axes}
    for spec, value in zip(signature.inputs, inputs_of(program), strict=True):
        for dim, size in zip(spec.shape, value.shape, strict=True):
            if isinstance(size, torch.SymInt):
                axis = ranges.get(str(dim))
                known = program.range_constraints.get(size.node.expr)
                if axis is None or (known and not _within(axis, known)):
                    return False
    return True


def inputs_of(program: ExportedProgram) -> list[torch.Tensor]:
    """The tensors that stand for the user's inputs, in order."""
    names = set(program.graph_signature.user_inputs)
    return [node.meta["val"] for node in program.graph.nodes if node.name in names]


def rewritten(module: GraphModule) -> list[str]:
    """Rewrites in place; one sentence for each kind of rewrite."""
    said: dict[str, int] = {}
    for node in [node for node in module.graph.nodes if node.op == "call_function"]:
        why = _recurrent(module, node) or _flat_convolution(module, node) or _simple(node)
        if why:
            said[why] = said.get(why, 0) + 1
    module.graph.lint()
    module.recompile()
    return [f"{why} ({count} times)" if count > 1 else why for why, count in said.items()]


def long_recurrence(program: ExportedProgram) -> str:
    """The first recurrent layer of more than a few steps, "" where there is none."""
    from deploy_targets.converters.pte_recurrent import KINDS

    for node in program.graph.nodes:
        if str(node.target) in KINDS and (steps := _steps(node)) > LONG:
            return f"{node.target} of {steps} steps"
    return ""


def examples(signature: Signature, sizes: Mapping[str, int] | None = None) -> Any:
    """Inputs of these sizes, or such as exporters want: above 1, which they would burn in."""
    from deploy_targets.frontends.arrays import to_tensor
    from deploy_targets.frontends.signature import probe, sizes_to_run

    chosen = sizes if sizes is not None else sizes_to_run(signature.axes)[0]
    return tuple(map(to_tensor, probe(signature.inputs, chosen).values()))


def _within(axis: DynamicAxis, known: Any) -> bool:
    # An exporter may keep a lower bound of 2 for an axis that can well be 1.
    return bool(known.lower <= max(axis.minimum, 2) and known.upper == axis.maximum)


def _shapes(signature: Signature) -> Any:
    import torch

    dims = {
        axis.name: torch.export.Dim(f"axis_{index}", min=axis.minimum, max=axis.maximum)
        for index, axis in enumerate(signature.axes)
        if axis.minimum < axis.maximum
    }
    inputs = [
        {i: dims[str(dim)] for i, dim in enumerate(spec.shape) if str(dim) in dims}
        for spec in signature.inputs
    ]
    return (tuple(inputs),)


def _simple(node: Node) -> str:
    rule = REWRITES.get(str(node.target))
    if rule is None or not rule.when(node):
        return ""
    node.target = rule.instead
    return rule.why


def _recurrent(module: GraphModule, node: Any) -> str:
    from deploy_targets.converters import pte_recurrent

    kind = pte_recurrent.KINDS.get(str(node.target))
    if kind is None or _steps(node) < 2:
        return ""
    data, first, params, *options = node.args
    tensors = [_held(module, each) for each in params]
    # Dropout and whether it trains, the fourth and third from the end, say nothing in inference.
    if not pte_recurrent.takes(tensors, options, kind):
        return ""
    name = f"loop_{node.name}"
    module.add_submodule(name, pte_recurrent.Recurrent(kind, tensors, options))
    with module.graph.inserting_before(node):
        states = first if isinstance(first, (list, tuple)) else [first]
        call = module.graph.call_module(name, (data, *states))
    call.meta.update(node.meta)
    node.replace_all_uses_with(call)
    module.graph.erase_node(node)
    return f"{node.target} of {_steps(call)} steps is a loop, not written out"


def _flat_convolution(module: GraphModule, node: Any) -> str:
    """XNNPACK makes an image of a sequence itself, but not where two of its axes are dynamic."""
    if str(node.target) != "aten.conv1d.default" or len(_moving(node)) < 2:
        return ""
    data, weight, *rest = node.args
    held = _held(module, weight)
    if held is None:
        return ""
    name = f"{node.name}_weight"
    module.register_buffer(name, held.detach().unsqueeze(2).clone())
    with module.graph.inserting_before(node):
        node.args = (data, module.graph.get_attr(name), *rest)
    node.target = _conv1d
    return "a convolution along a sequence is one of images of height 1"


def _moving(node: Node) -> list[Any]:
    return [size for size in node.meta["val"].shape if not isinstance(size, int)]


def _conv1d(
    data: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    stride: Sequence[int] = (1,),
    padding: Sequence[int] = (0,),
    dilation: Sequence[int] = (1,),
    groups: int = 1,
) -> torch.Tensor:
    """`weight` has its axis of height already, so that it stays a constant."""
    import torch

    sizes = ([1, *stride], [0, *padding], [1, *dilation])
    return torch.conv2d(data.unsqueeze(2), weight, bias, *sizes, groups).squeeze(2)


def _held(module: GraphModule, node: Any) -> Any:
    """The tensor behind a get_attr; None where it is computed."""
    from operator import attrgetter

    return attrgetter(node.target)(module) if node.op == "get_attr" else None


def _steps(node: Any) -> int:
    """How long the sequence is, a dynamic one at its longest; 0 where it is not known."""
    value = node.args[0].meta.get("val") if node.args else None
    if value is None or value.dim() != 3:
        return 0
    batch_first = bool(node.args[-1]) if node.op == "call_function" else True
    size = value.shape[1 if batch_first else 0]
    return size if isinstance(size, int) else LONG + 1


def _prelu(data: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """max(x, 0) + weight * min(x, 0)"""
    import torch

    each = weight.reshape([-1] + [1] * (data.dim() - 2)) if data.dim() > 1 else weight
    return torch.relu(data) - each * torch.relu(-data)


def _amax(data: torch.Tensor, dim: Sequence[int] = (), keepdim: bool = False) -> torch.Tensor:
    axes = list(dim) or list(range(data.dim()))
    return data.amax(axes, keepdim=True).squeeze(axes)


def _amin(data: torch.Tensor, dim: Sequence[int] = (), keepdim: bool = False) -> torch.Tensor:
    axes = list(dim) or list(range(data.dim()))
    return data.amin(axes, keepdim=True).squeeze(axes)


def _max(data: torch.Tensor, dim: int, keepdim: bool = False) -> tuple[Any, None]:
    found = data.amax([dim], keepdim=True)
    return (found if keepdim else found.squeeze(dim)), None


def _plain_clone(data: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    return data.clone()


def _rank(node: Any) -> int:
    return int(node.args[0].meta["val"].dim())


def _drops_axes(node: Any) -> bool:
    return not (len(node.args) > 2 and node.args[2]) and not node.kwargs.get("keepdim")


def _only_first(node: Any) -> bool:
    return all(not user.users for user in node.users if user.args[1] != 0)


def _reorders(node: Any) -> bool:
    import torch

    plain = (None, torch.contiguous_format, torch.preserve_format)
    asked = [node.kwargs.get("memory_format"), *node.args[1:]]
    dtype = node.args[0].meta["val"].dtype
    return any(a not in plain for a in asked if isinstance(a, torch.memory_format)) and (
        node.meta["val"].dtype == dtype
    )


_ORDER = "a tensor stays in the order of its axes; only how it lay in memory was to change"
REWRITES = {
    "aten.prelu.default": Rewrite(
        "PReLU is relu(x) - weight * relu(-x): XNNPACK has it for images alone",
        _prelu,
        lambda node: _rank(node) != 4,
    ),
    "aten.amax.default": Rewrite(
        "amax keeps its axes, which are dropped after it", _amax, _drops_axes
    ),
    "aten.amin.default": Rewrite(
        "amin keeps its axes, which are dropped after it", _amin, _drops_axes
    ),
    "aten.max.dim": Rewrite("a maximum whose place is not asked is an amax", _max, _only_first),
    "aten.contiguous.default": Rewrite(_ORDER, _plain_clone, _reorders),
    "aten.clone.default": Rewrite(_ORDER, _plain_clone, _reorders),
    "aten.to.dtype": Rewrite(_ORDER, _plain_clone, _reorders),
    "aten._to_copy.default": Rewrite(_ORDER, _plain_clone, _reorders),
}
"""Operator -> what takes its place."""
