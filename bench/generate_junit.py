"""Writes a JUnit XML file like pytest's, of any size, with known causes.

    python bench/generate_junit.py --cases 100000 --failing 0.1 OUT.xml [--truth TRUTH.jsonl] [--noise 2]

Deterministic by `--seed`; streams, so a million cases need no memory. Failing cases carry
tracebacks of 1.5 to 6 KB in pytest's short or long style from one of `--causes` defects of an
invented Flask and SQLAlchemy application, with noise that differs each time: addresses, uuids,
times, numbers, temporary folders, line numbers of the test. With `--noise N` every line of the
messages and of the source shown has N random words more, which no mask can know.
"""

import argparse
import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

SITE = "../../env/lib/python3.12/site-packages"
MODELS = (
    "Account",
    "Invoice",
    "Ticket",
    "Parcel",
    "Course",
    "Lesson",
    "Ledger",
    "Order",
    "Refund",
    "Voucher",
)
COLUMNS = ("email", "owner_id", "amount", "due_on", "title", "currency", "status", "number", "region")
AREAS = ("billing", "catalog", "delivery", "people", "reports", "search", "sync", "audit")
VERBS = (
    "create",
    "update",
    "cancel",
    "close",
    "import_rows",
    "export",
    "notify",
    "merge",
    "archive",
    "renew",
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
KINDS = (
    "not-null",
    "detached",
    "pending",
    "context",
    "attribute",
    "assert-status",
    "assert-equal",
    "key",
    "value",
    "unique",
)
WEB = (
    ("werkzeug/test.py", 1167, "post", "return self.open(*args, **kw)"),
    ("werkzeug/test.py", 1137, "open", "response = self.run_wsgi_app(request.environ, buffered=buffered)"),
    (
        "werkzeug/test.py",
        1008,
        "run_wsgi_app",
        "rv = run_wsgi_app(self.application, environ, buffered=buffered)",
    ),
    ("flask/testing.py", 235, "open", "response = super().open(request, buffered=buffered)"),
    ("flask/app.py", 1511, "wsgi_app", "response = self.full_dispatch_request()"),
    ("flask/app.py", 919, "full_dispatch_request", "rv = self.handle_user_exception(e)"),
    ("flask/app.py", 902, "dispatch_request", "return self.view_functions[rule.endpoint](**view_args)"),
)
DETACHED = (
    "sqlalchemy.orm.exc.DetachedInstanceError: Instance <{model} at {address}> is not bound to a Session; "
    "attribute refresh operation cannot proceed (Background on this error at: https://sqlalche.me/e/21/bhk3)"
)
PENDING = (
    "sqlalchemy.exc.PendingRollbackError: This Session's transaction has been rolled back due to a previous "
    "exception during flush. To begin a new transaction with this Session, first issue Session.rollback(). "
    "Original exception was: "
)
CONTEXT = (
    "RuntimeError: Working outside of application context.\n\nThis typically means that you attempted to use "
    "functionality that needed\nthe current application. To solve this, set up an application context\nwith "
    "app.app_context(). See the documentation for more information."
)
LIBRARY = (
    ("sqlalchemy/orm/session.py", 2122, "commit", "trans.commit(_to_root=True)"),
    ("sqlalchemy/orm/session.py", 1337, "commit", "self._prepare_impl()"),
    ("sqlalchemy/orm/session.py", 1312, "_prepare_impl", "self.session.flush()"),
    ("sqlalchemy/orm/session.py", 4389, "flush", "self._flush(objects)"),
    ("sqlalchemy/orm/session.py", 4525, "_flush", "with util.safe_reraise():"),
    ("sqlalchemy/util/langhelpers.py", 224, "__exit__", "raise exc_value.with_traceback(exc_tb)"),
    ("sqlalchemy/orm/unitofwork.py", 466, "execute", "rec.execute(self)"),
    ("sqlalchemy/orm/unitofwork.py", 642, "execute", "util.preloaded.orm_persistence.save_obj("),
    ("sqlalchemy/orm/persistence.py", 93, "save_obj", "_emit_insert_statements("),
    ("sqlalchemy/orm/persistence.py", 1233, "_emit_insert_statements", "result = connection.execute("),
    ("sqlalchemy/engine/base.py", 1419, "execute", "return meth("),
    ("sqlalchemy/engine/base.py", 1846, "_execute_context", "return self._exec_single_context("),
    ("sqlalchemy/engine/base.py", 1986, "_exec_single_context", "self._handle_dbapi_exception("),
    ("sqlalchemy/engine/default.py", 951, "do_execute", "cursor.execute(statement, parameters)"),
)


@dataclass(frozen=True)
class Cause:
    """One defect: its number, kind, and the place in the application that shows it."""

    number: int
    kind: str
    model: str
    column: str
    file: str
    function: str
    line: int
    depth: int


def causes(count: int, rng: random.Random) -> list[Cause]:
    """`count` defects, each at a place of its own."""
    return [
        Cause(
            number,
            KINDS[number % len(KINDS)],
            MODELS[number % len(MODELS)],
            COLUMNS[(number // 3) % len(COLUMNS)],
            f"app/{AREAS[number % len(AREAS)]}/{rng.choice(('service', 'views', 'jobs'))}{number // 40}.py",
            f"{VERBS[(number // 7) % len(VERBS)]}_{MODELS[number % len(MODELS)].lower()}_{number}",
            rng.randrange(20, 700),
            rng.randrange(4, len(LIBRARY)),
        )
        for number in range(count)
    ]


@dataclass(frozen=True)
class Noise:
    """Adds `count` random words to each line, by chance of its own."""

    count: int
    rng: random.Random

    def add(self, text: str) -> str:
        return "\n".join(line + self._words() if line.strip() else line for line in text.split("\n"))

    def _words(self) -> str:
        lengths = (self.rng.randrange(4, 10) for _ in range(self.count))
        return "".join(" " + "".join(self.rng.choices(LETTERS, k=length)) for length in lengths)


def failure(
    cause: Cause, test: str, file: str, rng: random.Random, noise: Noise | None = None
) -> tuple[str, str]:
    """The `message` attribute and the text of one failure."""
    heads = list(_chain(cause, rng))
    frames = _frames(cause, test, file, rng)
    if noise is not None and noise.count:
        heads = [noise.add(head) for head in heads]
        frames = [(path, line, name, noise.add(source)) for path, line, name, source in frames]
    style = _short if cause.number % 4 else _long
    blocks = [style(frames if last else frames[-3:], head) for last, head in _marked(heads)]
    joiner = "\n\nThe above exception was the direct cause of the following exception:\n"
    return _cut(_shown(heads[-1])), joiner.join(blocks)


def _shown(head: str) -> str:
    """pytest leaves the class name out before a bare assert."""
    return head.removeprefix("AssertionError: ") if head.startswith("AssertionError: assert") else head


def _marked(heads: list[str]) -> Iterator[tuple[bool, str]]:
    for index, head in enumerate(heads):
        yield index == len(heads) - 1, head


def _chain(cause: Cause, rng: random.Random) -> Iterator[str]:
    """The exceptions of one failure, root first, as `Type: message`."""
    table, column = cause.model.lower() + "s", cause.column
    address = f"0x{rng.randrange(1 << 44, 1 << 47):x}"
    values = f"({rng.randrange(9999)}, None, '{_uuid(rng)}', '{_time(rng)}')"
    sql = (
        f"\n[SQL: INSERT INTO {table} (id, {column}, token, created_at) VALUES (?, ?, ?, ?)]"
        f"\n[parameters: {values}]\n(Background on this error at: https://sqlalche.me/e/21/gkpj)"
    )
    word = "UNIQUE" if cause.kind == "unique" else "NOT NULL"
    broken = f"{word} constraint failed: {table}.{column}"
    if cause.kind in ("not-null", "unique"):
        yield f"sqlite3.IntegrityError: {broken}"
        yield f"sqlalchemy.exc.IntegrityError: (sqlite3.IntegrityError) {broken}{sql}"
    elif cause.kind == "detached":
        yield DETACHED.format(model=cause.model, address=address)
    elif cause.kind == "pending":
        yield f"{PENDING}(sqlite3.IntegrityError) {broken}{sql}"
    else:
        yield _plain(cause, address, rng)


def _plain(cause: Cause, address: str, rng: random.Random) -> str:
    number = rng.randrange(1, 100_000)
    status = rng.choice((400, 404, 500))
    row = f"<{cause.model} {number}>"
    where = f"where {number} = {row}.{cause.column}\n +    where {row} = <bound method at {address}>"
    return {
        "context": CONTEXT,
        "attribute": f"AttributeError: '{cause.model}' object has no attribute '{cause.column}'",
        "assert-status": f"AssertionError: assert {status} == 200\n +  where {status} = "
        f"<WrapperTestResponse streamed [{status}]>.status_code",
        "assert-equal": f"AssertionError: assert {number} == {number + 1}\n +  {where}",
        "key": f"KeyError: '{cause.column}'",
        "value": f"ValueError: {cause.column} of {cause.model} {_uuid(rng)} was {number / 7:.3f} "
        f"at {_time(rng)} in /tmp/pytest-of-ci/pytest-{number}/data.json",
    }[cause.kind]


def _frames(cause: Cause, test: str, file: str, rng: random.Random) -> list[tuple[str, int, str, str]]:
    subject = cause.model.lower()
    call = f"response = client.post(url, json={subject}_payload({rng.randrange(99)}))"
    made = f"{subject} = {cause.model}(**payload.validated({cause.column}=None))"
    database = cause.kind in ("not-null", "unique", "detached", "pending")
    deeper = [(f"{SITE}/{path}", line, name, source) for path, line, name, source in LIBRARY[-cause.depth :]]
    return [
        (file, rng.randrange(10, 900), test.partition("[")[0], call),
        *((f"{SITE}/{path}", line, name, source) for path, line, name, source in WEB),
        (cause.file, cause.line, cause.function, made),
        *(deeper if database else ()),
    ]


def _short(frames: list[tuple[str, int, str, str]], head: str) -> str:
    lines = []
    for file, line, function, source in frames:
        lines += [f"{file}:{line}: in {function}", f"    {source}", "    " + "^" * len(source)]
    return "\n".join([*lines, *_marks(head, "E   ")])


def _long(frames: list[tuple[str, int, str, str]], head: str) -> str:
    parts = []
    for index, (file, line, function, source) in enumerate(frames):
        last = index == len(frames) - 1
        body = [
            "self = <tests.support.Client object>, kwargs = {}",
            "",
            f"    def {function}(self, *args, **kwargs):",
            '        """Handle one request; see the guide for the life of a session."""',
            f">       {source}",
        ]
        name = head.partition(":")[0].rpartition(".")[2]
        tail = [*(_marks(head, "E       ") if last else []), "", f"{file}:{line}: {name if last else ''}"]
        parts.append("\n".join(body + tail))
    return ("\n" + "_ " * 40 + "\n\n").join(parts)


def _marks(head: str, prefix: str) -> list[str]:
    return [prefix + line for line in _shown(head).split("\n")]


def _cut(message: str) -> str:
    """pytest 9.2 drops whole lines of a message beyond 500 characters."""
    if len(message) <= 500:
        return message
    lines = message.split("\n")
    kept = [lines[0][:500]]
    for line in lines[1:]:
        if sum(map(len, kept)) + len(line) > 400:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    return "\n".join(kept) + f"\n[+{left} more lines; full report in element text]"


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _time(rng: random.Random) -> str:
    day = f"2026-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
    return f"{day} {rng.randrange(24):02}:{rng.randrange(60):02}:07.{rng.randrange(10**6):06}"


def write(
    out: TextIO,
    truth: TextIO | None,
    cases: int,
    failing: float,
    count: int,
    seed: int,
    noise: int = 0,
    night: int = 0,
) -> None:
    """`cases` elements, of which the share `failing` fails, spread evenly."""
    rng = random.Random(seed)
    words = Noise(noise, random.Random(seed + night))
    defects = causes(count, rng)
    if night:
        rng = random.Random(f"{seed} {night}")
    bad = round(cases * failing)
    out.write(
        '<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest"'
    )
    out.write(
        f' errors="0" failures="{bad}" skipped="0" tests="{cases}" time="{cases / 100:.3f}" hostname="bench">'
    )
    for number in range(cases):
        area = AREAS[number // 50 % len(AREAS)]
        module, name = f"test_{area}_{number // 400}", f"test_{VERBS[number % len(VERBS)]}_{number}"
        group = "TestFlow" if number % 3 == 0 else ""
        classname = ".".join(filter(None, ("tests", area, module, group)))
        out.write(f'<testcase classname="{classname}" name="{name}" time="{rng.random() / 20:.3f}"')
        if number * bad // cases == (number + 1) * bad // cases:
            out.write(" />")
            continue
        cause = rng.choice(defects)
        file = f"tests/{area}/{module}.py"
        message, text = failure(cause, name, file, rng, words)
        out.write(f"><failure message={quoteattr(message)}>{escape(text)}</failure></testcase>")
        if truth is not None:
            nodeid = "::".join(filter(None, (file, group, name)))
            line = {"nodeid": nodeid, "classname": classname, "name": name, "cause": cause.number}
            truth.write(json.dumps(line) + "\n")
    out.write("</testsuite></testsuites>\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path, metavar="OUT.xml")
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--failing", type=float, default=0.1, help="the share that fails, 0 to 1")
    parser.add_argument("--causes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--noise", type=int, default=0, help="random words in each line of a failure")
    parser.add_argument("--night", type=int, default=0, help="other failures of the same defects")
    parser.add_argument("--truth", type=Path, help="JSON lines: the cause of each failing test")
    given = parser.parse_args()
    rest = (given.causes, given.seed, given.noise, given.night)
    with given.out.open("w", encoding="utf-8") as out:
        if given.truth is None:
            write(out, None, given.cases, given.failing, *rest)
        else:
            with given.truth.open("w", encoding="utf-8") as truth:
                write(out, truth, given.cases, given.failing, *rest)


if __name__ == "__main__":
    main()
