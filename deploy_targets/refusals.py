"""What is wrong in deploy.toml, in the words of deploy.toml. In: pydantic's errors. Out: ConfigError.

An error's place is walked along the types of the settings, so that it is named by keys which the
user wrote, and what was expected there is known. What a type does not tell (which side comes
first, an example) is in `SAID`, by class and field; a new key that needs words is a line there.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from deploy_targets.errors import ConfigError

SHOWN = 60
"""The characters of a value that a message shows."""
BOUNDS = (("ge", "from {} up"), ("gt", "above {}"), ("le", "{} at most"), ("lt", "below {}"))
NUMBERS = "one number, or one for each channel"
SIZE = "[height, width]"

SAID = {
    "Settings.source": ("", '"model.py:callable"'),
    "Settings.name": ('letters and digits, then also ".", "_" and "-"', '"my-model"'),
    "Settings.samples": ("", '"samples"'),
    "Settings.depends": ("", '["weights/*.bin"]'),
    "Settings.axes": ("", "{ batch = [1, 8] }"),
    "InputTable.shape": ("a list of sizes and names of axes", '["batch", 3, 224, 224]'),
    "InputTable.range": ("[smallest, largest]", "[0, 49]"),
    "InputTable.preprocess": ("", '{ type = "image" }'),
    "OutputTable.kind": ("", '"classifier"'),
    "OutputTable.postprocess": ("", '{ type = "classes", activation = "softmax" }'),
    "ImageBefore.resize": ("", "{ shorter = 256 }"),
    "ImageBefore.crop": (SIZE, "[224, 224]"),
    "ImageBefore.pad": ("", "{ to = [640, 640], value = 114 }"),
    "ImageBefore.mean": (NUMBERS, "[0.485, 0.456, 0.406]"),
    "ImageBefore.std": (NUMBERS + ", above 0", "[0.229, 0.224, 0.225]"),
    "ImageBefore.reference": ("", '"preprocess.py:function"'),
    "Resize.to": (SIZE, "[224, 224]"),
    "Pad.to": (SIZE, "[640, 640]"),
    "AudioBefore.rate": ("", "16000"),
    "AudioBefore.length": ("", "{ samples = 16000 }"),
    "AudioBefore.frames": ("", "{ size = 1024, hop = 160 }"),
    "AudioBefore.log_mel": ("", '{ convention = "librosa" }'),
    "AudioBefore.normalise": ("", '{ over = "recording" }'),
    "AudioBefore.layout": ("a list of axes", '["batch", "mels", "time"]'),
    "AudioBefore.reference": ("", '"preprocess.py:function"'),
    "TableBefore.columns": ("", '["age", "fare"]'),
    "TableBefore.categories": (
        "a list of names in quotes or of whole numbers; fractions go as names",
        '{ size = ["0.5", "1.5"] }',
    ),
    "TableBefore.missing": ("a number or a category's name for each column", "{ age = 29.7 }"),
    "TableBefore.standardise": ("", "{ mean = [29.7], scale = [13.0] }"),
    "TableBefore.reference": ("", '"preprocess.py:function"'),
    "Own.python": ("", '"file.py:function"'),
    "Own.module": ("", '"file.py:callable"'),
    "BoxesAfter.format": ("", '"xyxy"'),
    "BoxesAfter.size": (SIZE, "[640, 640]"),
    "MaskAfter.size": (SIZE, "[512, 512]"),
    "MaskAfter.palette": ("[red, green, blue] for each class", "[[0, 0, 0], [255, 0, 0]]"),
    **{
        f"{after}.labels": ("a file with a name a line, or a list of names", '"labels.txt"')
        for after in ("ClassesAfter", "BoxesAfter", "MaskAfter", "TextAfter")
    },
}
"""Class.field -> what is expected where its type says too little, and an example."""


@dataclass(frozen=True)
class Place:
    """Where an error is: as the user writes it, and what the settings have there."""

    key: str = ""
    kind: Any = None
    """The type, None where there is none."""
    owner: type[BaseModel] | None = None
    """The innermost table on the way."""
    field: str = ""
    """The key of that table, "Class.field"."""
    named: str = ""
    """`key` up to that field."""

    def into(self, part: str | int) -> Place:
        """One step of a pydantic `loc`; a step that only chooses among types is no key."""
        kinds = _members(self.kind)
        if len(kinds) > 1:
            return Place(self.key, _chosen(kinds, part), self.owner, self.field, self.named)
        kind = kinds[0] if kinds else None
        key = f"{self.key}{_written(part, first=not self.key)}"
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found = kind.model_fields.get(str(part))
            of = f"{kind.__name__}.{part}"
            return Place(key, _full(found) if found else None, kind, of, key)
        return Place(key, _inside(kind, part), self.owner, self.field, self.named)

    @property
    def expected(self) -> str:
        """In words."""
        return SAID.get(self.field, ("", ""))[0] or _words(self.kind, self)

    @property
    def example(self) -> str:
        """A line that would do; empty where none is known."""
        said = SAID.get(self.field)
        return f"{self.named} = {said[1]}" if said else ""


def refusal(error: ValidationError, where: str, root: type[BaseModel]) -> ConfigError:
    """The first thing that is wrong, by its key, with the way out."""
    found = [(_place(root, one["loc"]), one) for one in error.errors()]
    first = found[0][0].key
    # Of several errors at one value, each of another type it might have had, the innermost tells.
    place, one = max(
        (pair for pair in found if pair[0].key.startswith(first)), key=lambda pair: len(pair[0].key)
    )
    said = _said(place, one["type"], one["input"], one["msg"], one.get("ctx", {}), root)
    message, hint = said
    return ConfigError(f"{where}: {message}", hint=hint)


def did_you_mean(given: object, known: Sequence[str], otherwise: str) -> str:
    """A hint: the nearest of what is known, or all of it."""
    near = difflib.get_close_matches(str(given), known, 1)
    return f"did you mean {near[0]!r}?" if near else f"{otherwise}: {', '.join(known)}"


def _said(
    place: Place, kind: str, given: Any, said: str, more: Mapping[str, Any], root: type[BaseModel]
) -> tuple[str, str]:
    key = place.key
    plain = f"correct {key}; docs/config.md has examples"
    if kind == "extra_forbidden":
        known = [name for name in (place.owner or root).model_fields if name != "base"]
        last = place.field.partition(".")[2]
        return f"there is no key {key!r}", did_you_mean(last, known, "known here")
    if kind == "union_tag_not_found":
        return f"{key}: type is missing", f"say type = {_either(list(_tags(place.kind)))}"
    if kind == "union_tag_invalid":
        tags = list(_tags(place.kind))
        return (
            f"{key}.type: expected {_either(tags)}, got {_shown(given.get('type'))}",
            did_you_mean(given.get("type"), tags, "known are"),
        )
    if kind == "value_error":
        return f"{key}: {said.removeprefix('Value error, ')}", plain
    example = f"for example {place.example}" if place.example else plain
    if kind == "missing" and not key.endswith("]"):
        return f"{key} is missing: expected {place.expected}", example
    if kind == "missing":
        # A list that is too short: what is missing is no key, and what was given is the list.
        key = key.rpartition("[")[0]
        place = _place(root, _parent(place, given))
    return f"{key}: expected {place.expected}, got {_shown(given)}", example
