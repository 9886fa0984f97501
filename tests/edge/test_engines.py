"""Engines on disk: only the one that was asked for, whole; the old one until the new one is."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.edge.conftest import NAME, Part

ASKED = {
    "gpu": "Orin",
    "capability": "8.7",
    "tensorrt": "10.3.0",
    "precision": "fp16",
    "model": "ab" * 32,
    "profile": "image((1, 3), (1, 3), (4, 3))",
    "dla": -1,
}
OTHER = {
    "gpu": "Xavier",
    "capability": "7.2",
    "tensorrt": "8.6.2",
    "precision": "fp32",
    "model": "cd" * 32,
    "profile": "image((1, 3), (1, 3), (8, 3))",
    "dla": 0,
}
"""The same key, but for one thing at a time."""


@pytest.fixture
def kept(part: Part, tmp_path: Path) -> Any:
    return part("engines").Engines(str(tmp_path))


def key(part: Part, **changed: object) -> Any:
    return part("engines").Key(**{**ASKED, **changed})


def test_an_engine_is_found_again(part: Part, kept: Any) -> None:
    assert kept.find(key(part)) == ("", "none was built yet")
    path = kept.keep(key(part), b"an engine")
    assert kept.find(key(part)) == (path, "")
    assert Path(path).read_bytes() == b"an engine"


@pytest.mark.parametrize("field", sorted(OTHER))
def test_an_engine_for_another_device_is_never_handed_out(
    part: Part, kept: Any, field: str
) -> None:
    path = Path(kept.keep(key(part), b"an engine"))
    wanted = key(part, **{field: OTHER[field]})
    assert kept.find(wanted)[0] == ""
    # Not even where it lies in the other's folder: copied from a board, or by a hash that collides.
    other = Path(kept.home, wanted.digest)
    os.rename(path.parent, other)
    plan, why = kept.find(wanted)
    assert plan == ""
    assert why == f"it is for another {field}: {ASKED[field]}"


@pytest.mark.parametrize("body", [b"an engin", b"", b"an Engine", b"an engine and more"])
def test_a_damaged_engine_is_not_handed_out(part: Part, kept: Any, body: bytes) -> None:
    Path(kept.keep(key(part), b"an engine")).write_bytes(body)
    assert kept.find(key(part)) == ("", "it is truncated or damaged")


@pytest.mark.parametrize("said", ["", "{", "[]", '{"key": 5}'])
def test_an_engine_of_unknown_making_is_not_handed_out(part: Part, kept: Any, said: str) -> None:
    path = Path(kept.keep(key(part), b"an engine"))
    (path.parent / "engine.json").write_text(said)
    assert kept.find(key(part)) == ("", "what it was made of is not written beside it")


def test_no_space_leaves_the_old_engine_in_place(
    part: Part, kept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kept.keep(key(part), b"the old one")

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(part("errors").EdgeError, match="no space for an engine of 11 bytes") as no:
        kept.keep(key(part), b"the new one")
    assert "DEPLOY_TARGET_ENGINES" in no.value.hint
    assert kept.find(key(part)) == (path, "")
    assert Path(path).read_bytes() == b"the old one"
    assert sorted(os.listdir(Path(path).parent)) == ["engine.json", "engine.plan"]


LIMITED = """
import resource, signal, sys
sys.path.insert(0, sys.argv[1])
from {name}.engines import Engines, Key
from {name}.errors import EdgeError
engines, key = Engines(sys.argv[2]), Key(*["x"] * 6)
engines.keep(key, b"the old one")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    engines.keep(key, bytes(100000))
except EdgeError as error:
    print(error)
plan, why = engines.find(key)
print(open(plan).read(), why)
"""


def test_a_real_limit_on_files_leaves_the_old_engine_in_place(bundle: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-B", "-c", LIMITED.format(name=NAME), str(bundle), str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    said, kept = ran.stdout.splitlines()
    assert "could not be written" in said
    assert kept == "the old one "


def test_a_crash_between_two_renames_hands_out_nothing(part: Part, kept: Any) -> None:
    path = Path(kept.keep(key(part), b"the old one"))
    said = json.loads((path.parent / "engine.json").read_text())
    path.write_bytes(b"the new one")
    assert said["key"] == ASKED
    assert kept.find(key(part))[0] == ""
