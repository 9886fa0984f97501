"""What a function sees in its sandbox, here and under emulation, and where it cannot be run."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from deploy_targets.errors import ConfigError, NotRun, ToolMissing
from deploy_targets.integrations import lambda_python
from deploy_targets.integrations.lambda_emulator import Function, FunctionFailed, start
from deploy_targets.workspace import Workspace
from tests.integrations.functions import HERE, ask, spec

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")


class TestWhatItSees:
    @pytest.mark.parametrize(
        "path", ["/var/task/x", "/var/runtime/x", "/var/lang/x", "/x", "/etc/x"]
    )
    def test_all_but_tmp_is_read_only(self, function: Function, path: str) -> None:
        assert ask(function, "errno_of_writing", path=path) == "EROFS"

    def test_tmp_has_512_mb_and_not_one_more(self, function: Function) -> None:
        assert ask(function, "errno_of_writing", path="/tmp/x") is None
        assert ask(function, "errno_of_reserving", path="/tmp/y", megabytes=511) is None
        assert ask(function, "errno_of_reserving", path="/tmp/y", megabytes=513) == "ENOSPC"

    def test_there_is_no_network(self, function: Function) -> None:
        assert ask(function, "errno_of_connecting", host="1.1.1.1", port=53) == "ENETUNREACH"
        assert ask(function, "errno_of_connecting", host="127.0.0.1", port=8080) is None

    def test_the_machine_is_lambdas_and_not_this_one(self, function: Function) -> None:
        seen = ask(function, "machine")
        assert isinstance(seen, dict)
        assert seen["uid"] == 993
        assert seen["home"] == "/home/sbx_user1051"
        assert set(seen["root"]) <= {"dev", "etc", "lib", "lib64", "proc", "tmp", "usr", "var"}
        assert not seen["shm_writable"]
        assert seen["prefix"] == "/var/lang"
        assert seen["path"][0] == "/var/task"

    def test_packages_and_libraries_of_this_machine_are_out_of_sight(
        self, function: Function
    ) -> None:
        seen = ask(function, "machine")
        assert isinstance(seen, dict)
        assert seen["packages"] == []
        assert seen["modules"] == [True, True, True, True, False], "the last is pip"
        assert any(name.startswith("libstdc++.so") for name in seen["libraries"])
        # Lambda has no OpenMP: a wheel that counts on the system's must fail here too.
        assert not any("gomp" in name or "X11" in name for name in seen["libraries"])

    def test_the_environment_is_lambdas_and_the_functions_own(
        self, function: Function, python: str
    ) -> None:
        seen = ask(function, "environment")
        assert isinstance(seen, dict)
        assert seen["MODEL"] == "m.onnx"
        assert seen["LAMBDA_TASK_ROOT"] == "/var/task"
        assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "1769"
        assert seen["AWS_EXECUTION_ENV"] == f"AWS_Lambda_python{python}"
        assert seen["AWS_REGION"] == "us-east-1"
        assert seen["_HANDLER"] == "app.handler"
        strangers = {name for name in os.environ if name in seen} - {"PATH", "LANG", "TZ", "PWD"}
        assert {name for name in strangers if not name.startswith("AWS_")} == set()


class TestWhereItCannotRun:
    def test_a_reserved_variable_is_refused_as_aws_does(
        self, task: Path, python: str, kept: Workspace
    ) -> None:
        reserved = spec(task, python, environment={"AWS_REGION": "eu-central-1"})
        with pytest.raises(ConfigError, match="AWS_REGION"):
            enter(start(reserved, kept))

    def test_a_python_that_is_not_here_is_told_with_how_to_get_it(
        self, task: Path, kept: Workspace
    ) -> None:
        with pytest.raises(ToolMissing, match=r"Python 3\.99 was not found") as caught:
            enter(start(spec(task, "3.99"), kept))
        assert "uv python install 3.99" in caught.value.hint

    def test_an_architecture_that_is_not_emulated_is_not_run(
        self, task: Path, kept: Workspace
    ) -> None:
        foreign = "arm64" if HERE == "x86_64" else "x86_64"
        with pytest.raises(NotRun, match=rf"Python 3\.12 on {foreign} cannot be run"):
            enter(start(spec(task, "3.12", arch=foreign), kept))


@pytest.mark.skipif(HERE != "x86_64", reason="on arm64 itself, nothing is emulated")
def test_an_arm64_function_answers_under_emulation_and_says_so(task: Path, kept: Workspace) -> None:
    with start(
        spec(task, max(lambda_python.DEBIAN), arch="arm64", memory_mb=512), kept
    ) as function:
        seen = ask(function, "machine")
        assert isinstance(seen, dict)
        assert seen["machine"] == "aarch64"
        assert seen["uid"] == 993
        assert "CPU part\t: 0xd0c" in seen["cpuinfo"]
        assert seen["modules"] == [True, True, True, True, False]
        assert ask(function, "errno_of_writing", path="/var/task/x") == "EROFS"
        assert function.emulated
        assert "qemu-aarch64" in function.where
        assert "neoverse-n1" in function.where
        assert any("times mean nothing" in note for note in function.notes)
        with pytest.raises(FunctionFailed, match="ValueError: no such luck"):
            ask(function, "fail", message="no such luck")


def enter(context: AbstractContextManager[object]) -> None:
    with context:
        pytest.fail("it was started")
