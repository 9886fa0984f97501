"""What is refused while a graph is converted, and how exact a sample of what is not is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from backend_suite import cases as suite
from onnx import helper, numpy_helper
from onnx.helper import make_tensor_value_info as described
from tfjs import asking
from tfjs_operators import _in_tensorflow, _portable

from deploy_targets.converters import tfjs_from_onnx
from deploy_targets.converters.tfjs_from_onnx import Converted
from deploy_targets.errors import UnsupportedModel
from deploy_targets.records import Dialect, Graph
from deploy_targets.workspace import Workspace

FLOAT, LONG, BYTE = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.UINT8
SAMPLE = (
    *("add_bcast", "argmax_default_axis_random", "averagepool_2d_pads_count_include_pad"),
    *("clip_default_min", "averagepool_2d_same_upper", "batchnorm_example"),
    *("conv_with_strides_padding", "convtranspose_pads", "div_int32_trunc"),
    *("gather_negative_indices", "gemm_all_attributes", "globalaveragepool"),
    *("instancenorm_example", "maxpool_2d_pads", "pow_types_float32_int32"),
    *("reduce_mean_keepdims_random", "reshape_zero_dim", "softmax_axis_1", "slice_neg_steps"),
    *("split_equal_parts_2d", "top_k", "transpose_all_permutations_3", "where_example"),
    *("hardswish", "softplus", "resize_upsample_scales_linear"),
    *("resize_upsample_scales_linear_align_corners",),
)


def converted(
    folder: Path, node: onnx.NodeProto, *tensors: onnx.TensorProto, kind: int
) -> Converted:
    """What the conversion says of a graph of one node, whose input is x and whose output is y."""
    sides = [described("x", kind, [4])], [described("y", kind, None)]
    graph = helper.make_graph([node], "one", *sides, list(tensors))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    (folder / "graph").mkdir()
    (folder / "made").mkdir()
    onnx.save(model, folder / "graph" / "model.onnx")
    found = Graph(Dialect.ONNX, folder / "graph", "0" * 64, "by hand")
    return tfjs_from_onnx.convert(found, folder / "made", Workspace())


def constant(name: str, *numbers: int) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(numbers, np.int64), name)


def test_an_operator_that_is_not_known_is_refused_by_name_and_node(tmp_path: Path) -> None:
    node = helper.make_node("Det", ["x"], ["y"], name="the_det")
    with pytest.raises(UnsupportedModel, match=r"cannot run Det \(node the_det\)") as refused:
        converted(tmp_path, node, kind=FLOAT)
    assert "onnxruntime-web" in refused.value.hint


def test_a_whole_number_beyond_32_bits_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Add", ["x", "large"], ["y"], name="the_sum")
    with pytest.raises(UnsupportedModel, match=r"Add of node the_sum: .* beyond 32 bits"):
        converted(tmp_path, node, constant("large", 2**40), kind=LONG)


def test_a_slice_may_end_where_no_axis_does(tmp_path: Path) -> None:
    node = helper.make_node("Slice", ["x", "start", "end"], ["y"])
    edges = constant("start", 1), constant("end", 2**63 - 1)
    assert "StridedSlice" in converted(tmp_path, node, *edges, kind=FLOAT).operators


def test_what_would_wrap_around_at_8_bits_is_refused(tmp_path: Path) -> None:
    node = helper.make_node("Add", ["x", "x"], ["y"], name="the_sum")
    with pytest.raises(UnsupportedModel, match="the_sum: its answer is uint8"):
        converted(tmp_path, node, kind=BYTE)


def test_a_sample_of_onnx_own_cases_is_right(tmp_path: Path) -> None:
    wanted = {f"node/test_{name}" for name in SAMPLE}
    cases = [_portable(case) for case in suite.collect() if case.id in wanted]
    assert {case.id for case in cases} == wanted
    found = _in_tensorflow(cases, tmp_path, Workspace())
    assert {name: said for name, said in found.items() if said[0] != asking.RIGHT} == {}


def test_an_answer_that_is_not_the_suites_is_wrong() -> None:
    case = asking.Case("a", "Add", b"", (), 1e-3, 1e-7)
    wanted = (np.ones(3, np.float32),)
    assert not asking.wrong(case, wanted, [np.ones(3, np.float32)])
    for other in (np.full(3, 1.01), np.full(3, np.nan), np.ones((1, 3)), np.ones(3, np.int32)):
        given = other if other.dtype == np.int32 else other.astype(np.float32)
        assert asking.wrong(case, wanted, [given])
