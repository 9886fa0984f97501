#!/bin/sh
# Finds a Python that will do and hands over to setup.py beside this file. PYTHON=... chooses one.
# 3.11 comes first because constraints.txt is tried with it on every change.
set -eu

usable() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' </dev/null >/dev/null 2>&1
}

for python in ${PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
    if usable "$python"; then
        exec "$python" -B "$(dirname "$0")/setup.py" "$@"
    fi
done

if [ -n "${PYTHON:-}" ]; then
    echo "setup: PYTHON=$PYTHON is not a Python 3.11 or newer" >&2
else
    echo "setup: no Python 3.11 or newer was found; install one (Debian: apt-get install" \
        "python3 python3-venv) or name it: make setup PYTHON=/path/to/python3.11" >&2
fi
exit 1
