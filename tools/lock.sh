#!/bin/sh
# Pins every dependency with its hashes, for all supported versions of Python. Needs uv.
set -eu
cd "$(dirname -- "$0")/.."
compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
        --custom-compile-command tools/lock.sh --output-file "$@"
}
compile requirements/run.txt pyproject.toml
compile requirements/dev.txt --group dev --extra postgres pyproject.toml --constraint requirements/run.txt
