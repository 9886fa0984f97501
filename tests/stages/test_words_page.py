"""docs/postprocessing.md: its tables are taken, its answers are given, and no key is left out."""

from __future__ import annotations

import base64
import io
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter

from deploy_targets.records import TensorSpec
from deploy_targets.stages.base import After
from deploy_targets.stages.boxes import BoxesAfter
from deploy_targets.stages.classes import ClassesAfter
from deploy_targets.stages.mask import MaskAfter
from deploy_targets.stages.text import TextAfter

from .answers import ROOM, on_host, spoken

PAGE = (Path(__file__).parents[2] / "docs" / "postprocessing.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r'^## type = "(\w+)"\n(.*?)(?=^## |\Z)', PAGE, re.DOTALL | re.MULTILINE))
TABLES: dict[str, type[After]] = {
    "classes": ClassesAfter,
    "boxes": BoxesAfter,
    "mask": MaskAfter,
    "text": TextAfter,
}
GIVEN: dict[str, dict[str, np.ndarray]] = {
    "classes": {"logits": np.log(np.float32([[0.125, 0.625, 0.25]]))},
    "boxes": {
        "boxes": np.float32([[[60, 70.25, 20, 20.5], [61, 71, 20, 20], [0, 0, 9, 9]]]),
        "scores": np.float32([[[0.1, 0.9], [0.2, 0.8], [0, 0.25]]]),
    },
    "mask": {"mask": np.float32([[[[0.5, 0.6], [0, 0]]]])},
    "text": {"tokens": np.eye(5, dtype=np.float32)[[1, 1, 0, 4, 3, 1, 0, 2]][None]},
}


def example(kind: str) -> tuple[str, After, dict[str, Any]]:
    """The output's name, its table, and the answer that is shown."""
    ((_, toml), (_, answer)) = re.findall(r"```(toml|json)\n(.*?)```", SECTIONS[kind], re.DOTALL)
    ((name, table),) = tomllib.loads(toml)["outputs"].items()
    return name, TypeAdapter(TABLES[kind]).validate_python(table["postprocess"]), json.loads(answer)


@pytest.mark.parametrize("kind", TABLES)
def test_each_example_gives_the_answer_that_is_shown(kind: str) -> None:
    name, table, shown = example(kind)
    outputs = [TensorSpec(key, "float32", array.shape) for key, array in GIVEN[kind].items()]
    table.check(name, outputs)
    stages = table.stages(name, outputs, ROOM)
    said = spoken(stages, on_host(stages, GIVEN[kind]))
    assert pixels(rounded(said)) == pixels(shown)


def rounded(said: Any) -> Any:
    """An answer without the last bits of its numbers."""
    text = json.dumps(said)
    return json.loads(text, parse_float=lambda number: round(float(number), 6))


def pixels(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer with what its PNG shows in place of how it was compressed."""
    for said in answer.values():
        if isinstance(said, dict) and "png" in said:
            with Image.open(io.BytesIO(base64.b64decode(said["png"]))) as image:
                said["png"] = (np.asarray(image).tolist(), image.getpalette()[:6])
    return answer


@pytest.mark.parametrize("kind", TABLES)
def test_each_key_is_in_the_table_of_its_type_with_its_default(kind: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", SECTIONS[kind], re.MULTILINE))
    fields = {key: field for key, field in TABLES[kind].model_fields.items() if key != "type"}
    assert set(rows) == set(fields)
    for key, field in fields.items():
        if field.is_required() or (kind, key) == ("classes", "activation"):
            assert rows[key] == "must be said"
        elif field.default is not None:
            assert rows[key].strip("`") == json.dumps(field.default)
        else:
            assert not re.search(r'[0-9"]', rows[key]) or "fixed colours" in rows[key]
