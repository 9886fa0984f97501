"""What the tests in browsers share: one bundle, one Chromium, and ways to spoil a copy.

Test files import the fixtures that they name. All of them hold for the whole session.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy_targets import bundle as bundles
from deploy_targets import pipeline, registry
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.integrations import chromium, static_site
from deploy_targets.integrations.chromium import Chromium, Tab
from deploy_targets.pipeline import Job, Outcome
from deploy_targets.records import Bundle, Check
from deploy_targets.testing import zoo
from deploy_targets.workspace import Workspace

LOAD = """async ({ base, options }) => {
  const { load } = await import(`${base}model.mjs`);
  globalThis.model = await load(options);
  return globalThis.model.info();
}"""
"""Loads the model of a bundle as any page of a site would."""
RUN = """async ({ data, shape }) => {
  const outputs = await globalThis.model.run({ image: { data: Float32Array.from(data), shape } });
  return Object.fromEntries(Object.entries(outputs).map(([name, one]) => [name, [...one.data]]));
}"""


def built(folder: Path, **options: object) -> Outcome:
    """A small convolutional model with two outputs and a dynamic batch, built and verified."""
    spec = SourceSpec(source=str(zoo.convnet(folder / "convnet.onnx")), base=folder)
    target = registry.load("web", {"precompress": False, **options})
    return pipeline.build(Job(spec, target, folder / "bundle"), Workspace(), reuse=False)


@pytest.fixture(scope="session")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return built(tmp_path_factory.mktemp("web"), webgpu=True)


@pytest.fixture(scope="session")
def bundle(outcome: Outcome) -> Bundle:
    return outcome.bundle


@pytest.fixture(scope="session")
def check(bundle: Bundle) -> Check:
    """One question with the original's answer."""
    return next(iter(bundles.read_golden(bundle)))


@pytest.fixture(scope="session")
def browser() -> Iterator[Chromium]:
    with chromium.started() as started:
        yield started


@contextmanager
def opened(browser: Chromium, folder: Path, prefix: str = "/") -> Iterator[tuple[Tab, str]]:
    """A page on a site with the folder, its model not yet loaded, and the folder's URL."""
    with (
        static_site.serving(folder, prefix=prefix) as site,
        browser.page(f"{site.url}harness.html") as tab,
    ):
        yield tab, site.url


def call(tab: Tab, script: str, argument: object = None, doing: str = "being tried") -> Any:
    """What the page says. Raises PageFailed."""
    return tab.call(script, argument, doing=doing, seconds=60)


def load(tab: Tab, base: str, **options: object) -> Any:
    """What the model's info() says once it is loaded."""
    return call(tab, LOAD, {"base": base, "options": options}, "loading the model")


def ask(tab: Tab, check: Check) -> Any:
    """The loaded model's answers to a golden question, as flat lists."""
    image = check.call.inputs["image"]
    return call(tab, RUN, {"data": image.ravel().tolist(), "shape": list(image.shape)})


def is_right(answers: Any, check: Check, plus: float = 0.0) -> bool:
    """Whether these are the original's logits, moved by `plus`."""
    wanted = (check.expected["logits"] + plus).ravel().tolist()
    return bool(answers["logits"] == pytest.approx(wanted, abs=1e-3))


def copied(bundle: Bundle, folder: Path) -> Path:
    """The bundle's files, to be spoilt."""
    return Path(shutil.copytree(bundle.path, folder))


def replaced(folder: Path, pattern: str, old: str, new: str) -> None:
    """Changes a text that must be in the one file that matches."""
    [file] = folder.glob(pattern)
    text = file.read_text()
    assert old in text, f"{file.name} holds no {old!r}"
    file.write_text(text.replace(old, new))


def planted(folder: Path, pattern: str, code: str) -> None:
    """Runs this, too, where the one module that matches runs; its imports come first."""
    [file] = folder.glob(pattern)
    file.write_text(f"{code}\n{file.read_text()}")


def flipped(folder: Path, pattern: str) -> str:
    """Changes one bit in the middle of the one file that matches; the file's path."""
    [file] = folder.glob(pattern)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    return file.relative_to(folder).as_posix()
