"""How this project decides: by the same functions that `verify` uses, on arrays in memory."""

from __future__ import annotations

from collections.abc import Mapping

from deploy_targets.binding import encode, identity
from deploy_targets.parity import rows
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Answer, Golden, Lane, Tensors
from deploy_targets.verdicts import Row, Verdict

NAME = "deploy-targets"
_LANE = Lane("bench", "fp32")


class Judge:
    """The verdicts on one model's artifacts."""

    def __init__(self, golden: Golden) -> None:
        self._golden = golden
        self._entry = identity(golden.signature)
        self._allowed = rows.bounds(golden, RECIPES["fp32"], budget=0.0)
        self._checks = {
            case.name: encode(golden.signature, [self._entry], case, golden.name)[0]
            for case in golden.cases
        }

    def row(self, said: Mapping[str, Tensors]) -> Row:
        """The verdict on answers: case -> output -> array. Cases that were not asked are left."""
        parity = tuple(
            measured
            for case, answer in said.items()
            for measured in rows.measured(
                self._checks[case],
                Answer(answer),
                self._entry,
                self._golden.signature,
                self._allowed,
            )
        )
        return rows.row(_LANE, self._golden.name, "in this process", parity, self._allowed)

    def accepts(self, said: Mapping[str, Tensors]) -> bool:
        """Whether an artifact that answered so would pass."""
        return self.row(said).verdict is Verdict.PASS
