#!/usr/bin/env bash
# Makes build/bench/venv, the environment of the notebook peer: its own packages from
# bench/requirements.txt, torch and this project from .venv, so that both measure with one torch.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=build/bench/venv
if sha256sum --check --status "$environment/stamp" 2>/dev/null &&
    "$environment/bin/python" -I -c 'import reconcile' 2>/dev/null; then
    exit 0
fi
rm -f "$environment/stamp"
.venv/bin/python -m venv --clear "$environment"
"$environment/bin/python" -m pip --disable-pip-version-check --quiet install \
    --no-deps --require-hashes -r bench/requirements.txt
"$environment/bin/python" tools/forget_folder.py
lib=$(basename .venv/lib/python3*)/site-packages
echo "import site, sys; site.addsitedir(sys.prefix + '/../../../.venv/lib/$lib')" \
    >"$environment/lib/$lib/borrowed.pth"
"$environment/bin/python" -m compileall -q "$environment/lib/$lib" || true
sha256sum bench/requirements.txt bench/environment.sh tools/forget_folder.py >"$environment/stamp"
