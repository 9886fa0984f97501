"""What is wrong in deploy.toml is said by keys that the user wrote, and with what was expected."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from deploy_targets import config, refusals, wording
from deploy_targets.errors import ConfigError
from deploy_targets.stages.own import Own

HEAD = 'source = "m.py:b"\n'
BEFORE, AFTER = "[inputs.image.preprocess]\n", "[outputs.o.postprocess]\n"
IMAGE, TABLE = f'{BEFORE}type = "image"\n', f'{BEFORE}type = "table"\ncolumns = ["c"]\n'
AUDIO = f'{BEFORE}type = "audio"\nrate = 16000\n'
JARGON = ("Input", "valid", "tag", "validation", "required", "discriminator", "tuple", "dict")


def said(text: str) -> tuple[str, str]:
    """The message without its file, and the hint."""
    with pytest.raises(ConfigError) as error:
        config.validate(tomllib.loads(HEAD + text), Path(), "here")
    return str(error.value).removeprefix("here: "), error.value.hint


@pytest.mark.parametrize(
    ("text", "key", "near"),
    [
        (IMAGE + "meen = 1", "inputs.image.preprocess.meen", "'mean'"),
        (IMAGE + "resize = { shortr = 2 }", "inputs.image.preprocess.resize.shortr", "'shorter'"),
        (TABLE + "standardise = { men = [1] }", "inputs.image.preprocess.standardise.men", "mean"),
        (AUDIO + "frames = { size = 9, hp = 1 }", "inputs.image.preprocess.frames.hp", "'hop'"),
        (AFTER + 'type = "classes"\ntopk = 1', "outputs.o.postprocess.topk", "'top_k'"),
        ('[inputs."a b"]\nshpe = [1]', 'inputs."a b".shpe', "'shape'"),
    ],
)
def test_an_unknown_key_gets_the_nearest_of_that_very_table(text: str, key: str, near: str) -> None:
    message, hint = said(text)
    assert message.startswith("there is no key '")
    assert message.endswith(f"{key}'")
    assert hint.startswith("did you mean ")
    assert near in hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (BEFORE + "mean = [1]", "preprocess: type is missing", '"image", "audio" or "table"'),
        (BEFORE + 'type = "imag"', '"audio" or "table", got "imag"', "did you mean 'image'?"),
        (BEFORE + "type = 3", 'preprocess.type: expected "image"', "known here: image"),
        (IMAGE + "resize = 8", "resize: expected a table, got 8", "resize = { shorter = 256 }"),
        ('[inputs.i]\npreprocess = "image"', 'a table with type = "image"', '{ type = "image" }'),
        (IMAGE + "crop = 8", "crop: expected [height, width], got 8", "crop = [224, 224]"),
        (IMAGE + "crop = [1]", "crop: expected [height, width], got [1]", "crop = [224, 224]"),
        (IMAGE + "crop = [1, 2, 3]", "[height, width], got [1, 2, 3]", "crop = [224, 224]"),
        (IMAGE + "crop = [-1, 2]", "crop[0]: expected a whole number from 1 to 16384", "[224, 22"),
        (IMAGE + 'own = { python = "a.py:f" }', "[[inputs.image.preprocess.own]]", "own = [{"),
        (
            IMAGE + '[[inputs.image.preprocess.own]]\npython = "a.py:f"\nafter = "x"',
            "own[0].after",
            "",
        ),
        (IMAGE + 'mean = "x"', "mean: expected one number, or one for each", "[0.485, 0.456"),
        (IMAGE + "std = 0.0", "std: expected one number, or one for each channel, above 0", ""),
        (IMAGE + "scale = inf", "expected a finite number above 0, got inf", ""),
        (IMAGE + "pad = { value = 3 }", "preprocess.pad.to is missing: expected [h", "[640, 640]"),
        (BEFORE + 'type = "table"', "columns is missing", 'columns = ["age", "fare"]'),
        (TABLE + "categories.c = [0.5, 1.5]", "c[0]: expected text in quotes or a", '["0.5", "1'),
        (TABLE + "delimiter = 'x'", 'expected ",", ";", ', ""),
        (AFTER + 'type = "classes"\nlabels = 3', "labels: expected a file with", '"labels.txt"'),
        (AFTER + 'type = "classes"\nlabels = [3]', "labels[0]: expected text in quotes, got 3", ""),
        (AFTER + 'type = "boxes"', "format is missing", 'format = "xyxy"'),
        ("inputs = 3", "inputs: expected a table for each input, got 3", "inputs = { image"),
        ("axes.b = [1]", "axes.b: expected [a whole number, a whole", "axes = { batch = [1, 8] }"),
        ("budget = 'x'", 'budget: expected a number from 0 to 1, got "x"', "docs/config.md"),
        (IMAGE + f"crop = '{'x' * 999}'", "x…", "[224, 224]"),
    ],
)
def test_a_wrong_value_is_refused_in_our_words(text: str, message: str, hint: str) -> None:
    given = said(text)
    assert message in given[0]
    assert hint in given[1]
    assert not [word for word in JARGON if word in " ".join(given)]
    assert len(given[0]) < 250


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (IMAGE + 'reference = ""', 'reference = "": expected "file.py:function"'),
        (IMAGE + 'reference = "ref.py"', 'reference = "ref.py": expected "file.py:function"'),
        (IMAGE + 'own = [{ python = "" }]', 'own[0].python = "": expected "file.py:function"'),
        (IMAGE + 'own = [{ module = "m.py" }]', 'own[0].module = "m.py": expected "file.py:call'),
    ],
)
def test_what_names_no_function_is_refused(text: str, message: str) -> None:
    assert said(text)[0].startswith("inputs.image.preprocess: ")
    assert message in said(text)[0]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (r'samples = "a\u0000"', "samples"),
        (r'depends = ["ok", "a\u0000"]', "depends[1]"),
        (IMAGE + r'reference = "a\u0000.py:f"', "inputs.image.preprocess.reference"),
        (IMAGE + r'own = [{ python = "a\u0000.py:f" }]', "inputs.image.preprocess.own[0].python"),
        (AFTER + 'type = "text"\n' + r'labels = "a\u0000"', "outputs.o.postprocess.labels"),
    ],
)
def test_a_name_with_a_nul_in_it_is_refused_before_a_file_is_opened(text: str, key: str) -> None:
    assert said(text)[0] == f"{key} holds the character \\u0000, which no name has"


def test_a_nul_may_be_a_token_of_a_model() -> None:
    text = HEAD + AFTER + 'type = "text"\n' + r'alphabet = "\u0000ab"'
    table: Any = config.validate(tomllib.loads(text), Path()).outputs["o"].postprocess
    assert table.alphabet == "\0ab"


def test_one_number_stands_for_all_channels() -> None:
    text = HEAD + IMAGE + "mean = 0.5\nstd = 2"
    table: Any = config.validate(tomllib.loads(text), Path()).inputs["image"].preprocess
    assert (table.mean, table.std) == ((0.5,), (2.0,))


def _tables(kind: Any) -> Iterator[type[BaseModel]]:
    for one in wording.members(kind):
        bare = wording.stripped(one)
        if isinstance(bare, type) and issubclass(bare, BaseModel):
            yield bare
            for field in bare.model_fields.values():
                yield from _tables(field.annotation)
        else:
            for inner in getattr(bare, "__args__", ()):
                yield from _tables(inner)


@pytest.mark.parametrize("name", refusals.SAID)
def test_every_example_is_right(name: str) -> None:
    tables = {table.__name__: table for table in (*_tables(config.Settings), Own)}
    of, key = name.split(".")
    field = tables[of].model_fields[key]
    example = tomllib.loads(f"it = {refusals.SAID[name][1]}")["it"]
    TypeAdapter(field.annotation).validate_python(example)
