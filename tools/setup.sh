#!/usr/bin/env bash
# Makes .venv at the root and sees to the system packages; where that is done, does nothing.
#
#   tools/setup.sh           what `snakemake` needs
#   tools/setup.sh --test    and what the tests need
#
# A stamp says that .venv is complete, and for which pins: it is taken away first and written last,
# and what a killed set-up left has none and is made anew. Nothing in .venv depends on where its
# folder lies, so that the folder may be moved or copied.
set -euo pipefail
cd "$(dirname "$0")/.."

lock=requirements.lock
stamp=.venv/report.stamp
pins=(pyproject.toml requirements.lock tools/setup.sh tools/forget_folder.py)
test_pins=("${pins[@]}" requirements-test.lock tools/package-lock.json)
# The last one is loaded only when a font is subset; without it the PDF has other bytes.
system=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)
if [[ ${1-} == --test ]]; then
    lock=requirements-test.lock
    stamp=.venv/test.stamp
    system+=(chromium poppler-utils qpdf default-jre-headless
        texlive-latex-recommended lmodern latexmk)
fi

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

works() {
    .venv/bin/python -I -c 'import reconcile' 2>/dev/null
}

complete() {
    sha256sum --check --status "$stamp" 2>/dev/null && works
}

# Until this process and all that it started have ended, which may outlive it when it is killed.
keep_others_out() {
    exec 9>.venv.lock
    flock --nonblock 9 && return
    echo "setup: waiting for another set-up of this folder to end" >&2
    flock 9
}

find_python() {
    local python
    while read -r python; do
        # Not the one that may be taken away now.
        if ! [[ ${python%/*} -ef .venv/bin ]] &&
            "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$python"
            return
        fi
    done < <(type -aP python3.11 python3 python)
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
    export DEBIAN_FRONTEND=noninteractive
    # apt installs nothing before an installation that was killed is finished. What that may start
    # is no part of this set-up.
    dpkg --configure -a >/dev/null 9>&-
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null
}

# Everything in .venv is found through PATH, which holds no colon; Snakemake stumbles over the rest.
if [[ $PWD == *[:{}$'\n']* ]] || ! iconv -f UTF-8 -t UTF-8 <<<"$PWD" >/dev/null 2>&1; then
    fail "the path of this folder has a colon, brace or line break, or is not UTF-8;" \
        "please rename: $(printf %q "$PWD")"
fi
complete && exit
keep_others_out
complete && exit

python=$(find_python)
# Debian splits this off; a Python from elsewhere has it built in.
"$python" -c 'import ensurepip' 2>/dev/null || system+=(python3-venv)
install_system_packages

# Another name for this folder: what builds a package stumbles over a $ in the path of .venv.
name=$(mktemp -d)
trap 'rm -rf "$name"' EXIT
ln -s "$PWD" "$name/here"
pip() { "$name/here/.venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }

# uv does not read pip's settings: it is offered what pip is offered here.
offer_uv_the_same() {
    local key value
    while IFS='=' read -r key value; do
        value=${value:1:-1}
        value=${value//\\n/ }
        case $key in
        *.index-url) export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX-$value} ;;
        *.extra-index-url) export UV_INDEX=${UV_INDEX-$value} ;;
        *.find-links) export UV_FIND_LINKS=${UV_FIND_LINKS-${value// /,}} ;;
        *.cert) export SSL_CERT_FILE=${SSL_CERT_FILE-$value} ;;
        *timeout) export UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT-$value} ;;
        esac
    done < <("$python" -m pip config list 2>/dev/null)
}

# uv is faster; pip is always there.
fetch() {
    if [[ $uv ]]; then
        # Of equal indexes, as pip takes them; the hashes say which files may come.
        "$uv" pip install --quiet --index-strategy unsafe-best-match \
            --python "$name/here/.venv/bin/python" "$@" && return
        echo "setup: uv could not; trying pip"
        uv=
    fi
    pip install "$@"
}

# The build of torch that pip is offered here, such as 2.13.0+cpu: without being told, pip would
# prefer one whose hash the registry tells before it is fetched.
offered_build() {
    "$python" -m pip index versions torch 2>/dev/null |
        grep -om1 -E "\b${pin//./\\.}(\+[a-z0-9.]+)?(,|$)" | head -1
}

# The lock has every build of torch that can be had, and what the one for CUDA needs.
split_lock() {
    awk -v folder="$name" '
        /^[a-z0-9]/ {
            part = /^torch==/ ? "torch" : /^(triton|nvidia-[^=]*|cuda-[^=]*)==/ ? "cuda" : "lock"
        }
        part { print >(folder "/" part) }' "$lock"
}

torch_needs_cuda() {
    .venv/bin/python -I -c 'import sys; from importlib.metadata import requires
sys.exit(not any(name.startswith(("nvidia-", "cuda-")) for name in requires("torch") or ()))'
}

install() {
    local build
    fetch "$@" --no-deps --require-hashes -r "$name/lock"
    if [[ ${TORCH_BUILD-} ]]; then
        echo "setup: installing torch $TORCH_BUILD, and what it needs, without the hashes of $lock"
        fetch "$@" "torch==$TORCH_BUILD"
        return
    fi
    build=$(offered_build) || build=$pin
    sed "1s/==$pin/==${build%,}/" "$name/torch" >"$name/build"
    fetch "$@" --no-deps --require-hashes -r "$name/build" ||
        fail "torch ${build%,} was not installed; without a hash: TORCH_BUILD=${build%,} make report"
    if torch_needs_cuda; then
        fetch "$@" --no-deps --require-hashes -r "$name/cuda"
    fi
}

pin=$(grep -om1 'torch==[0-9.]*' pyproject.toml)
pin=${pin#torch==}
split_lock
if uv=$(command -v uv); then
    offer_uv_the_same
fi
if [[ -s .venv/report.stamp ]] && works; then
    echo "setup: bringing .venv up to date"
    # Fetches everything: where that fails, what is there stays as it is.
    install --dry-run
    rm -f .venv/*.stamp
else
    echo "setup: making .venv"
    rm -f .venv/*.stamp
    "$python" -m venv --clear "$name/here/.venv"
fi
install
pip check
.venv/bin/python tools/forget_folder.py
if [[ ${1-} == --test ]]; then
    .venv/bin/npm ci --prefix tools --ignore-scripts --no-audit --no-fund --loglevel error
    sha256sum "${test_pins[@]}" >.venv/test.stamp
fi
sha256sum "${pins[@]}" >.venv/report.stamp
