"""A question that runs can be taken back, and the model answers the next one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy_targets.integrations.chromium import Chromium
from deploy_targets.records import Bundle, Check

from .browsing import ask, call, copied, is_right, load, opened

ROWS = 20_000
SLOW = """async ({ rows, after }) => {
  const image = { data: new Float32Array(rows * 192).fill(0.5), shape: [rows, 3, 8, 8] };
  const stop = new AbortController();
  const began = performance.now();
  const asked = globalThis.model.run({ image }, { signal: stop.signal });
  if (after !== null) setTimeout(() => stop.abort(), after);
  const said = await asked.then(() => "answered", (error) => error.name);
  return { said, seconds: (performance.now() - began) / 1000 };
}"""
QUEUED = """async ({ rows, data, shape }) => {
  const large = { data: new Float32Array(rows * 192).fill(0.5), shape: [rows, 3, 8, 8] };
  const image = { data: Float32Array.from(data), shape };
  const stop = new AbortController();
  const ask = (inputs, signal) =>
    globalThis.model.run({ image: inputs }, { signal }).catch((error) => error.name);
  const answers = [ask(large, stop.signal), ask(image), ask(image, AbortSignal.abort())];
  setTimeout(() => stop.abort(), 20);
  const [first, second, third] = await Promise.all(answers);
  return { first, second: { logits: [...second.logits.data] }, third };
}"""


@pytest.fixture
def wide(bundle: Bundle, tmp_path: Path) -> Path:
    """The bundle, taking far more rows at once than it was built for: a question that lasts."""
    folder = copied(bundle, tmp_path / "wide")
    about = json.loads((folder / "model.json").read_text())
    about["axes"]["B"][1] = ROWS
    (folder / "model.json").write_text(json.dumps(about))
    return folder


def test_a_running_question_is_cancelled_and_the_model_answers_afterwards(
    wide: Path, browser: Chromium, check: Check
) -> None:
    with opened(browser, wide) as (tab, base):
        load(tab, base, threads=1, check=False)
        whole = call(tab, SLOW, {"rows": ROWS, "after": None})
        assert whole["said"] == "answered"
        cut = call(tab, SLOW, {"rows": ROWS, "after": 20})
        assert cut["said"] == "AbortError"
        assert cut["seconds"] < 0.6 * whole["seconds"], (cut, whole)
        assert is_right(ask(tab, check), check)


def test_others_who_wait_are_answered_though_one_is_cancelled(
    wide: Path, browser: Chromium, check: Check
) -> None:
    image = check.call.inputs["image"]
    question = {"rows": ROWS, "data": image.ravel().tolist(), "shape": list(image.shape)}
    with opened(browser, wide) as (tab, base):
        load(tab, base, threads=1, check=False)
        said = call(tab, QUEUED, question)
    assert (said["first"], said["third"]) == ("AbortError", "AbortError")
    assert is_right(said["second"], check)
