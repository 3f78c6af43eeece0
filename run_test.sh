#!/bin/sh
# Sets up, runs every check, writes raw_results.json (each test) and output.json (the summary).
set -u
cd "$(dirname -- "$0")" || exit 4
venv=$(bin/setup dev) || exit $?
work=$(mktemp -d) || exit 4
trap 'rm -rf "$work"' EXIT
unset PYTHONDONTWRITEBYTECODE PYTHONPATH PYTEST_ADDOPTS
python=$venv/bin/python
failed=0

check() { # name, command ...
    name=$1
    shift
    start=$(date +%s)
    printf '== %s\n' "$name"
    if "$@"; then status=0; else status=$?; failed=1; fi
    printf '%s\t%s\t%s\n' "$name" "$status" "$(($(date +%s) - start))" >>"$work/checks.tsv"
}

check "ruff check" "$python" -m ruff check .
check "ruff format" "$python" -m ruff format --check .
check "mypy" "$python" -m mypy
check "import contracts" "$venv/bin/python" -c 'import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())'
check "playbooks" "$python" -P -m triage playbooks check
check "reference pages" "$python" -P -m triage playbooks docs docs/playbooks --check
check "docs" "$python" tools/check_docs.py
check "unit tests" "$python" -m pytest -q -n 3 --dist loadfile -m "not e2e and not children and not campaign" \
    --junitxml="$work/unit.xml"
check "tests that start children" "$python" -m pytest -q -n 3 --dist loadfile -m "children and not campaign" \
    --junitxml="$work/children.xml"
check "end-to-end tests" "$python" -m pytest -q -m "e2e and not campaign" --junitxml="$work/e2e.xml"
"$python" tools/results.py "$work" || failed=1
exit "$failed"
