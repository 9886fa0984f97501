"""A bundle on disk: golden, manifest, seal, open, parity.json.

This is the contract with whoever receives the folder (docs/bundle.md describes it for them).
Everything but parity.json is under the seal: the manifest names each file's size and SHA-256, and
no other file may lie there.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from deploy_targets import verdicts
from deploy_targets.errors import BundleCorrupt, ConfigError
from deploy_targets.records import Array, Bundle, Call, Check, FileRecord, Manifest
from deploy_targets.verdicts import ParityReport
from deploy_targets.workspace import digest_of_file

MANIFEST, GOLDEN, PARITY = "deploy-target.json", "golden.safetensors", "parity.json"
SCHEMA, SEAL = 3, "seal"


def digest(bundle: Bundle) -> str:
    """The SHA-256 of the manifest, and so of everything it seals."""
    return digest_of_file(bundle.path / MANIFEST)


def seal(folder: Path, manifest: Manifest, roles: Mapping[str, str]) -> Bundle:
    """Writes the manifest with the size and hash of every file that lies in the folder."""
    files = {
        name: FileRecord(
            "golden" if name == GOLDEN else roles.get(name, "code"),
            (folder / name).stat().st_size,
            digest_of_file(folder / name),
        )
        for name in _names(folder)
    }
    sealed = dataclasses.replace(manifest, files=files)
    plain = as_json(sealed)
    # Sets have no order of their own; keys are sorted; so the same input gives the same bytes.
    for recipe in plain["recipes"].values():
        recipe["keep"] = sorted(recipe["keep"])
    (folder / MANIFEST).write_bytes(_text({**plain, SEAL: _seal_of(plain)}))
    return Bundle(folder, sealed)


def open_bundle(folder: Path) -> Bundle:
    """Opens a bundle whose every byte is what was sealed. Raises BundleCorrupt."""
    manifest = _read_manifest(folder)
    found = set(_names(folder))
    for name, record in manifest.files.items():
        if name not in found:
            raise _corrupt(f"{name} is missing from {folder}")
        path = folder / name
        if path.stat().st_size != record.size or digest_of_file(path) != record.sha256:
            raise _corrupt(f"{name} in {folder} is not what was sealed: its bytes have changed")
    if extra := sorted(found - set(manifest.files)):
        raise _corrupt(f"{extra[0]} in {folder} was added after the bundle was sealed")
    return Bundle(folder, manifest)


def write_golden(folder: Path, checks: Iterable[Check]) -> None:
    """Keys are `<golden>/<call>/<entry>/in|out|noise/<tensor>`; a call's own slashes are `|`."""
    flat: dict[str, Array] = {}
    for check in checks:
        call = check.call
        head = f"{check.golden}/{call.name.replace('/', '|')}/{call.entry}"
        flat |= {f"{head}/in/{name}": array for name, array in call.inputs.items()}
        flat |= {f"{head}/out/{name}": array for name, array in check.expected.items()}
        flat |= {f"{head}/noise/{name}": array for name, array in check.noise.items()}
    if flat:
        write_tensors(folder / GOLDEN, flat)


def read_golden(bundle: Bundle) -> Iterator[Check]:
    """The checks of a bundle, sorted by golden and call."""
    found: dict[tuple[str, str, str], dict[str, dict[str, Array]]] = {}
    if GOLDEN not in bundle.manifest.files:
        return  # no question travels
    for key, array in read_tensors(bundle.path / GOLDEN).items():
        try:
            golden, call, entry, side, tensor = key.split("/", 4)
            sides = found.setdefault((golden, call, entry), {"in": {}, "out": {}, "noise": {}})
            sides[side][tensor] = array
        except (ValueError, KeyError) as error:
            raise _corrupt(f"{GOLDEN} holds a key of another form: {key!r}") from error
    for (golden, call, entry), sides in sorted(found.items()):
        asked = Call(call.replace("|", "/"), entry, sides["in"])
        yield Check(golden, asked, sides["out"], sides["noise"])


def write_tensors(path: Path, tensors: Mapping[str, Array], **metadata: str) -> None:
    """The one door for writing safetensors.

    Its writer garbles arrays that are not contiguous, or of another machine's byte order.
    """
    from safetensors.numpy import save_file

    plain: dict[str, Any] = {
        name: np.asarray(array.astype(array.dtype.newbyteorder("="), copy=False), order="C")
        for name, array in tensors.items()
    }
    save_file(plain, path, metadata or None)
    # It is written for its owner alone, and a bundle is for others, a web server among them.
    path.chmod(0o644)


def read_tensors(path: Path) -> dict[str, Array]:
    """Reads safetensors. Raises BundleCorrupt where the file is truncated or something else."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise _corrupt(f"{path.name} cannot be read: {error}") from error


def write_report(bundle: Bundle, report: ParityReport) -> None:
    """Writes parity.json by a rename, so that an interruption leaves the old one."""
    beside = bundle.path / f".{PARITY}"
    beside.write_text(json.dumps(as_json(report), indent=1) + "\n", encoding="utf-8")
    beside.replace(bundle.path / PARITY)


def read_report(bundle: Bundle) -> ParityReport | None:
    """The verdicts so far. A verdict on other bytes, or in another form, is none."""
    try:
        plain = json.loads((bundle.path / PARITY).read_bytes())
        if not isinstance(plain, dict) or plain.get("schema") != verdicts.SCHEMA:
            return None
        report: ParityReport = _adapter(ParityReport).validate_python(plain)
    except (OSError, ValueError):
        return None
    return report if report.bundle == digest(bundle) else None


def as_json(record: object) -> Any:
    """A record as plain dicts and lists. NaN and infinities are strings: JSON has no other way."""
    kind: Any = type(record)
    return _finite(_adapter(kind).dump_python(record, mode="json"))


def _finite(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: _finite(value) for key, value in plain.items()}
    if isinstance(plain, list):
        return [_finite(value) for value in plain]
    return plain if not isinstance(plain, float) or math.isfinite(plain) else str(plain)


def _names(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    names = sorted(path.relative_to(folder).as_posix() for path in files)
    return [name for name in names if name not in (MANIFEST, PARITY, f".{PARITY}")]


def _read_manifest(folder: Path) -> Manifest:
    if not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder", hint="give the folder that `build` made")
    try:
        plain = json.loads((folder / MANIFEST).read_bytes())
        if (schema := plain.get("schema")) != SCHEMA:
            raise BundleCorrupt(
                f"{folder} has schema {schema}, and this version reads {SCHEMA}",
                hint="build it again, or use the version of deploy-target that built it",
            )
        if (folder / MANIFEST).read_bytes() != _text(plain) or plain.pop(SEAL, "") != _seal_of(
            {key: value for key, value in plain.items() if key != SEAL}
        ):
            raise _corrupt(f"{folder / MANIFEST} is not what was sealed: its bytes have changed")
        manifest: Manifest = _adapter(Manifest).validate_python(plain)
    except FileNotFoundError as error:
        raise BundleCorrupt(
            f"{folder} holds no {MANIFEST}, so it is no bundle",
            hint="give the folder that `build` made",
        ) from error
    except (OSError, ValueError, AttributeError) as error:
        raise _corrupt(f"{folder / MANIFEST} cannot be read: {error}") from error
    return manifest


def _text(plain: Mapping[str, Any]) -> bytes:
    return json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _seal_of(plain: Mapping[str, Any]) -> str:
    """Finds accidents, not forgers: whoever rewrites a manifest can rewrite this, too."""
    return hashlib.sha256(_text(plain)).hexdigest()


def _corrupt(message: str) -> BundleCorrupt:
    return BundleCorrupt(message, hint="build the bundle again, or copy it again whole")


@cache
def _adapter(record: type) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(record)
