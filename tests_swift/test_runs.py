"""What Core ML leaves gaps in, as its rows may have padding: read and written by Runs.swift."""

from __future__ import annotations

import json

import numpy as np
import pytest

from deploy_targets.integrations.swift import BUILD, Job, Swift
from deploy_targets.resources import resource

CASES = [
    ((), ()),
    ((4,), (1,)),
    ((4,), (3,)),
    ((2, 3), (3, 1)),
    ((2, 3), (8, 1)),
    ((2, 3), (1, 2)),
    ((1, 3, 2, 2), (64, 16, 4, 1)),
    ((2, 1, 3), (3, 999, 1)),
    ((2, 1, 3), (4, 999, 1)),
    ((0, 3), (3, 1)),
]
"""Shape and strides, in elements."""
MAIN = """
import Foundation

// Of each case: its elements without gaps, and memory of -1 into which they were put.
let memory = (0..<256).map { Int32($0) }
for argument in CommandLine.arguments.dropFirst() {
    let said = try JSONDecoder().decode([[Int]].self, from: Data(argument.utf8))
    let runs = Runs(said[0], said[1])
    let data = memory.withUnsafeBytes { runs.gathered($0, size: 4) }
    var other = [Int32](repeating: -1, count: 256)
    data.withUnsafeBytes { from in
        other.withUnsafeMutableBytes { runs.scatter(from, to: $0, size: 4) }
    }
    let elements = data.withUnsafeBytes { [Int32]($0.bindMemory(to: Int32.self)) }
    print(String(decoding: try JSONEncoder().encode([elements, other]), as: UTF8.self))
}
"""


@pytest.fixture(scope="module")
def said(compiler: Swift, tmp_path_factory: pytest.TempPathFactory) -> list[list[list[int]]]:
    home = tmp_path_factory.mktemp("runs")
    source = resource("mobile", "ios", "runtimes", "coreml") / "Sources/DeployTarget/Runs.swift"
    for name in ("package", "build"):
        (home / name).mkdir()
    (home / "package/Runs.swift").write_bytes(source.read_bytes())
    (home / "package/main.swift").write_text(MAIN)
    job = Job(home / "package", home / "build")
    compiler.run(["swiftc", "Runs.swift", "main.swift", "-o", f"{BUILD}/runs"], job)
    asked = [json.dumps(case) for case in CASES]
    return [json.loads(line) for line in compiler.run([f"{BUILD}/runs", *asked], job).splitlines()]


def test_elements_are_found_where_numpy_finds_them(said: list[list[list[int]]]) -> None:
    memory = np.arange(256, dtype=np.int32)
    for (shape, strides), (elements, _) in zip(CASES, said, strict=True):
        assert elements == strided(memory, shape, strides).ravel().tolist(), (shape, strides)


def test_elements_are_put_where_numpy_puts_them(said: list[list[list[int]]]) -> None:
    for (shape, strides), (elements, memory) in zip(CASES, said, strict=True):
        expected = np.full(256, -1, np.int32)
        strided(expected, shape, strides)[...] = np.reshape(elements, shape)
        assert memory == expected.tolist(), (shape, strides)


def strided(memory: np.ndarray, shape: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
    steps = tuple(4 * stride for stride in strides)
    return np.lib.stride_tricks.as_strided(memory, shape, steps)
