"""What is wrong in deploy.toml, in its own words. In: pydantic's errors. Out: a ConfigError.

An error's place is walked along the types of the settings, so that it is named by keys which the
user wrote, and what was expected there is known. What a type does not tell (which side comes
first, an example) is in `SAID`, by class and field; a new key that needs words is a line there.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import BaseModel, ValidationError

from deploy_targets import wording
from deploy_targets.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SHOWN = 60
"""The characters of a value that a message shows."""
NUMBERS = "one number, or one for each channel"
SIZE = "[height, width]"

SAID = {
    "Settings.source": ("", '"model.py:callable"'),
    "Settings.name": ('letters and digits, then also ".", "_" and "-"', '"my-model"'),
    "Settings.samples": ("", '"samples"'),
    "Settings.depends": ("", '["weights/*.bin"]'),
    "Settings.axes": ("", "{ batch = [1, 8] }"),
    "Settings.inputs": ("a table for each input", '{ image = { shape = ["batch", 3, 224, 224] } }'),
    "Settings.outputs": ("a table for each output", '{ logits = { kind = "classifier" } }'),
    "Settings.targets": ("a table for each target", '{ lambda = { arch = "arm64" } }'),
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
    "Resize.to": (SIZE, "[224, 224]"),
    "Pad.to": (SIZE, "[640, 640]"),
    "AudioBefore.rate": ("", "16000"),
    "AudioBefore.length": ("", "{ samples = 16000 }"),
    "AudioBefore.frames": ("", "{ size = 1024, hop = 160 }"),
    "AudioBefore.log_mel": ("", '{ convention = "librosa" }'),
    "AudioBefore.normalise": ("", '{ over = "recording" }'),
    "AudioBefore.mean": ("one number, or one for each bin or sample of a frame", "-30.0"),
    "AudioBefore.std": ("one number, or one for each bin or sample of a frame", "20.0"),
    "AudioBefore.layout": ("a list of axes", '["batch", "mels", "time"]'),
    "TableBefore.columns": ("", '["age", "fare"]'),
    "TableBefore.categories": (
        "a list of names in quotes or of whole numbers; fractions go as names",
        '{ size = ["0.5", "1.5"] }',
    ),
    "TableBefore.missing": ("a number or a category's name for each column", "{ age = 29.7 }"),
    "TableBefore.standardise": ("", "{ mean = [29.7], scale = [13.0] }"),
    **{
        f"{before}.reference": ("", '"preprocess.py:function"')
        for before in ("ImageBefore", "AudioBefore", "TableBefore")
    },
    **{
        f"{before}.own": ("", '[{ python = "file.py:function" }]')
        for before in ("ImageBefore", "AudioBefore", "TableBefore")
    },
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

    key: str
    kind: Any
    """The type, one of several where an error chose; None where there is none."""
    whole: Any
    """All that the type may be."""
    owner: type[BaseModel]
    """The innermost table on the way."""
    field: str = ""
    """The last key of that table."""
    named: str = ""
    """`key`, up to and with that field."""

    def into(self, part: str | int) -> Place:
        """One step of a pydantic `loc`; one that only chooses among types is no key."""
        kinds = list(wording.members(self.kind))
        if len(kinds) > 1:
            return replace(self, kind=wording.chosen(kinds, part))
        kind = wording.stripped(kinds[0]) if kinds else None
        key = self.key + _written(part, first=not self.key)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            info = kind.model_fields.get(str(part))
            inner = Annotated[(info.annotation, *info.metadata, info)] if info else None
            return Place(key, inner, inner, kind, str(part), key)
        inner = wording.inside(kind, part)
        return replace(self, key=key, kind=inner, whole=inner)

    @property
    def expected(self) -> str:
        """In words."""
        said = self._said[0] if self.key == self.named else ""
        return said or wording.words(self.whole, self.key)

    @property
    def hint(self) -> str:
        """An example where there is one, else the page that has some."""
        words, example = self._said
        if not example:
            return _look_up(self.key)
        if self.key == self.named or not words:
            return f"write for example {self.named} = {example}"
        return f"{self.named} is {words}; for example {example}"

    @property
    def _said(self) -> tuple[str, str]:
        return SAID.get(f"{self.owner.__name__}.{self.field}", ("", ""))


def refusal(
    error: ValidationError, where: str, root: type[BaseModel], plain: Mapping[str, Any]
) -> ConfigError:
    """The first thing that is wrong, by its key, with the way out. `plain`: as it was written."""
    found = [(_place(one, root, plain), one) for one in error.errors()]
    # A key that is missing is often there, misspelt.
    found.sort(key=lambda pair: pair[1]["type"] != "extra_forbidden")
    first = found[0][0].key
    # Of errors at one value, each of another type that it might have had, the innermost tells.
    same = [pair for pair in found if re.match(re.escape(first) + r"($|[.\[])", pair[0].key)]
    place, one = max(same, key=lambda pair: len(pair[0].key))
    message, hint = _said(place, one["type"], one["input"], one["msg"])
    return ConfigError(f"{where}: {message}", hint=hint)


def _place(one: ErrorDetails, root: type[BaseModel], plain: Any) -> Place:
    loc = one["loc"]
    if one["type"] == "missing" and isinstance(loc[-1], int):
        # What is missing is no key then: the list is too short.
        loc = loc[:-1]
    place, value = Place("", root, root, root), plain
    for part in loc:
        after = place.into(part)
        if after.key != place.key and isinstance(value, int | float):
            break  # One number stands for a list, in which the user wrote nothing.
        if after.key != place.key:
            value = _at(value, part)
        place = after
    return place


def _at(value: Any, part: str | int) -> Any:
    try:
        return value[part]
    except (LookupError, TypeError):
        return None


def _said(place: Place, kind: str, given: Any, said: str) -> tuple[str, str]:
    """The message and the hint."""
    key = place.key
    if kind == "extra_forbidden":
        known = [name for name in place.owner.model_fields if name != "base"]
        return f"there is no key {key!r}", _nearest(place.field, known)
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return _of_types(
            key, [tag for one in wording.members(place.kind) for tag in wording.tags(one)], given
        )
    if kind == "value_error":
        return f"{key}: {said.removeprefix('Value error, ')}", _look_up(key)
    expected, hint = place.expected, place.hint
    if kind == "finite_number":
        expected = expected.replace("a number", "a finite number")
    if kind == "literal_error":
        values = [str(value) for value in get_args(wording.stripped(place.kind))]
        near = difflib.get_close_matches(str(given), values, 1)
        hint = f"did you mean {near[0]!r}?" if near else hint
    if kind == "missing" and isinstance(given, Mapping):
        return f"{key} is missing: expected {expected}", hint
    return f"{key}: expected {expected}, got {_shown(given)}", hint


def _of_types(key: str, tags: Sequence[str], given: Any) -> tuple[str, str]:
    """A table whose `type` is missing or unknown."""
    if "type" not in given:
        return f"{key}: type is missing", f"say type = {wording.either(tags)}"
    return (
        f"{key}.type: expected {wording.either(tags)}, got {_shown(given['type'])}",
        _nearest(given["type"], tags),
    )


def _look_up(key: str) -> str:
    page = "preprocessing" if re.search(r"\.(pre|post)process\b", key) else "config"
    return f"correct {key}; docs/{page}.md has examples"


def _nearest(given: object, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(str(given), known, 1)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"


def _written(part: str | int, *, first: bool) -> str:
    """A step on the way as TOML has it."""
    if isinstance(part, int):
        return f"[{part}]"
    name = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part)
    return name if first else f".{name}"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return repr(value)
    said = json.dumps(value, default=str, ensure_ascii=False)
    return said if len(said) <= SHOWN else f"{said[:SHOWN]}…"
