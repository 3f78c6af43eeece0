"""`manifest.json` of a proof bundle."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from triage import __version__
from triage.process.environ import child_environment
from triage.proofs.given import ProofInput, ProofRun
from triage.proofs.lock import environment_lock
from triage.proofs.sources import digest, sha256, source_hashes

MANIFEST, PROBE_LOG = "manifest.json", "probe-log.jsonl"
SCHEMA_VERSION = "1.0"


def manifest(given: ProofInput, files: Mapping[str, str]) -> bytes:
    """The text of the manifest; `files` are the hashes of everything else in the bundle."""
    document = _document(given, files)
    return written({**document, "digest": digest_of(document)})


def written(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def digest_of(document: Mapping[str, Any]) -> str:
    """A hash over the manifest without its own digest."""
    content = {key: value for key, value in document.items() if key != "digest"}
    return sha256(json.dumps(content, sort_keys=True).encode())


def _document(given: ProofInput, files: Mapping[str, str]) -> dict[str, Any]:
    project, environment, report = given.project, given.environment, given.report
    changed, source = _changed(given)
    masked = _masked(
        {
            "fixes": [asdict(one) for one in report.fixes],
            "left": [asdict(one) for one in report.left],
            "notes": list(report.notes),
        },
        given,
    )
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {
            "name": "triage",
            "version": __version__,
            "playbooks_fingerprint": given.playbooks_fingerprint,
        },
        "project": {"name": project.name, "root": str(project.root), "commit": given.commit},
        "source": {"sha256": digest(source), "files": source},
        "changed": changed,
        "environment": {
            "python": environment.version,
            "kind": str(environment.kind),
            "key": environment.key,
            "packages": list(environment_lock(environment.python)),
        },
        "variables": _variables(given),
        "rootdir": os.path.relpath(given.top or project.root, project.root),
        "runs": {"before": _run(given.before, given), "after": _run(given.after, given)},
        **masked,
        "files": dict(files),
    }


def _changed(given: ProofInput) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The changed files, and the hashes of the project's files before the fixes, applied or not."""
    source = source_hashes(given.project.root)
    changed = []
    for path, (before, after) in given.report.changed.items():
        is_new = not before and source.get(path) != sha256(b"")
        source.pop(path, None)
        if not is_new:
            source[path] = sha256(before)
        changed.append({"path": path, "before": source.get(path), "after": sha256(after)})
    return changed, dict(sorted(source.items()))


def _variables(given: ProofInput) -> dict[str, Any]:
    """Those of the project file with their values (null: secret); of the caller's the names alone."""
    project = given.project
    shown = {
        name: value if given.masker.mask(value) == value else None for name, value in project.test.env.items()
    }
    passed = child_environment(given.environ, {}, pass_env=project.environment.pass_env)
    return {"set": shown, "passed": sorted(passed)}


def _run(run: ProofRun, given: ProofInput) -> dict[str, Any]:
    words = [
        word.replace(str(run.out), "{out}").replace(str(run.scratch), "{scratch}") for word in run.command
    ]
    return {"command": [given.masker.clean(word) for word in words]}


def _masked(value: Any, given: ProofInput) -> Any:
    if isinstance(value, str):
        return given.masker.mask(str(value))
    if isinstance(value, dict):
        return {key: _masked(one, given) for key, one in value.items()}
    return [_masked(one, given) for one in value] if isinstance(value, (list, tuple)) else value
