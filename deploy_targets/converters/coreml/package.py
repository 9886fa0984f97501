"""Writes a package so that the same model gives the same bytes, whenever and wherever it is made.

In: what coremltools converted. Out: model.mlpackage, without the date, the random identifiers and
the notes for other tools that coremltools puts there.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

MODEL = Path("Data", "com.apple.CoreML", "model.mlmodel")
WEIGHTS = Path("Data", "com.apple.CoreML", "weights")
_DATE = "com.github.apple.coremltools.conversion_date"
_SPACE = uuid.UUID("2d7b7f0e-6c1f-5f0b-9a57-8b7b6f1f6f52")


def save(model: Any, package: Path) -> None:
    """Writes the package. Nothing of that name may be there."""
    from coremltools.models import utils  # type: ignore[import-not-found,unused-ignore]

    model.save(str(package))
    spec = utils.load_spec(str(package))
    spec.description.metadata.userDefined.pop(_DATE, None)
    (package / MODEL).write_bytes(spec.SerializeToString(deterministic=True))
    for file in package.glob("*_mapping.json"):
        file.unlink()
    _identify(package / "Manifest.json")


def _identify(file: Path) -> None:
    """Gives every item an identifier made of its path, for those it has are drawn at random."""
    told = json.loads(file.read_text(encoding="utf-8"))
    items = told["itemInfoEntries"]
    new = {old: str(uuid.uuid5(_SPACE, item["path"])) for old, item in items.items()}
    told["itemInfoEntries"] = {new[old]: item for old, item in items.items()}
    told["rootModelIdentifier"] = new[told["rootModelIdentifier"]]
    file.write_text(json.dumps(told, indent=4, sort_keys=True) + "\n", encoding="utf-8")
