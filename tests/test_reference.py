"""The reference pages: what is on them, when they are written, and that drift is seen."""

from pathlib import Path

from triage.playbook.load import load_library
from triage.reference import INDEX, drift, pages, write

MADE = pages(load_library().playbooks)


def test_every_playbook_has_a_page_with_all_that_a_reader_needs() -> None:
    known = load_library().playbooks
    assert set(MADE) == {INDEX, *(f"{name}.md" for name in known)}
    for name, playbook in known.items():
        text = MADE[f"{name}.md"]
        assert text.startswith(f"# {playbook.title}\n"), name
        missing = [key for key in ("## How it shows", f"## {playbook.plan.title}", "1. ") if key not in text]
        assert not missing, name
        assert text.count(" its message holds: ") == sum(
            one.message is not None for one in playbook.symptoms
        ), name


def test_a_page_shows_wordings_that_were_recorded_and_who_wins() -> None:
    text = MADE["not-null.md"]
    assert "NOT NULL constraint failed: customers.email" in text
    assert "[session-mixing](session-mixing.md) wins over it" in text
    assert "`supply-value`" in text


def test_pages_are_written_once_and_drift_is_seen(tmp_path: Path) -> None:
    made = {name: MADE[name] for name in (INDEX, "not-null.md", "timeout.md")}
    assert len(drift(made, tmp_path)) == 3
    assert len(write(made, tmp_path)) == 3
    assert not drift(made, tmp_path)
    (tmp_path / "not-null.md").write_text("mine", "utf-8")
    (tmp_path / "timeout.md").unlink()
    (tmp_path / "gone.md").write_text(MADE["auth.md"], "utf-8")
    (tmp_path / "mine.md").write_text("of a person", "utf-8")
    assert drift(made, tmp_path) == (
        f"{tmp_path / 'not-null.md'}: differs",
        f"{tmp_path / 'timeout.md'}: is missing",
        f"{tmp_path / 'gone.md'}: its playbook is gone, remove the page",
    )
    assert sorted(path.name for path in write(made, tmp_path)) == ["not-null.md", "timeout.md"]
