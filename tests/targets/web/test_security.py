"""A changed byte is refused by the page itself, and wrong questions are errors that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy_targets.integrations.chromium import Chromium
from deploy_targets.integrations.pages import PageFailed
from deploy_targets.records import Bundle, Check

from .browsing import ask, call, copied, flipped, is_right, load, opened

FILES = {
    "the model": "assets/model.*.onnx",
    "the runtime's binary": "runtime.*/ort-wasm-simd-threaded.wasm",
    "the runtime's module": "runtime.*/ort.wasm.min.mjs",
    "the worker": "code.*/worker.mjs",
}
FLOATS = "Float32Array"


@pytest.mark.parametrize("pattern", FILES.values(), ids=list(FILES))
def test_a_changed_bit_is_refused_with_the_name_of_the_file(
    bundle: Bundle, browser: Chromium, tmp_path: Path, pattern: str
) -> None:
    folder = copied(bundle, tmp_path / "spoilt")
    name = flipped(folder, pattern)
    with (
        opened(browser, folder) as (tab, base),
        pytest.raises(PageFailed, match="is not what was built") as caught,
    ):
        load(tab, base)
    assert name in str(caught.value)


def test_a_file_that_is_missing_is_named(bundle: Bundle, browser: Chromium, tmp_path: Path) -> None:
    folder = copied(bundle, tmp_path / "spoilt")
    [model] = folder.glob("assets/model.*.onnx")
    model.unlink()
    with opened(browser, folder) as (tab, base), pytest.raises(PageFailed) as caught:
        load(tab, base)
    assert f"assets/{model.name}" in str(caught.value)
    assert "404" in str(caught.value)


WRONG = {
    "an unknown name": ("{ picture: TENSOR }", "image"),
    "a name too many": ("{ image: TENSOR, more: TENSOR }", "more"),
    "no input": ("{}", "image"),
    "a wrong type": ("{ image: { data: new Float64Array(192), shape: [1, 3, 8, 8] } }", FLOATS),
    "a plain list": ("{ image: { data: [1, 2, 3], shape: [1, 3, 8, 8] } }", FLOATS),
    "a wrong length": ("{ image: { data: new Float32Array(191), shape: [1, 3, 8, 8] } }", "192"),
    "a wrong shape": ("{ image: { data: new Float32Array(192), shape: [1, 8, 8, 3] } }", "3"),
    "a batch too large": (
        "{ image: { data: new Float32Array(192 * 9), shape: [9, 3, 8, 8] } }",
        "8",
    ),
}
TENSOR = "{ data: new Float32Array(192), shape: [1, 3, 8, 8] }"
TRY = """async () => {
  try { await globalThis.model.run(%s); return null; }
  catch (error) { return { type: error.constructor.name, message: error.message }; }
}"""


def test_a_wrong_question_is_a_type_error_that_says_what_was_expected(
    bundle: Bundle, browser: Chromium, check: Check
) -> None:
    with opened(browser, bundle.path) as (tab, base):
        load(tab, base)
        for what, (question, expected) in WRONG.items():
            said = call(tab, TRY % question.replace("TENSOR", TENSOR), doing=what)
            assert said is not None, f"{what} was answered"
            assert said["type"] == "TypeError", f"{what}: {said}"
            assert "image" in said["message"] or "more" in said["message"], f"{what}: {said}"
            assert expected in said["message"], f"{what}: {said}"
        assert is_right(ask(tab, check), check), "it still answers"
