"""A child that stays and answers: its answers, its silence, its crash."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from deploy_targets.integrations.answering import Ended, Silence, started

PARROT = """
import struct, sys, {imports}
while start := sys.stdin.buffer.read(8):
    said = sys.stdin.buffer.read(struct.unpack("<Q", start)[0])
    {does}
    sys.stdout.buffer.write(struct.pack("<Q", len(said)) + said)
    sys.stdout.buffer.flush()
"""


def parrot(does: str = "pass", imports: str = "os") -> list[str]:
    return [sys.executable, "-I", "-c", PARROT.format(does=does, imports=imports)]


def test_it_answers_message_after_message(tmp_path: Path) -> None:
    large = os.urandom(3 << 20)
    with started(parrot(), tmp_path, who="it") as child:
        assert [child.ask(each, 60) for each in (b"one", b"", large)] == [b"one", b"", large]


@pytest.mark.skipif(os.name != "posix", reason="signals have these names on POSIX alone")
def test_a_crash_is_told_by_its_signal_and_its_last_words(tmp_path: Path) -> None:
    crash = "print('about to', file=sys.stderr, flush=True); ctypes.string_at(0)"
    with started(parrot(crash, "ctypes"), tmp_path, who="the interpreter") as child:
        with pytest.raises(Ended) as ended:
            child.ask(b"one", 60)
        with pytest.raises(Ended):
            child.ask(b"two", 60)
    assert str(ended.value) == "the interpreter was killed by SIGSEGV; its last words: about to"


def test_half_an_answer_is_none(tmp_path: Path) -> None:
    half = "sys.stdout.buffer.write(struct.pack('<Q', 9) + said); sys.exit(7)"
    with (
        started(parrot(half), tmp_path, who="it") as child,
        pytest.raises(Ended, match=r"it ended with exit code 7$"),
    ):
        child.ask(b"one", 60)


def test_a_silent_child_is_ended(tmp_path: Path) -> None:
    with started(parrot("os.read(0, 1)"), tmp_path, who="it") as child:
        with pytest.raises(Silence, match=r"it did not answer within 0\.5 s"):
            child.ask(b"one", 0.5)
        with pytest.raises(Ended):
            child.hear(60)


def test_it_ends_with_the_block_and_sees_what_it_is_given(tmp_path: Path) -> None:
    tell = "said = f'{os.getpid()} {sorted(os.environ)}'.encode()"
    with started(parrot(tell), tmp_path, who="it", environment={"LC_ALL": "C"}) as child:
        pid, _, names = child.ask(b"", 60).decode().partition(" ")
    assert "LC_ALL" in names
    assert "PATH" not in names
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_a_child_that_does_not_listen_is_ended_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy_targets.integrations.answering._SECONDS_TO_END", 0.3)
    command = [sys.executable, "-I", "-c", "import time; time.sleep(600)"]
    with started(command, tmp_path, who="it") as child:
        pid = child._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
