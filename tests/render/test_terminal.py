"""The live view, on a terminal and without one."""

import io
import os
import pty
import select

import pytest

from triage.model.progress import Progress
from triage.render.terminal import LiveView, PlainView, SilentView, make_view

STEPS = [Progress("shop", "running tests", done, 9, done // 3) for done in range(10)]


def test_a_log_gets_one_line_for_each_stage() -> None:
    stream = io.StringIO()
    with make_view(stream, ["shop"], quiet=False) as view:
        assert isinstance(view, PlainView)
        for one in [
            Progress("shop", "a"),
            *STEPS,
            Progress("blog\n::error::", "a"),
            Progress("shop", "done"),
        ]:
            view.update(one)
    assert stream.getvalue() == "shop  a\nshop  running tests\nblog ::error::  a\nshop  done\n"


def test_quiet_shows_nothing() -> None:
    stream = io.StringIO()
    with make_view(stream, ["shop"], quiet=True) as view:
        assert isinstance(view, SilentView)
        view.update(STEPS[0])
    assert stream.getvalue() == ""


def _all_of(terminal: int) -> str:
    said = b""
    while select.select([terminal], [], [], 0.2)[0]:
        said += os.read(terminal, 65_536)
    return said.decode()


def test_a_terminal_shows_a_line_for_each_project_and_is_clean_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as stream:
        with make_view(stream, ["shop", "blog"], quiet=False) as view:
            assert isinstance(view, LiveView)
            view.update(Progress("shop", "running \x1b]0;x\x07[bold]tests", 3, 9, 1))
        stream.flush()
        said = ""
        while select.select([leader], [], [], 0)[0]:  # one read gives what one write made
            said += os.read(leader, 65_536).decode()
    os.close(leader)
    assert "3/9  1 failing" in said
    assert "blog  waiting" in said
    assert "[bold]" in said
    assert "\x1b]0;" not in said
    assert "\x1b[?25h" in said  # the cursor is back


def test_a_terminal_that_cannot_go_back_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as stream:
        assert isinstance(make_view(stream, ["shop"], quiet=False), PlainView)
    os.close(leader)
