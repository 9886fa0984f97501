"""What exporters note down leaves the graph, and is not lost."""

from __future__ import annotations

from pathlib import Path

import onnx

from deploy_targets.graph.strip_metadata import strip_metadata

TRACE = """File "/somewhere/model.py", line 7, in forward
    return self.fc(x)
  File "/python/site-packages/torch/nn/modules/linear.py", line 134, in forward
    return F.linear(input, self.weight, self.bias)"""


def noted() -> onnx.ModelProto:
    model = onnx.parser.parse_model(
        '<ir_version: 10, opset_import: ["": 17]> g (float[N] a) => (float[N] b) { b = Neg(a) }'
    )
    node = model.graph.node[0]
    node.name = "node_neg"
    node.metadata_props.add(key="pkg.torch.onnx.stack_trace", value=TRACE)
    node.metadata_props.add(
        key="pkg.torch.onnx.name_scopes", value="['', 'model', 'model.fc', 'neg']"
    )
    for message in (model, model.graph, node, model.graph.input[0]):
        message.doc_string = "/somewhere/model.py"
        message.metadata_props.add(key="where", value="/somewhere")
    model.graph.value_info.append(model.graph.input[0])
    return model


def test_no_path_stays_anywhere_in_the_bytes() -> None:
    model = noted()
    assert b"somewhere" in model.SerializeToString()
    strip_metadata(model)
    assert b"somewhere" not in model.SerializeToString()
    onnx.checker.check_model(model)


def test_the_users_own_line_and_module_are_handed_over() -> None:
    found = strip_metadata(noted(), Path("/somewhere"))
    assert found == {"node_neg": {"module": "fc", "line": "model.py:7 return self.fc(x)"}}


def test_the_legacy_exporters_notes_are_read_too() -> None:
    model = noted()
    node = model.graph.node[0]
    node.ClearField("metadata_props")
    node.name = "/model/fc/Gemm"
    node.doc_string = (
        "/python/site-packages/torch/nn/linear.py(134): forward\n/somewhere/model.py(7): forward\n"
    )
    assert strip_metadata(model, Path("/somewhere")) == {
        "/model/fc/Gemm": {"module": "fc", "line": "model.py:7"}
    }
