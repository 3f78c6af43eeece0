"""What a run left behind holds no secret after masking, and can be read as before."""

import html
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triage.probes.masking import mask_folder
from triage.text import Masker

SECRET = "p<w&r\"d'x y\\z9"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIBvQ\nabcdef\n-----END RSA PRIVATE KEY-----\n"


def masker(value: str = SECRET) -> Masker:
    return Masker.from_environment({"API_TOKEN": value})


def write_xml(path: Path, text: str) -> None:
    case = ET.Element("testcase", name="test_a")
    ET.SubElement(case, "failure", message=text).text = text
    ET.ElementTree(case).write(path, encoding="utf-8", xml_declaration=True)


@pytest.mark.parametrize("shown", [SECRET, repr(SECRET), "a&b <c>\n" + SECRET + '\n"q"'])
def test_a_report_holds_no_secret_and_keeps_the_rest(tmp_path: Path, shown: str) -> None:
    write_xml(tmp_path / "junit.xml", f"before & {shown} > after")
    assert mask_folder(tmp_path, masker()) == ()
    failure = ET.parse(tmp_path / "junit.xml").getroot()[0]
    expected = masker().mask(f"before & {shown} > after")
    assert "***" in expected
    assert (failure.get("message"), failure.text) == (expected, expected)
    assert [path.name for path in tmp_path.iterdir()] == ["junit.xml"]


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc", "Cn"]), min_size=6, max_size=12)
)
def test_any_secret_leaves_a_well_formed_report(
    tmp_path_factory: pytest.TempPathFactory, secret: str
) -> None:
    folder = tmp_path_factory.mktemp("out")
    write_xml(folder / "junit.xml", f"({secret})")
    mask_folder(folder, masker(secret))
    failure = ET.parse(folder / "junit.xml").getroot()[0]
    assert failure.text == masker(secret).mask(f"({secret})")


def test_a_torn_private_key_in_a_report_masks_no_tag(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(
        '<a><failure message="-----BEGIN PRIVATE KEY-----&#10;MIIB"/>'
        "<b>-----BEGIN PRIVATE KEY-----\nMIIB</b></a>"
    )
    mask_folder(tmp_path, Masker())
    assert (tmp_path / "junit.xml").read_text() == '<a><failure message="***"/><b>***</b></a>'


def test_lines_stay_records(tmp_path: Path) -> None:
    records = [{"t": "start", "id": "t"}, {"t": "fail", "msg": [repr(SECRET), KEY, "é\ud800"], "n": 1.5}]
    for name in ("events.jsonl", "events.jsonl.gw0"):
        whole = "".join(json.dumps(one) + "\n" for one in records)
        (tmp_path / name).write_text(f'{whole}{{"torn": {json.dumps(KEY)[:45]}')
        mask_folder(tmp_path, masker())
        first, second, torn = (tmp_path / name).read_text().split("\n")[:3]
        assert json.loads(first) == records[0]
        expected = [masker().mask(repr(SECRET)), masker().mask(KEY), "é\ud800"]
        assert json.loads(second) == {"t": "fail", "msg": expected, "n": 1.5}
        assert not any(word in second for word in ("MIIB", "z9"))
        assert "MIIB" not in torn


def test_output_is_masked_over_lines_and_parts(tmp_path: Path) -> None:
    filler = b"x" * 99 + b"\n"
    data = filler * 9_999 + b"y" * 60 + b"\n" + KEY.encode() + b"\xff caf\xe9\n" + filler
    (tmp_path / "output.log").write_bytes(data + SECRET.encode() + b"\n")
    mask_folder(tmp_path, masker())
    left = (tmp_path / "output.log").read_bytes()
    assert left.startswith(filler * 9_999)
    assert not any(word in left for word in (SECRET.encode(), b"MIIB", b"abcdef"))


def test_a_file_without_secrets_is_left_alone(tmp_path: Path) -> None:
    write_xml(tmp_path / "junit.xml", "nothing & <here>")
    (tmp_path / "output.log").write_bytes(b"\xff\x00 ok\r\n")
    (tmp_path / "events.jsonl").write_text('{"a":"\\ud800 \\n"}\n')
    before = {path: (path.stat().st_ino, path.read_bytes()) for path in tmp_path.iterdir()}
    mask_folder(tmp_path, masker())
    assert {path: (path.stat().st_ino, path.read_bytes()) for path in tmp_path.iterdir()} == before


def test_html_forms_are_masked_as_they_are(tmp_path: Path) -> None:
    write_xml(tmp_path / "junit.xml", html.escape(SECRET))
    mask_folder(tmp_path, masker())
    assert (ET.parse(tmp_path / "junit.xml").getroot()[0].text) == "***"
