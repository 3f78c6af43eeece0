"""The short line for JUnit XML made elsewhere: read, classify, store; memory does not grow with the file."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triage.errors import ReportError
from triage.junit.cases import CaseReport, read_cases
from triage.model.failure import Failure
from triage.model.history import SpooledFailure, StoredReport
from triage.model.playbook import Playbook
from triage.playbook.cascade import Cascades
from triage.render.summary import SCHEMA_VERSION, counts, failure, tool
from triage.stages.classify import classify_case
from triage.text import Masker
from triage.tools import Tools

_encode = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` makes one for each call
BATCH = 500  # failures written at once


@dataclass(frozen=True, slots=True)
class ClassifiedReport:
    """One file: what was stored of it, and the error that ended it early."""

    stored: StoredReport
    error: ReportError | None = None


def classify_report(path: Path, tools: Tools) -> ClassifiedReport:
    """Sort the failures of one file and store them whole.

    Raises:
        ReportError: nothing of the file could be read.
        StoreError: nothing was stored.
    """
    cases = read_cases(path, Masker.from_environment(tools.environ))
    ended: list[ReportError] = []
    with tools.store.spool(str(path)) as spool:
        for batch in _batches(_failures(cases, tools, ended)):
            spool.add(batch)
        if ended and not cases.counts.total:
            raise ended[0]
        stored = spool.commit(cases.counts, error=str(ended[0]) if ended else None)
    return ClassifiedReport(stored, ended[0] if ended else None)


def _failures(cases: CaseReport, tools: Tools, ended: list[ReportError]) -> Iterator[SpooledFailure]:
    matcher = tools.matcher()
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
    document = failure(value)
    return SpooledFailure(
        ordinal=ordinal,
        classname=value.case.classname,
        name=value.case.name,
        outcome=value.case.outcome,
        nodeid=value.case.nodeid,
        phase=value.problem.phase,
        exception=document["exception"] or "",
        message=document["message"],
        playbook=value.playbook,
        confidence=document["confidence"],
        fingerprint=value.fingerprint,
        signature=value.signature,
        also=_encode(document["also"]),
        root=value.root,
    )


def document_pieces(
    reports: Iterable[ClassifiedReport], tools: Tools, unread: Iterable[tuple[str, str]] = ()
) -> Iterator[str]:
    """The JSON of `schemas/classify.schema.json`, piece by piece; `unread` are files and why not."""
    library = tools.library()
    head = {"schema_version": SCHEMA_VERSION, "tool": tool(library.fingerprint)}
    yield json.dumps(head)[:-1] + ', "reports": ['
    for place, one in enumerate(reports):
        yield ",\n" if place else "\n"
        yield from _report_pieces(one, tools, library.playbooks)
    errors = [{"file": file, "message": message} for file, message in unread]
    yield f'\n], "errors": {json.dumps(errors)}}}\n'


def _report_pieces(one: ClassifiedReport, tools: Tools, playbooks: Mapping[str, Playbook]) -> Iterator[str]:
    reader = tools.store.report(one.stored.id)
    yield f'{{"file": {json.dumps(one.stored.file)}, "counts": {json.dumps(counts(one.stored.counts))}'
    yield f', "error": {json.dumps(one.stored.error)}, "patterns": ['
    for place, group in enumerate(reader.patterns()):
        playbook = playbooks[group.playbook or ""]
        entry = {
            "playbook": playbook.id,
            "title": playbook.title,
            "category": str(playbook.category),
            "severity": str(playbook.severity),
            "count": group.count,
        }
        yield from _with_tests(place, entry, reader.tests(group))
    yield '], "failures": ['
    for place, spooled in enumerate(reader.failures()):
        yield (",\n" if place else "\n") + _encode(_failure(spooled))
    yield '], "clusters": ['
    for place, group in enumerate(reader.clusters()):
        entry = {"fingerprint": group.fingerprint, "signature": group.signature, "count": group.count}
        yield from _with_tests(place, entry, reader.tests(group))
    yield "]}"


def _with_tests(place: int, entry: Mapping[str, Any], tests: Iterable[str]) -> Iterator[str]:
    yield (",\n" if place else "\n") + _encode(entry)[:-1] + ', "tests": ['
    for number, test in enumerate(tests):
        yield (", " if number else "") + _encode(test)
    yield "]}"


def _failure(one: SpooledFailure) -> dict[str, Any]:
    return {
        "nodeid": one.nodeid,
        "classname": one.classname,
        "name": one.name,
        "outcome": str(one.outcome),
        "phase": str(one.phase),
        "exception": one.exception or None,
        "message": one.message,
        "playbook": one.playbook,
        "confidence": one.confidence,
        "cluster": None if one.playbook else one.fingerprint,
        "also": json.loads(one.also),
        "root": one.root,
    }
