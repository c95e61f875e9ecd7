#!/usr/bin/env bash
# Renew requirements.lock: newest versions that pyproject.toml allows, every file by hash, no registry's address.
set -euo pipefail
cd "$(dirname "$0")/.."
UV=$(command -v uv || echo .venv/uv/bin/uv)
"$UV" pip compile --quiet --universal --upgrade --generate-hashes --no-emit-index-url --no-header \
    --extra dev pyproject.toml --output-file requirements.lock
! grep -nE 'https?://' requirements.lock || { echo "requirements.lock names a host" >&2; exit 1; }
echo "requirements.lock renewed: $(grep -c '^[a-z]' requirements.lock) packages"
