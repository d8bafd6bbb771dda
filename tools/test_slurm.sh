#!/usr/bin/env bash
# Tests the SLURM profile on a real SLURM: installs it from Debian's packages, starts a cluster on
# the loopback, runs tests/slurm/ on it and ends it again. The packages stay.
#
#   tools/test_slurm.sh [ARGUMENTS OF PYTEST]
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(slurmctld slurmd slurm-client munge)

fail() {
    printf 'test_slurm: %s\n' "$*" >&2
    exit 1
}

missing=()
for package in "${packages[@]}"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
        missing+=("$package")
done
if ((${#missing[@]})); then
    install="apt-get install --no-install-recommends ${missing[*]}"
    command -v apt-get >/dev/null || fail "no apt-get here; needed are: ${packages[*]}"
    ((EUID == 0)) || fail "packages are missing; run: sudo $install"
    echo "test_slurm: $install"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null
fi
((EUID == 0)) || fail "only root can start SLURM's daemons; run: sudo tools/test_slurm.sh"

RECONCILE_TEST_CLUSTER=$(mktemp -d /tmp/reconcile-slurm.XXXXXX)
export RECONCILE_TEST_CLUSTER
trap 'tools/slurm_cluster.sh stop "$RECONCILE_TEST_CLUSTER"' EXIT
tools/slurm_cluster.sh start "$RECONCILE_TEST_CLUSTER"
python -m pytest tests/slurm/on_slurm.py "$@"
