"""The folder: what lies in it, under which names, and what is refused while it is written."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import brotli
import onnx
import pytest
from onnx import helper

from deploy_targets.errors import OverBudget, UnsupportedModel
from deploy_targets.integrations import node
from deploy_targets.records import Prepared, Signature, TensorSpec
from deploy_targets.resources import resource
from deploy_targets.targets.web import pages, places
from deploy_targets.targets.web.target import Web
from deploy_targets.workspace import Workspace, digest_of_file

from .conftest import of_file, of_nodes


def described(site: Path) -> dict:
    return json.loads((site / "model.json").read_text())


def names(site: Path) -> set[str]:
    return {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}


def test_the_folder_is_as_its_contract_says(site: Path) -> None:
    code = f"code.{described(site)['code']}"
    assert {
        name.partition("/")[0] for name in names(site) if not name.endswith((".br", ".gz"))
    } == {
        *("index.html", "harness.html", "sw.js", "model.mjs", "model.d.mts", "model.json"),
        *("package.json", "README.md", "_headers", "hosts", "LICENSE", "THIRD-PARTY-LICENSES"),
        *(code, "assets", described(site)["files"]["runtime"]["path"].partition("/")[0]),
    }
    assert (site / "model.mjs").read_text() == f'export * from "./{code}/model.mjs";\n'


def test_a_name_has_the_hash_of_what_it_names(site: Path) -> None:
    model = described(site)["files"]["model"]
    assert model["sha256"] == digest_of_file(site / model["path"])
    assert model["path"] == f"assets/model.{model['sha256'][:12]}.onnx"
    assert model["size"] == (site / model["path"]).stat().st_size


def test_another_module_gives_its_folder_another_name(tmp_path: Path) -> None:
    for number, text in enumerate(("a", "b")):
        (tmp_path / str(number)).write_text(text)
    folders = [
        places.together(tmp_path, "code", {name: tmp_path / file})
        for name, file in (("x", "0"), ("x", "1"), ("y", "0"))
    ]
    assert len(set(folders)) == 3


def test_the_runtime_is_three_files_and_no_more(site: Path) -> None:
    (home,) = site.glob("runtime.*")
    plain = {path.name for path in home.iterdir() if path.suffix not in (".br", ".gz")}
    assert len(plain) == 3
    assert {path.name for path in site.glob("code.*/runtimes/*.mjs")} == {"onnx.mjs"}


def test_every_module_is_the_very_file_of_the_source(site: Path) -> None:
    (code,) = site.glob("code.*")
    source = resource("web", "src")
    modules = [path for path in code.rglob("*.mjs") if path.is_file()]
    assert len(modules) > 20
    for path in modules:
        assert path.read_bytes() == (source / path.relative_to(code)).read_bytes()


def test_every_module_that_a_module_imports_is_there(site: Path) -> None:
    (code,) = site.glob("code.*")
    for path in code.rglob("*.mjs"):
        for line in path.read_text().splitlines():
            if found := re.match(r"""(?:import|export)\b.* from ["'](\..*)["'];""", line):
                assert (path.parent / found[1]).is_file(), f"{path.name}: {found[1]}"


def test_every_reference_of_a_page_leads_to_a_file(site: Path) -> None:
    for page in ("index.html", "harness.html"):
        found = re.findall(r'\b(?:src|href)="([^"]*)"', (site / page).read_text())
        local = [reference for reference in found if not re.match(r"data:|#|https?:", reference)]
        assert local
        for reference in local:
            assert (site / reference).is_file(), f"{page}: {reference}"


def test_no_page_has_inline_code_or_style(site: Path) -> None:
    for page in ("index.html", "harness.html"):
        text = (site / page).read_text()
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script[^>]*>[^<]", text), page


def test_the_compressed_copies_are_the_files(site: Path) -> None:
    copies = [path for path in site.rglob("*") if path.suffix in (".br", ".gz")]
    assert len(copies) > 40
    for path in copies:
        undo = brotli.decompress if path.suffix == ".br" else gzip.decompress
        assert undo(path.read_bytes()) == path.with_suffix("").read_bytes()
        assert path.stat().st_size < path.with_suffix("").stat().st_size


def test_without_precompression_there_is_no_copy(
    prepared: Prepared, kept: Workspace, tmp_path: Path
) -> None:
    built = Web(precompress=False).build(prepared, tmp_path, kept)
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".br", ".gz")]
    assert "brotli" not in built.notes[-1]


def test_text_ends_its_lines_with_lf_and_says_nothing_of_this_machine(site: Path) -> None:
    for name in names(site):
        if name.endswith((".mjs", ".js", ".json", ".html", ".md", ".ts", ".conf", "_headers")):
            data = (site / name).read_bytes()
            assert b"\r" not in data
            assert str(Path.home()).encode() not in data, name
            assert str(site).encode() not in data, name


def test_a_name_with_markup_in_it_stays_text(
    prepared: Prepared, kept: Workspace, tmp_path: Path
) -> None:
    odd = of_file(prepared.graph.folder / "model.onnx", prepared.signature, "<b>*/\"'${x}")
    Web(precompress=False).build(odd, tmp_path, kept)
    assert "<b>" not in (tmp_path / "index.html").read_text()
    assert described(tmp_path)["name"] == "<b>*/\"'${x}"
    assert json.loads((tmp_path / "package.json").read_text())["name"] == "b-x"


def test_the_service_worker_keeps_files_that_are_there(site: Path) -> None:
    text = (site / "sw.js").read_text()
    kept = json.loads(re.search(r"const KEPT = (.*);", text)[1])
    assert {name.partition(".")[0].partition("/")[0] for name in kept} == {
        "code",
        "runtime",
        "assets",
    }
    assert all((site / name).is_file() for name in kept)
    subprocess.run([node.find(), "--check", str(site / "sw.js")], check=True)


def test_npm_packs_the_folder_without_its_copies(site: Path, tmp_path: Path) -> None:
    command = [node.find("npm"), "pack", "--dry-run", "--json", "--silent"]
    ran = subprocess.run(command, cwd=site, capture_output=True, text=True, check=True)
    packed = {file["path"] for file in json.loads(ran.stdout)[0]["files"]}
    about = described(site)
    assert {"model.mjs", "model.d.mts", "model.json", "package.json"} <= packed
    assert {file["path"] for file in about["files"].values()} <= packed
    assert not [name for name in packed if name.endswith((".br", ".gz", ".conf"))]


@pytest.mark.parametrize(
    ("name", "package"),
    [("EfficientNet_Lite0 v2", "efficientnet-lite0-v2"), ("ünï", "n"), ("...", "model")],
)
def test_a_model_gets_a_name_that_npm_takes(name: str, package: str) -> None:
    assert pages.package_name(name) == package


def test_a_budget_that_is_too_small_names_what_is_largest(
    prepared: Prepared, kept: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(OverBudget, match=r"max_download_mb is 1; .*threaded\.wasm") as refused:
        Web(max_download_mb=1).build(prepared, tmp_path, kept)
    assert "max_download_mb = " in refused.value.hint


def test_the_first_visit_is_told_in_raw_and_compressed_bytes(
    prepared: Prepared, kept: Workspace, tmp_path: Path
) -> None:
    note = Web(max_download_mb=5).build(prepared, tmp_path, kept).notes[-1]
    raw, files, sent = re.search(r"downloads (\S+) MB in (\d+) files, (\S+) MB", note).groups()
    assert 14 < float(raw) < 16
    assert 2 < float(sent) < 4
    assert int(files) < 30
    assert note.endswith("share of deploy-target.json and golden.safetensors not counted")


FLOATS = TensorSpec("x", "float32", (1, 4))


def test_an_operator_that_the_runtime_lacks_is_named_with_its_node(
    kept: Workspace, tmp_path: Path
) -> None:
    made = helper.make_node(
        "Rfft",
        ["x"],
        ["y"],
        "spectrum",
        domain="com.microsoft",
        normalized=0,
        onesided=1,
        signal_ndim=1,
    )
    signature = Signature((FLOATS,), (TensorSpec("y", "float32", (1, 3, 2)),))
    (tmp_path / "graph").mkdir()
    lacking = of_nodes(tmp_path / "graph", signature, made, onnx=17, microsoft=1)
    with pytest.raises(UnsupportedModel, match=r"operator Rfft, version 1, of the node 'spectrum'"):
        Web().build(lacking, tmp_path, kept)


def test_an_operator_that_nobody_knows_is_named(kept: Workspace, tmp_path: Path) -> None:
    made = helper.make_node("Nothing", ["x"], ["y"], "nowhere", domain="com.microsoft")
    signature = Signature((FLOATS,), (TensorSpec("y", "float32", (1, 4)),))
    (tmp_path / "graph").mkdir()
    unknown = of_nodes(tmp_path / "graph", signature, made, onnx=17, microsoft=1)
    with pytest.raises(
        UnsupportedModel, match=r"does not know the operator com\.microsoft:Nothing"
    ):
        Web().build(unknown, tmp_path, kept)


def test_a_dtype_that_no_typed_array_holds_is_known_before_anything_starts(
    prepared: Prepared,
) -> None:
    signature = Signature((TensorSpec("x", "bfloat16", (1,)),), (FLOATS,))
    odd = of_file(prepared.graph.folder / "model.onnx", signature)
    (problem,) = Web().check(odd)
    assert problem.startswith("x is bfloat16")


def test_a_model_of_more_than_two_gigabytes_is_known_before_anything_starts(
    prepared: Prepared, tmp_path: Path
) -> None:
    shutil.copy(prepared.graph.folder / "model.onnx", tmp_path)
    assert Web().check(of_file(tmp_path / "model.onnx", prepared.signature)) == ()
    with (tmp_path / "model.onnx.data").open("wb") as weights:
        weights.truncate(2**31)
    (problem,) = Web().check(of_file(tmp_path / "model.onnx", prepared.signature))
    assert "2,147,483,647" in problem


def test_the_runtime_comes_with_its_terms(site: Path) -> None:
    text = (site / "THIRD-PARTY-LICENSES").read_text()
    version = described(site)["runtime"]["version"]
    assert f"onnxruntime-web {version}\n" in text
    assert "MIT License" in text


def test_the_graph_in_the_folder_is_the_one_that_was_given(prepared: Prepared, site: Path) -> None:
    (model,) = site.glob("assets/model.*.onnx")
    assert model.read_bytes() == (prepared.graph.folder / "model.onnx").read_bytes()
    onnx.checker.check_model(onnx.load(model))


def test_a_folder_holds_the_same_bytes_every_time(
    prepared: Prepared, site: Path, kept: Workspace, tmp_path: Path
) -> None:
    Web().build(prepared, tmp_path, kept)
    assert names(tmp_path) == names(site)
    for name in names(site):
        one, other = ((home / name).read_bytes() for home in (site, tmp_path))
        assert hashlib.sha256(one).digest() == hashlib.sha256(other).digest(), name
