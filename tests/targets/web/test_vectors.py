"""The steps in JavaScript are held to the test vectors, in Node.js and in a real browser.

JavaScript only answers: whether an answer is right is asked here, of the same code as everywhere.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load

from deploy_targets.integrations import chromium, static_site
from deploy_targets.stages import host
from deploy_targets.targets.web import vendored
from deploy_targets.testing import vectors
from deploy_targets.testing.vectors import Case
from deploy_targets.workspace import Workspace

WEB = Path(__file__).parents[3] / "web"
STRICT = """/*
  Content-Security-Policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
connect-src 'self'; worker-src 'self'; img-src data:; base-uri 'none'; form-action 'none'
"""
PAGE = '<!doctype html><title>vectors</title><link rel="icon" href="data:,">'
ASK = """(url) => new Promise((tell) => {
  const worker = new Worker("tests/vectors/worker.mjs", { type: "module" });
  worker.onmessage = ({ data }) => { worker.terminate(); tell(data); };
  worker.onerror = ({ message }) => tell(message || "the worker could not be loaded");
  worker.postMessage(new URL(url, location.href).href);
})"""
"""A worker for each file: what one operation leaves behind is no help to the next."""
SECONDS = 60.0
BROWSERS_OWN = {"decode_image", "chain-image"}
"""Files for which photos are decoded, which Node.js cannot."""
USERS_OWN = {"own"}
"""Operations of which only the user has vectors."""


@dataclass(frozen=True)
class Answers:
    """A file's: outputs by `<case>/<name>`, and what else there is of each case."""

    outputs: Mapping[str, Any]
    said: Mapping[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("vectors")
    vectors.write(made)
    return made


@pytest.fixture(scope="module")
def asked(folder: Path) -> dict[str, list[Case]]:
    return {file.stem: vectors.read(file) for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def in_chromium(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Answers]]:
    """The answers to every file, by module workers under a strict policy."""
    site = tmp_path_factory.mktemp("site")
    _copy(site)
    (site / "index.html").write_text(PAGE)
    (site / static_site.HEADERS).write_text(STRICT)
    with (
        static_site.serving(site) as served,
        chromium.started() as browser,
        browser.page(served.url) as page,
    ):
        yield {file.stem: _by(page, served.exchange, file) for file in sorted(folder.iterdir())}


def test_javascript_has_the_operations_of_the_reference() -> None:
    registries = _node(
        "--input-type=module",
        "-e",
        f"const steps = await import({json.dumps((WEB / 'src/steps/index.mjs').as_uri())});"
        "const { BEFORE, AFTER, WORDS } = steps;"
        "console.log(JSON.stringify([BEFORE, AFTER, WORDS].map((has) =>"
        " Array.isArray(has) ? has : Object.keys(has))))",
    )
    here = [list(host.BEFORE), list(host.AFTER), sorted(host.WORDS)]
    assert json.loads(registries) == here


def test_every_operation_is_asked(asked: dict[str, list[Case]]) -> None:
    ops = {step["op"] for cases in asked.values() for case in cases for step in case.steps}
    assert ops == {*host.BEFORE, *host.AFTER, *host.WORDS} - USERS_OWN


def test_node_satisfies_every_case_that_needs_no_browser(
    folder: Path, asked: dict[str, list[Case]], tmp_path: Path
) -> None:
    names = sorted(set(asked) - BROWSERS_OWN)
    _copy(tmp_path)
    answered = _in_node(tmp_path, folder, tmp_path, names)
    assert sorted(answered) == names
    assert [line for name in names for line in _wrong(asked[name], answered[name])] == []


def test_chromium_satisfies_every_case(
    asked: dict[str, list[Case]], in_chromium: dict[str, Answers]
) -> None:
    assert set(in_chromium) == set(asked)
    assert [line for name in asked for line in _wrong(asked[name], in_chromium[name])] == []


def test_a_refusal_says_what_is_wrong(
    asked: dict[str, list[Case]], in_chromium: dict[str, Answers]
) -> None:
    refused = [(name, case) for name in asked for case in asked[name] if case.refuses is not None]
    assert refused
    messages = {
        f"{n}/{c.name}": in_chromium[n].said[c.name]["refused"]["message"] for n, c in refused
    }
    assert [where for where, message in messages.items() if len(message.split()) < 3] == []


def test_passes_in_the_wrong_order_are_noticed(
    folder: Path, asked: dict[str, list[Case]], tmp_path: Path
) -> None:
    _copy(tmp_path)
    planted = tmp_path / "src" / "steps" / "resize_pil.mjs"
    right = planted.read_text()
    assert right.count("? [0, 1] : [1, 0]") == 1
    planted.write_text(right.replace("? [0, 1] : [1, 0]", "? [1, 0] : [0, 1]"))
    answered = _in_node(tmp_path, folder, tmp_path, ["resize"])
    assert len(_wrong(asked["resize"], answered["resize"])) > 1


def _copy(site: Path) -> None:
    shutil.copytree(WEB / "src", site / "src")
    shutil.copytree(WEB / "tests" / "vectors", site / "tests" / "vectors")
    for place, file in vendored.needed(host.BEFORE, Workspace()).files.items():
        (site / "src" / place).parent.mkdir(parents=True)
        shutil.copyfile(file, site / "src" / place)


def _by(page: Any, exchange: static_site.Exchange, file: Path) -> Answers:
    with exchange.question(file.read_bytes()) as path:
        failed = page.call(ASK, path, doing=f"answering {file.stem}", seconds=SECONDS)
        assert not failed, f"{file.stem}: {failed}"
        answer = exchange.answer(path)
    assert answer is not None
    return _read(answer)


def _in_node(web: Path, folder: Path, into: Path, names: list[str]) -> dict[str, Answers]:
    _node(web / "tests" / "vectors" / "node.mjs", folder, into, *names)
    return {name: _read((into / f"{name}.safetensors").read_bytes()) for name in names}


def _node(*arguments: object) -> str:
    node = shutil.which("node")
    assert node, "Node.js was not found; install it (Debian: apt-get install nodejs)"
    command = [node, *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def _read(data: bytes) -> Answers:
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    return Answers(load(data), json.loads(head["__metadata__"]["answers"]))


def _wrong(cases: list[Case], answers: Answers) -> list[str]:
    """A line for each case that is not satisfied."""
    lines = [(case.name, _complaint(case, answers)) for case in cases]
    return [f"{name}: {complaint}" for name, complaint in lines if complaint]


def _complaint(case: Case, answers: Answers) -> str:
    said = answers.said.get(case.name, {})
    if case.refuses is not None:
        status = said.get("refused", {}).get("status")
        expected = case.refuses["status"]
        return "" if status == expected else f"expected a refusal with {expected}, got {said}"
    if "frame" not in said:
        return f"gave no answer: {said}"
    start = f"{case.name}/"
    outputs = {k.removeprefix(start): v for k, v in answers.outputs.items() if k.startswith(start)}
    return vectors.wrong(case, outputs, said["frame"])
