"""PyTorch (.pt2) -> TensorFlow Lite by litert-torch, in a child process.

In: an Order whose graph is of Dialect.EXPORTED. Out: what `tflite.py` says. Names are the model's
own wherever they are Python names. 64 bits become 32, and the ports say so. The bytes do not
depend on the folder.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.converters import exported_operators, tflite, tflite_halved
from deploy_targets.converters.tflite import Converted, Named, Order
from deploy_targets.errors import UnsupportedModel
from deploy_targets.integrations import worker
from deploy_targets.records import TensorSpec
from deploy_targets.workspace import Workspace

if TYPE_CHECKING:
    import torch
    from torch.export import ExportedProgram

LOCK = "litert_torch"
PACKAGES = ("litert-torch", "litert-converter", "ai-edge-litert")
WHO = "litert-torch"

_NOT_LOWERED = re.compile(r"Lowering not found: (\S+)")
_WHILE = re.compile(r"While executing .*?target=torch\.ops\.([\w.]+)", re.DOTALL)


def convert(
    order: Order, folder: Path, workspace: Workspace, *, timeout: float = worker.TIMEOUT
) -> Converted:
    """Writes model.tflite and entries.json into `folder`.

    Raises UnsupportedModel naming the operator that cannot be carried, ConversionFailed for a crash
    or the time limit, ToolMissing where litert-torch cannot be had.
    """
    worker.call(
        f"{__name__}:export",
        {"order": tflite.packed(order), "folder": str(folder.absolute())},
        who=WHO,
        timeout=timeout,
        path=tflite.path(LOCK, workspace),
        log=folder / tflite.LOG,
    )
    return tflite.read(folder)


def export(order: dict[str, Any], folder: str) -> None:
    """The child's half: converts, then reads back what the file says of itself."""
    from deploy_targets.frontends.exported import read

    asked, file = tflite.unpacked(order), Path(folder, tflite.FILE)
    program = read(asked.graph.folder / "model.pt2")
    if found := exported_operators.complex_numbers(program):
        raise _unsupported(found)
    wanted = asked.signature
    names = Named(_safe_names(wanted.inputs, "input"), _safe_names(wanted.outputs, "output"))
    _write(program, asked, names, file)
    notes = tflite_halved.halve(file) if asked.half else ()
    used = (*PACKAGES, tflite_halved.PACKAGE) if asked.half else PACKAGES
    tools = {name: version(name) for name in used}
    tflite.write(asked, Path(folder), names, who=WHO, tools=tools, notes=notes)


def _write(program: ExportedProgram, asked: Order, names: Named, file: Path) -> None:
    import litert_torch  # type: ignore[import-not-found,unused-ignore]

    module = _by_name(program, asked, names)
    converter: Any = litert_torch
    try:
        for entry in asked.entries:
            examples = _examples(asked, names.inputs, entry.sizes)
            converter = converter.signature(entry.name, module, sample_kwargs=examples)
        converter.convert().export(str(file))
    except Exception as error:
        raise _refused(error, program) from error


def _safe_names(specs: Sequence[TensorSpec], kind: str) -> list[str]:
    """A tensor's own name where the exporter can have an argument of that name; else a number."""
    own = [spec.name for spec in specs]
    return [
        name if name.isidentifier() and not keyword.iskeyword(name) else _free(f"{kind}_{i}", own)
        for i, name in enumerate(own)
    ]


def _free(name: str, taken: Sequence[str]) -> str:
    return name if name not in taken else _free(f"{name}_", taken)


def _by_name(program: ExportedProgram, asked: Order, names: Named) -> torch.nn.Module:
    """The program as a module that is called by name, in the layouts ordered; answers by name."""
    import torch

    _drop_detaching(program)
    _write_out_prelu(program)
    run: Callable[..., Sequence[torch.Tensor]] = program.module()
    layouts = [asked.layouts.get(spec.name) for spec in asked.signature.inputs]

    class ByName(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.program = run
            # An exported module refuses .eval(): its mode is burnt in.
            self.training = False

        def forward(self, /, **tensors: torch.Tensor) -> dict[str, torch.Tensor]:
            given = zip((tensors[name] for name in names.inputs), layouts, strict=True)
            answers = self.program(*(_back(tensor, axes) for tensor, axes in given))
            return dict(zip(names.outputs, answers, strict=True))

    return ByName()


def _drop_detaching(program: ExportedProgram) -> None:
    """Takes out aten.detach_, which a torch.tensor() in forward leaves in the graph.

    It does nothing to the numbers, and the tool, which traces the program again, meets a view there
    that it cannot detach in place.
    """
    import torch

    graph = program.graph_module.graph
    for node in graph.find_nodes(op="call_function", target=torch.ops.aten.detach_.default):
        node.replace_all_uses_with(node.args[0])
        graph.erase_node(node)
    program.graph_module.recompile()


def _write_out_prelu(program: ExportedProgram) -> None:
    """Writes aten.prelu as relu(x) + slope * min(x, 0), which is the same number for number.

    The tool writes relu(x) - slope * relu(-x), and takes the minus into the layer before it, which
    then lies in the file twice.
    """
    import torch

    aten, graph = torch.ops.aten, program.graph_module.graph
    for node in graph.find_nodes(op="call_function", target=aten.prelu.default):
        x, slope = node.args
        rank = x.meta["val"].ndim
        shape = [-1, *[1] * (rank - 2)] if rank else []  # the channels lie on the second axis
        with graph.inserting_before(node):
            along = graph.call_function(aten.reshape.default, (slope, shape))
            below = graph.call_function(aten.clamp_max.default, (x, 0.0))
            scaled = graph.call_function(aten.mul.Tensor, (below, along))
            above = graph.call_function(aten.relu.default, (x,))
            written = graph.call_function(aten.add.Tensor, (above, scaled))
        node.replace_all_uses_with(written)
        graph.erase_node(node)
    program.graph_module.recompile()


def _back(tensor: torch.Tensor, axes: Sequence[int] | None) -> torch.Tensor:
    """From the artifact's layout to the model's."""
    return tensor if axes is None else tensor.permute([axes.index(i) for i in range(len(axes))])


def _examples(
    asked: Order, names: Sequence[str], sizes: Mapping[str, int]
) -> dict[str, torch.Tensor]:
    from deploy_targets.frontends.arrays import to_tensor
    from deploy_targets.frontends.signature import probe

    arrays = probe(asked.signature.inputs, sizes)
    lying = [
        array.transpose(asked.layouts.get(name, range(array.ndim)))
        for name, array in arrays.items()
    ]
    return {name: to_tensor(array) for name, array in zip(names, lying, strict=True)}


def _refused(error: Exception, program: ExportedProgram) -> Exception:
    """UnsupportedModel where the tool names an operator; else the error as it is."""
    said = str(error)
    if not (found := _NOT_LOWERED.search(said) or _WHILE.search(said)):
        return error
    every = _not_lowered(program) if _NOT_LOWERED.search(said) else []
    return _unsupported(every or [f"{found[1]} has no TensorFlow Lite form"])


def _not_lowered(program: ExportedProgram) -> list[str]:
    """All operators that the tool cannot carry: it names the first, and not where it comes from."""
    # Asked only now, for the decomposition takes as long as a part of the conversion.
    from litert_torch import fx_infra  # type: ignore[import-not-found,unused-ignore]
    from litert_torch.backend import lowerings  # type: ignore[import-not-found,unused-ignore]

    plain = fx_infra.safe_run_decompositions(program, fx_infra.decomp.pre_lower_decomp())
    return exported_operators.not_lowered(plain, lambda op: lowerings.lookup(op) is not None)


def _unsupported(found: Sequence[str]) -> UnsupportedModel:
    return UnsupportedModel(
        f"litert-torch cannot convert it: {'; '.join(found)}",
        hint="write it with other operators, or use a runtime that takes ONNX",
    )
