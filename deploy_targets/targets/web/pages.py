"""The files with short-lived names: what a person opens, what a host reads, what a package needs.

In: model.json as a dict, and a folder with everything else. Out: the templates of templates/web,
filled. Lines end with LF, and the same model gives the same bytes.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from deploy_targets.resources import resource
from deploy_targets.targets.web import about, hosts
from deploy_targets.targets.web.runtimes import Written
from deploy_targets.workspace import digest_of, digest_of_file

LICENCES = "THIRD-PARTY-LICENSES"
TYPES = "model.d.mts"
"""Named after model.mjs: TypeScript looks for no other beside it."""
TEMPLATES = ("index.html", "README.md", TYPES, *hosts.TEMPLATES)
_REFERENCE = re.compile(r'\b(src|href)="(?![a-z]+:|#|/)(?:\./)?(?:code/)?')


def write(
    folder: Path,
    code: str,
    described: Mapping[str, Any],
    written: Written,
    licences: Mapping[str, Path],
) -> None:
    """All of them; sw.js last, because its version is that of all others."""
    folders = {path.partition("/")[0] for path in written.files.values()} - {"assets"}
    given = {
        "name": described["name"],
        "package": package_name(described["name"]),
        "code": code,
        "about": described,
        "asked": _asked(described),
        **hosts.given((code, *sorted(folders), "assets")),
    }
    _save(folder / about.NAME, _json(described))
    _save(folder / "model.mjs", f'export * from "./{code}/model.mjs";\n')
    _save(folder / "harness.html", _harness(code))
    _save(folder / LICENCES, _terms({**written.licences, **licences}))
    shutil.copyfile(resource("LICENSE"), folder / "LICENSE")
    _save(folder / "package.json", _json(_package(given)))
    for name, said in hosts.written(given).items():
        _save(folder / name, _json(said))
    for name in TEMPLATES:
        _save(folder / name, _filled(name, given))
    _save(folder / "sw.js", _filled("sw.js", {**given, **_offline(folder, code, written)}))


def package_name(name: str) -> str:
    """As npm takes it: lower case, and of all punctuation the dash alone."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:200] or "model"


def _package(given: Mapping[str, Any]) -> dict[str, Any]:
    own = ["model.mjs", TYPES, about.NAME, "LICENSE", LICENCES, "README.md"]
    proof = ["deploy-target.json", "golden.safetensors"]
    return {
        "name": given["package"],
        "version": "0.0.0",
        "description": f"{given['name']}, run in the browser",
        "type": "module",
        "exports": {".": {"types": f"./{TYPES}", "default": "./model.mjs"}},
        "files": [*own, *proof, *given["long"], "!**/*.br", "!**/*.gz"],
    }


def _asked(described: Mapping[str, Any]) -> str:
    """A question, as a page would write it: files where there are steps, tensors elsewhere."""
    steps = described["steps"]["inputs"] if described["steps"] else {}
    least = {axis: sizes[0] for axis, sizes in described["axes"].items()}
    given = [
        f"{json.dumps(spec['name'])}: "
        + ("file" if spec["name"] in steps else _tensor(spec["dtype"], spec["shape"], least))
        for spec in described["signature"]["inputs"]
    ]
    return f"{{ {', '.join(given)} }}"


def _tensor(dtype: str, dims: Sequence[int | str], least: Mapping[str, int]) -> str:
    """Zeros, every axis as short as it may be."""
    shape = [
        dim if isinstance(dim, int) else math.prod(least.get(part, 1) for part in dim.split("*"))
        for dim in dims
    ]
    return f"{{ data: new {about.ARRAYS[dtype]}({math.prod(shape)}), shape: {shape} }}"


def _harness(code: str) -> str:
    """The verifier's page, its modules in the folder of modules."""
    page = resource("web", "src", "harness.html").read_text(encoding="utf-8")
    return _REFERENCE.sub(rf'\1="{code}/', page)


def _terms(licences: Mapping[str, Path]) -> str:
    opening = "This folder contains the following software, each under its own terms.\n"
    rule = "=" * 80
    parts = (
        f"{rule}\n{name}\n{rule}\n\n{path.read_text(encoding='utf-8').strip()}\n"
        for name, path in licences.items()
    )
    return "\n".join([opening, *parts])


def _offline(folder: Path, code: str, written: Written) -> dict[str, Any]:
    """A version, the names to keep, those to keep when asked for, and what all of them must be."""
    later = sorted(path for role, path in written.files.items() if role in written.later)
    modules = sorted(
        path.relative_to(folder).as_posix() for path in (folder / code).rglob("*") if path.is_file()
    )
    kept = sorted({*modules, *written.files.values()} - set(later))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digests = {path.relative_to(folder).as_posix(): digest_of_file(path) for path in files}
    checked = {name: digests[name] for name in (*kept, *later, "model.mjs", about.NAME)}
    version = digest_of([[name, digest] for name, digest in digests.items()])[:12]
    return {"version": version, "kept": kept, "later": later, "digests": checked}


def _filled(name: str, given: Mapping[str, Any]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resource("templates", "web")),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=jinja2.select_autoescape(["html.j2"], default=False),
    )
    # In a script JSON is a literal; in a page it is not, and none is put there.
    environment.filters["json"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.get_template(f"{name}.j2").render(given)


def _json(said: Any) -> str:
    return json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
