"""Functions in AWS's own emulator: what they may do, what they may not, and how they fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy_targets.integrations import cgroups
from deploy_targets.integrations.lambda_emulator import (
    MAX_EVENT_BYTES,
    EventTooLarge,
    Function,
    FunctionFailed,
    start,
)
from deploy_targets.workspace import Workspace
from tests.integrations.functions import HERE, ask, spec

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")


class TestHowItAnswers:
    def test_one_sandbox_answers_one_event_after_another(self, function: Function) -> None:
        first, second = ask(function, "count"), ask(function, "count")
        assert isinstance(first, int)
        assert second == first + 1
        assert function.log().count("this is Init") == 1
        assert function.cold_start_seconds
        assert function.seconds
        assert function.seconds < function.cold_start_seconds

    def test_what_ran_and_what_could_not_be_as_on_lambda_is_said(
        self, function: Function, python: str
    ) -> None:
        assert "Runtime Interface Emulator" in function.where
        assert f"Python {python}." in function.where
        assert HERE in function.where
        assert not function.emulated
        assert any("Amazon Linux" in note for note in function.notes)

    def test_peak_memory_follows_what_the_function_holds(self, function: Function) -> None:
        ask(function, "count")
        before = function.peak_memory()
        assert before
        ask(function, "hold", megabytes=100)
        after = function.peak_memory()
        assert after
        assert 95 << 20 < after - before < 130 << 20

    def test_the_log_is_kept_to_its_end_and_not_without_end(self, function: Function) -> None:
        ask(function, "print_much", lines=10_000)
        ask(function, "count")
        assert "line 9999 " in function.log()
        assert "line 1000 " not in function.log()
        assert len(function.log()) < 300_000


class TestHowItFails:
    def test_an_exception_is_told_with_its_trace(self, function: Function) -> None:
        with pytest.raises(FunctionFailed, match="ValueError: no such luck") as caught:
            ask(function, "fail", message="no such luck")
        assert 'File "/var/task/app.py"' in str(caught.value)
        assert isinstance(ask(function, "count"), int)

    def test_an_event_over_6_mb_is_refused_and_one_below_arrives_whole(
        self, function: Function
    ) -> None:
        frame = len(json.dumps({"do": "length", "text": ""}))
        text = "x" * (MAX_EVENT_BYTES - frame)
        assert ask(function, "length", text=text) == len(text)
        with pytest.raises(EventTooLarge, match="6291457 bytes, and Lambda takes 6291456"):
            ask(function, "length", text=f"{text}x")

    def test_an_answer_over_6_mb_is_refused_as_lambda_does(self, function: Function) -> None:
        with pytest.raises(FunctionFailed, match=r"Function\.ResponseSizeTooLarge"):
            ask(function, "say", bytes=7_000_000)

    def test_a_crash_is_told_with_the_last_words(self, function: Function) -> None:
        with pytest.raises(FunctionFailed, match="the last thing it said") as caught:
            ask(function, "crash")
        assert "aborted" in str(caught.value)
        assert ask(function, "count") == 1  # a new process, as on Lambda

    def test_a_failure_at_import_shows_the_log(
        self, task: Path, python: str, kept: Workspace
    ) -> None:
        broken = spec(task, python, environment={"FAIL_AT_IMPORT": "1"})
        with start(broken, kept) as function:
            with pytest.raises(FunctionFailed, match="the model is corrupt") as caught:
                function.invoke({}, timeout=60)
            assert "this is Init" in str(caught.value)
            assert function.cold_start_seconds is None

    def test_a_handler_that_is_not_there_is_named(
        self, task: Path, python: str, kept: Workspace
    ) -> None:
        with (
            start(spec(task, python, handler="app.nothing"), kept) as function,
            pytest.raises(FunctionFailed, match="Handler 'nothing' missing on module 'app'"),
        ):
            function.invoke({}, timeout=60)

    def test_its_time_limit_is_enforced_and_the_next_event_answered(
        self, task: Path, python: str, kept: Workspace
    ) -> None:
        with start(spec(task, python, timeout_s=1), kept) as function:
            with pytest.raises(FunctionFailed, match=r"timed out after 1\.00 seconds"):
                ask(function, "sleep", seconds=20)
            assert ask(function, "count") == 1

    def test_too_much_memory_ends_it_and_is_called_by_its_name(
        self, task: Path, python: str, kept: Workspace
    ) -> None:
        with start(spec(task, python, memory_mb=256), kept) as function:
            assert ask(function, "hold", megabytes=100) == 1
            with pytest.raises(FunctionFailed) as caught:
                ask(function, "hold", megabytes=400)
        said = "ran out of memory: it is configured for 256 MB"
        assert said in caught.value.problem

    def test_memory_is_limited_without_a_cgroup_too(
        self, task: Path, python: str, kept: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cgroups, "_parents", lambda controller: iter(()))
        with start(spec(task, python, memory_mb=256), kept) as function:
            assert ask(function, "hold", megabytes=100) == 1
            with pytest.raises(FunctionFailed, match="ran out of memory"):
                ask(function, "hold", megabytes=400)
            assert any("RLIMIT_DATA" in note for note in function.notes)
            assert any("CPU could not be limited" in note for note in function.notes)


class TestItsSize:
    def test_a_quarter_of_the_memory_is_a_quarter_of_the_processor(
        self, task: Path, python: str, kept: Workspace, function: Function
    ) -> None:
        with start(spec(task, python, memory_mb=442), kept) as small:
            if any("CPU could not be limited" in note for note in small.notes):
                pytest.skip("; ".join(small.notes))
            share = ask(small, "burn", seconds=1.0)
        # The best of some: others may be busy on this machine.
        whole = max(float(str(ask(function, "burn", seconds=0.2))) for _ in range(5))
        assert isinstance(share, float)
        assert share < 0.4
        assert whole > 1.5 * share


class TestWhatIsLeft:
    def test_no_process_and_no_group_is_left(
        self, task: Path, python: str, kept: Workspace
    ) -> None:
        before = set(descendants(os.getpid()))
        with start(spec(task, python), kept) as function:
            function.invoke({}, timeout=60)
            pids = set(descendants(os.getpid())) - before
            groups = list(function.limits.groups.values())
            assert len(pids) >= 4  # two of bubblewrap, the client, the emulator, the function
        assert not [pid for pid in pids if lives(pid)]
        assert not [group for group in groups if group.exists()]

    def test_lost_patience_ends_the_sandbox_at_once(
        self, task: Path, python: str, kept: Workspace
    ) -> None:
        with start(spec(task, python), kept) as function:
            function.invoke({}, timeout=60)
            began = time.monotonic()
            with pytest.raises(FunctionFailed, match=r"did not answer within 0\.3 seconds"):
                function.invoke({"do": "sleep", "seconds": 20}, timeout=0.3)
            with pytest.raises(FunctionFailed, match="its sandbox ended"):
                function.invoke({}, timeout=60)
            assert time.monotonic() - began < 5

    def test_nothing_outlives_a_process_that_is_killed(
        self, task: Path, python: str, kept: Workspace
    ) -> None:
        arguments = [str(task), HERE, python, str(kept.root)]
        command, pipe = [sys.executable, "-c", STARTS_AND_SLEEPS, *arguments], subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe) as victim:
            assert victim.stdout
            assert victim.stdout.readline() == b"up\n"
            pids = descendants(victim.pid)
            time.sleep(0.5)  # now it is asleep, and nobody inside listens for the end of input
            victim.send_signal(signal.SIGKILL)
        assert len(pids) >= 4
        until = time.monotonic() + 10
        while any(map(lives, pids)) and time.monotonic() < until:
            time.sleep(0.02)
        assert not [pid for pid in pids if lives(pid)]


STARTS_AND_SLEEPS = """
import sys
from pathlib import Path
from deploy_targets.integrations.lambda_emulator import FunctionSpec, start
from deploy_targets.workspace import Workspace
task, arch, python, home = sys.argv[1:]
spec = FunctionSpec(Path(task), "app.handler", arch, python)
with start(spec, Workspace(Path(home))) as function:
    function.invoke({}, timeout=60)
    print("up", flush=True)
    function.invoke({"do": "sleep", "seconds": 60}, timeout=60)
"""


def descendants(pid: int) -> list[int]:
    """All processes below this one, as the host sees them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            child = int(folder.name)
            found += [child, *descendants(child)]
    return found


def lives(pid: int) -> bool:
    """Whether it runs. One that has ended and waits for an orphans' parent to notice does not."""
    try:
        state = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
