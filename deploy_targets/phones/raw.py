"""Raw questions of a lane: the app's own Kotlin around the artifact that the lane has loaded.

In: a bundle, and what asks its model. Out: answers to bytes, read back from the words that an app
would show. What only a phone can decode is left out and counted; the lanes of other machines ask
the model alone, since the Kotlin would be the same.
"""

from __future__ import annotations

from collections.abc import Callable

from deploy_targets.phones.jvm import JvmLacks, JvmSession
from deploy_targets.records import BYTES, Answer, Bundle, Call
from deploy_targets.stages import said


class Raw:
    """Answers to the raw entry of a bundle, by a JVM that is started once it is needed."""

    def __init__(self, bundle: Bundle, start: Callable[[], JvmSession]) -> None:
        manifest = bundle.manifest
        self.entries = {entry.name for entry in manifest.entries if entry.golden == BYTES}
        self._gives = manifest.signatures[BYTES].outputs if self.entries else ()
        self._stages = manifest.stages
        self._start = start
        self._session: JvmSession | None = None

    def run(self, call: Call) -> Answer:
        """Raises JvmRefused, said.Unreadable, and what asking the model raises."""
        self._session = self._session or self._start()
        try:
            answer = self._session.predict(call.inputs)
        except JvmLacks as error:
            return Answer({}, skipped=str(error))
        return Answer(said.tensors_of(answer.words, self._gives, self._stages))
