"""A new playbook from a cluster of unknown failures, with its examples and a preview over the history."""

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from triage.errors import ConfigurationError, UsageError
from triage.junit.example import example_xml
from triage.model.case import ExceptionInfo
from triage.model.playbook import Playbook
from triage.playbook.conditions import bases_of, deciding
from triage.playbook.draft import deepest_file, symptoms
from triage.playbook.drafted import drafted, only
from triage.playbook.drafted_files import SCHEMA, check_folder, names_in, write_files
from triage.playbook.examples import run_examples
from triage.playbook.load import Library, load_library, load_playbook
from triage.playbook.match import Matcher
from triage.playbook.naming import name_of
from triage.render.playbook_yaml import playbook_yaml
from triage.replaying import Moves, Past, past_failures, verdict
from triage.tools import Tools

_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ID_CHARS = 60
_EXAMPLES = 3
_TRIED = 12  # failures that may become an example
_NEIGHBOURS = 3
_HELD = 2_000  # different failures of the cluster, and of its neighbours, that conditions are tried on
_SHOWN = 8  # clusters in a message
_HEAD = (
    f"yaml-language-server: $schema={SCHEMA}",
    "A draft: say why it happens and how it is cured, try the expression, then set `status: stable`.",
    "Check it: triage playbooks check {path}",
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A playbook that was written.

    `left_out` are failures of the cluster that it does not know, `taken` those of others that it knows, by
    cluster or playbook.
    """

    id: str
    path: Path
    examples: tuple[Path, ...]
    cluster: str
    failures: int
    moves: Moves
    left_out: int
    taken: Mapping[str, int]


@dataclass(slots=True)
class _Seen:
    """The failures of a cluster and those of the same class beside it, one of each kind."""

    cluster: str
    failures: int = 0
    known: Counter[str] = field(default_factory=Counter)
    members: dict[tuple[object, ...], Past] = field(default_factory=dict)
    near: dict[tuple[object, ...], Past] = field(default_factory=dict)

    @property
    def heads(self) -> list[ExceptionInfo]:
        return [head for one in self.members.values() if (head := one.problem.head) is not None]

    @property
    def type(self) -> str:
        """The class of most of them."""
        types = Counter(one.type for one in self.heads)
        return max(types, key=types.__getitem__)

    def name_of(self, one: Past) -> str:
        return one.playbook or one.cluster or "unknown"


def draft(given: str, folder: Path, tools: Tools, *, name: str | None = None, days: int = 90) -> Draft:
    """Writes `<id>.yaml` and its examples into `folder`, and the schema that editors check it by.

    Raises:
        UsageError: no such cluster, it is known or shares nothing, or the files cannot be written;
            nothing was written.
    """
    since = datetime.now(UTC) - timedelta(days=days)
    _check(folder, name)
    last, classes = _meant(given, past_failures(tools, since, whole=False))
    library = _library(folder, tools)
    before = Matcher(library.playbooks.values())
    seen = _seen(last, classes, past_failures(tools, since), before)
    symptom = _symptom(seen)
    taken_names = {*library.playbooks, *names_in(folder)}
    name = name or name_of(seen.type, [one.message for one in seen.heads], taken_names)
    target = folder / f"{name}.yaml"
    if name in taken_names:
        what = "a playbook of this id is there, or its examples"
        raise UsageError(what, where=str(target), hint="give another: --id NAME")
    head = [line.format(path=_shown(target, tools)) for line in _HEAD]
    files, after = _files(name, symptom, seen, library.playbooks, head)
    moves, taken, gained = _preview(name, seen, past_failures(tools, since), (before, after))
    write_files(folder, files)
    return Draft(
        id=name,
        path=target,
        examples=tuple(folder / one for one in files if one.endswith(".xml")),
        cluster=seen.cluster,
        failures=seen.failures,
        moves=moves,
        left_out=seen.failures - gained,
        taken=taken,
    )


def _check(folder: Path, name: str | None) -> None:
    if name is not None and not (_ID.fullmatch(name) and len(name) <= _ID_CHARS):
        raise UsageError(
            "no playbook can be made of this id",
            where=f"--id {name}",
            allowed=f"small letters, digits and single dashes: payment-refused; at most {_ID_CHARS}",
        )
    check_folder(folder)


def _library(folder: Path, tools: Tools) -> Library:
    """The playbooks in force, and those beside the draft: they may not be in force yet."""
    if folder.resolve() in {one.resolve() for one in tools.settings.playbooks} or not folder.is_dir():
        return tools.library()
    return load_library([*tools.settings.playbooks, folder], tools.folders.home / "cache" / "playbooks")


def _meant(given: str, past: Iterable[Past]) -> tuple[Past, frozenset[str]]:
    """A failure of the one cluster whose fingerprint begins so, with its version or without; its classes."""
    names: dict[str, set[str]] = {}
    last: dict[str, Past] = {}
    for one in past:
        if one.playbook is None and one.cluster:
            head = one.problem.head
            names.setdefault(one.cluster, set()).update([head.name] if head else [])
            last.setdefault(one.cluster, one)
    found = [one for one in names if given and given in (one, one.partition(":")[2])]
    found = found or [
        one for one in names if given and (one if ":" in given else one.partition(":")[2]).startswith(given)
    ]
    if len(found) != 1:
        raise UsageError(
            f"{len(found)} clusters of unknown failures begin so" if found else "no such cluster",
            where=given,
            allowed=", ".join(list(found or names)[:_SHOWN]) or "no unknown failure is stored",
            hint="triage report, or triage classify REPORT.xml, lists them",
        )
    return last[found[0]], frozenset(names[found[0]])


def _seen(last: Past, classes: frozenset[str], past: Iterable[Past], before: Matcher) -> _Seen:
    """Raises UsageError where playbooks know the whole cluster of `last` already."""
    seen = _Seen(last.cluster or "")
    for one in past:
        is_member = one.playbook is None and one.cluster == seen.cluster
        known = verdict(one, before) if is_member else None
        if known is not None:
            seen.known[known] += 1
        elif is_member:
            seen.failures += 1
            _keep(one, seen.members)
        elif classes & _names(one) or "" in classes:
            _keep(replace(one, playbook=one.playbook or verdict(one, before)), seen.near)
    if not seen.failures:
        raise _no_more(seen, verdict(last, before), before.playbooks)
    return seen


def _no_more(seen: _Seen, last: str | None, playbooks: Mapping[str, Playbook]) -> UsageError:
    known = list(seen.known) or ([last] if last else [])
    if not known:
        return UsageError("none of its tests failed so when it was seen last", where=seen.cluster)
    hint = f"look at it: {playbooks[known[0]].path}"
    return UsageError(f"already known by {', '.join(known)}", where=seen.cluster, hint=hint)


def _keep(one: Past, kept: dict[tuple[object, ...], Past]) -> None:
    """One of each kind; the texts of the first alone, as only examples need them."""
    head = one.problem.head
    if head is None or len(kept) >= _HELD:
        return
    key = (one.playbook, one.cluster, head.type, head.message, deepest_file([head]), head.raised_in)
    if len(kept) >= _TRIED and any(other[:2] == key[:2] for other in kept):
        one = replace(one, problem=replace(one.problem, text=""))
    kept.setdefault(key, one)


def _names(one: Past) -> set[str]:
    """The classes that a symptom may know it by."""
    found = deciding(one.problem)
    return {name.rpartition(".")[2] for head in found for name in (head.type, *bases_of(head))}


def _symptom(seen: _Seen) -> dict[str, Any]:
    """The first conditions that hold for the whole cluster and no other; else those with fewest faults."""
    best: tuple[tuple[int, int], dict[str, Any]] | None = None
    for one in symptoms(seen.heads):
        matcher = Matcher([only(one)])
        missed = sum(verdict(member, matcher) is None for member in seen.members.values())
        taken = sum(verdict(other, matcher) is not None for other in seen.near.values())
        if best is None or (missed, taken) < best[0]:
            best = (missed, taken), one
        if best[0] == (0, 0):
            break
    if best is None or best[0][0] == len(seen.members):
        raise UsageError(
            "the failures of this cluster have nothing in common to ask for",
            where=seen.cluster,
            hint="write its playbook by hand: docs/writing-a-playbook.md",
        )
    return best[1]


def _shown(path: Path, tools: Tools) -> str:
    """As it is seen from the workspace."""
    whole, workspace = path.absolute(), tools.settings.workspace
    return str(whole.relative_to(workspace)) if whole.is_relative_to(workspace) else str(path)


def _files(
    name: str,
    symptom: Mapping[str, Any],
    seen: _Seen,
    known: Mapping[str, Playbook],
    head: Sequence[str],
) -> tuple[dict[str, str], Matcher]:
    """All files of the draft, and the playbooks with it; examples that show something else are left out."""
    tried = _tried(name, seen)
    because = {path: why for path, (_, why) in tried.items()}
    texts = {path: text for path, (text, _) in tried.items()}
    text = playbook_yaml(drafted(name, seen.type, symptom, because), head)
    held, after = _held(known, name, text, texts)
    chosen = [
        *[path for path in held if not because[path]][:_EXAMPLES],
        *[path for path in held if because[path]][:_NEIGHBOURS],
    ]
    data = drafted(name, seen.type, symptom, {path: because[path] for path in chosen})
    return {f"{name}.yaml": playbook_yaml(data, head), **{path: texts[path] for path in chosen}}, after


def _tried(name: str, seen: _Seen) -> dict[str, tuple[str, str]]:
    """Examples by path, with why those must not match that are of other kinds."""
    wordings: dict[str, Past] = {}
    for one in seen.members.values():
        head = one.problem.head
        wordings.setdefault(head.message if head else one.problem.text, one)
    kinds: dict[str, Past] = {}
    for one in seen.near.values():
        kinds.setdefault(seen.name_of(one), one)
    found: dict[str, tuple[str, str]] = {}
    for number, one in enumerate(list(wordings.values())[:_TRIED], 1):
        found[f"seen-{number}"] = example_xml(one.test, one.problem, one.source), ""
    for number, (kind, one) in enumerate(list(kinds.items())[:_TRIED], 1):
        file = one.playbook or f"cluster-{number}"
        found[f"not-{file}"] = example_xml(one.test, one.problem, one.source), _because(kind, one)
    return {posixpath.join("examples", name, f"{file}.xml"): one for file, one in found.items()}


def _because(kind: str, one: Past) -> str:
    if one.playbook:
        return f"a failure of the same exception that {kind} knows"
    return f"another cluster of the same exception ({kind}); if it is the same cause, move it to match"


def _held(
    known: Mapping[str, Playbook], name: str, text: str, examples: Mapping[str, str]
) -> tuple[list[str], Matcher]:
    """The examples that hold, and the playbooks in force with the draft over them.

    Raises:
        UsageError: the draft is no valid playbook.
    """
    with TemporaryDirectory(prefix="triage-draft-") as temporary:
        place = Path(temporary)
        write_files(place, {**examples, f"{name}.yaml": text})
        try:
            made, _ = load_playbook(place / f"{name}.yaml")
        except ConfigurationError as error:
            raise UsageError(f"no playbook can be made of this cluster: {error.what}", where=name) from error
        after = Matcher({**known, name: made}.values())
        failing = {one.file for one in run_examples(made, after) if not one.holds}
        return [path for path in examples if place / path not in failing], after


def _preview(
    name: str, seen: _Seen, past: Iterator[Past], matchers: tuple[Matcher, Matcher]
) -> tuple[Moves, Mapping[str, int], int]:
    """What changes, what of others is taken, and how many failures of the cluster are known then."""
    before, after = matchers
    moves, taken, gained = Moves(), Counter[str](), 0
    for one in past:
        was, now = verdict(one, before), verdict(one, after)
        moves.add(one, was, now)
        if now == name and one.playbook is None and one.cluster == seen.cluster:
            gained += 1
        elif now == name:
            taken[was or seen.name_of(one)] += 1
    return moves, dict(taken.most_common()), gained
