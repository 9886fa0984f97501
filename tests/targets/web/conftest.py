"""What the tests of this target share: a site that was built once, without being run."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Dialect, DynamicAxis, Graph, Prepared, Signature, TensorSpec
from deploy_targets.targets.web.target import Web
from deploy_targets.testing import zoo
from deploy_targets.workspace import Workspace

from .browsing import browser as browser
from .browsing import bundle as bundle
from .browsing import check as check
from .browsing import outcome as outcome


@pytest.fixture(scope="session")
def kept() -> Workspace:
    """The user's own, so that the runtime is fetched and compressed once."""
    return Workspace()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A small convolutional model, as a target gets it."""
    home = tmp_path_factory.mktemp("graph")
    zoo.convnet(home / "convnet.onnx").rename(home / "model.onnx")
    signature = Signature(
        inputs=(TensorSpec("image", "float32", ("B", 3, 8, 8)),),
        outputs=(
            TensorSpec("logits", "float32", ("B", 5)),
            TensorSpec("features", "float32", ("B", 8, 8, 8)),
        ),
        axes=(DynamicAxis("B", 1, 8),),
        batch="B",
    )
    return of_file(home / "model.onnx", signature)


@pytest.fixture(scope="session")
def site(prepared: Prepared, kept: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder, before golden and the seal."""
    folder = tmp_path_factory.mktemp("site")
    Web().build(prepared, folder, kept)
    return folder


def of_file(path: Path, signature: Signature, name: str = "Conv Net/1") -> Prepared:
    """What a target gets of a file called model.onnx."""
    graph = Graph(Dialect.ONNX, path.parent, "0" * 64, "as given")
    return Prepared(name, signature, graph, RECIPES["fp32"])


def of_nodes(folder: Path, signature: Signature, *nodes: onnx.NodeProto, **opsets: int) -> Prepared:
    """A graph of these nodes; opsets by the last part of their domain, "" by `onnx`."""
    domains = {"onnx": "", "microsoft": "com.microsoft", "ml": "ai.onnx.ml"}

    def values(specs: tuple[TensorSpec, ...]) -> list[onnx.ValueInfoProto]:
        kinds = {"float32": onnx.TensorProto.FLOAT, "uint8": onnx.TensorProto.UINT8}
        return [
            onnx.helper.make_tensor_value_info(spec.name, kinds[spec.dtype], spec.shape)
            for spec in specs
        ]

    graph = onnx.helper.make_graph(
        nodes, "graph", values(signature.inputs), values(signature.outputs)
    )
    imports = [onnx.helper.make_opsetid(domains[name], opset) for name, opset in opsets.items()]
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=imports, ir_version=9), folder / "model.onnx"
    )
    return of_file(folder / "model.onnx", signature)
