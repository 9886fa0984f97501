"""An unchanged model is recognised without PyTorch; a changed one never is.

Each test that changes something keeps size and time stamps, so that only contents can tell.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
import torch
from safetensors.torch import save_file

from deploy_targets import frontends
from deploy_targets.frontends import LoadedModel
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.frontends.witness import unaccounted
from deploy_targets.testing import zoo
from deploy_targets.workspace import Workspace

Loaded = tuple[SourceSpec, LoadedModel]


@pytest.fixture
def loaded(tmp_path: Path, workspace: Workspace) -> Loaded:
    spec = zoo.write(tmp_path / "source")
    return spec, frontends.load(spec, workspace)


def overwrite(file: Path, change: Callable[[bytes], bytes]) -> None:
    """Changes a file, but neither its size nor its time stamps."""
    before, raw = file.stat(), file.read_bytes()
    changed = change(raw)
    assert changed != raw
    assert len(changed) == len(raw)
    file.write_bytes(changed)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns


def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: raw.replace(old, new)


def test_an_unchanged_model_is_recalled(loaded: Loaded, workspace: Workspace) -> None:
    spec, model = loaded
    assert model.witness.incomplete == ""
    assert frontends.recall(spec, workspace) == model.digest


def test_recalling_imports_no_framework_and_takes_a_fraction_of_a_second(
    loaded: Loaded, workspace: Workspace
) -> None:
    spec, model = loaded
    code = dedent(
        f"""
        import sys, time
        from pathlib import Path
        from deploy_targets import frontends
        from deploy_targets.testing import zoo
        from deploy_targets.workspace import Workspace
        spec = zoo.written(Path({str(spec.base)!r}))
        began = time.perf_counter()
        digest = frontends.recall(spec, Workspace(Path({str(workspace.root)!r})))
        print(digest, "torch" in sys.modules, time.perf_counter() - began)
        """
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(
        [sys.executable, "-P", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    ).stdout.split()
    assert said[:2] == [model.digest, "False"]
    assert float(said[2]) < 1.0


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("model.py", b"small classifier", b"large classifier"),
        ("layers.py", b"relu", b"tanh"),
    ],
)
def test_a_changed_source_file_or_sibling_is_never_served_from_the_cache(
    loaded: Loaded, workspace: Workspace, file: str, old: bytes, new: bytes
) -> None:
    spec, model = loaded
    overwrite(spec.base / file, swap(old, new))
    assert frontends.recall(spec, workspace) is None
    assert frontends.load(spec).digest != model.digest


def test_a_changed_weight_is_never_served_from_the_cache(
    loaded: Loaded, workspace: Workspace
) -> None:
    spec, model = loaded
    weight = zoo.weights()["out.bias"].numpy().tobytes()  # type: ignore[attr-defined]
    overwrite(spec.base / "weights.bin", swap(weight[:4], weight[4:8]))
    assert frontends.recall(spec, workspace) is None
    assert frontends.load(spec).digest != model.digest


def test_a_new_module_that_hides_another_is_noticed(loaded: Loaded, workspace: Workspace) -> None:
    spec, _ = loaded
    (spec.base / "layers").mkdir()
    (spec.base / "layers" / "__init__.py").write_text(zoo.LAYERS)
    assert frontends.recall(spec, workspace) is None


def test_a_missing_source_is_not_recalled(loaded: Loaded, workspace: Workspace) -> None:
    spec, _ = loaded
    shutil.rmtree(spec.base)
    assert frontends.recall(spec, workspace) is None


def test_an_unreadable_witness_is_none(loaded: Loaded, workspace: Workspace) -> None:
    spec, _ = loaded
    (record,) = workspace.root.rglob("witness.json")
    for text in ("{", "{}", '{"schema": 0}'):
        record.write_text(text)
        assert frontends.recall(spec, workspace) is None


def test_files_that_the_model_is_declared_to_depend_on_are_watched(
    tmp_path: Path, workspace: Workspace
) -> None:
    plain = zoo.write(tmp_path / "source")
    (plain.base / "data").mkdir()
    (plain.base / "data" / "one.txt").write_text("a")
    spec = dataclasses.replace(plain, depends=("data/*.txt",))
    model = frontends.load(spec, workspace)
    assert frontends.recall(spec, workspace) == model.digest
    overwrite(plain.base / "data" / "one.txt", swap(b"a", b"b"))
    assert frontends.recall(spec, workspace) is None
    frontends.load(spec, workspace)
    (plain.base / "data" / "two.txt").write_text("a")
    assert frontends.recall(spec, workspace) is None


def test_another_package_or_version_is_noticed(tmp_path: Path) -> None:
    """In processes of their own: what is installed is a property of a process."""
    site = tmp_path / "site"
    found = []
    for version in ("1.0", "1.0", "1.1"):
        shutil.rmtree(site, ignore_errors=True)
        info = site / f"some_package-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "RECORD").write_text("some_package.py,sha256=abc,3\n")
        found.append(_environment(site))
    (info / "RECORD").write_text("some_package.py,sha256=abd,3\n")
    found.append(_environment(site))
    assert found[0] == found[1]
    assert len(set(found)) == 3, "a version, and a reinstallation under the same version"


def _environment(site: Path) -> str:
    code = "from deploy_targets.frontends import environment; print(environment())"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *sys.path])}
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.strip()


def test_the_environment_is_a_part_of_the_witness(
    loaded: Loaded, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, model = loaded
    info = tmp_path / "site" / "some_package-1.0.dist-info"
    info.mkdir(parents=True)
    monkeypatch.setattr("sys.path", [*sys.path, str(info.parent)])
    assert frontends.recall(spec, workspace) is None
    assert frontends.load(spec, workspace).digest == model.digest
    assert frontends.recall(spec, workspace) == model.digest
    info.rename(info.with_name("some_package-1.1.dist-info"))
    assert frontends.recall(spec, workspace) is None


# --- weights that come another way ------------------------------------------------------------


def other(folder: Path, body: str) -> SourceSpec:
    """The model of `zoo.write`, with another way to its weights."""
    spec = zoo.write(folder)
    (folder / "weights.bin").unlink()
    lines = ["import torch", "from pathlib import Path", "from layers import Head", "def build():"]
    (folder / "model.py").write_text("\n".join([*lines, *(f"    {x}" for x in body.split("; "))]))
    return spec


def test_weights_drawn_at_random_are_loaded_every_time(
    tmp_path: Path, workspace: Workspace
) -> None:
    spec = other(tmp_path / "m", "torch.manual_seed(0); return Head().eval()")
    model = frontends.load(spec, workspace)
    assert "in no file" in model.witness.incomplete
    assert frontends.recall(spec, workspace) is None
    assert frontends.load(spec).digest == model.digest


SAFETENSORS = (
    "from safetensors.torch import load_file; m = Head(); "
    "m.load_state_dict(load_file({!r})); return m.eval()"
)


def test_weights_read_out_of_sight_are_never_stale(tmp_path: Path, workspace: Workspace) -> None:
    file = tmp_path / "elsewhere.safetensors"
    save_file(zoo.weights(), file)  # type: ignore[arg-type]
    spec = other(tmp_path / "m", SAFETENSORS.format(str(file)))
    model = frontends.load(spec, workspace)
    assert "in no file" in model.witness.incomplete
    assert frontends.recall(spec, workspace) is None
    save_file(zoo.weights(1), file)  # type: ignore[arg-type]
    assert frontends.recall(spec, workspace) is None
    assert frontends.load(spec).digest != model.digest


def test_safetensors_beside_the_source_are_witnessed_unseen(
    tmp_path: Path, workspace: Workspace
) -> None:
    file = tmp_path / "m" / "weights.safetensors"
    spec = other(tmp_path / "m", SAFETENSORS.format(str(file)))
    save_file(zoo.weights(), file)  # type: ignore[arg-type]
    model = frontends.load(spec, workspace)
    assert frontends.recall(spec, workspace) == model.digest
    weight = zoo.weights()["fc.bias"].numpy().tobytes()  # type: ignore[attr-defined]
    overwrite(file, swap(weight[:4], weight[4:8]))
    assert frontends.recall(spec, workspace) is None


def test_a_checkpoint_chosen_by_listing_a_folder_is_noticed(
    tmp_path: Path, workspace: Workspace
) -> None:
    home = tmp_path / "checkpoints"
    home.mkdir()
    torch.save(zoo.weights(), home / "1.ckpt")
    spec = other(
        tmp_path / "m",
        f"newest = max(Path({str(home)!r}).iterdir()); m = Head(); "
        "m.load_state_dict(torch.load(newest, weights_only=True)); return m.eval()",
    )
    model = frontends.load(spec, workspace)
    assert frontends.recall(spec, workspace) == model.digest
    torch.save(zoo.weights(1), home / "2.ckpt")
    assert frontends.recall(spec, workspace) is None


def test_an_optional_file_that_appears_is_noticed(tmp_path: Path, workspace: Workspace) -> None:
    base, extra = tmp_path / "base.bin", tmp_path / "extra.bin"
    torch.save(zoo.weights(), base)
    spec = other(
        tmp_path / "m",
        f"m = Head(); m.load_state_dict(torch.load({str(base)!r})); "
        f"return read(m, {str(extra)!r}).eval()",
    )
    with (spec.base / "model.py").open("a") as code:
        code.write(
            "\ndef read(m, extra):\n    try:\n        m.load_state_dict(torch.load(extra))\n"
            "    except FileNotFoundError:\n        pass\n    return m\n"
        )
    model = frontends.load(spec, workspace)
    assert frontends.recall(spec, workspace) == model.digest
    torch.save(zoo.weights(1), extra)
    assert frontends.recall(spec, workspace) is None


def test_a_file_that_changes_during_the_load_makes_no_witness(
    tmp_path: Path, workspace: Workspace
) -> None:
    file = tmp_path / "w.bin"
    torch.save(zoo.weights(), file)
    spec = other(
        tmp_path / "m",
        f"import time; time.sleep(0.05); f = Path({str(file)!r}); f.write_bytes(f.read_bytes()); "
        "m = Head(); m.load_state_dict(torch.load(f)); return m.eval()",
    )
    assert "changed while" in frontends.load(spec, workspace).witness.incomplete
    assert frontends.recall(spec, workspace) is None


def test_an_onnx_file_is_known_by_its_contents(tmp_path: Path, workspace: Workspace) -> None:
    zoo.convnet(tmp_path / "net.onnx")
    spec = SourceSpec("net.onnx", tmp_path)
    model = frontends.load(spec, workspace)
    assert frontends.recall(spec, workspace) == model.digest
    overwrite(tmp_path / "net.onnx", lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]))
    assert frontends.recall(spec, workspace) is None


# --- the search for weights in files ----------------------------------------------------------


def stored(name: str, *raw: bytes) -> tuple[str, list[Callable[[], memoryview]]]:
    return name, [lambda part=part: memoryview(part) for part in raw]  # type: ignore[misc]


def test_tensors_are_looked_for_in_every_file_whole_and_in_order(tmp_path: Path) -> None:
    one, two = os.urandom(5000), os.urandom(300)
    (tmp_path / "a").write_bytes(b"head" + one + b"between" + two)
    (tmp_path / "b").write_bytes(two[::-1])
    files = [str(tmp_path / name) for name in ("b", "a")]
    there = [stored("two", two), stored("one", one), stored("other", b"\1" * 99, two[::-1])]
    assert unaccounted(there, files) == ""
    damaged = one[:-1] + bytes([one[-1] ^ 1])
    assert unaccounted([stored("one", damaged)], files).startswith("one is in no file")
    assert unaccounted([stored("two", two)], []).startswith("two is in no file")


def test_zeros_are_found_among_many_zeros_in_good_time(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(20_000_000))
    began = time.perf_counter()
    assert unaccounted([stored("bias", bytes(4096))] * 50, [str(tmp_path / "a")]) == ""
    assert unaccounted([stored("w", bytes(4095) + b"\1")], [str(tmp_path / "a")]) != ""
    assert time.perf_counter() - began < 2


def test_weights_stored_with_their_axes_in_another_order_are_found(
    tmp_path: Path, workspace: Workspace
) -> None:
    transposed = {
        name: tensor.t().contiguous().t() if tensor.ndim == 2 else tensor
        for name, tensor in zoo.weights().items()
    }
    spec = zoo.write(tmp_path / "source")
    torch.save(transposed, spec.base / "weights.bin")
    model = frontends.load(spec, workspace)
    assert frontends.recall(spec, workspace) == model.digest
