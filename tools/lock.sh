#!/usr/bin/env bash
# Writes requirements.lock and requirements-test.lock: the newest pins pyproject.toml allows; and the
# hashes of requirements-zoo.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

lock() {
    local file=$1
    shift
    hashes_of_torch "$file" >"$venv/before"
    "$venv/bin/uv" pip compile --quiet --upgrade --universal --python-version 3.11 \
        --generate-hashes --no-annotate --no-header \
        "$@" pyproject.toml --output-file "$file"
    add_builds "$file"
    sed -i '1i # Written by `make lock`; edit pyproject.toml instead.' "$file"
}

hashes_of_torch() {
    sed -n "/^$torch /,/[^\\\\]\$/p" "$1" | grep -o 'sha256:[0-9a-f]*' || true
}

# Of one release of torch there are more builds than the registry lists (2.13.0+cpu): the one that
# pip is offered here, and those that others were offered and locked before.
add_builds() {
    local hash
    while read -r hash; do
        grep -q "$hash" "$1" || sed -i "s/^$torch .*/&\n    --hash=$hash \\\\/" "$1"
    done < <(sort -u "$venv/before" "$venv/offered")
}

# In an environment of its own: what locks the pins is none of them.
venv=$(mktemp -d)
trap 'rm -rf "$venv"' EXIT
python3 -m venv "$venv"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
pip install uv
torch=$(grep -om1 'torch==[0-9.]*' pyproject.toml)
pip download --no-deps --dest "$venv/torch" "$torch"
sha256sum "$venv"/torch/* | sed 's/ .*//; s/^/sha256:/' >"$venv/offered"

lock requirements.lock --extra pipeline
lock requirements-test.lock --extra pipeline --extra slurm --extra test \
    --constraint requirements.lock

zoo=requirements-zoo.txt
head=$(grep '^#' $zoo)
"$venv/bin/uv" pip compile --quiet --no-deps --universal --python-version 3.11 --generate-hashes \
    --no-annotate --no-header $zoo --output-file "$venv/zoo"
printf '%s\n' "$head" "$(<"$venv/zoo")" >$zoo
