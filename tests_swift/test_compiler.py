"""The compiler runs in a sandbox, and what fails in it is told."""

from __future__ import annotations

import pytest

from deploy_targets.errors import NotRun
from deploy_targets.integrations import swift

PROBE = """\
import Foundation
switch CommandLine.arguments[1] {
case "sleep": sleep(30)
case "list": print(try FileManager.default.contentsOfDirectory(atPath: "/").joined(separator: " "))
default:
    guard fopen("/package/Package.swift", "a") == nil else { break }
    print(String(cString: strerror(errno)))
    exit(1)
}
"""
"""The sandbox has no shell, and nothing else that could be asked."""


@pytest.fixture(scope="module")
def probe(compiler: swift.Swift, job: swift.Job) -> str:
    (job.build / "probe.swift").write_text(PROBE)
    compiler.run(["swiftc", "/build/probe.swift", "-o", "/build/probe"], job)
    return "/build/probe"


def test_the_package_cannot_be_written_from_within(
    compiler: swift.Swift, job: swift.Job, probe: str
) -> None:
    with pytest.raises(NotRun, match="Read-only file system"):
        compiler.run([probe, "write"], job)


def test_nothing_of_the_machine_is_seen_but_what_was_given(
    compiler: swift.Swift, job: swift.Job, probe: str
) -> None:
    seen = set(compiler.run([probe, "list"], job).split())
    known = {"bin", "build", "dev", "etc", "lib", "lib64", "package", "proc", "tmp", "usr"}
    assert seen == known


def test_code_that_is_wrong_is_told_with_the_compilers_words(
    compiler: swift.Swift, job: swift.Job
) -> None:
    (job.build / "wrong.swift").write_text('let count: Int = "three"\n')
    with pytest.raises(NotRun, match="cannot convert value of type 'String'"):
        compiler.run(["swiftc", "-typecheck", "/build/wrong.swift"], job)


def test_what_takes_too_long_is_ended(compiler: swift.Swift, job: swift.Job, probe: str) -> None:
    with pytest.raises(NotRun, match=r"took longer than 0\.5 seconds"):
        compiler.run([probe, "sleep"], job, seconds=0.5)


def test_the_version_is_that_of_debians_package(compiler: swift.Swift) -> None:
    assert compiler.version.startswith("6.")
