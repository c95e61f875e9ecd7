#!/usr/bin/env bash
# Make .venv with everything requirements.lock pins. Needs Python 3.11-3.13; installs uv through pip if it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3}
"$PYTHON" - <<'PY' || exit 1
import sys
if not (3, 11) <= sys.version_info[:2] < (3, 14):
    sys.exit(f"Zhongshu needs Python 3.11 to 3.13; {sys.executable} is {sys.version.split()[0]}. Say which with: make PYTHON=python3.12 ...")
PY

if ! "$PYTHON" -m venv --help >/dev/null 2>&1 || ! "$PYTHON" -c 'import ensurepip' 2>/dev/null; then
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        echo "· installing python3-venv"
        apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
    else
        echo "Python's venv module is missing; install it first (Debian: apt install python3-venv)." >&2
        exit 1
    fi
fi

if command -v uv >/dev/null; then
    UV=uv
else
    if [ ! -x .venv/uv/bin/uv ]; then
        echo "· installing uv through pip"
        "$PYTHON" -m venv .venv/uv
        .venv/uv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
    fi
    UV=.venv/uv/bin/uv
fi

export UV_PYTHON_DOWNLOADS=never
if [ ! -x .venv/bin/python ]; then
    echo "· making .venv"
    "$UV" venv --quiet --allow-existing --python "$PYTHON" .venv
fi
echo "· installing the locked dependencies (about 1 GB on disk)"
"$UV" pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
"$UV" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
touch .venv/.ready
echo "· ready"
