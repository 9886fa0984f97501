"""Answers written elsewhere: what is refused, what fails, and what proves nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import api, pipeline, registry
from deploy_targets import bundle as bundles
from deploy_targets.errors import BundleCorrupt, ConfigError
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity.recorded import COPIED, by_call, recording
from deploy_targets.pipeline import Job, Outcome
from deploy_targets.records import Array, Bundle, Call, Capture, Check, Dialect
from deploy_targets.testing import zoo
from deploy_targets.testing.faults import FAULTS, Place, plant
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

Tensors = dict[str, Array]


def copied(bundle: Bundle) -> Tensors:
    """The expected answers themselves."""
    return {
        f"{check.call.name}/{name}": array
        for check in bundles.read_golden(bundle)
        for name, array in check.expected.items()
    }


def honest(bundle: Bundle) -> Tensors:
    """As another runtime answers: the last bit of every element is another."""
    return {key: np.nextafter(array, np.float32(0)) for key, array in copied(bundle).items()}


def written(bundle: Bundle, tensors: Tensors, **said: str) -> Path:
    """A recording; `said` replaces metadata, and removes where it is empty."""
    metadata = {
        "manifest": bundles.digest(bundle),
        "lane": "cpu",
        "runtime": "a runtime 1.0",
        "device": "a device",
    }
    file = bundle.path.parent / "actual.safetensors"
    given = {key: value for key, value in (metadata | said).items() if value}
    bundles.write_tensors(file, tensors, **given)
    return file


def verified(bundle: Bundle, file: Path) -> Outcome:
    """As `verify --actual` does."""
    workspace = Workspace(bundle.path.parent / "workspace")
    return pipeline.verify_folder(bundle.path, workspace, ["cpu"], recording(file, bundle))


def test_a_right_recording_passes(judged: Bundle) -> None:
    outcome = verified(judged, written(judged, honest(judged)))
    (row,) = outcome.report.rows
    assert (row.verdict, row.where) == ("pass", "a runtime 1.0 on a device (recorded)")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"manifest": "0" * 64}, "was not written for this bundle"),
        ({"manifest": ""}, "was not written for this bundle"),
        ({"lane": ""}, "does not say its lane"),
        ({"runtime": ""}, "does not say its runtime"),
        ({"device": ""}, "does not say its device"),
        ({"lane": "gpu"}, "lane 'gpu'"),
    ],
)
def test_a_recording_of_something_else_is_refused(
    judged: Bundle, said: dict[str, str], message: str
) -> None:
    file = written(judged, honest(judged), **said)
    with pytest.raises(ConfigError, match=message):
        recording(file, judged)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cut, "actual.safetensors"),
        (lambda file: file.write_text("junk"), "actual.safetensors"),
        (lambda file: file.unlink(), "actual.safetensors"),
    ],
)
def test_a_recording_that_cannot_be_read_is_refused(
    judged: Bundle, spoil: Callable[[Path], object], message: str
) -> None:
    file = written(judged, honest(judged))
    spoil(file)
    with pytest.raises(ConfigError, match=message) as error:
        recording(file, judged)
    assert "safetensors" in error.value.hint


@pytest.mark.parametrize("key", ["B-99/0/logits", "logits", "B-1/0"])
def test_an_answer_to_no_call_is_refused_by_its_name(judged: Bundle, key: str) -> None:
    file = written(judged, {**honest(judged), key: np.zeros(3, np.float32)})
    with pytest.raises(ConfigError, match="answer to no call") as error:
        recording(file, judged)
    assert repr(key) in str(error.value)
    assert "B-1/0" in error.value.hint


def test_lines_that_share_the_name_of_a_call_keep_their_own_answers() -> None:
    def check(golden: str, entry: str, *outputs: str) -> Check:
        nothing = {name: np.zeros(1, np.float32) for name in outputs}
        return Check(golden, Call("photo/0", entry, {}), nothing)

    checks = [check("bytes", "predict", "y", "label"), check("tensors", "main", "y", "z")]
    given = {"photo/0/y": 1.0, "bytes/photo/0/y": 2.0, "photo/0/z": 3.0, "photo/0/odd": 4.0}
    tensors: Tensors = {key: np.full(1, value, np.float32) for key, value in given.items()}
    found = by_call(Path("actual"), tensors, checks)
    said = {
        key: {name: float(array[0]) for name, array in answer.outputs.items()}
        for key, answer in found.items()
    }
    assert said == {
        "predict/photo/0": {"y": 2.0, "odd": 4.0},
        "main/photo/0": {"y": 1.0, "z": 3.0, "odd": 4.0},
    }


def test_a_recording_without_answers_is_refused(judged: Bundle) -> None:
    with pytest.raises(ConfigError, match="holds no answers"):
        recording(written(judged, {}), judged)


def nan(tensors: Tensors) -> None:
    tensors["B-1/0/logits"][0, 0] = np.nan


def reshaped(tensors: Tensors) -> None:
    tensors["B-1/0/logits"] = tensors["B-1/0/logits"].T


def narrowed(tensors: Tensors) -> None:
    tensors["B-1/0/logits"] = tensors["B-1/0/logits"].astype(np.float16)


def without_call(tensors: Tensors) -> None:
    del tensors["B-1/0/logits"], tensors["B-1/0/features"]


def unknown_output(tensors: Tensors) -> None:
    tensors["B-1/0/logit"] = tensors.pop("B-1/0/logits")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (nan, ("logits of B-1/0", "nan")),
        (reshaped, ("logits of B-1/0", "shape [5, 1], expected [1, 5]")),
        (narrowed, ("logits of B-1/0", "dtype float16, expected float32")),
        (without_call, ("of B-1/0", "missing")),
        (unknown_output, ("logit of B-1/0", "not an output of the model")),
    ],
)
def test_a_wrong_answer_fails_and_is_named(
    judged: Bundle, spoil: Callable[[Tensors], None], said: tuple[str, str]
) -> None:
    tensors = honest(judged)
    spoil(tensors)
    outcome = verified(judged, written(judged, tensors))
    (row,) = outcome.report.rows
    assert outcome.verdict == row.verdict == "fail"
    for part in said:
        assert part in row.reason


def test_copied_answers_count_as_not_run_and_erase_nothing(judged: Bundle) -> None:
    before = (judged.path / bundles.PARITY).read_bytes()
    outcome = verified(judged, written(judged, copied(judged)))
    assert outcome.verdict is Verdict.NOT_RUN
    (row,) = outcome.unkept
    assert row.verdict is Verdict.NOT_RUN
    assert COPIED in row.reason
    assert (judged.path / bundles.PARITY).read_bytes() == before
    (judged.path / bundles.PARITY).unlink()
    outcome = verified(judged, written(judged, copied(judged)))
    assert [row.verdict for row in outcome.report.rows] == ["not-run"]


def test_answers_that_are_copied_but_for_one_bit_are_judged(judged: Bundle) -> None:
    tensors = copied(judged)
    tensors["B-1/0/logits"] = honest(judged)["B-1/0/logits"]
    assert verified(judged, written(judged, tensors)).verdict == "pass"


@pytest.mark.parametrize(
    ("capture", "runtime", "verdict"),
    [
        ("onnx by as given", "ONNX Runtime 1.22 for Android", "pass"),
        ("onnx by as given", "onnxruntime-web", "pass"),
        ("onnx by as given", "PyTorch 2.8", "not-run"),
        ("onnx by dynamo", "PyTorch 2.8", "pass"),
        ("onnx by dynamo", "onnxruntime 1.22", "not-run"),
        ("exported by as given", "torch 2.8", "pass"),
        ("exported by as given", "ExecuTorch 1.0", "not-run"),
    ],
)
def test_the_originals_own_framework_may_answer_with_its_bits(
    judged: Bundle, capture: str, runtime: str, verdict: str
) -> None:
    manifest = dataclasses.replace(judged.manifest, capture=capture)
    roles = {name: record.role for name, record in manifest.files.items()}
    sealed = bundles.seal(judged.path, manifest, roles)
    outcome = verified(sealed, written(sealed, copied(sealed), runtime=runtime))
    assert outcome.verdict == verdict
    if verdict == "pass":
        assert outcome.report.rows[0].notes == ()


@pytest.mark.parametrize(
    "capture",
    [Capture(Dialect.ONNX, "as given"), Capture(Dialect.ONNX, "restated from opset 99 in 20")],
)
def test_onnx_files_are_known_by_how_they_are_captured(judged: Bundle, capture: Capture) -> None:
    assert judged.manifest.capture == "onnx by as given"
    said = f"{capture.dialect} by {capture.how}"
    manifest = dataclasses.replace(judged.manifest, capture=said)
    sealed = bundles.seal(judged.path, manifest, {})
    file = written(sealed, copied(sealed), runtime="ONNX Runtime 1.22")
    assert verified(sealed, file).verdict == "pass"


def test_a_recording_may_say_why_it_is_identical(judged: Bundle) -> None:
    file = written(judged, copied(judged), identical="it calls the same library")
    outcome = verified(judged, file)
    assert outcome.verdict == "pass"
    assert "it calls the same library" in outcome.report.rows[0].notes[0]


def test_what_only_copies_may_be_identical(tmp_path: Path, first_target: Path) -> None:
    spec = SourceSpec(str(zoo.tokens(tmp_path / "tokens.onnx")), tmp_path)
    job = Job(spec, registry.load("here", {}), tmp_path / "bundle")
    bundle = pipeline.build(job, Workspace(tmp_path / "workspace")).bundle
    outcome = verified(bundle, written(bundle, copied(bundle)))
    assert (outcome.verdict, outcome.report.rows[0].notes) == ("pass", (COPIED,))


def test_where_a_coincidence_is_possible_copies_are_only_noted(judged: Bundle) -> None:
    few = [check for check in bundles.read_golden(judged) if check.call.name == "B-1/0"]
    few = [
        dataclasses.replace(check, noise={name: array * 0 for name, array in check.noise.items()})
        for check in few
    ]
    bundles.write_golden(judged.path, few)
    sealed = bundles.seal(judged.path, judged.manifest, {})
    outcome = verified(sealed, written(sealed, copied(sealed)))
    (row,) = outcome.report.rows
    assert (row.verdict, row.notes) == ("pass", (COPIED,))


def of_another_model(golden: Path) -> None:
    tensors = bundles.read_tensors(golden)
    bundles.write_tensors(golden, {key: array * 2 for key, array in tensors.items()})


def with_other_names(golden: Path) -> None:
    tensors = bundles.read_tensors(golden)
    bundles.write_tensors(golden, {f"{key}x": array for key, array in tensors.items()})


@pytest.mark.parametrize("spoil", [cut, of_another_model, with_other_names, Path.unlink])
@pytest.mark.parametrize("actual", [False, True], ids=["verify", "verify --actual"])
def test_another_golden_breaks_the_seal_and_nothing_is_overwritten(
    judged: Bundle, spoil: Callable[[Path], object], actual: bool
) -> None:
    file = written(judged, honest(judged)) if actual else None
    before = (judged.path / bundles.PARITY).read_bytes()
    spoil(judged.path / bundles.GOLDEN)
    with pytest.raises(BundleCorrupt, match=r"golden\.safetensors"):
        api.verify(judged.path, actual=file)
    assert (judged.path / bundles.PARITY).read_bytes() == before


def test_a_golden_in_which_names_lost_their_form_is_refused_even_under_a_seal(
    judged: Bundle,
) -> None:
    bundles.write_tensors(judged.path / bundles.GOLDEN, {"logits": np.zeros(3, np.float32)})
    sealed = bundles.seal(judged.path, judged.manifest, {})
    with pytest.raises(BundleCorrupt, match="a key of another form: 'logits'"):
        recording(written(sealed, {"B-1/0/logits": np.zeros(3, np.float32)}), sealed)


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS.values() if fault.place is Place.FILE], ids=lambda f: f.name
)
def test_faults_of_files_break_the_seal(judged: Bundle, tmp_path: Path, fault: object) -> None:
    target = registry.load("here", {})
    with target.runner(Workspace(tmp_path / "workspace")) as runner:
        planted = plant(fault, judged, runner, tmp_path / "spoilt")  # type: ignore[arg-type]
    assert planted is not None
    with pytest.raises(BundleCorrupt, match=r"model\.onnx"):
        bundles.open_bundle(planted.folder)
