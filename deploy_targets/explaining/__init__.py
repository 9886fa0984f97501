"""Why a bundle does not answer as the original does. `explain.py` is the door; read it first.

Beside the pipeline, not in it: this room loads models, opens bundles and runs graphs, and hands
closures down to `parity/bisect.py`, which decides. Nobody but the API and the command line asks it.
"""
