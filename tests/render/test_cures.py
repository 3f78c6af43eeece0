"""What `triage fix` shows of a diff, which is made of other people's bytes."""

import json

from triage.render.cures import shown_diff

DIFF = "--- a/a.py\n+++ b/a.py\n-x = 1  # \udce9\r\n+x = 2  # \udce9 \x1b[2J\u202e ##[error]\r\n \ty\n"


def test_a_diff_does_nothing_to_a_terminal_and_keeps_its_lines() -> None:
    lines = shown_diff(DIFF)
    assert len(lines) == len(DIFF.splitlines())
    assert lines[2].startswith("-x = 1  # \\xe9")
    assert lines[-1] == " \ty"
    text = "\n".join(lines)
    assert not any(sign in text for sign in ("\x1b", "\u202e", "##[", "\r"))
    assert json.dumps(lines, ensure_ascii=False).encode()
