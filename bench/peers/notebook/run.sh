#!/usr/bin/env bash
# The notebook peer, from the root: executed by papermill, exported by nbconvert to HTML, and by
# chromium to PDF.
#
#   bench/peers/notebook/run.sh ENVIRONMENT OUT [PAPERMILL OPTIONS]
set -euo pipefail
environment=$1 out=$2
shift 2
mkdir -p "$out"
"$environment/bin/papermill" --log-level WARNING --no-progress-bar "$@" \
    bench/peers/notebook/alexnet.ipynb "$out/alexnet.ipynb"
# Nothing to fetch: the pages have no formulas.
"$environment/bin/jupyter-nbconvert" --log-level WARN --to html \
    --HTMLExporter.mathjax_url= --HTMLExporter.require_js_url= --HTMLExporter.jquery_url= \
    "$out/alexnet.ipynb"
chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
    --user-data-dir="$out/browser" --no-pdf-header-footer \
    --print-to-pdf="$out/alexnet.pdf" "$out/alexnet.html" 2>"$out/chromium.log"
