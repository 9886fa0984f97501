"""TensorFlow as a source: what folders and files say of themselves, what is refused, and whether
the answers are TensorFlow's own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from deploy_targets import frontends
from deploy_targets.errors import ConfigError, DeployError, ToolMissing, UnsupportedModel
from deploy_targets.frontends.source import SourceSpec, name_of
from deploy_targets.frontends.tensorflow import AS_ONNX, AS_SAVED
from deploy_targets.frontends.tensorflow_quiet import keras, quiet, tensorflow
from deploy_targets.records import DynamicAxis, TensorSpec
from deploy_targets.workspace import Workspace

from . import tensorflow_models as models

DRAW = np.random.default_rng(0)
STILL = DRAW.normal(size=(3, 4)).astype(np.float32)
MOVING = DRAW.normal(size=(3, 5, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tensorflow")
    models.save(models.mixed("list"), folder / "mixed.h5")
    models.save(models.mixed(), folder / "mixed.keras")
    models.save(models.photos(), folder / "photos")
    return folder


def refusal(folder: Path, source: str) -> DeployError:
    with pytest.raises(DeployError) as caught:
        frontends.load(SourceSpec(source, folder))
    return caught.value


def specs(*sizes: int | None) -> Any:
    return tensorflow().TensorSpec(sizes, "float32")


def test_a_keras_file_has_keras_names_its_axes_and_keras_answers(home: Path) -> None:
    model = frontends.load(SourceSpec("mixed.keras", home))
    assert model.signature.inputs == (
        TensorSpec("still", "float32", ("batch", 4)),
        TensorSpec("moving", "float32", ("batch", "moving_dim_1", 3)),
    )
    assert model.signature.outputs == (
        TensorSpec("how_much", "float32", ("batch", 1)),
        TensorSpec("what", "float32", ("batch", 2)),
    )
    assert model.signature.batch == "batch"
    assert model.captures == (AS_SAVED, AS_ONNX)
    answers = model.run({"still": STILL, "moving": MOVING})
    want = models.mixed()([STILL, MOVING], training=False)
    for name, answer in answers.items():
        assert answer.dtype == np.float32
        np.testing.assert_array_equal(answer, want[name].numpy())


def test_an_older_file_and_a_list_of_outputs_are_named_after_the_layers(home: Path) -> None:
    model = frontends.load(SourceSpec("mixed.h5", home))
    assert [spec.name for spec in model.signature.outputs] == ["chances", "score"]
    want = models.mixed("list")([STILL, MOVING], training=False)
    answers = model.run({"still": STILL, "moving": MOVING})
    np.testing.assert_array_equal(answers["score"], want[1].numpy())


def test_deploy_toml_names_the_axes_of_a_file_and_renames_its_outputs(home: Path) -> None:
    spec = SourceSpec(
        "mixed.keras",
        home,
        inputs=(TensorSpec("moving", "float32", ("rows", "time", 3)),),
        axes=(DynamicAxis("rows", 1, 4), DynamicAxis("time", 2, 9)),
        outputs=(("amount", "plain"), ("class", "classifier")),
    )
    signature = frontends.load(spec).signature
    assert [axis.name for axis in signature.axes] == ["rows", "time"]
    assert [(s.name, s.kind) for s in signature.outputs] == list(spec.outputs)


def test_the_folder_that_keras_exports_answers_as_the_model(home: Path) -> None:
    model = frontends.load(SourceSpec("photos", home))
    assert model.name == "photos"
    (given,) = model.signature.inputs
    assert given.shape == ("batch", 16, 16, 3)
    photo = DRAW.random((2, 16, 16, 3), np.float32)
    (answer,) = model.run({given.name: photo}).values()
    np.testing.assert_allclose(answer, models.photos()(photo).numpy(), rtol=1e-5, atol=1e-7)
    before = model.digest
    shutil.copytree(home / "photos", home / "moved" / "elsewhere")
    assert frontends.load(SourceSpec("moved/elsewhere", home)).digest == before


def test_a_captured_folder_has_one_signature_in_the_models_names_and_the_same_bytes(
    home: Path, tmp_path: Path
) -> None:
    tf, written = tensorflow(), []
    for turn in ("one", "two"):
        model = frontends.load(SourceSpec("mixed.keras", home))
        (tmp_path / turn).mkdir()
        model.capture(AS_SAVED, tmp_path / turn)
        written.append(tmp_path / turn / "saved_model")
    assert [path.name for path in written[0].iterdir()] == ["saved_model.pb"]
    one, two = ((path / "saved_model.pb").read_bytes() for path in written)
    assert one == two
    with quiet():
        signatures = tf.saved_model.load(str(written[0])).signatures
    assert list(signatures) == ["serving_default"]
    said = signatures["serving_default"](still=tf.constant(STILL), moving=tf.constant(MOVING))
    want = model.run({"still": STILL, "moving": MOVING})
    assert set(said) == set(want)
    for name, answer in want.items():
        np.testing.assert_allclose(said[name].numpy(), answer, rtol=1e-5, atol=1e-7)


def test_basic_pitch_comes_by_the_older_loader_and_agrees_with_its_own_onnx(
    tmp_path: Path,
) -> None:
    folder = models.pitch()
    with pytest.raises(AttributeError), quiet():
        tensorflow().saved_model.load(str(folder / "nmp"))
    model = frontends.load(SourceSpec("nmp", folder))
    assert model.signature.inputs == (TensorSpec("input_2", "float32", ("batch", 43844, 1)),)
    assert [spec.name for spec in model.signature.outputs] == ["contour", "note", "onset"]
    sound = DRAW.normal(size=(1, 43844, 1)).astype(np.float32)
    answers = model.run({"input_2": sound})
    session = ort.InferenceSession(folder / "nmp.onnx", providers=["CPUExecutionProvider"])
    theirs = session.run(
        [f"StatefulPartitionedCall:{i}" for i in range(3)], {session.get_inputs()[0].name: sound}
    )
    # The numbers that the signature gives to its outputs.
    for name, other in zip(("contour", "note", "onset"), theirs, strict=True):
        off = np.linalg.norm(answers[name] - other) / np.linalg.norm(other)
        assert off < 1e-4, name
    model.capture(AS_SAVED, tmp_path)
    with quiet():
        loaded = tensorflow().saved_model.load(str(tmp_path / "saved_model"))
    again = loaded.signatures["serving_default"](input_2=tensorflow().constant(sound))
    for name, answer in answers.items():
        np.testing.assert_allclose(again[name].numpy(), answer, atol=1e-5)


def test_of_several_signatures_the_default_is_taken_or_the_one_that_is_named(
    tmp_path: Path,
) -> None:
    models.module(
        tmp_path / "both",
        serving_default=(lambda f, x: {"y": f * x}, specs(None, 2)),
        doubled=(lambda f, x: {"z": 2.0 * f * x}, specs(None, 2)),
    )
    ones = np.ones((2, 2), np.float32)
    plain = frontends.load(SourceSpec("both", tmp_path))
    (x,) = (spec.name for spec in plain.signature.inputs)
    np.testing.assert_array_equal(plain.run({x: ones})["y"], 3 * ones)
    named = frontends.load(SourceSpec("both:doubled", tmp_path))
    np.testing.assert_array_equal(named.run({x: ones})["z"], 6 * ones)
    assert named.digest != plain.digest
    assert name_of(named.spec) == "both"  # type: ignore[attr-defined]
    error = refusal(tmp_path, "both:double")
    assert error.hint == "did you mean both:doubled?"


def test_without_a_default_the_signatures_are_named_and_one_must_be_chosen(
    tmp_path: Path,
) -> None:
    models.module(
        tmp_path / "two",
        left=(lambda f, x: {"y": f * x}, specs(None, 2)),
        right=(lambda f, x: {"y": f + x}, specs(None, 2)),
    )
    error = refusal(tmp_path, "two")
    assert isinstance(error, ConfigError)
    assert "several signatures (left, right)" in str(error)
    assert error.hint == "say which: source = two:left"
    models.module(tmp_path / "none")
    assert "has no signatures" in str(refusal(tmp_path, "none"))


def test_text_and_ranks_that_are_not_known_are_refused_by_name(tmp_path: Path) -> None:
    tf = tensorflow()
    words = tf.TensorSpec([None], tf.string, name="words")
    models.module(
        tmp_path / "text", serving_default=(lambda f, x: {"y": tf.strings.length(x)}, words)
    )
    error = refusal(tmp_path, "text")
    assert isinstance(error, UnsupportedModel)
    assert "is str, which no target carries" in str(error)
    open_ = tf.TensorSpec(None, tf.float32, name="any")
    models.module(tmp_path / "open", serving_default=(lambda f, x: {"y": f * x}, open_))
    assert "does not say how many dimensions" in str(refusal(tmp_path, "open"))


def test_folders_that_are_damaged_say_what_is_lost(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "photos", tmp_path / "lost")
    shutil.rmtree(tmp_path / "lost" / "variables")
    assert "variables/variables.index is not in it" in str(refusal(tmp_path, "lost"))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "saved_model.pb").write_bytes(b"\xff\x00 no protocol buffer")
    assert "is no SavedModel" in str(refusal(tmp_path, "bad"))
    (tmp_path / "empty").mkdir()
    assert "without saved_model.pb" in str(refusal(tmp_path, "empty"))


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("frozen.pb", "frozen graph of TensorFlow 1", "tf2onnx.convert --graphdef"),
        ("model.tflite", "a converted model", "SavedModel"),
    ],
)
def test_what_is_no_source_is_told_what_to_give_instead(
    tmp_path: Path, name: str, said: str, hint: str
) -> None:
    (tmp_path / name).write_bytes(b"TFL3 and so on")
    error = refusal(tmp_path, name)
    assert isinstance(error, UnsupportedModel)
    assert said in str(error)
    assert hint in error.hint


def test_the_graph_of_a_folder_is_told_to_be_given_as_the_folder(home: Path) -> None:
    error = refusal(home, "photos/saved_model.pb")
    assert error.hint == f"give its folder: {home / 'photos'}"


def test_a_class_that_keras_does_not_have_is_named(tmp_path: Path) -> None:
    layer = type("Swirl", (keras().layers.Layer,), {"call": lambda self, x: x * 2.0})
    model = keras().Sequential([keras().Input((3,)), layer()])
    for name in ("custom.keras", "custom.h5"):
        models.save(model, tmp_path / name)
        error = refusal(tmp_path, name)
        assert isinstance(error, UnsupportedModel)
        assert "holds a Swirl, a class that Keras does not have" in str(error)
        assert "file.py:function" in error.hint


def test_code_in_a_file_is_not_run_and_weights_alone_are_no_model(tmp_path: Path) -> None:
    layers = keras().layers
    model = keras().Sequential([keras().Input((3,)), layers.Lambda(lambda x: x * 2.0)])
    models.save(model, tmp_path / "code.keras")
    assert "would run the code in it" in str(refusal(tmp_path, "code.keras"))
    dense = keras().Sequential([keras().Input((3,)), layers.Dense(2)])
    with quiet():
        dense.save_weights(tmp_path / "model.weights.h5")
    assert "holds weights, and not the model" in str(refusal(tmp_path, "model.weights.h5"))


def test_a_layer_that_keeps_a_state_is_refused_by_name(tmp_path: Path) -> None:
    lstm = keras().layers.LSTM(3, stateful=True, name="memory")
    model = keras().Sequential([keras().Input((5, 2), batch_size=2), lstm])
    models.save(model, tmp_path / "stateful.keras")
    assert "layer memory keeps a state" in str(refusal(tmp_path, "stateful.keras"))


def test_a_file_that_is_not_what_its_name_says(home: Path, tmp_path: Path) -> None:
    shutil.copyfile(home / "mixed.h5", tmp_path / "mixed.keras")
    shutil.copyfile(home / "mixed.keras", tmp_path / "mixed.h5")
    assert refusal(tmp_path, "mixed.keras").hint == "name it x.h5"
    assert refusal(tmp_path, "mixed.h5").hint == "name it x.keras"


@pytest.mark.parametrize("source", ["mixed.keras", "photos"])
def test_without_tensorflow_it_is_missing_with_how_to_install_it(
    home: Path, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    error = refusal(home, source)
    assert isinstance(error, ToolMissing)
    assert error.hint == "pip install 'deploy-targets[tensorflow]'"


CODE = """
import keras

@keras.saving.register_keras_serializable()
class Scaled(keras.layers.Layer):
    def call(self, x):
        return x * 0.5

class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)
    def call(self, left, right, training=False):
        return {"sum": self.dense(left + right), "left": left}

def build():
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((3,), name="x"), Scaled(), keras.layers.Dense(2)])

def own():
    keras.utils.set_random_seed(1)
    return Own()
"""


def test_code_gives_a_keras_model_and_the_same_one_each_time(tmp_path: Path) -> None:
    (tmp_path / "kerasnet.py").write_text(CODE)
    spec = SourceSpec("kerasnet.py:build", tmp_path)
    one, two = frontends.load(spec), frontends.load(spec)
    assert one.digest == two.digest
    assert [spec.name for spec in one.signature.outputs] == ["dense"]
    # Drawn when it is built: it is in no file, and so never recognised without being loaded.
    assert one.witness.incomplete
    (tmp_path / "kerasnet.py").write_text(CODE.replace("x * 0.5", "x * 0.25"))
    assert frontends.load(spec).digest != one.digest


def test_a_class_of_its_own_is_called_with_what_deploy_toml_declares(tmp_path: Path) -> None:
    (tmp_path / "ownnet.py").write_text(CODE)
    spec = SourceSpec("ownnet.py:own", tmp_path)
    assert "does not say what it is called with" in str(refusal(tmp_path, "ownnet.py:own"))
    inputs = tuple(TensorSpec(name, "float32", ("batch", 3)) for name in ("left", "right"))
    axes = (DynamicAxis("batch", 1, 4),)
    model = frontends.load(SourceSpec(spec.source, tmp_path, inputs=inputs, axes=axes))
    assert [spec.name for spec in model.signature.outputs] == ["left", "sum"]
    left = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(model.run({"left": left, "right": left})["left"], left)


@pytest.mark.parametrize("source", ["mixed.keras", "photos"])
def test_what_has_not_changed_is_recognised_without_tensorflow(
    home: Path, source: str, workspace: Workspace
) -> None:
    spec = SourceSpec(source, home)
    model = frontends.load(spec, workspace)
    code = (
        "import sys; from pathlib import Path\n"
        "from deploy_targets import frontends\n"
        "from deploy_targets.frontends.source import SourceSpec\n"
        "from deploy_targets.workspace import Workspace\n"
        f"spec = SourceSpec({source!r}, Path({str(home)!r}))\n"
        f"print(frontends.recall(spec, Workspace(Path({str(workspace.root)!r}))))\n"
        "print({'tensorflow', 'keras', 'h5py'} & set(sys.modules))\n"
    )
    # With the folders that this process has on its path, which a witness notes.
    run = [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split("\n")
    assert said[0] == model.digest
    assert said[1] == "set()"


def test_another_weight_is_another_model(home: Path, tmp_path: Path, workspace: Workspace) -> None:
    shutil.copytree(home / "photos", tmp_path / "photos")
    spec = SourceSpec("photos", tmp_path)
    model = frontends.load(spec, workspace)
    assert frontends.recall(spec, workspace) == model.digest
    (data,) = (tmp_path / "photos" / "variables").glob("variables.data*")
    raw = bytearray(data.read_bytes())
    raw[100] ^= 1
    data.write_bytes(raw)
    assert frontends.recall(spec, workspace) is None
