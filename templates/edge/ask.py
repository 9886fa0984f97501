"""A bundle for a board, in the package that travels in it: the world that asked.py asks.

It imports the standard library, numpy and the bundle's own package alone, and is plain enough for
Python 3.6, which knows no annotations from the future.
"""

import os
import sys


class Asked:
    """A bundle whose model was loaded one way. `said` has the runtime."""

    def __init__(self, bundle, way, threads):
        sys.path.insert(0, bundle)
        sys.dont_write_bytecode = True  # a bundle is what was sealed, and nothing beside it
        from deploy_target_edge import ladder, ort, proof, steps
        from deploy_target_edge.folder import Folder

        self._proof, self._folder = proof, Folder(bundle)
        example = ladder.example(self._folder)
        provider = ort.NAMES[way]
        self._runtime = ort.opened(self._folder.model, provider, example, threads=threads)
        self._around = steps.read(self._folder)
        entries = self._folder.manifest["entries"]
        self._goldens = {entry["name"]: entry["golden"] for entry in entries}
        self.said = {"runtime": self._runtime.where}

    def ask(self, entry, tensors):
        """The answer. Raises what the package raises."""
        golden = self._goldens[entry]
        return self._proof.asked(self._folder, self._runtime, self._around, golden, tensors)


def load(told):
    """Raises what the package raises where it does not take the bundle."""
    return Asked(os.path.dirname(told["model"]), told["way"], told["threads"])
