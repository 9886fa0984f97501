"""parity.json's form, as it is documented and as it is written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from deploy_targets import bundle as bundles
from deploy_targets.config import KINDS
from deploy_targets.parity import judge, schema
from deploy_targets.parity.page import SOURCES
from deploy_targets.records import Bundle
from deploy_targets.runtime import Rounding
from deploy_targets.verdicts import SCHEMA, Bound, OutputParity, ParityReport, Row

DOCS = Path(__file__).parents[2] / "docs"


def test_the_documented_schema_is_that_of_the_records() -> None:
    assert (DOCS / "parity.schema.json").read_text() == schema.text(), (
        "python -m deploy_targets.parity.schema > docs/parity.schema.json"
    )


def test_a_real_parity_json_fits_it_and_holds_no_other_key(judged: Bundle) -> None:
    plain = json.loads((judged.path / bundles.PARITY).read_text())
    read = TypeAdapter(ParityReport).validate_python(plain)
    assert bundles.as_json(read) == plain
    form = schema.parity_schema()
    assert set(plain) == set(form["properties"])
    (row,) = plain["rows"]
    assert set(row) == set(form["$defs"]["Row"]["properties"])
    assert set(row["parity"][0]) == set(form["$defs"]["OutputParity"]["properties"])


@pytest.mark.parametrize("record", [ParityReport, Row, OutputParity, Bound])
def test_every_key_is_documented(record: type) -> None:
    page = (DOCS / "parity.md").read_text()
    rows = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", page, re.M))))
    assert set(record.__dataclass_fields__) <= rows  # type: ignore[attr-defined]


def test_the_documented_factors_and_sources_are_those_in_use() -> None:
    page = (DOCS / "parity.md").read_text()
    allowed = dict(re.findall(r"^\| `(\w+)` \| .* \| ([\d.]+) \|$", page, re.M))
    used = {"whole": judge.WHOLE, "part": judge.PART, "element": judge.ELEMENT}
    found = {name: float(limit) for name, limit in allowed.items()}
    assert found == used, "the table of bounds in docs/parity.md has the factors of judge.py"
    assert (judge.FLOOR, judge.CEILING, judge.JUMPS) == (1e-6, 2e-2, 8.0), "said in docs/parity.md"
    documented = set(re.findall(r"^\| `([a-z][\w' ]+ [\w ]+)` \|", page, re.M))
    assert documented == set(SOURCES)


def test_every_source_of_noise_is_explained_in_the_report(judged: Bundle) -> None:
    assert judged.manifest.bounds_from
    assert set(judged.manifest.bounds_from) <= set(SOURCES)
    assert set(Rounding) <= set(SOURCES)


def test_every_kind_is_documented_with_its_limits() -> None:
    page = (DOCS / "parity.md").read_text()
    rows = re.findall(r"^\| (`[a-z`, ]+) \| [^|]+ \| [^|]* \|$", page, re.M)
    assert set(KINDS) <= set(re.findall(r"`(\w+)`", " ".join(rows)))


@pytest.mark.parametrize("said", [1, 2, None, "3"])
def test_a_report_in_another_form_is_as_good_as_none(judged: Bundle, said: object) -> None:
    path = judged.path / bundles.PARITY
    plain = json.loads(path.read_text())
    assert plain["schema"] == SCHEMA
    path.write_text(json.dumps(plain | {"schema": said}))
    assert bundles.read_report(judged) is None
    del plain["schema"]
    path.write_text(json.dumps(plain))
    assert bundles.read_report(judged) is None


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"schema": 2}'])
def test_a_report_that_cannot_be_read_is_none(judged: Bundle, text: str) -> None:
    (judged.path / bundles.PARITY).write_text(text)
    assert bundles.read_report(judged) is None
