"""What stands in a proof bundle, and what is noticed when it no longer does."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from tests.builders import write_files
from tests.proofs.bundles import RIGHT, SECRET, given, shop
from triage.errors import ConfigurationError
from triage.proofs.manifest import written
from triage.proofs.outcomes import differences
from triage.proofs.read import Bundle, other_sources, read_bundle, tampered
from triage.proofs.sources import digest, source_hashes
from triage.proofs.write import write_proof
from triage.schema import first_problem


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    project = shop(tmp_path / "shop")
    return read_bundle(write_proof(tmp_path / "run" / "proof", given(tmp_path / "work", project)))


def test_it_holds_everything_and_no_secret(bundle: Bundle) -> None:
    files = sorted(path.relative_to(bundle.folder).as_posix() for path in bundle.folder.rglob("*.*"))
    assert files == [
        "after.xml",
        "after/shop.py",
        "before.xml",
        "before/shop.py",
        "fixes.diff",
        "manifest.json",
        "probe-log.jsonl",
    ]
    assert [path.name for path in bundle.folder.rglob("*.*") if SECRET.encode() in path.read_bytes()] == []
    assert bundle.content("after", "shop.py").decode() == RIGHT
    lines = (bundle.folder / "probe-log.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["t"] for line in lines] == ["observed", "intervened"]
    assert [path.name for path in bundle.folder.parent.iterdir()] == ["proof"]


def test_the_manifest_says_of_what_and_how(bundle: Bundle) -> None:
    said = bundle.manifest
    assert first_problem(said, "proof") is None
    assert sorted(said["source"]["files"]) == [".gitignore", "shop.py", "test_shop.py", "triage.yaml"]
    assert said["variables"]["set"] == {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "API_TOKEN": None}
    assert said["variables"]["passed"] == ["HOME", "PATH"]
    assert said["runs"]["before"]["command"][-2:] == ["--junitxml={out}/junit.xml", "--rootdir={scratch}"]
    assert any(one.startswith("pytest==") for one in said["environment"]["packages"])
    (fix,) = said["fixes"]
    assert (fix["status"], fix["sabotage"][0]["caught"], fix["label"]) == (
        "proven",
        True,
        "the price is right, ***",
    )


def test_a_sound_bundle_is_sound(bundle: Bundle) -> None:
    assert list(tampered(bundle)) == []
    assert list(other_sources(bundle, source_hashes(bundle.root))) == []


@pytest.mark.parametrize(
    "path", ["after.xml", "before.xml", "after/shop.py", "before/shop.py", "fixes.diff", "probe-log.jsonl"]
)
def test_every_file_that_is_changed_or_taken_away_is_named(bundle: Bundle, path: str) -> None:
    file = bundle.folder / path
    file.write_bytes(file.read_bytes() + b" ")
    assert list(tampered(bundle)) == [f"{path} was changed"]
    file.unlink()
    assert list(tampered(bundle)) == [f"{path} is missing"]
    file.symlink_to("/etc/hostname")
    assert list(tampered(bundle)) == [f"{path} is missing"]


def test_an_added_file_is_named(bundle: Bundle) -> None:
    write_files(bundle.folder, {"after/conftest.py": ""})
    assert list(tampered(bundle)) == ["after/conftest.py is not in the manifest"]


def test_a_manifest_that_was_changed_is_named(bundle: Bundle) -> None:
    changed = {**bundle.manifest, "notes": ["all is proven"]}
    (bundle.folder / "manifest.json").write_bytes(written(changed))
    assert list(tampered(read_bundle(bundle.folder))) == ["manifest.json was changed"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"files": {"../../x": "0" * 64}}, "outside of the bundle"),
        ({"changed": [{"path": "/etc/x", "before": None, "after": "0" * 64}]}, "outside of the bundle"),
        ({"source": 5}, "is not valid"),
        ({"schema_version": "2.0"}, "is not valid"),
    ],
)
def test_a_manifest_of_another_form_is_refused(bundle: Bundle, change: dict[str, object], words: str) -> None:
    (bundle.folder / "manifest.json").write_bytes(written({**bundle.manifest, **change}))
    with pytest.raises(ConfigurationError, match=words):
        read_bundle(bundle.folder)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"[" * 100_000, b"null"])
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"no proof bundle|no JSON|not valid"):
        read_bundle(tmp_path)


def test_another_source_is_told_file_by_file(bundle: Bundle) -> None:
    root = write_files(bundle.root, {"test_shop.py": "", "new.py": "", "other.db": "", "ignored/more": ""})
    (root / ".gitignore").write_text("ignored\n", "utf-8")
    (root / "triage.yaml").unlink()
    assert list(other_sources(bundle, source_hashes(root))) == [
        ".gitignore is another",
        "new.py is new",
        "test_shop.py is another",
        "triage.yaml is missing",
    ]


def test_a_project_that_has_the_fixes_already_is_the_same_source(bundle: Bundle, tmp_path: Path) -> None:
    project = replace(shop(tmp_path / "shop"))
    write_files(project.root, {"shop.py": RIGHT})
    assert list(other_sources(bundle, source_hashes(project.root))) == []
    later = read_bundle(write_proof(tmp_path / "later", given(tmp_path / "work", project)))
    assert later.manifest["source"] == bundle.manifest["source"]


@pytest.mark.parametrize("applied", [False, True])
def test_a_new_file_was_not_there_before(tmp_path: Path, applied: bool) -> None:
    project = shop(tmp_path / "shop")
    taken = given(tmp_path / "work", project)
    report = replace(taken.report, changed={"conftest.py": (b"", b"x = 1\n")})
    if applied:
        write_files(project.root, {"conftest.py": "x = 1\n"})
    bundle = read_bundle(write_proof(tmp_path / "proof", replace(taken, report=report)))
    assert [one["before"] for one in bundle.changed] == [None]
    assert "conftest.py" not in bundle.source
    assert list(tampered(bundle)) == []
    assert list(other_sources(bundle, source_hashes(project.root))) == []


def test_nothing_is_left_where_it_cannot_be_written(tmp_path: Path) -> None:
    taken = given(tmp_path / "work", shop(tmp_path / "shop"))
    write_proof(tmp_path / "runs" / "proof", taken)
    with pytest.raises(OSError, match="not empty"):
        write_proof(tmp_path / "runs" / "proof", taken)
    missing = replace(taken, after=replace(taken.after, junit=tmp_path / "none.xml"))
    with pytest.raises(FileNotFoundError):
        write_proof(tmp_path / "runs" / "other", missing)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["proof"]


@drawn(st.dictionaries(st.text(), st.text()), st.dictionaries(st.text(), st.text()))
def test_a_digest_tells_sources_apart_whatever_their_order(one: dict[str, str], two: dict[str, str]) -> None:
    assert digest(dict(reversed(one.items()))) == digest(one)
    if "".join([*one, *two, *one.values(), *two.values()]).isalnum() and one != two:
        assert digest(one) != digest(two)


def test_differences_are_told_test_by_test() -> None:
    recorded = {"a": ("passed",), "b": ("failed", "passed"), "c": ("passed",)}
    now = {"a": ("passed",), "b": ("passed", "passed"), "d": ("error",)}
    assert differences(recorded, now) == (
        "b: recorded failed, passed, now passed, passed",
        "c: recorded passed, now not there",
        "d: recorded not there, now error",
    )
