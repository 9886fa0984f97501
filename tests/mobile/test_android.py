"""The Android project, as far as it can be held to anything without Android.

Its types are checked by Kotlin's own compiler against an outline of the APIs that it uses
(outlines/), its scripts and resources are read; what has no Android in it runs.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
import xml.etree.ElementTree as xml
import zipfile
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import bundle as bundles
from deploy_targets.errors import ConversionFailed
from deploy_targets.integrations import beside, kotlin
from deploy_targets.integrations.kotlin import Classes
from deploy_targets.phones import naming
from deploy_targets.phones.kit import Kit
from deploy_targets.phones.project import RUNTIMES
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Array, Call, Check, Dialect, Graph, Prepared, Signature
from deploy_targets.records import TensorSpec as Spec
from deploy_targets.workspace import Workspace

from . import outline

ANDROID = Path(__file__).resolve().parents[2] / "mobile" / "android"
OWN = ("deploytarget", "sample")
"""The modules with Android in them."""
NAMES = sorted(path.name for path in (ANDROID / RUNTIMES).iterdir())

CALLER = """
import dev.deploytarget.DeployTargetModel
import dev.deploytarget.core.Tensor
import dev.deploytarget.run

/** What an app does: the typed `run` is taken, although the class has one of its own. */
fun asked(model: DeployTargetModel, photo: Tensor): List<Tensor> {
    val plain: Map<String, Tensor> = model.run(mapOf("image" to photo))
    return listOf(model.run(photo)._y, model.run(image = photo)._y, plain.getValue("y"))
}
"""


@pytest.fixture(scope="module")
def core() -> Classes:
    return kotlin.compiled([ANDROID / "core" / "src" / "main"], Workspace())


def sources(runtime: str, tmp_path: Path) -> list[Path]:
    """All that has Android in it, what is generated for a model, and the outlines."""
    signature = Signature((Spec("image", "float32", ("B", 3)),), (Spec("$y", "float32", ("B",)),))
    graph = Graph(Dialect.EXPORTED, tmp_path, "0" * 64, "torch.export")
    kit = Kit("a target", "model.x", {"android": runtime})
    naming.write(kit, Prepared("a model", signature, graph, RECIPES["fp32"]), tmp_path / "bundle")
    homes = [*(ANDROID / name / "src" for name in OWN), ANDROID / RUNTIMES / runtime]
    own = [path for home in homes for path in sorted(home.rglob("*.kt"))]
    made = sorted((tmp_path / "bundle").rglob("*.kt"))
    java = sorted(outline.write(tmp_path / "outline").rglob("*.java"))
    (tmp_path / "Caller.kt").write_text(CALLER)
    return [tmp_path / "Caller.kt", *own, *made, *sorted(outline.OUTLINES.glob("*.kt")), *java]


@pytest.mark.parametrize("runtime", NAMES)
def test_every_type_fits_the_outline_of_what_it_uses(
    runtime: str, core: Classes, tmp_path: Path
) -> None:
    made = kotlin.compiled(sources(runtime, tmp_path), Workspace(), classpath=core.classpath)
    assert (made.folder / "dev/deploytarget/DeployTargetModel.class").is_file()
    assert (made.folder / "dev/deploytarget/GoldenTest.class").is_file()
    assert (made.folder / "dev/deploytarget/sample/MainActivity.class").is_file()

    assert zipped([core.folder, made.folder], tmp_path) < 500_000, "the README names a size"


def zipped(folders: list[Path], tmp_path: Path) -> int:
    """Bytes of the library's own classes as a jar."""
    with zipfile.ZipFile(tmp_path / "own.jar", "w", zipfile.ZIP_DEFLATED) as jar:
        for folder in folders:
            for file in sorted((folder / "dev").rglob("*.class")):
                if "sample" not in file.parts:
                    jar.write(file, file.relative_to(folder))
    return (tmp_path / "own.jar").stat().st_size


def test_the_scripts_are_kotlin(tmp_path: Path) -> None:
    assert syntax_errors(scripts(), tmp_path) == []


def test_a_script_that_is_not_kotlin_is_found(tmp_path: Path) -> None:
    (tmp_path / "broken.gradle.kts").write_text("android { minSdk = }\n")
    (found,) = syntax_errors([tmp_path / "broken.gradle.kts"], tmp_path)
    assert "broken_gradle_kts.kt" in found


def scripts() -> list[Path]:
    return sorted(ANDROID.rglob("*.kts"))


def syntax_errors(files: list[Path], folder: Path) -> list[str]:
    """What a compiler says of the form of scripts. What they refer to is Gradle's, so unknown."""
    wrapped = [wrap(file, folder / str(number)) for number, file in enumerate(files)]
    with pytest.raises(ConversionFailed) as caught:
        kotlin.compiled(wrapped, Workspace())
    lines = str(caught.value).splitlines()
    assert any("error: " in line for line in lines)
    return [line for line in lines if "syntax error" in line.lower()]


def wrap(script: Path, folder: Path) -> Path:
    """A script as a file: its statements in a function, below its imports."""
    lines = script.read_text().splitlines()
    imports = [line for line in lines if line.startswith("import ")]
    rest = [line for line in lines if not line.startswith("import ")]
    folder.mkdir()
    file = folder / f"{script.name.replace('.', '_')}.kt"
    body = [*imports, f"fun script{folder.name}() {{", *rest, "}", ""]
    file.write_text("\n".join(body))
    return file


def test_the_smallest_golden_case_is_taken_and_none_other(core: Classes, tmp_path: Path) -> None:
    def check(golden: str, call: str, size: int) -> Check:
        arrays: dict[str, Array] = {"x": np.arange(size, dtype=np.float32)}
        return Check(golden, Call(call, f"b{size}", arrays), arrays, arrays)

    bundles.write_golden(
        tmp_path,
        [check("tensors", "large/0", 8), check("tensors", "small/1", 2), check("bytes", "raw", 1)],
    )
    sources = [ANDROID / "onecase" / "src" / "main"]
    made = kotlin.compiled(sources, Workspace(), classpath=core.classpath)
    golden, one = tmp_path / bundles.GOLDEN, tmp_path / "check.safetensors"
    main = "dev.deploytarget.onecase.OneCaseKt"
    subprocess.run(kotlin.command(main, made, str(golden), str(one)), check=True)
    found = bundles.read_tensors(one)
    assert set(found) == {f"tensors/small|1/b2/{side}/x" for side in ("in", "out", "noise")}
    assert all(array.tolist() == [0.0, 1.0] for array in found.values())


def test_every_library_and_plugin_that_a_script_names_is_in_the_catalogue() -> None:
    known = catalogue()
    for script in scripts():
        for name in re.findall(r"\blibs\.([\w.]+?)(?=[),]|\.get\b|$)", script.read_text(), re.M):
            kind, _, rest = name.partition(".")
            where = kind if kind in ("plugins", "versions") else "libraries"
            key = (rest if where != "libraries" else name).replace(".", "-")
            assert key in known[where], f"{script.name}: libs.{name}"


def test_every_entry_of_the_catalogue_has_a_version_in_it() -> None:
    known = catalogue()
    for entry in (*known["libraries"].values(), *known["plugins"].values()):
        assert entry["version"]["ref"] in known["versions"]


@pytest.mark.parametrize(
    ("runtime", "library", "lock", "package"),
    [
        ("litert", "com.google.ai.edge.litert:litert", "litert", "ai-edge-litert"),
        ("executorch", "org.pytorch:executorch-android", "executorch", "executorch"),
    ],
)
def test_the_app_gets_the_runtime_that_the_bundle_was_judged_in(
    runtime: str, library: str, lock: str, package: str
) -> None:
    judged = re.search(rf"^{package}==([\d.]+)", (beside.LOCKS / f"{lock}.txt").read_text(), re.M)
    assert judged
    assert f'"{library}:{judged[1]}"' in script(runtime)


def test_an_engine_that_cannot_ask_its_runtime_says_the_version_that_the_app_gets() -> None:
    for runtime in ("executorch", "pytorch"):
        (engines,) = (ANDROID / RUNTIMES / runtime).rglob("Engines.kt")
        said = re.search(r'VERSION = "([\d.]+)"', engines.read_text())
        assert said
        assert f':{said[1]}"' in script(runtime)


def script(runtime: str) -> str:
    return (ANDROID / RUNTIMES / runtime / "runtime.gradle.kts").read_text()


def test_every_module_is_included_and_has_a_script() -> None:
    included = re.findall(r'":(\w+)"', (ANDROID / "settings.gradle.kts").read_text())
    assert {path.parent.name for path in ANDROID.glob("*/build.gradle.kts")} == set(included)


@pytest.mark.parametrize("file", sorted(ANDROID.rglob("*.xml")), ids=lambda path: path.name)
def test_every_xml_file_is_well_formed(file: Path) -> None:
    assert xml.parse(file).getroot().tag in ("manifest", "resources")


def test_every_text_that_the_sample_shows_is_there_and_none_besides() -> None:
    root = xml.parse(ANDROID / "sample/src/main/res/values/strings.xml").getroot()
    there = {child.attrib["name"] for child in root}
    files = [
        *(ANDROID / "sample/src").rglob("*.kt"),
        ANDROID / "sample/src/main/AndroidManifest.xml",
    ]
    text = "".join(path.read_text() for path in files)
    assert set(re.findall(r"(?:R\.string\.|@string/)(\w+)", text)) == there


def test_the_sample_starts_an_activity_that_there_is() -> None:
    name = "{http://schemas.android.com/apk/res/android}name"
    root = xml.parse(ANDROID / "sample/src/main/AndroidManifest.xml").getroot()
    (activity,) = root.iter("activity")
    home = ANDROID / "sample/src/main/kotlin/dev/deploytarget/sample"
    assert (home / f"{activity.attrib[name].removeprefix('.')}.kt").is_file()


def test_the_library_asks_for_no_permission() -> None:
    for file in ANDROID.rglob("AndroidManifest.xml"):
        assert "uses-permission" not in file.read_text()


def catalogue() -> dict[str, dict[str, dict[str, dict[str, str]]]]:
    text = (ANDROID / "gradle/libs.versions.toml").read_text()
    return tomllib.loads(text)  # type: ignore[return-value,unused-ignore]
