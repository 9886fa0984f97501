"""Every way in which a child process can end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from deploy_targets.errors import ConversionFailed, UnsupportedModel
from deploy_targets.integrations import worker

JOBS = dedent(
    """
    import os, signal, subprocess, sys, time

    def echo(**given):
        print("to the log")
        return {"given": given, "pid": os.getpid()}

    def refuse():
        from deploy_targets.errors import UnsupportedModel
        raise UnsupportedModel("no such model", hint="give another")

    def fail():
        raise ValueError("a shape of 3 and one of 4")

    def starve():
        raise MemoryError

    def crash():
        sys.stderr.write("about to fall")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGSEGV)

    def vanish():
        os._exit(3)

    def leave():
        sys.exit(0)

    def dawdle(file):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        with open(file, "w") as out:
            out.write(str(child.pid))
        time.sleep(60)
    """
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "some_jobs.py").write_text(JOBS)
    return [str(folder), *sys.path]


def ask(path: list[str], job: str, **options: object) -> object:
    options = {"who": "the exporter", "path": path, "timeout": 30.0, **options}
    return worker.call(f"some_jobs:{job}", options.pop("arguments", {}), **options)  # type: ignore[arg-type]


def test_arguments_and_answers_cross_as_json_and_prints_go_to_the_log(
    path: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = ask(path, "echo", arguments={"a": [1, {"b": None}]}, log=tmp_path / "job.log")
    assert isinstance(said, dict)
    assert said["given"] == {"a": [1, {"b": None}]}
    assert said["pid"] != os.getpid()
    assert (tmp_path / "job.log").read_text() == "to the log\n"
    assert capfd.readouterr() == ("", "")


def test_an_error_with_a_hint_arrives_as_itself(path: list[str]) -> None:
    with pytest.raises(UnsupportedModel, match="no such model") as caught:
        ask(path, "refuse")
    assert caught.value.hint == "give another"


def test_any_other_exception_is_a_failed_conversion_that_names_it(path: list[str]) -> None:
    with pytest.raises(ConversionFailed, match="the exporter failed: ValueError: a shape of 3"):
        ask(path, "fail")


def test_running_out_of_memory_is_said(path: list[str]) -> None:
    with pytest.raises(ConversionFailed, match="ran out of memory"):
        ask(path, "starve")


@pytest.mark.skipif(os.name != "posix", reason="signals end processes on POSIX alone")
def test_a_crash_leaves_its_last_words(path: list[str]) -> None:
    with pytest.raises(ConversionFailed, match=r"killed by SIGSEGV; its last words: .*to fall"):
        ask(path, "crash")


def test_an_exit_code_is_told(path: list[str]) -> None:
    with pytest.raises(ConversionFailed, match="exit code 3"):
        ask(path, "vanish")


def test_a_job_that_exits_quietly_has_not_succeeded(path: list[str]) -> None:
    with pytest.raises(ConversionFailed, match="ended without an answer"):
        ask(path, "leave")


@pytest.mark.skipif(os.name != "posix", reason="process groups are POSIX")
def test_a_job_out_of_time_is_killed_with_all_that_it_started(
    path: list[str], tmp_path: Path
) -> None:
    with pytest.raises(ConversionFailed, match="longer than 1 s") as caught:
        ask(path, "dawdle", arguments={"file": str(tmp_path / "pid")}, timeout=1.0)
    assert "--timeout 2" in caught.value.hint
    _wait_until_gone(int((tmp_path / "pid").read_text()))


def _wait_until_gone(pid: int) -> None:
    for _ in range(100):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} outlived the job that started it")
