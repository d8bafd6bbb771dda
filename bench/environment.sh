#!/usr/bin/env bash
# Makes build/bench/venv, the environment of the notebook peer: its own packages from
# bench/requirements.txt, torch and this project from .venv, so that both measure with one torch.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=build/bench/venv
if [[ $environment/bin/python -nt bench/requirements.txt && -x $environment/bin/papermill ]]; then
    exit 0
fi
rm -rf "$environment"
.venv/bin/python -m venv "$environment"
"$environment/bin/python" -m pip --disable-pip-version-check --quiet install \
    --no-deps --require-hashes -r bench/requirements.txt
borrowed=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
own=$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "import site; site.addsitedir('$borrowed')" >"$own/borrowed.pth"
"$environment/bin/python" -m compileall -q "$own" || true
touch "$environment/bin/papermill"
