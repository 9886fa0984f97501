"""Which cases an emulated processor is asked: all of a small model, some of a large one.

In: the target's options, each call before it is asked, and how long each took. Out: why a call is
left out, or nothing. What was measured decides, not the size of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deploy_targets.records import Call


class Share:
    """`seconds`: that all calls together may take which nobody named."""

    def __init__(self, options: Mapping[str, Any], seconds: float) -> None:
        self._all = options.get("arm") == "all"
        self._named = {str(name): False for name in options.get("arm_cases") or ()}
        self._seconds, self._spent = seconds, 0.0
        self._took: dict[str, tuple[float, int]] = {}  # entry -> seconds and bytes of its last call

    @property
    def notes(self) -> tuple[str, ...]:
        """The names that no case had."""
        return tuple(
            f"arm_cases names {name!r}, which is no case of this bundle"
            for name, seen in self._named.items()
            if not seen
        )

    def leaves_out(self, call: Call) -> str:
        """Why this call is not asked; empty where it is."""
        if self._is_named(call) or self._all:
            return ""
        if self._spent + self._expected(call) <= self._seconds:
            return ""
        return (
            f"for which an emulated ARM would take longer than {self._seconds:g} s: "
            'arm = "all" asks them, arm_cases = ["NAME"] asks one of them'
        )

    def took(self, call: Call, seconds: float) -> None:
        """What a call that was asked took."""
        self._took[call.entry] = (seconds, _size(call))
        if not self._is_named(call):
            self._spent += seconds

    def _is_named(self, call: Call) -> bool:
        """By the case, or by one of the calls that it was split into: CASE/0."""
        for name in self._named:
            if call.name == name or call.name.rpartition("/")[0] == name:
                self._named[name] = True
                return True
        return False

    def _expected(self, call: Call) -> float:
        """As long as the last call of its entry; of a new entry, as its size says."""
        if call.entry in self._took:
            return self._took[call.entry][0]
        return max(
            (seconds / size * _size(call) for seconds, size in self._took.values()), default=0.0
        )


def _size(call: Call) -> int:
    return max(1, sum(array.nbytes for array in call.inputs.values()))
