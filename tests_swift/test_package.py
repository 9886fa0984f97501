"""The Swift package's own tests, by XCTest."""

from __future__ import annotations

import re

from deploy_targets.integrations import swift


def test_the_packages_own_tests_pass(compiler: swift.Swift, job: swift.Job) -> None:
    said = compiler.run(swift.test(), job)
    executed = [
        int(number) for number in re.findall(r"Executed (\d+) tests, with 0 failures", said)
    ]
    written = sum(
        len(re.findall(r"^    func test\w+\(\)", file.read_text(), re.MULTILINE))
        for file in (job.package / "Tests" / "DeployTargetCoreTests").glob("*.swift")
    )
    assert written > 20
    assert max(executed) == written
