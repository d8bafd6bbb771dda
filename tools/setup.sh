#!/usr/bin/env bash
# Makes .venv at the root and sees to the system packages.
#
#   tools/setup.sh           what `snakemake` needs
#   tools/setup.sh --test    and what the tests need
set -euo pipefail
cd "$(dirname "$0")/.."

lock=requirements.lock
# The last one is loaded only when a font is subset; without it the PDF has other bytes.
system=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)
if [[ ${1-} == --test ]]; then
    lock=requirements-test.lock
    system+=(chromium poppler-utils qpdf default-jre-headless
        texlive-latex-recommended lmodern latexmk)
fi

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

find_python() {
    local python
    for python in python3.11 python3 python; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done
    fail "Python 3.11 or newer is needed"
}

install_system_packages() {
    if ! command -v apt-get >/dev/null; then
        echo "setup: no apt-get here; please see to the counterparts of: ${system[*]}" >&2
        return
    fi
    local missing=() package
    for package in "${system[@]}"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    ((EUID == 0)) ||
        fail "packages are missing; run: sudo apt-get install --no-install-recommends ${missing[*]}"
    echo "setup: installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null
}

python=$(find_python)
# Debian splits this off; a Python from elsewhere has it built in.
"$python" -c 'import ensurepip' 2>/dev/null || system+=(python3-venv)
install_system_packages

[[ -x .venv/bin/python ]] || "$python" -m venv .venv
pip() { .venv/bin/python -m pip --disable-pip-version-check --quiet "$@"; }
pip install --no-deps --require-hashes -r "$lock"
# Not in the lock: one pin, and the CPU or the CUDA build, whichever pip is offered here.
pip install "$(grep -om1 'torch==[0-9.]*' pyproject.toml)"
pip install --no-deps --no-build-isolation --editable .
pip check

if [[ ${1-} == --test ]]; then
    .venv/bin/npm ci --prefix tools --ignore-scripts --no-audit --no-fund --loglevel error
fi
