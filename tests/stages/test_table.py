"""A table, from deploy.toml to the tensor: on the host, in the graph, and as scikit-learn does."""

from __future__ import annotations

import json
import time
import tomllib
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from deploy_targets.records import Array, Stage, TensorSpec
from deploy_targets.stages import graphs, host
from deploy_targets.stages.rows import TableBefore

PEOPLE = """
columns = ["age", "fare", "sex", "class"]
missing = {age = 29.7, fare = nan, sex = "male"}
categories = {sex = ["female", "male"], class = [1, 2, 3]}
standardise = {mean = [29.0, 32.5], scale = [13.0, 49.7]}
unknown = "zeros"
"""
WIDE = TensorSpec("features", "float32", ("batch", 7))
PLAIN = 'columns = ["a", "b"]'
PAIR = TensorSpec("features", "float32", ("batch", 2))
WHOLE = TensorSpec("features", "int64", ("batch", 2))
SMALL = TensorSpec("features", "uint8", ("batch", 2))
ONE = TensorSpec("features", "float32", ("batch", 1))
FOUR = TensorSpec("features", "float32", ("batch", 4))

TABLES = {
    "people": (PEOPLE, WIDE),
    "plain": (PLAIN, PAIR),
    "doubles": (
        PLAIN + "\nstandardise = {mean = [1, 2], scale = [3, 4]}",
        TensorSpec("features", "float64", ("batch", 2)),
    ),
    "whole": (PLAIN + "\nmissing = {a = 0}", TensorSpec("features", "int64", ("batch", 2))),
    "index": (
        'columns = ["a", "colour"]\ncategories = {colour = ["red", "blue"]}\n'
        'encoding = "index"\nextra = "refuse"',
        PAIR,
    ),
    "scaled after": (
        'columns = ["a", "c"]\ncategories = {c = ["x", "y"]}\n'
        "standardise = {mean = [1, 0.5, 0.5], scale = [2, 0.5, 0.5]}",
        TensorSpec("features", "float32", (4, 3)),
    ),
    "semicolons": (PLAIN + '\nheader = false\ndelimiter = ";"', PAIR),
}


def table(text: str) -> TableBefore:
    return TableBefore.model_validate({"type": "table", **tomllib.loads(text)})


def steps(stages: tuple[Stage, ...]) -> list[dict[str, Any]]:
    """As a bundle has them: through JSON, in which no number is missing."""
    plain = [{"op": stage.op, "options": dict(stage.options)} for stage in stages]
    return json.loads(json.dumps(plain, allow_nan=False))


def on_host(before: TableBefore, tensor: TensorSpec, data: bytes) -> Array:
    return host.before(steps(before.stages(tensor, base=None)), data, {})  # type: ignore[arg-type]


def through_graphs(before: TableBefore, tensor: TensorSpec, data: bytes) -> list[Array]:
    """The tensor, with the graph beginning at every step from the second on."""
    import onnxruntime

    stages, found = before.stages(tensor, base=None), []  # type: ignore[arg-type]
    for at in range(1, len(stages)):
        value = host.before(steps(stages[:at]), data, {})
        port = before.port(stages, at, tensor)
        assert value.shape[1] == port.shape[1]
        assert value.dtype.name == port.dtype
        made = graphs.before(stages[at:], port, tensor)
        session = onnxruntime.InferenceSession(
            made.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        found += session.run(None, {f"{port.name}.given": value})
    return found


def rows(text: str, tensor: TensorSpec, body: str | bytes) -> list[list[float]]:
    data = body.encode() if isinstance(body, str) else body
    return on_host(table(text), tensor, data).tolist()


def refused(body: str | bytes, text: str = PLAIN, tensor: TensorSpec = PAIR) -> host.Refused:
    with pytest.raises(host.Refused) as caught:
        rows(text, tensor, body)
    return caught.value


@pytest.mark.parametrize("name", TABLES)
def test_the_graph_gives_what_the_host_gives(name: str) -> None:
    text, tensor = TABLES[name]
    before = table(text)
    before.check(tensor)
    asked = 0
    for raw in before.made(tensor):
        expected = on_host(before, tensor, raw.data)
        assert expected.dtype.name == tensor.dtype
        assert expected.shape[1] == tensor.shape[1]
        for given in through_graphs(before, tensor, raw.data):
            np.testing.assert_array_equal(given, expected, err_msg=raw.name)
        asked += 1
    assert asked >= 4


def test_made_tables_are_awkward_in_ways_that_are_named() -> None:
    made = {raw.name: raw.data for raw in table(PEOPLE).made(WIDE)}
    assert made == {raw.name: raw.data for raw in table(PEOPLE).made(WIDE)}
    assert set(made) == {
        *("one_row", "csv", "quoted", "reordered", "extra", "missing", "missing_json"),
        *("unknown", "objects", "lists"),
    }
    assert np.isnan(on_host(table(PEOPLE), WIDE, made["missing"])[:, 1]).all()
    assert sum(map(len, made.values())) < 5_000


def made_rows(before: TableBefore, tensor: TensorSpec) -> list[dict[str, Any]]:
    """All rows of all made tables, each of which is taken, as the original is given them."""
    before.check(tensor)
    made = list(before.made(tensor))
    assert len({raw.name for raw in made}) == len(made)
    for raw in made:
        assert np.ndim(on_host(before, tensor, raw.data)) == 2, raw.name
    return [row for raw in made for row in before.given(raw.data)]


@pytest.mark.parametrize("rows", ["batch", 1, 4])
@pytest.mark.parametrize("names", [8, 100])
def test_every_name_of_a_category_occurs_in_a_made_table(rows: int | str, names: int) -> None:
    known = [f"k{i}" for i in range(names)]
    said = {"type": "table", "columns": ["a", "c", "n"], "unknown": "zeros"}
    before = TableBefore.model_validate({**said, "categories": {"c": known, "n": [7, 3, 1]}})
    found = made_rows(before, TensorSpec("x", "float32", (rows, names + 4)))
    assert {row["c"] for row in found} == {*known, None}
    assert {row["n"] for row in found} == {7, 3, 1, None}


def test_thousands_of_names_make_longer_tables_and_not_thousands_of_them() -> None:
    known = [f"k{i}" for i in range(5_000)]
    before = TableBefore.model_validate(
        {"type": "table", "columns": ["c"], "categories": {"c": known}, "encoding": "index"}
    )
    tensor = TensorSpec("x", "float32", ("batch", 1))
    assert {row["c"] for row in made_rows(before, tensor)} == set(known)
    assert len(list(before.made(tensor))) < 75


def test_two_categories_with_as_many_names_do_not_always_hold_the_same() -> None:
    text = 'columns = ["c", "d"]\ncategories = {c = ["x", "y"], d = ["x", "y"]}'
    found = made_rows(table(text), TensorSpec("x", "float32", ("batch", 4)))
    assert any(row["c"] != row["d"] for row in found)


@pytest.mark.parametrize("rows", ["batch", 1])
def test_every_word_that_means_missing_is_written_once(rows: int | str) -> None:
    text = 'columns = ["a", "b"]\nmissing = {b = 5}\nextra = "refuse"'
    before, tensor = table(text), TensorSpec("x", "float32", (rows, 2))
    made_rows(before, tensor)
    written = [
        line.split(",")[1].strip('"')
        for raw in before.made(tensor)
        if raw.name.startswith("missing") and raw.data[:1] == b"a"
        for line in raw.data.decode().splitlines()[1:]
    ]
    assert set(written) == set(before.missing_words)


AWKWARD = {
    "two rows": (PLAIN + "\nmax_rows = 2", PAIR),
    "other words": (PLAIN + '\nmissing = {a = 1}\nmissing_words = ["n,a", "[", "\\""]', PAIR),
    "no words": (PLAIN + "\nmissing = {a = 1}\nmissing_words = []", PAIR),
    "words that are numbers": (PLAIN + '\nmissing_words = ["0", "1", "2"]', WHOLE),
    "small numbers": (PLAIN + "\nmissing = {a = 250}", SMALL),
    "names to be quoted": (
        """columns = ["a", "c"]\nmissing_words = []\ndelimiter = ";"\nunknown = "zeros"\n"""
        """categories = {c = ["", "None", '"', "a;b", " c ", "never seen", "{", "x\\r\\ny"]}""",
        TensorSpec("x", "float32", ("batch", 9)),
    ),
    "the same without a header": (
        """columns = ["c"]\nmissing_words = []\nheader = false\n"""
        """categories = {c = ["", "[1]", '"', "a,b", "\ufeffc"]}""",
        TensorSpec("x", "float32", ("batch", 5)),
    ),
    "columns to be quoted": ("""columns = ["[a]", "", 'b,"', "{"]""", FOUR),
    "a column without a name": ('columns = [""]\nmissing = {"" = 1}', ONE),
    "one column without a header": ('columns = ["a"]\nheader = false\nmissing = {a = 1}', ONE),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_made_tables_are_right_whatever_the_table_declares(name: str) -> None:
    text, tensor = AWKWARD[name]
    before = table(text)
    found = made_rows(before, tensor)
    for column, known in before.categories.items():
        assert {row[column] for row in found} - {None} == set(known)


def test_forty_thousand_columns_are_refused_at_once() -> None:
    header = ",".join(f"c{i}" for i in range(40_000))
    began = time.perf_counter()
    error = refused(header + "\n" + header)
    assert time.perf_counter() - began < 2
    assert error.status == 413
    assert "names 40000 columns, expected 10000 at most" in str(error)


def test_a_table_of_many_columns_is_read_at_once() -> None:
    columns = [f"c{i}" for i in range(12_000)]
    before = TableBefore.model_validate({"type": "table", "columns": columns, "extra": "refuse"})
    body = ",".join(columns[::-1]) + "\n" + ",".join(map(str, range(12_000)))
    began = time.perf_counter()
    made = on_host(before, TensorSpec("x", "float64", ("n", 12_000)), body.encode())
    assert time.perf_counter() - began < 2
    assert made[0].tolist() == list(range(12_000))[::-1]


def test_a_pipeline_of_scikit_learn_can_be_said() -> None:
    """SimpleImputer, StandardScaler and OneHotEncoder, fitted, against the table they become."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    draw = np.random.default_rng(3)
    numbers = draw.normal(20, 7, (50, 2))
    numbers[draw.random((50, 2)) < 0.2] = np.nan
    whole = np.empty((50, 3), object)
    whole[:, :2], whole[:, 2] = numbers, draw.choice(["red", "green", "blue"], 50)
    numeric = make_pipeline(SimpleImputer(), StandardScaler())
    coded = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    fitted = ColumnTransformer([("numbers", numeric, [0, 1]), ("colour", coded, [2])]).fit(whole)

    imputer, scaler = fitted.named_transformers_["numbers"]
    names = fitted.named_transformers_["colour"].categories_[0].tolist()
    before = TableBefore.model_validate(
        {
            "type": "table",
            "columns": ["a", "b", "colour"],
            "missing": dict(zip("ab", imputer.statistics_.tolist(), strict=True)),
            "standardise": {"mean": scaler.mean_.tolist(), "scale": scaler.scale_.tolist()},
            "categories": {"colour": names},
            "unknown": "zeros",
        }
    )
    whole[0, 2] = "never seen"
    objects = [
        {"a": None if np.isnan(a) else a, "b": None if np.isnan(b) else b, "colour": colour}
        for a, b, colour in whole
    ]
    tensor = TensorSpec("features", "float64", ("batch", 5))
    made = on_host(before, tensor, json.dumps(objects).encode())
    np.testing.assert_allclose(made, fitted.transform(whole), rtol=1e-12)


def test_columns_are_taken_by_name_whatever_their_order_and_writing() -> None:
    expected = [[1.5, -2.0]]
    for body in (
        "a,b\n1.5,-2",
        "b, a\n-2, 1.5\n",
        '"a","b"\r\n"1.5","-2.0"\r\n\r\n',
        "\ufeffa,b\n+1.5,-.2e1",
        'other,b,a\n"x, ""y""",-2,1.5',
        '{"b": -2, "a": 1.5}',
        ' [{"b": "-2", "a": 1.5, "other": null}]',
        "[[1.5, -2]]",
    ):
        assert rows(PLAIN, PAIR, body) == expected, body


def test_without_a_header_columns_come_in_their_order() -> None:
    assert rows(PLAIN + "\nheader = false", PAIR, "1,2\n3,4") == [[1, 2], [3, 4]]


def test_a_missing_value_takes_what_was_declared_for_its_column() -> None:
    text = PLAIN + "\nmissing = {b = 7.5}"
    for body in ("a,b\n1,", "a,b\n1,NA", "a,b\n1, nan ", '{"a": 1}', "[[1, null]]"):
        assert rows(text, PAIR, body) == [[1, 7.5]], body


def test_a_missing_value_may_stay_missing() -> None:
    assert np.isnan(rows(PLAIN + "\nmissing = {b = nan}", PAIR, "a,b\n1,")[0][1])


def test_categories_become_columns_where_they_stand() -> None:
    text = 'columns = ["a", "c", "b"]\ncategories = {c = ["x", "y"]}'
    tensor = TensorSpec("features", "float32", ("batch", 4))
    assert rows(text, tensor, "a,c,b\n5,y,6\n7,x,8") == [[5, 0, 1, 6], [7, 1, 0, 8]]


def test_an_index_that_was_rounded_otherwise_still_means_its_category() -> None:
    options = {"sizes": [None, 3]}
    given = np.array([[5.0, 1 + 8e-6], [6.0, 2 - 8e-6], [7.0, -8e-6], [8.0, -1.0], [9.0, np.nan]])
    made = host.before([{"op": "one_hot", "of": "x", "options": options}], given, {})
    hot = [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_array_equal(made, np.column_stack([given[:, 0], hot]))


def test_made_numbers_are_about_as_large_as_what_stands_for_a_missing_one() -> None:
    said = """
type = "table"
columns = ["year", "share"]
missing = { year = 1980, share = 0.01 }
"""
    made = {raw.name: raw.data for raw in table(said).made(PAIR)}
    found = on_host(table(said), PAIR, made["csv"])
    assert (np.abs(found[:, 0]) > 10 * np.abs(found[:, 1])).all()
    assert np.abs(found[:, 1]).max() <= 0.02


def test_categories_that_are_numbers_are_compared_as_numbers() -> None:
    text = 'columns = ["c"]\ncategories = {c = [1, 2]}'
    for body in ("c\n2", "c\n2.0", '{"c": 2.0}', '[["2"]]'):
        assert rows(text, PAIR, body) == [[0, 1]], body


def test_what_the_original_is_called_with_are_dictionaries() -> None:
    given = table(PEOPLE).given(b"age,fare,sex,class\n,7.25,female,3\n4,,other,2")
    assert given == [
        {"age": None, "fare": 7.25, "sex": "female", "class": 3},
        {"age": 4.0, "fare": None, "sex": None, "class": 2},
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("a,b\n1,2\n3,four", "row 2, column 'b': 'four' is no number"),
        ("a,b\n1,1_000", "'1_000' is no number"),
        ("a,b\n1,inf", "'inf' is no number"),
        ("a,b\n1,1e999", "'1e999' is no number"),
        ("a,b\n1,٣", "is no number"),
        ('a,b\n1,"2,5"', "'2,5' is no number"),
        ("a,b\n1,", "row 1, column 'b': a value is missing"),
        ("a,b\n1,2,3", "row 1 has 3 values, expected 2"),
        ("a,c\n1,2", "the header has no column 'b'; it has a, c"),
        ("a,a,b\n1,2,3", "names column 'a' twice"),
        ("a;b\n1;2", "expected columns set apart by commas"),
        ('a,b\n1,"2', "the CSV cannot be read"),
        ("a,b\n", "holds no rows"),
        ("", "empty"),
        (" \n ", "empty"),
        ("[]", "holds no rows"),
        ("[1, 2]", "row 1 is no object and no list"),
        ("[[1]]", "row 1 has 1 values, expected 2"),
        ("[[1, [2]]]", "row 1, column 'b': [2] is no number"),
        ('[{"a": 1}]', "row 1, column 'b': a value is missing"),
        ('{"a": 1, "a": 2, "b": 3}', "an object names 'a' twice"),
        ('[{"a": 1, "b": 2}, {"b": 1, "a": 2, "b": 3}]', "an object names 'b' twice"),
        ("a,b, b\n1,2,3", "names column 'b' twice"),
        ("a,c,c,b\n1,2,2,3", "names column 'c' twice"),
        (",".join("xyz" + "w" * i for i in range(500)) + "\n", "has no column 'a'"),
        ('{"a": NaN, "b": 3}', "NaN is no JSON; send null"),
        ('{"a": 1, "b": ', "the JSON cannot be read"),
        ("[[1, " + "9" * 400 + "]]", "is no number"),
        ("[[1, " + "9" * 5000 + "]]", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_what_cannot_be_a_row_is_refused_with_its_place(body: str, said: str) -> None:
    error = refused(body)
    assert error.status == 422
    assert said in str(error)
    assert len(str(error)) < 250


def test_what_is_no_text_is_another_medium() -> None:
    assert refused(b"\x89PNG\xff\xfe").status == 415


def test_too_many_rows_are_too_large() -> None:
    assert refused("a,b\n1,2\n3,4", PLAIN + "\nmax_rows = 1").status == 413


def test_extra_columns_are_refused_where_they_are_unwelcome() -> None:
    text = PLAIN + '\nextra = "refuse"'
    assert "'c', which is not" in str(refused("a,b,c\n1,2,3", text))
    assert "'c', which is not" in str(refused('{"a": 1, "b": 2, "c": 3}', text))


def test_an_unknown_category_is_refused_with_those_known_or_becomes_zeros() -> None:
    text = 'columns = ["c"]\ncategories = {c = ["x", "y"]}'
    assert "row 1, column 'c': 'z' is none of x, y" in str(refused("c\nz", text))
    assert rows(text + '\nunknown = "zeros"', PAIR, "c\nz") == [[0, 0]]


def test_a_fraction_does_not_become_a_whole_number() -> None:
    whole = TensorSpec("features", "uint8", ("batch", 2))
    assert "row 2 holds 2.5, expected uint8" in str(refused("a,b\n1,2\n1,2.5", PLAIN, whole))
    assert "holds 256, expected uint8" in str(refused("a,b\n1,256", PLAIN, whole))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "columns"),
        ("columns = []", "at least 1"),
        ('columns = ["a", "a"]', "twice"),
        (PLAIN + "\nmissing = {c = 1}", "missing names 'c'; the columns are a, b"),
        (PLAIN + '\nmissing = {a = "x"}', "expected a number, or nan to leave it"),
        (PLAIN + '\ncategories = {c = ["x"]}', "categories names 'c'"),
        (PLAIN + '\ncategories = {a = ["x", "x"]}', "expected different names"),
        (PLAIN + '\ncategories = {a = ["x"]}\nmissing = {a = "y"}', "'y' is none of x"),
        (PLAIN + "\nstandardise = {mean = [1], scale = [1]}", "expected 2, one for each"),
        (PLAIN + "\nstandardise = {mean = [1, 2], scale = [1]}", "2 means and 1 scales"),
        (PLAIN + "\nstandardise = {mean = [1, 2], scale = [1, 0]}", "scale holds 0"),
        (PLAIN + '\nunknown = "zeros"', "goes with categories"),
        (PLAIN + '\ndelimiter = " "', "delimiter"),
        ('columns = [" a", "b"]', "' a' has blanks around it"),
        (PLAIN + '\nmissing_words = ["?", " NA"]', "' NA' has blanks around it"),
        (PLAIN + '\ncategories = {a = ["x", "None"]}', "'None', which missing_words takes"),
        (PLAIN + '\ncategories = {a = ["x", " "]}', "' ', which missing_words takes"),
        (
            PLAIN + '\ncategories = {a = [1, 2]}\nmissing_words = ["1", "?"]',
            r"rename it, or set missing_words = \[\"\?\"\]",
        ),
    ],
)
def test_a_mistake_in_the_table_is_refused_with_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        table(text)


@pytest.mark.parametrize(
    ("text", "tensor", "said"),
    [
        (PLAIN, TensorSpec("features", "float32", ("n",)), r"needs \[rows, columns\]"),
        (PLAIN, TensorSpec("features", "bool", ("n", 2)), "ends in numbers"),
        (PLAIN, TensorSpec("features", "float32", ("n", 3)), "these steps make 2"),
        (
            PLAIN + "\nmissing = {a = nan}",
            TensorSpec("features", "int64", ("n", 2)),
            "cannot hold what is missing",
        ),
        (PLAIN + "\nmissing = {a = 29.7}", WHOLE, "missing.a = 29.7, which features cannot hold"),
        (PLAIN + "\nmissing = {b = 256}", SMALL, "missing.b = 256, which features cannot hold"),
        (
            PLAIN + "\nstandardise = {mean = [1, 2], scale = [1, 1]}",
            WHOLE,
            "int64, and standardise makes fractions",
        ),
        (
            PLAIN + "\nmax_rows = 2",
            TensorSpec("features", "float32", (3, 2)),
            "has 3 rows, always, and max_rows = 2",
        ),
    ],
)
def test_a_tensor_that_the_steps_cannot_end_in_is_refused(
    text: str, tensor: TensorSpec, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        table(text).check(tensor)


def test_the_steps_come_in_their_order() -> None:
    before: list[Stage] = list(table(PEOPLE).stages(WIDE, base=None))  # type: ignore[arg-type]
    assert [stage.op for stage in before] == [
        *("decode_table", "impute", "standardise", "one_hot", "cast")
    ]
