"""The form of parity.json as a JSON Schema, made from the records that write it.

`python -m deploy_targets.parity.schema > docs/parity.schema.json`; a test holds that file to this.
"""

from __future__ import annotations

import json
import math
import sys
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import FloatSchema

from deploy_targets.verdicts import SCHEMA, ParityReport

NOT_FINITE = ("nan", "inf", "-inf")
"""How NaN and infinities are written: JSON has no other way."""


class _Written(GenerateJsonSchema):
    """Floats as bundle.py writes them."""

    def float_schema(self, schema: FloatSchema) -> JsonSchemaValue:
        return {"anyOf": [super().float_schema(schema), {"enum": list(NOT_FINITE)}]}

    def encode_default(self, dft: Any) -> Any:
        """As bundle.py writes it, again."""
        found = super().encode_default(dft)
        return str(found) if isinstance(found, float) and not math.isfinite(found) else found


def parity_schema() -> dict[str, Any]:
    """The schema of this version's parity.json; another version's does not fit it."""
    made = TypeAdapter(ParityReport).json_schema(mode="serialization", schema_generator=_Written)
    made["properties"]["schema"] |= {"const": SCHEMA}
    return {"$schema": GenerateJsonSchema.schema_dialect, **made}


def text() -> str:
    """As docs/parity.schema.json holds it."""
    return json.dumps(parity_schema(), indent=1, sort_keys=True, allow_nan=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
