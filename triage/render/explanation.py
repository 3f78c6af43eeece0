"""Why a test failed as it did, as JSON and as lines for a person."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from triage.model.failure import Failure
from triage.model.playbook import Playbook
from triage.render.plain import flat
from triage.render.summary import MAX_MESSAGE
from triage.text import shorten

TRIED_KINDS = ("flipped", "changed", "unchanged")  # evidence that an intervention left
MAX_SYMPTOMS = 6  # the nearest; JSON has all
_MAX_SAID = 300
_MAX_CELL = 160
_INDENT = 24


def failure_document(
    failure: Failure, recorded: Mapping[str, Any] | None, known: Mapping[str, Playbook]
) -> dict[str, Any]:
    """`playbook` and `root` as recorded, which running again may have decided; `match` is by the facts."""
    head, match = failure.problem.head, failure.match
    name = (recorded["playbook"] if recorded else failure.playbook) or ""
    root = recorded["root"] if recorded else failure.root
    return {
        "phase": str(failure.problem.phase),
        "exception": (head.type or None) if head else None,
        "message": (head.message if head else failure.problem.text)[:MAX_MESSAGE],
        "playbook": name or None,
        "title": known[name].title if name in known else None,
        "match": match
        and {
            "playbook": match.playbook,
            "confidence": match.confidence,
            "clause": match.clause,
            "captures": dict(match.captures),
        },
        "lost": [{"playbook": one.playbook, "reason": one.reason} for one in failure.also],
        **_cluster(failure, recorded),
        "root": root,
        "root_reason": failure.root_reason if root and root == failure.root else "",
    }


def _cluster(failure: Failure, recorded: Mapping[str, Any] | None) -> dict[str, str | None]:
    """As recorded where the failure was unknown then, though a playbook in force now may know it."""
    if recorded is not None and recorded["playbook"] is None:
        cluster = recorded.get("cluster") or failure.fingerprint
        return {"cluster": cluster, "signature": recorded.get("signature") or failure.signature or None}
    unknown = failure.match is None
    return {
        "cluster": failure.fingerprint if unknown else None,
        "signature": failure.signature if unknown else None,
    }


def diagnosis_document(nodeid: str, summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """The recorded one that explains the test, what was changed to prove it apart from what was seen."""
    for one in summary["diagnoses"]:
        if nodeid in one["tests"] or nodeid in one["dependents"]:
            tried = [each for each in one["evidence"] if each["kind"] in TRIED_KINDS]
            seen = [each for each in one["evidence"] if each["kind"] not in TRIED_KINDS]
            return {**one, "evidence": seen, "tried": tried}
    return None


def lines(document: Mapping[str, Any]) -> list[str]:
    """The document of `triage playbooks explain --json`."""
    failure = document["failure"]
    head = [flat(document["nodeid"])]
    if failure is None:
        did = f"it {_did(document['outcome'])} in {_where(document)}"
        return [*head, f"  {flat(did)}"]
    sections = [
        [*head, *_failed(failure, document)],
        _matched(failure),
        _lost(failure["lost"]),
        _root(failure),
        [] if "report" in document else _diagnosis(document["diagnosis"]),
        _asked(document["asked"]),
        [flat(f"note: {note}") for note in document["notes"]],
    ]
    return [line for place, part in enumerate(filter(None, sections)) for line in _apart(part, place)]


def _where(document: Mapping[str, Any]) -> str:
    if "report" in document:
        return str(document["report"])
    return f"the newest run of {document['project']['name']}, {document['run']['id']}"


def _apart(part: Sequence[str], place: int) -> Sequence[str]:
    return ["", *part] if place else part


def _did(outcome: str) -> str:
    words = {"passed": "passed", "skipped": "was skipped", "xfailed": "failed as expected"}
    return words.get(outcome, "passed although it was expected to fail")


def _failed(failure: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    when = f"{document['outcome']} at {failure['phase']} in {_where(document)}"
    yield f"  {flat(when)}"
    said = ": ".join(part for part in (failure["exception"], failure["message"]) if part)
    yield f"  {flat(shorten(said, _MAX_SAID))}"


def _matched(failure: Mapping[str, Any]) -> list[str]:
    match = failure["match"]
    if failure["playbook"] is None:
        return list(_unknown(failure))
    found = [flat(f"playbook: {failure['playbook']} ({failure['title'] or 'no longer known'})")]
    if match is None or match["playbook"] != failure["playbook"]:
        return found
    found.append(f"  {flat(match['clause'])}; confidence {match['confidence']:g}")
    found += [f"  {flat(f'{name} = {value}')}" for name, value in match["captures"].items()]
    return found


def _unknown(failure: Mapping[str, Any]) -> Iterator[str]:
    match = failure["match"]
    cluster = ": ".join(filter(None, (failure["cluster"], failure["signature"])))
    who = "none knew it when the run was recorded" if match else "none knows it"
    yield flat(f"playbook: {who}; cluster {cluster}" if cluster else f"playbook: {who}")
    if match:
        now = f"by the playbooks in force it is {match['playbook']}: {match['clause']}"
        yield f"  {flat(now)}"


def _lost(lost: Sequence[Mapping[str, Any]]) -> list[str]:
    if not lost:
        return []
    reasons = (f"{one['playbook']}: {one['reason']}" for one in lost)
    return ["matched too, and lost:", *(f"  {flat(reason)}" for reason in reasons)]


def _root(failure: Mapping[str, Any]) -> list[str]:
    if not failure["root"]:
        return []
    reason = [f"  {flat(failure['root_reason'])}"] if failure["root_reason"] else []
    return [flat(f"it only follows from {failure['root']}"), *reason]


def _diagnosis(one: Mapping[str, Any] | None) -> list[str]:
    if one is None:
        return ["cause: the run was recorded without a diagnosis of this test"]
    cause = one["cause"]
    where = f"{cause['file']}:{cause['line']}" + (f" in {cause['symbol']}" if cause["symbol"] else "")
    found = [
        flat(f"cause {one['id']}: {where} [proof: {one['proof']}, confidence {one['confidence']:g}]"),
        f"  {flat(cause['explanation'])}",
    ]
    if one.get("repeats"):
        found.append(f"  {flat(one['repeats'])}")
    for title, key in (("evidence", "evidence"), ("facts changed to see what happens", "tried")):
        if one[key]:
            found += [f"  {title}:", *_pieces(one[key])]
    return found


def _pieces(evidence: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    width = max(len(one["kind"]) for one in evidence)
    for one in evidence:
        place = f"{one['file']}:{one['line']}"
        yield f"    {flat(one['kind']).ljust(width)}  {flat(place)}  {flat(one['text'])}"


def _asked(one: Mapping[str, Any] | None) -> list[str]:
    if one is None:
        return []
    reason = f": {one['reason']}" if one["reason"] else ""
    found = [flat(f"{one['playbook']} ({one['title']}) {one['verdict']}{reason}")]
    if not one["symptoms"]:
        return [*found, "  no exception is known that could meet its symptoms"]
    for each in one["symptoms"][:MAX_SYMPTOMS]:
        found += _symptom(each)
    more = len(one["symptoms"]) - MAX_SYMPTOMS
    return [*found, f"  and {more} further from it: see --json"] if more > 0 else found


def _symptom(one: Mapping[str, Any]) -> Iterator[str]:
    word = "holds" if one["held"] else "misses"
    who = f"{one['role']} ({one['exception']})" if one["exception"] else one["role"]
    what = f"symptom {one['symptom']}, {who} at {one['phase']}: {word}"
    yield f"  {flat(what)}"
    for each in one["conditions"]:
        head = f"    {each['verdict']}: {each['condition']} ".ljust(_INDENT)
        yield f"{head}wanted {_short(each['wanted'])}"
        yield f"{'':{_INDENT}}seen   {_short(each['seen'])}"


def _short(text: str) -> str:
    return shorten(flat(text), _MAX_CELL)
