"""Tables: CSV and JSON as people write them, and what is asked of them.

To add a form: a line among those of its table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deploy_targets.records import TensorSpec
from deploy_targets.stages.rows import TableBefore
from deploy_targets.testing.vectors.declared import Filed, Raw, before

CHAIN = "chain-table"

PEOPLE: dict[str, Any] = {
    "columns": ["age", "income", "city", "member"],
    "missing": {"age": 31.5, "city": "Zürich", "member": float("nan")},
    "categories": {"city": ["Paris", "Zürich", "true"]},
    "unknown": "zeros",
    "standardise": {"mean": [40.0, 16_777_216.0, 0.25], "scale": [12.5, 3.0, 0.5]},
    "max_rows": 5,
}
CODES: dict[str, Any] = {
    "columns": ["size", "code"],
    "categories": {"code": [10, 20, 40]},
    "encoding": "index",
    "extra": "refuse",
    "delimiter": ";",
}
BARE: dict[str, Any] = {
    "columns": ["a", "b"],
    "categories": {"b": ["no", "yes"]},
    "standardise": {"mean": [0.1, 0.2, 0.7], "scale": [3.0, 0.1, -7.0]},
    "header": False,
    "missing": {"b": "yes"},
    "missing_words": ["-"],
}

Forms = Iterator[tuple[str, str, str, str]]
"""A name, what it catches, the text, and what a refusal is about."""


def cases() -> Filed:
    """Every table with the forms that tell it from its neighbours."""
    for name, declared, width, dtype, forms in (
        ("people", PEOPLE, 6, "float32", (*_people(), *_wrong_people())),
        ("codes", CODES, 2, "int16", _codes()),
        ("bare", BARE, 3, "float64", _bare()),
    ):
        table = TableBefore.model_validate({"type": "table", **declared})
        raws = [Raw(form, why, text.encode(), about) for form, why, text, about in forms]
        tensor = TensorSpec("features", dtype, ("rows", width))
        if name == "people":
            latin = "age,income,city,member\n1,2,Zürich,1\n".encode("latin-1")
            raws.append(Raw("latin-1", "text that is not UTF-8", latin, "another encoding"))
        yield from before(CHAIN, name, table, tensor, raws)


HEAD = "age,income,city,member\n"


def _people() -> Forms:
    plain = "29,16777217,Paris,0\n53.5,-1e6,Zürich,1\n"
    yield "plain", "numbers that float32 cannot hold", HEAD + plain, ""
    turned = "member,city,other,age,income\n0,Paris,x,29,3\n1,Zürich,,53.5,4\n"
    yield "turned", "columns in another order, and one too many", turned, ""
    holes = ",5,NA,\n ? ,6,, null \nNaN,7,Lima,None\n"
    yield "holes", "words that mean that a value is missing; an unknown name", HEAD + holes, ""
    quoted = '\ufeff"age","income", city ,member\r\n"29"," 1E3 ","Zürich",+.5\r\n\r\n'
    quoted += '"1.",2,"a ""b"", c",1'
    yield "quoted", "a byte order mark, CRLF, blanks, quotes in quotes, a blank line", quoted, ""
    objects = '[{"age": 29, "income": 1e3, "city": "Paris", "member": true}, {"income": "7"}]'
    yield "objects", "JSON: keys left out, a boolean, a number in quotes", objects, ""
    lists = '\n [[29, 5, "Z\\u00fcrich", false], [null, 6, true, 1]]'
    yield "lists", "JSON: rows as lists, an escape, a boolean that is a name", lists, ""
    one = '{"income": 1, "city": null, "member": 0.1, "other": [1]}'
    yield "one", "JSON: a single object", one, ""


def _wrong_people() -> Forms:
    yield "empty", "nothing at all", " \n", "empty"
    yield "no-rows", "a header alone", HEAD, "no rows"
    yield "many", "more rows than max_rows", HEAD + "1,2,Paris,0\n" * 6, "too many rows"
    yield "lacking", "a column that is not there", "age,city\n1,Paris\n", "a missing column"
    yield "twice", "a column named twice", "age,age,income,city,member\n", "a column twice"
    yield "short", "a row with too few values", HEAD + "1,2,Paris\n", "length of a row"
    yield "tabs", "another delimiter", HEAD.replace(",", "\t") + "1\t2\t3\t4\n", "the delimiter"
    yield "needed", "nothing where a value is needed", HEAD + "1,,Paris,0\n", "a missing value"
    for i, number in enumerate(("1_000", "0x10", "inf", "1e999", "twelve", "\u0661\u0662", "1e")):
        text = HEAD + f"{number},2,Paris,0\n"
        yield f"no-number-{i}", f"{number} is no number", text, "no number"
    yield "comma", "a decimal comma", HEAD + '"1,5",2,Paris,0\n', "no number"
    yield "quote", "a quote that does not end", HEAD + '"1,2,Paris,0\n', "CSV"
    yield "inner-quote", "a quote in the middle", HEAD + '1,2,"Par"is,0\n', "CSV"
    yield "constant", "NaN, which is no JSON", '[{"income": NaN}]', "JSON"
    yield "cut", "half of a JSON", '[{"income": 1}', "JSON"
    yield "key-twice", "a key named twice", '{"income": 1, "income": 2}', "JSON"
    yield "scalar", "a row that is none", "[1, 2]", "a row"
    yield "list", "a list of another length", "[[1, 2, 3]]", "length of a row"


def _codes() -> Forms:
    yield "plain", "a category that is a number, by its place", "size;code\n5;20\n-7;40.0\n", ""
    yield "edges", "the largest and the least", '[[32767, 10], [-32768, "20"]]', ""
    yield "half", "no whole number", "size;code\n1.5;10\n", "no whole number"
    yield "over", "a number that does not fit", "size;code\n32768;10\n", "no whole number"
    yield "unknown", "a code that is not known", "size;code\n1;30\n", "an unknown category"
    yield "extra", "a column that is not expected", "size;code;x\n1;10;2\n", "another column"
    yield (
        "extra-key",
        "a key that is not expected",
        '{"size": 1, "code": 10, "x": 2}',
        ("another column"),
    )
    yield "missing", "a code that is missing", "size;code\n1;\n", "a missing value"


def _bare() -> Forms:
    yield "plain", "no header, and other words for what is missing", "1,no\n0.3,-\n1e-300,yes\n", ""
    yield "word", "a word that means missing elsewhere", "NA,no\n", "no number"
    yield "name", "a name that is not known", "1,No\n", "an unknown category"
