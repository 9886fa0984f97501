"""What Swift records on a device is what `deploy-target verify --actual` reads."""

from __future__ import annotations

import shutil

import numpy as np
from conftest import Answers

from deploy_targets import bundle as bundles
from deploy_targets.integrations import swift
from deploy_targets.parity.recorded import recording
from deploy_targets.records import Call, Check, Entry, Lane, Manifest, Port, Recipe, TensorSpec
from deploy_targets.signatures import DynamicAxis, Signature
from deploy_targets.verdicts import Bound


def test_a_recording_names_its_bundle_and_holds_every_answer(
    answers: Answers, job: swift.Job
) -> None:
    folder = job.build / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    checks = [_check(f"sample-{i}/0", i + 1) for i in range(3)]
    bundles.write_golden(folder, checks)
    bundle = bundles.seal(folder, _manifest(), {})
    file = job.build / "recorded.safetensors"
    answers(["record", f"{swift.BUILD}/bundle", "litert-1t", f"{swift.BUILD}/{file.name}"])
    read = recording(file, bundle)
    assert read.lane == "litert-1t"
    assert read.where == "Swift 1.0 on a test (recorded)"
    with read.open(bundle, "litert-1t") as session:
        for check in checks:
            want = check.expected["answer/0"]
            got = session.run(check.call).outputs["answer/0"]
            np.testing.assert_array_equal(got, np.nextafter(want, np.float32(np.inf)))


def _check(name: str, rows: int) -> Check:
    random = np.random.default_rng(rows)
    given, answer = (random.standard_normal((rows, 40)).astype(np.float32) for _ in range(2))
    noise = {"answer/0": np.full((rows, 40), 1e-5, np.float32)}
    return Check("tensors", Call(name, "run", {"x": given}), {"answer/0": answer}, noise)


def _manifest() -> Manifest:
    specs = [TensorSpec(name, "float32", ("batch", 40)) for name in ("x", "answer/0")]
    ports = [(Port(spec, spec.name),) for spec in specs]
    signature = Signature((specs[0],), (specs[1],), (DynamicAxis("batch", 1, 8),), batch="batch")
    return Manifest(
        schema=bundles.SCHEMA,
        name="little",
        source="",
        capture="exported by torch",
        target="tflite",
        options={},
        recipes={"fp32": Recipe("fp32")},
        signatures={"tensors": signature},
        entries=(Entry("run", *ports),),
        lanes=(Lane("litert-1t", "fp32"),),
        synthetic=True,
        bounds={"fp32": {"tensors": {"answer/0": Bound(1e-6, 2.5, 4.0, 32.0)}}},
        bounds_from=(),
        uncovered=(),
        tools={},
    )
