"""Writes the cases that cannot be run here, in the words that drivers document.

    python bench/accuracy/record/documented.py

SQL Server: https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors
Oracle: https://docs.oracle.com/error-help/db/
MySQL: https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
The wordings stand in `documented.jsonl`; this file gives them pytest's traceback styles.
"""

import json
import xml.etree.ElementTree as ET
from itertools import cycle
from pathlib import Path

from cut import Failing, write_suite

HERE = Path(__file__).resolve().parent
CORPUS, LABELS = HERE.parent / "corpus", HERE.parent / "labels.jsonl"
DRIVER = "/srv/venv/lib/python3.14/site-packages/sqlalchemy/engine/default.py"
SENTENCE = "The above exception was the direct cause of the following exception:"
HANDLED = "During handling of the above exception, another exception occurred:"
STATEMENT = "[SQL: INSERT INTO member (id, email) VALUES (?, ?)]\n[parameters: (7, 'ida@books.example')]"

Error = tuple[str, str]  # class and message


def _marked(error: Error) -> str:
    first, *rest = f"{error[0]}: {error[1]}".splitlines()
    return "\n".join([f"E   {first}", *(f"E   {line}" for line in rest)])


def _short(errors: list[Error], links: list[str]) -> str:
    parts = []
    for index, error in enumerate(errors):
        place = "tests/test_members.py:31: in test_member" if index else f"{DRIVER}:952: in do_execute"
        source = "    store(member)" if index else "    cursor.execute(statement, parameters)"
        parts.append(f"{place}\n{source}\n{_marked(error)}")
        parts.append("" if index == len(links) else f"\n{links[index]}")
    return "\n".join(parts).rstrip()


def _native(errors: list[Error], links: list[str]) -> str:
    parts = []
    for index, (name, message) in enumerate(errors):
        path, line = ("tests/test_members.py", 31) if index else (DRIVER, 952)
        parts.append(
            "Traceback (most recent call last):\n"
            f'  File "{path}", line {line}, in work\n    store(member)\n{name}: {message}\n'
        )
        parts.append("" if index == len(links) else f"\n{links[index]}\n\n")
    return "".join(parts)


def _bare(errors: list[Error], links: list[str]) -> str:
    parts = []
    for index, (name, message) in enumerate(errors):
        first, *rest = f"{name}: {message}".splitlines()
        parts.append("\n".join([f"E   {first}", *(f"    {line}" for line in rest)]))
        parts.append("" if index == len(links) else f"\n{links[index]}")
    return "\n".join(parts).rstrip()


def _long(errors: list[Error], links: list[str]) -> str:
    parts = []
    for index, error in enumerate(errors):
        place = "tests/test_members.py:31" if index else f"{DRIVER}:952"
        marked = _marked(error).replace("E   ", "E       ")
        short = error[0].rpartition(".")[2]
        head = (
            "    def test_member(store):\n>       store(member)"
            if index == len(links)
            else ">   cursor.execute(a)"
        )
        parts.append(f"{head}\n{marked}\n\n{place}: {short}")
        parts.append("" if index == len(links) else f"\n{links[index]}\n")
    return "\n".join(parts).rstrip()


def _case(row: dict[str, str], text: str, errors: list[Error]) -> ET.Element:
    case = ET.Element("testcase", {"classname": row["classname"], "name": row["name"], "time": "0.012"})
    said = f"{errors[-1][0]}: {errors[-1][1]}"
    if row.get("phase") == "setup":
        part = ET.SubElement(case, "error", {"message": f'failed on setup with "{said}"'})
    else:
        part = ET.SubElement(case, "failure", {"message": said})
    part.text = text
    case.tail = part.tail = "\n"
    return case


def _errors(row: dict[str, str]) -> tuple[list[Error], list[str]]:
    driver: Error = (row["exception"], row["message"])
    shape = row.get("shape", "plain")
    if shape == "plain":
        return [driver], []
    if shape == "handled":
        return [driver, (row["final"], row["said"])], [HANDLED]
    name = driver[0].rpartition(".")[2]
    outer: Error = (f"sqlalchemy.exc.{name}", f"({driver[0]}) {driver[1]}\n{STATEMENT}")
    if shape == "sqlalchemy":
        return [driver, outer], [SENTENCE]
    return [driver, outer, ("members.StoreError", "the member was not stored")], [SENTENCE, SENTENCE]


def main() -> None:
    styles = cycle([_short, _long, _native, _bare])
    cases: list[Failing] = []
    lines: list[dict[str, object]] = []
    for text in (HERE / "documented.jsonl").read_text("utf-8").splitlines():
        row = json.loads(text)
        errors, links = _errors(row)
        write = next(styles)
        cases.append(Failing(_case(row, write(errors, links), errors)))
        line: dict[str, object] = {
            "file": "documented.xml",
            "classname": row["classname"],
            "name": row["name"],
        }
        line |= {"label": row["label"], "tricky": row.get("tricky"), "source": "documented"}
        lines.append(line | {"runner": "pytest", "style": write.__name__.strip("_"), "versions": {}})
    write_suite(CORPUS / "documented.xml", cases)
    old = [text for text in LABELS.read_text("utf-8").splitlines() if '"file": "documented.xml"' not in text]
    LABELS.write_text("\n".join([*old, *(json.dumps(line) for line in lines)]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
