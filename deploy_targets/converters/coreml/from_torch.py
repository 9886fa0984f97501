"""PyTorch (.pt2 or TorchScript) -> Core ML by coremltools, in a child process.

In: an Order whose graph is of Dialect.EXPORTED or TORCHSCRIPT. Out: what `coreml` says. Names
are the model's own wherever a package can have them. 64 bits become 32 and flags become int32, and
the ports say so. Nothing here can run a package: `checked` holds all that can be read of it
against the order and against the original's weights. The bytes do not depend on the folder.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.converters import coreml, exported_operators
from deploy_targets.converters.coreml import Converted, Order
from deploy_targets.errors import ConversionFailed, UnsupportedModel
from deploy_targets.integrations import worker
from deploy_targets.records import Dialect, Dim, Entry, Port
from deploy_targets.workspace import Workspace

if TYPE_CHECKING:
    from torch.export import ExportedProgram

WHO = "coremltools"
UNASKED = ("tensorflow", "sklearn", "xgboost", "libsvm", "transformers", "executorch", "torchao")
"""What it imports wherever it is installed, to tell of it: ten seconds, and no word of use."""
_MISSING = re.compile(r"(?:convert function for op '|Unsupported fx node .*, kind )(\w+)")
_AT = re.compile(r"converting '([^']+)' op \(located at: '([^']*)'\)")


def convert(
    order: Order, folder: Path, workspace: Workspace, *, timeout: float = worker.TIMEOUT
) -> Converted:
    """Writes model.mlpackage and entries.json into `folder`.

    Raises UnsupportedModel naming the operator that cannot be carried; ConversionFailed for a
    package that is not what was ordered, naming the tensor, for a crash or the time limit;
    ToolMissing where coremltools cannot be had.
    """
    worker.call(
        f"{__name__}:export",
        {"order": coreml.packed(order), "folder": str(folder.absolute())},
        who=WHO,
        timeout=timeout,
        path=coreml.path(workspace),
        log=folder / coreml.LOG,
    )
    return coreml.read(folder)


def export(order: dict[str, Any], folder: str) -> None:
    """The child's half: converts, then holds what the package says against the order."""
    asked, home = coreml.unpacked(order), Path(folder)
    _refuse(coreml.problems(asked.signature))
    quieten()
    from deploy_targets.converters.coreml import checked, constants
    from deploy_targets.converters.coreml.package import save

    given = _read(asked)
    ports = coreml.ports(asked)
    package = home / coreml.FOLDER
    model = _converted(given, asked, *ports)
    save(model, package)
    notes = checked.check(package, asked, constants.of(given))
    tools = {name: version(name) for name in (WHO, "torch")}
    coreml.write(home, Converted((Entry(coreml.ENTRY, *ports),), tools, notes))


def quieten() -> None:
    """Lets coremltools find none of the frameworks that have no part in this."""
    for name in UNASKED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def _refuse(found: Sequence[str]) -> None:
    if found:
        raise UnsupportedModel(
            f"no .mlpackage can be made of it: {'; '.join(found)}",
            hint="give it a shape and a dtype that Core ML has: float32, float16 or int32",
        )


def _read(asked: Order) -> Any:
    """The program, or the module, that lies in the graph's folder, in the layouts ordered."""
    from deploy_targets.converters.coreml import turned

    if asked.graph.dialect is Dialect.EXPORTED:
        from deploy_targets.frontends.exported import read

        program = read(asked.graph.folder / "model.pt2")
        if found := exported_operators.complex_numbers(program):
            raise _unsupported(found)
        return turned.program(program.run_decompositions({}), asked)
    import torch

    load: Callable[..., torch.jit.ScriptModule] = torch.jit.load
    module = load(asked.graph.folder / "model.pt").eval()
    graph: Any = module.inlined_graph
    if graph.findNode("prim::If"):
        # A scripted layer asks for its own settings, some of which are words: no Core ML has them.
        freeze: Callable[..., torch.jit.ScriptModule] = torch.jit.freeze
        module = freeze(module, optimize_numerics=False)
    return turned.module(module, asked)


def _converted(given: Any, asked: Order, inputs: Sequence[Port], outputs: Sequence[Port]) -> Any:
    """The package, still in memory."""
    import coremltools as ct  # type: ignore[import-not-found,unused-ignore]

    from deploy_targets.converters.coreml import operators

    operators.register()
    heard = _Heard()
    logging.getLogger(WHO).addHandler(heard)
    try:
        return ct.convert(
            given,
            inputs=[_tensor_type(ct, port, asked) for port in inputs],
            outputs=[ct.TensorType(name=p.spec.name, dtype=_mil(ct, p)) for p in outputs],
            convert_to="mlprogram",
            minimum_deployment_target=ct.target[asked.minimum],
            pass_pipeline=operators.passes(given),
            compute_precision=ct.precision.FLOAT16 if asked.half else ct.precision.FLOAT32,
            skip_model_load=True,
        )
    except Exception as error:
        raise _reason(error, given, heard.where) from error


def _tensor_type(ct: Any, port: Port, asked: Order) -> Any:
    axes = {axis.name: axis for axis in asked.signature.axes}

    def size(dim: Dim) -> Any:
        if isinstance(dim, int):
            return dim
        axis = axes[dim]
        if axis.minimum == axis.maximum:
            return axis.minimum
        return ct.RangeDim(axis.minimum, axis.maximum, default=axis.minimum)

    shape = ct.Shape([size(dim) for dim in port.spec.shape])
    return ct.TensorType(name=port.spec.name, shape=shape, dtype=_mil(ct, port))


def _mil(ct: Any, port: Port) -> Any:
    from coremltools.converters.mil.mil import (  # type: ignore[import-not-found,unused-ignore]
        types,
    )

    return {"float32": types.fp32, "float16": types.fp16, "int32": types.int32}[port.spec.dtype]


class _Heard(logging.Handler):
    """What coremltools tells its log alone: the operator at which it stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.where: tuple[str, str] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if found := _AT.search(record.getMessage()):
            self.where = (found[1], found[2])


def _reason(error: Exception, given: Any, where: tuple[str, str] | None) -> Exception:
    """UnsupportedModel where an operator is lacking; else what failed, and at which operator."""
    if found := _MISSING.search(str(error)):
        return _unsupported(_lacking(given) or [f"{found[1]} has no Core ML form{_in(where)}"])
    if where is None:
        return error
    place = _origin(given, where[1])
    return ConversionFailed(
        f"{WHO} failed at {where[0]} {place}: {type(error).__name__}: {error}".replace(" :", ":"),
        hint="another way of conversion may work; if it is the last, write this part otherwise",
    )


def _in(where: tuple[str, str] | None) -> str:
    return f" in {where[1].replace('/', '.')}" if where and where[1] else ""


def _lacking(given: Any) -> list[str]:
    """All operators of a program that it cannot carry: it names the first alone."""
    from coremltools.converters.mil.frontend.torch import (  # type: ignore[import-not-found,unused-ignore]
        torch_op_registry,
    )

    if not hasattr(given, "graph_module"):
        return []
    known = torch_op_registry._TORCH_OPS_REGISTRY.get_func
    said = (
        f"{str(node.target).removesuffix('.default')} has no Core ML form "
        f"{exported_operators.origin(node)}".strip()
        for node in given.graph.nodes
        if node.op == "call_function" and known(node.target.__name__) is None
    )
    return [*dict.fromkeys(said)]


def _origin(given: Any, name: str) -> str:
    """Where the operator of that name comes from, as far as is known."""
    if not hasattr(given, "graph_module"):
        return f"in {name.replace('/', '.')}" if name else ""
    program: ExportedProgram = given
    nodes = (node for node in program.graph.nodes if node.name == name)
    return next((exported_operators.origin(node) for node in nodes), "")


def _unsupported(found: Sequence[str]) -> UnsupportedModel:
    return UnsupportedModel(
        f"coremltools cannot convert it: {'; '.join(found)}",
        hint="write it with other operators, or use a runtime that takes ONNX",
    )
