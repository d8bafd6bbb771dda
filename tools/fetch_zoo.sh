#!/usr/bin/env bash
# Puts the packages of the zoos (torchvision, timm, transformers) into a folder beside .venv; where
# that is done, does nothing. They need the torch of .venv, and torchvision asks for another build.
#
#   tools/fetch_zoo.sh [FOLDER]     .zoo unless told
set -euo pipefail
folder=$(realpath -m "${1:-.zoo}")
cd "$(dirname "$0")/.."

pins=requirements-zoo.txt
stamp=$folder/made
sha256sum --check --status "$stamp" 2>/dev/null && exit

echo "zoo: fetching what $pins pins"
rm -f "$stamp"
# Once more, and then no longer: the tests do without.
if ! .venv/bin/python -m pip --disable-pip-version-check --quiet --timeout 20 --retries 1 \
    install --no-deps --require-hashes --upgrade --target "$folder" --requirement "$pins"; then
    echo "zoo: they cannot be had here" >&2
    exit 1
fi
sha256sum "$pins" >"$stamp"
