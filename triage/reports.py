"""The short line for JUnit XML made elsewhere: read, classify, store; memory does not grow with the file."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring as _quoted
from pathlib import Path
from typing import Any

from triage.errors import ReportError
from triage.junit.cases import CaseReport, read_cases
from triage.model.failure import Failure
from triage.model.history import SpooledFailure, StoredReport
from triage.model.playbook import Playbook
from triage.playbook.cascade import Cascades
from triage.render.summary import MAX_MESSAGE, SCHEMA_VERSION, counts, tool
from triage.stages.classify import classify_case
from triage.text import Masker
from triage.tools import Tools

_encode = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` makes one for each call
BATCH = 500  # failures written at once
KEPT = 20  # classified reports that the history keeps


@dataclass(frozen=True, slots=True)
class ClassifiedReport:
    """One file: what was stored of it, and the error that ended it early."""

    stored: StoredReport
    error: ReportError | None = None


def classify_report(path: Path, tools: Tools, *, beside: int = 0) -> ClassifiedReport:
    """Sort the failures of one file and store them whole.

    `beside` is how many other files the same call classifies: none of theirs is forgotten for this one.

    Raises:
        ReportError: nothing of the file could be read.
        StoreError: nothing was stored.
    """
    cases = read_cases(path, Masker.from_environment(tools.environ))
    ended: list[ReportError] = []
    with tools.store.spool(str(path), keep=KEPT + beside) as spool:
        for batch in _batches(_failures(cases, tools, ended)):
            spool.add(batch)
        if ended and not cases.counts.total:
            raise ended[0]
        stored = spool.commit(cases.counts, error=str(ended[0]) if ended else None)
    return ClassifiedReport(stored, ended[0] if ended else None)


def _failures(cases: CaseReport, tools: Tools, ended: list[ReportError]) -> Iterator[SpooledFailure]:
    matcher = tools.matcher().without_captures()
    cascades = Cascades(matcher.playbooks)
    try:
        for ordinal, case in enumerate(cases):
            if case.outcome.is_failing:
                yield _spooled(ordinal, cascades.link(classify_case(case, matcher)))
    except ReportError as error:
        ended.append(error)


def _batches(failures: Iterable[SpooledFailure]) -> Iterator[list[SpooledFailure]]:
    batch: list[SpooledFailure] = []
    for one in failures:
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def _spooled(ordinal: int, value: Failure) -> SpooledFailure:
    case, head, match = value.case, value.problem.head, value.match
    message = head.message if head else value.problem.text
    return SpooledFailure(
        ordinal=ordinal,
        classname=case.classname,
        name=case.name,
        outcome=case.outcome,
        nodeid=case.nodeid,
        phase=value.problem.phase,
        exception=head.type if head else "",
        message=message[:MAX_MESSAGE],
        playbook=value.playbook,
        confidence=match.confidence if match else 0.0,
        fingerprint=value.fingerprint,
        signature=value.signature,
        also=_encode([loser.playbook for loser in value.also]) if value.also else "[]",
        root=value.root,
    )


def document_pieces(
    done: Sequence[ClassifiedReport], tools: Tools, unread: Iterable[tuple[str, str]] = ()
) -> Iterator[str]:
    """The JSON of `schemas/classify.schema.json`, piece by piece; `unread` are files and why not."""
    library = tools.library()
    head = {"schema_version": SCHEMA_VERSION, "tool": tool(library.fingerprint)}
    yield json.dumps(head)[:-1] + ', "reports": ['
    for place, one in enumerate(done):
        yield ",\n" if place else "\n"
        yield from _report_pieces(one, tools, library.playbooks)
    yield "\n]"
    if len(done) > 1:
        yield f', "totals": {_encode(totals(done, tools))}'
    errors = [{"file": file, "message": message} for file, message in unread]
    yield f', "errors": {json.dumps(errors)}}}\n'


def totals(done: Sequence[ClassifiedReport], tools: Tools) -> dict[str, Any]:
    """What several files have together: kinds and clusters, without their tests."""
    together = tools.store.reports_together([one.stored.id for one in done])
    summed = [one.stored.counts for one in done]
    return {
        "tests": sum(each.total for each in summed),
        "failed": sum(each.failed for each in summed),
        "errors": sum(each.errors for each in summed),
        "patterns": [{"playbook": one.playbook, "count": one.count} for one in together.patterns()],
        "clusters": [
            {"fingerprint": one.fingerprint, "signature": one.signature, "count": one.count, "files": files}
            for one, files in together.clusters()
        ],
    }


def _report_pieces(one: ClassifiedReport, tools: Tools, playbooks: Mapping[str, Playbook]) -> Iterator[str]:
    reader = tools.store.report(one.stored.id)
    yield f'{{"file": {json.dumps(one.stored.file)}, "counts": {json.dumps(counts(one.stored.counts))}'
    yield f', "error": {json.dumps(one.stored.error)}, "patterns": ['
    for place, (group, tests) in enumerate(reader.tests_of_patterns()):
        playbook = playbooks[group.playbook or ""]
        entry = {
            "playbook": playbook.id,
            "title": playbook.title,
            "category": str(playbook.category),
            "severity": str(playbook.severity),
            "count": group.count,
        }
        yield from _with_tests(place, entry, tests)
    yield '], "failures": ['
    for place, spooled in enumerate(reader.failures()):
        yield (",\n" if place else "\n") + _failure(spooled)
    yield '], "clusters": ['
    for place, (group, tests) in enumerate(reader.tests_of_clusters()):
        entry = {"fingerprint": group.fingerprint, "signature": group.signature, "count": group.count}
        yield from _with_tests(place, entry, tests)
    yield "]}"


def _with_tests(place: int, entry: Mapping[str, Any], tests: Iterable[str]) -> Iterator[str]:
    yield (",\n" if place else "\n") + _encode(entry)[:-1] + ', "tests": ['
    for number, test in enumerate(tests):
        yield (", " if number else "") + _quoted(test)
    yield "]}"


def _failure(one: SpooledFailure) -> str:
    """By hand: three times as fast as an encoder, and there are many; `also` is JSON already."""
    cluster = None if one.playbook else one.fingerprint
    return (
        f'{{"nodeid": {_or_null(one.nodeid)}, "classname": {_quoted(one.classname)}, '
        f'"name": {_quoted(one.name)}, "outcome": "{one.outcome}", "phase": "{one.phase}", '
        f'"exception": {_or_null(one.exception or None)}, "message": {_quoted(one.message)}, '
        f'"playbook": {_or_null(one.playbook)}, "confidence": {one.confidence!r}, '
        f'"cluster": {_or_null(cluster)}, "also": {one.also}, "root": {_or_null(one.root)}}}'
    )


def _or_null(text: str | None) -> str:
    return "null" if text is None else _quoted(text)
