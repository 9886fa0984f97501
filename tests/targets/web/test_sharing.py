"""Where a bundle can live: beside another one, below a path, on a host that sends no headers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import onnx
from onnx import numpy_helper

from deploy_targets.integrations.chromium import Chromium
from deploy_targets.records import Bundle, Check

from .browsing import ask, call, copied, is_right, load, opened

BOTH = """async ({ one, two, data, shape }) => {
  const image = { data: Float32Array.from(data), shape };
  const models = await Promise.all([one, two].map(async (base) => {
    const { load } = await import(`${base}model.mjs`);
    return load({ check: false });
  }));
  const answers = await Promise.all(models.map((model) => model.run({ image })));
  models[0].close();
  answers.push(await models[1].run({ image }));
  return answers.map((one) => ({ logits: [...one.logits.data] }));
}"""


def another(bundle: Bundle, folder: Path) -> Path:
    """The bundle with other weights: its logits are one more."""
    copied(bundle, folder)
    about = json.loads((folder / "model.json").read_text())
    record = about["files"]["model"]
    graph = onnx.load(folder / record["path"])
    [bias] = [one for one in graph.graph.initializer if one.name == "head.bias"]
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + 1, bias.name))
    data = graph.SerializeToString()
    (folder / record["path"]).unlink()
    record["path"], record["size"] = "assets/model.other.onnx", len(data)
    record["sha256"] = hashlib.sha256(data).hexdigest()
    (folder / record["path"]).write_bytes(data)
    (folder / "model.json").write_text(json.dumps(about))
    return folder


def test_two_bundles_on_a_page_share_one_runtime(
    bundle: Bundle, browser: Chromium, check: Check, tmp_path: Path
) -> None:
    host = tmp_path / "host"
    copied(bundle, host)  # for its headers, and a page
    copied(bundle, host / "one")
    another(bundle, host / "two")
    image = check.call.inputs["image"]
    with opened(browser, host) as (tab, base):
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("worker", lambda worker: asked.append(f"worker {worker.url}"))
        question = {"data": image.ravel().tolist(), "shape": list(image.shape)}
        urls = {"one": f"{base}one/", "two": f"{base}two/"}
        one, two, again = call(tab, BOTH, {**question, **urls})
    assert is_right(one, check)
    assert is_right(two, check, plus=1.0), "each answers with its own weights"
    assert is_right(again, check, plus=1.0), "one that was closed takes no other with it"
    assert len([url for url in asked if url.endswith(".onnx")]) == 2
    assert len([url for url in asked if url.endswith(".wasm")]) == 1
    # A worker of each bundle's own would be two; what ONNX Runtime starts for threads is its own.
    workers = [url for url in asked if url.startswith("worker ") and "ort" not in url]
    assert len(workers) == 1, workers


def test_a_bundle_lives_below_a_path_of_a_host(
    bundle: Bundle, browser: Chromium, check: Check
) -> None:
    with opened(browser, bundle.path, "/some/where/") as (tab, base):
        assert base.endswith("/some/where/")
        assert load(tab, base)["threads"] == 2
        assert is_right(ask(tab, check), check)


def test_a_page_without_isolation_takes_one_thread_and_says_why(
    bundle: Bundle, browser: Chromium, check: Check, tmp_path: Path
) -> None:
    folder = copied(bundle, tmp_path / "bare")
    (folder / "_headers").unlink()
    with opened(browser, folder) as (tab, base):
        info = load(tab, base)
        assert is_right(ask(tab, check), check)
    assert (info["step"], info["threads"]) == ("wasm, 1 thread", 1)
    assert "not cross-origin isolated" in info["why"]


def test_threads_are_as_many_as_were_asked_for(
    bundle: Bundle, browser: Chromium, check: Check
) -> None:
    with opened(browser, bundle.path) as (tab, base):
        info = load(tab, base, threads=1)
        assert is_right(ask(tab, check), check)
    assert (info["threads"], info["why"]) == (1, "one thread was asked for")


def test_the_first_load_asks_a_golden_case_and_the_second_remembers(
    bundle: Bundle, browser: Chromium
) -> None:
    with opened(browser, bundle.path) as (tab, base):
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url))
        first = load(tab, base)
        fetched = [url for url in asked if url.endswith("golden.safetensors")]
        assert fetched
        tab.load(f"{base}harness.html")
        asked.clear()
        second = load(tab, base)
    assert not [url for url in asked if url.endswith("golden.safetensors")]
    assert first["checked"]
    assert second["checked"]
    assert first["checked"] != second["checked"]
