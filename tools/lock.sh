#!/usr/bin/env bash
# Writes requirements.lock and requirements-test.lock: the newest pins pyproject.toml allows.
set -euo pipefail
cd "$(dirname "$0")/.."

lock() {
    local file=$1
    shift
    # torch is pinned in pyproject.toml and has no hash: one release, a CPU and a CUDA wheel.
    "$venv/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 \
        --generate-hashes --no-emit-package torch --no-annotate --no-header \
        "$@" pyproject.toml --output-file "$file"
    sed -i '1i # Written by `make lock`; edit pyproject.toml instead.' "$file"
}

# In an environment of its own: what locks the pins is none of them.
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
python3 -m venv "$venv"
"$venv/bin/python" -m pip --disable-pip-version-check --quiet install uv

lock requirements.lock --extra pipeline
lock requirements-test.lock --extra pipeline --extra slurm --extra test \
    --constraint requirements.lock
