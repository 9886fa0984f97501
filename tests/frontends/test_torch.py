"""Modules from the user's code: getting them, refusing them, asking them."""

from __future__ import annotations

import os
import py_compile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import torch

from deploy_targets import frontends
from deploy_targets.errors import ConfigError, DeployError, UnsupportedModel
from deploy_targets.frontends import LoadedModel
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import DynamicAxis, TensorSpec
from deploy_targets.runtime import Rounding
from deploy_targets.testing import zoo

X = TensorSpec("x", "float32", ("batch", 4))
BATCH = DynamicAxis("batch", 1, 8)
Write = Callable[..., SourceSpec]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(code: str, source: str = "model.py:build", **fields: object) -> SourceSpec:
        head = "import torch\nfrom torch import nn\n"
        (tmp_path / "model.py").write_text(head + dedent(code))
        fields = {"inputs": (X,), "axes": (BATCH,), **fields}
        return SourceSpec(source, tmp_path, **fields)  # type: ignore[arg-type]

    return write


def module(forward: str, signature: str = "self, x") -> str:
    return (
        f"class M(nn.Module):\n    def forward({signature}):\n        {forward}\n"
        "def build():\n    return M().eval()\n"
    )


def refusal(spec: SourceSpec) -> DeployError:
    with pytest.raises(DeployError) as caught:
        frontends.load(spec)
    return caught.value


def test_a_function_a_class_and_an_instance_are_all_taken(write: Write) -> None:
    spec = write(
        "class Net(nn.Identity):\n  def __init__(self):\n    super().__init__()\n"
        "    self.eval()\nbuild = nn.Linear(4, 2).eval()\nmade = lambda: build\n"
    )
    for name, width in (("Net", 4), ("build", 2), ("made", 2)):
        model = frontends.load(replace(spec, source=f"model.py:{name}"))
        assert model.run({"x": np.ones((3, 4), np.float32)})["output_0"].shape == (3, width)


def test_a_typo_in_the_callable_gets_a_suggestion(write: Write) -> None:
    error = refusal(write("def build_model(): ...", "model.py:bild_model"))
    assert (error.exit_code, error.hint) == (2, "did you mean 'build_model'?")


def test_a_callable_that_raises_shows_the_users_own_line_and_no_trace(write: Write) -> None:
    error = refusal(write("def build():\n    return torch.load('gone.pt')\n"))
    assert error.exit_code == 2
    assert str(error) == (
        "model.py:build raised FileNotFoundError: [Errno 2] No such file or directory: 'gone.pt' "
        "(model.py, line 4: return torch.load('gone.pt'))"
    )
    assert "__file__" in error.hint


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("def build(:", "SyntaxError"),
        ("from .layers import Net", "ImportError: attempted relative import"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_file_that_cannot_be_imported_says_so(write: Write, code: str, said: str) -> None:
    error = refusal(write(code))
    assert error.exit_code == 2
    assert said in str(error)
    assert "model.py, line 3" in str(error)


def test_a_callable_that_needs_arguments_is_refused(write: Write) -> None:
    assert "needs arguments: size" in str(refusal(write("def build(size): ...")))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def build(): return nn.Linear(4, 2).state_dict()", "a dictionary (of weights?)"),
        ("def build(): return (nn.Linear(4, 2), 1)", "type tuple"),
        ("def build(): pass", "type NoneType"),
    ],
)
def test_what_is_no_module_is_refused(write: Write, code: str, said: str) -> None:
    error = refusal(write(code))
    assert error.exit_code == 3
    assert said in str(error)


def test_a_module_of_which_any_part_trains_is_refused(write: Write) -> None:
    code = """
        def build():
            model = nn.Sequential(nn.Linear(4, 2), nn.Dropout()).eval()
            model[1].train()
            return model
    """
    error = refusal(write(code))
    assert error.exit_code == 3
    assert "training mode (1)" in str(error)
    assert ".eval()" in error.hint


def test_a_model_off_the_cpu_is_refused(write: Write) -> None:
    error = refusal(write("def build(): return nn.Linear(4, 2, device='meta').eval()"))
    assert error.exit_code == 3
    assert "weight is on meta" in str(error)


def test_a_file_may_not_hide_a_module_that_others_import(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("def build(): ...")
    error = refusal(SourceSpec("torch.py:build", tmp_path, inputs=(X,), axes=(BATCH,)))
    assert "rename it" in error.hint


def test_what_the_users_code_prints_stays_off_stdout(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    frontends.load(write(module("print('running'); return x")))
    assert capsys.readouterr().out == ""


def test_each_load_reads_the_source_anew(write: Write, tmp_path: Path) -> None:
    sibling = tmp_path / "sibling.py"
    sibling.write_text("FACTOR = 2\n")
    stamp = sibling.stat().st_mtime_ns
    py_compile.compile(str(sibling), doraise=True)
    spec = write("import sibling\n" + module("return x * sibling.FACTOR"))
    ones = {"x": np.ones((1, 4), np.float32)}
    first = frontends.load(spec)
    # Of the same length and time, so that __pycache__ cannot tell.
    sibling.write_text("FACTOR = 3\n")
    os.utime(sibling, ns=(stamp, stamp))
    second = frontends.load(spec)
    assert first.run(ones)["output_0"][0, 0] == 2
    assert second.run(ones)["output_0"][0, 0] == 3
    assert first.digest != second.digest


def test_two_folders_with_modules_of_the_same_name_do_not_mix(tmp_path: Path) -> None:
    one, two = (frontends.load(zoo.write(tmp_path / name, seed)) for seed, name in enumerate("ab"))
    x = {"x": np.ones((1, 6), np.float32)}
    assert not np.array_equal(one.run(x)["logits"], two.run(x)["logits"])


# --- inputs -----------------------------------------------------------------------------------


def test_undeclared_inputs_are_listed_as_they_should_be_written(write: Write) -> None:
    error = refusal(write(module("return ids", "self, ids, mask=None"), inputs=(), axes=()))
    assert error.exit_code == 2
    assert "[inputs.ids] dtype" in error.hint
    assert "batch = [1, 8]" in error.hint


def test_inputs_go_by_name_where_forward_has_the_names(write: Write) -> None:
    b, a = replace(X, name="b"), replace(X, name="a")
    model = frontends.load(write(module("return a - 2 * b", "self, a, b"), inputs=(b, a)))
    ones = np.ones((1, 4), np.float32)
    assert model.run({"a": ones, "b": 3 * ones})["output_0"][0, 0] == -5


def test_inputs_go_by_order_where_no_name_is_forwards(write: Write) -> None:
    p, q = replace(X, name="p"), replace(X, name="q")
    model = frontends.load(write(module("return a - 2 * b", "self, a, b"), inputs=(p, q)))
    ones = np.ones((1, 4), np.float32)
    assert model.run({"p": ones, "q": 3 * ones})["output_0"][0, 0] == -5


def test_half_of_the_names_right_is_a_slip(write: Write) -> None:
    inputs = (replace(X, name="a"), replace(X, name="c"))
    error = refusal(write(module("return a - b", "self, a, b"), inputs=inputs))
    assert "'c' is no parameter of forward(a, b)" in str(error)


def test_a_parameter_of_forward_left_out_is_named(write: Write) -> None:
    inputs = (replace(X, name="a"),)
    assert "forward takes b" in str(refusal(write(module("return a", "self, a, b"), inputs=inputs)))


def test_a_shape_that_the_model_cannot_take_shows_its_own_words(write: Write) -> None:
    error = refusal(write("def build(): return nn.Linear(5, 2).eval()"))
    assert error.exit_code == 2
    assert "x float32[2, 4]" in str(error)
    assert "cannot be multiplied" in str(error)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"x": np.ones((1, 4))}, "float64[1, 4], expected float32[batch, 4]"),
        ({"x": np.ones((4,), np.float32)}, "float32[4], expected"),
        ({"x": np.ones((1, 5), np.float32)}, "float32[1, 5], expected"),
        ({"y": np.ones((1, 4), np.float32)}, "the inputs given are ['y'], the model's are ['x']"),
    ],
)
def test_run_converts_nothing_silently(
    write: Write, given: dict[str, np.ndarray], said: str
) -> None:
    model = frontends.load(write(module("return x")))
    with pytest.raises(ConfigError) as caught:
        model.run(given)
    assert said in str(caught.value)


def test_a_model_that_writes_into_its_input_leaves_the_callers_array_alone(write: Write) -> None:
    model = frontends.load(write(module("return x.add_(1)")))
    x = np.zeros((1, 4), np.float32)
    assert model.run({"x": x})["output_0"].tolist() == [[1.0] * 4]
    assert x.tolist() == [[0.0] * 4]


# --- outputs and precision --------------------------------------------------------------------


def test_nested_outputs_are_flattened_with_names_dtypes_and_dims() -> None:
    model = frontends.load(zoo.SPECS["nested"])
    found = {spec.name: (spec.dtype, spec.shape) for spec in model.signature.outputs}
    assert found == {
        "corner_low": ("float32", ("batch", 2)),
        "corner_high": ("float32", ("batch", 2)),
        "levels_0": ("float32", ("batch", 2)),
        "levels_1_0": ("float32", ("batch", 1)),
        "positive": ("bool", ("batch", 2)),
        "count": ("int64", ()),
    }


def test_bfloat16_leaves_as_itself_and_complex_numbers_do_not(write: Write) -> None:
    model = frontends.load(write(module("return x.bfloat16()")))
    assert model.run({"x": np.full((1, 4), 1.5, np.float32)})["output_0"].dtype.name == "bfloat16"
    error = refusal(write(module("return torch.fft.fft(x)")))
    assert error.exit_code == 3
    assert "output_0 is complex64" in str(error)


def test_numbers_that_are_no_tensors_are_refused(write: Write) -> None:
    error = refusal(write(module("return {'y': x, 'n': 3}")))
    assert isinstance(error, UnsupportedModel)
    assert "n is a int" in str(error)


def test_float64_is_offered_where_the_whole_model_survives_it(write: Write) -> None:
    x = {"x": np.full((1, 4), 0.1, np.float32)}
    whole = frontends.load(write(module("return (x * x).sum(1)")))
    assert Rounding.DOUBLE in whole.roundings
    precise = whole.run(x, rounding=Rounding.DOUBLE)["output_0"]
    assert precise.dtype == np.float64
    assert 0 < abs(float(precise[0]) - float(whole.run(x)["output_0"][0])) < 1e-7
    for narrow in ("return x.float()", "return x @ torch.eye(4)"):
        assert Rounding.DOUBLE not in frontends.load(write(module(narrow))).roundings


# --- identity ---------------------------------------------------------------------------------


def digest(spec: SourceSpec) -> str:
    return frontends.load(spec).digest


def test_the_digest_is_that_of_code_and_weights_in_whatever_folder(tmp_path: Path) -> None:
    original = digest(zoo.write(tmp_path / "a"))
    assert digest(zoo.write(tmp_path / "b")) == original
    assert digest(zoo.write(tmp_path / "c", seed=1)) != original
    spec = zoo.write(tmp_path / "d")
    layers = tmp_path / "d" / "layers.py"
    layers.write_text(layers.read_text().replace("relu", "tanh"))
    assert digest(spec) != original


def test_the_digest_covers_what_hangs_on_the_module_besides_tensors(
    write: Write, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # Outside the source's folder, so that only the attribute tells.
    place = tmp_path_factory.mktemp("elsewhere") / "scale.txt"
    code = f"""
        from pathlib import Path

        class M(nn.Module):
            def forward(self, x):
                return x * self.scale["all"][0]

        def build():
            model = M().eval()
            model.scale = {{"all": [float(Path({str(place)!r}).read_text())]}}
            return model
    """
    found = []
    for text in ("1.0", "2.0", "2.0"):
        place.write_text(text)
        found.append(digest(write(code)))
    assert found[0] != found[1] == found[2]


def test_a_scripted_module_goes_to_the_exporters_that_read_torchscript(
    write: Write, recwarn: pytest.WarningsRecorder
) -> None:
    spec = write(
        "import warnings\nwarnings.simplefilter('ignore')\n"
        "def build(): return torch.jit.trace(nn.Linear(4, 2).eval(), torch.ones(1, 4))"
    )
    model: LoadedModel = frontends.load(spec)
    assert [c.how for c in model.captures] == ["TS2EPConverter", "legacy", "trace", "script"]
    assert torch.is_grad_enabled()
