"""Responses of a view that is broken: whatever a test looks at in them is another one."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from flask import Flask, Response, jsonify

import triage

PLUGIN = Path(triage.__file__).parent / "probes" / "plugin" / "triage_interventions" / "_other_values.py"


@pytest.fixture(scope="module")
def values() -> ModuleType:
    spec = importlib.util.spec_from_file_location("other_values", PLUGIN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_document_stays_one_with_other_values(values: ModuleType) -> None:
    with Flask(__name__).app_context():
        found = values.other(jsonify(names=["Ann"], count=1))
    assert found.status_code == 201
    assert found.get_json() == {"names": [], "count": 2}


def test_a_text_is_another_one(values: ModuleType) -> None:
    assert values.other(Response("<p>Ann</p>", mimetype="text/html")).get_data() == b"broken"


def test_of_a_stream_and_of_another_framework_only_the_status_changes(values: ModuleType) -> None:
    stream = Response(iter([b"a"]), mimetype="image/png")
    assert (values.other(stream).status_code, stream.get_data()) == (201, b"a")

    class Plain:
        status_code = 404

    assert values.other(Plain()).status_code == 405
