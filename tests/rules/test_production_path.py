"""Which functions production reaches with a Flask context, and which without one."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rules.trees import tree_of
from triage.rules.production_path import DEPTH, ProductionPath, production_path

LOGIC = """\
from flask import current_app


def lead():
    return current_app.config["LEAD"]


def earliest():
    return lead()


class Basket:
    def __init__(self):
        self.lead = lead()

    @property
    def total(self):
        return current_app.config["TOTAL"]

    def price(self):
        return current_app.config["PRICE"]
"""


def path_of(folder: Path, caller: str, function: str = "lead") -> ProductionPath:
    """Of a function in `logic.py`; `caller` is the text of `app.py`."""
    return production_path(tree_of(folder, {"logic.py": LOGIC, "app.py": caller}), "logic.py", function)


@pytest.mark.parametrize(
    "entry",
    [
        '@app.route("/x")\ndef start():\n    return earliest()\n',
        '@bp.get("/x")\nasync def start():\n    return earliest()\n',
        "@app.before_request\ndef start():\n    return earliest()\n",
        "@bp.after_app_request\ndef start(response):\n    return earliest()\n",
        "@app.errorhandler(404)\ndef start(error):\n    return earliest()\n",
        "@app.teardown_appcontext\ndef start(error):\n    return earliest()\n",
        "@app.context_processor\ndef start():\n    return earliest()\n",
        '@app.cli.command("x")\ndef start():\n    return earliest()\n',
        "@click.command()\n@with_appcontext\ndef start():\n    return earliest()\n",
        'def start():\n    return earliest()\n\n\napp.add_url_rule("/x", "x", start)\n',
        'def start():\n    return earliest()\n\n\napp.add_url_rule("/x", view_func=start)\n',
        "def start():\n    return earliest()\n\n\napp.before_request(start)\n",
        "class V(MethodView):\n    def get(self):\n        return earliest()\n",
        "def start():\n    with app.app_context():\n        return earliest()\n",
        "def start():\n    app.app_context().push()\n    return earliest()\n",
    ],
)
def test_something_with_a_context_reaches_it(tmp_path: Path, entry: str) -> None:
    found = path_of(tmp_path, "from logic import earliest\n\n\n" + entry)
    assert (found.verdict, found.file) == ("context", "app.py")
    line = (tmp_path / "app.py").read_text().splitlines()[found.line - 1]
    assert f"def {found.name}(" in line


@pytest.mark.parametrize(
    "entry",
    [
        'def start():\n    return earliest()\n\n\nif __name__ == "__main__":\n    start()\n',
        "def start():\n    return earliest()\n\n\nThread(target=start).start()\n",
        "def start():\n    return earliest()\n\n\nThread(target=lambda: start()).start()\n",
        "def start():\n    return earliest()\n\n\ndef go(pool):\n    pool.submit(start)\n",
        "def start(x):\n    return earliest()\n\n\ndef go(pool):\n    pool.map(start, [1])\n",
        'def start():\n    return earliest()\n\n\nscheduler.add_job(start, "cron")\n',
        "def start():\n    return earliest()\n\n\nscheduler.add_job(func=partial(start, 1))\n",
        "@celery.task\ndef start():\n    return earliest()\n",
        "@shared_task(bind=True)\ndef start(self):\n    return earliest()\n",
        "@atexit.register\ndef start():\n    return earliest()\n",
        "def start():\n    return earliest()\n\n\natexit.register(start)\n",
        "@click.command()\ndef start():\n    return earliest()\n",
    ],
)
def test_only_something_without_a_context_reaches_it(tmp_path: Path, entry: str) -> None:
    found = path_of(tmp_path, "from logic import earliest\n\n\n" + entry)
    assert (found.verdict, found.file, found.name) == ("no context", "app.py", "start")
    assert "without a context: a defect of the product, too" in found.text


def test_the_sentence_names_the_view(tmp_path: Path) -> None:
    found = path_of(tmp_path, '@app.route("/x")\ndef ready():\n    return earliest()\n')
    assert found.text == "in production the view `ready` (app.py:2) reaches it, with a context"


def test_the_sentence_names_the_program(tmp_path: Path) -> None:
    found = path_of(tmp_path, 'def main():\n    lead()\n\n\nif __name__ == "__main__":\n    main()\n')
    assert found.text == (
        "`main` (app.py:1), run as a program, reaches it without a context: a defect of the product, too"
    )


def test_a_view_decides_and_a_job_is_told_too(tmp_path: Path) -> None:
    source = (
        '@app.route("/x")\ndef ready():\n    return lead()\n\n\n@celery.task\ndef nightly():\n    lead()\n'
    )
    found = path_of(tmp_path, source)
    assert (found.verdict, found.name) == ("context", "ready")
    assert found.text.endswith("; the job `nightly` (app.py:7) reaches it without one")


def test_a_job_whose_class_pushes_a_context_has_one(tmp_path: Path) -> None:
    source = (
        "class InContext(Task):\n    def __call__(self):\n        with app.app_context():\n"
        "            return self.run()\n\n\n@celery.task\ndef nightly():\n    lead()\n"
    )
    assert path_of(tmp_path, source).verdict == "context"


def test_a_program_that_pushes_a_context_has_one(tmp_path: Path) -> None:
    source = (
        "def main():\n    return lead()\n\n\n"
        'if __name__ == "__main__":\n    with app.app_context():\n        main()\n'
    )
    found = path_of(tmp_path, source)
    assert found.text == "in production `main` (app.py:1) reaches it, inside a context that is pushed there"


def test_tests_are_no_production(tmp_path: Path) -> None:
    view = '@app.route("/x")\ndef ready():\n    return lead()\n'
    tree = tree_of(tmp_path, {"logic.py": LOGIC, "tests/views.py": view, "test_a.py": "lead()\n"})
    assert production_path(tree, "logic.py", "lead").verdict == "unknown"


def test_nobody_calls_it(tmp_path: Path) -> None:
    found = path_of(tmp_path, "def idle():\n    pass\n")
    assert (found.verdict, found.file, found.line) == ("unknown", "", 0)
    assert "`lead`" in found.text


def test_a_function_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    assert path_of(tmp_path, "", "missing").verdict == "unknown"


def test_a_constructor_is_called_by_its_class(tmp_path: Path) -> None:
    found = path_of(tmp_path, '@app.route("/x")\ndef ready():\n    return Basket()\n', "Basket.__init__")
    assert found.verdict == "context"


def test_a_property_is_read(tmp_path: Path) -> None:
    source = '@app.route("/x")\ndef ready(basket):\n    return basket.total\n'
    assert path_of(tmp_path, source, "Basket.total").verdict == "context"


def test_a_method_is_called_on_anything(tmp_path: Path) -> None:
    source = '@app.route("/x")\ndef ready(basket):\n    return basket.price()\n'
    assert path_of(tmp_path, source, "price").verdict == "context"


def test_a_method_of_another_object_is_no_call_of_a_plain_function(tmp_path: Path) -> None:
    source = '@app.route("/x")\ndef ready(metal):\n    return metal.lead()\n'
    assert path_of(tmp_path, source).verdict == "unknown"


def test_the_function_of_the_same_name_in_another_file_is_another(tmp_path: Path) -> None:
    source = 'def lead():\n    return 1\n\n\n@app.route("/x")\ndef ready():\n    return lead()\n'
    assert path_of(tmp_path, source).verdict == "unknown"


def test_of_two_of_a_name_the_imported_one_is_called(tmp_path: Path) -> None:
    files = {
        "logic.py": LOGIC,
        "other.py": LOGIC,
        "app.py": 'from logic import lead\n\n\n@app.get("/x")\ndef ready():\n    return lead()\n',
    }
    tree = tree_of(tmp_path, files)
    assert production_path(tree, "logic.py", "lead").verdict == "context"
    assert production_path(tree, "other.py", "lead").verdict == "unknown"


def test_the_inside_of_a_decorator_is_reached_by_what_wears_it(tmp_path: Path) -> None:
    guard = "def guarded(view):\n    def inner():\n        return current_app.name\n\n    return inner\n"
    view = '@app.route("/x")\n@guarded\ndef ready():\n    return 1\n'
    tree = tree_of(tmp_path, {"guard.py": guard, "app.py": view})
    assert production_path(tree, "guard.py", "guarded.<locals>.inner").name == "ready"


def test_a_decorator_named_like_a_method_of_http_is_no_view(tmp_path: Path) -> None:
    source = '@registry.get("name")\ndef ready():\n    return lead()\n'
    assert path_of(tmp_path, source).verdict == "unknown"


@pytest.mark.parametrize(("calls", "verdict"), [(DEPTH, "context"), (DEPTH + 1, "unknown")])
def test_the_search_ends(tmp_path: Path, calls: int, verdict: str) -> None:
    chain = "".join(f"def step{n}():\n    return step{n - 1}()\n\n\n" for n in range(2, calls))
    source = f"def step1():\n    return lead()\n\n\n{chain}"
    view = f'@app.route("/x")\ndef ready():\n    return step{calls - 1}()\n'
    assert path_of(tmp_path, source + view).verdict == verdict


def test_functions_that_call_one_another_end(tmp_path: Path) -> None:
    source = "def a():\n    b()\n    lead()\n\n\ndef b():\n    a()\n"
    assert path_of(tmp_path, source).verdict == "unknown"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=60), st.text(max_size=20))
def test_any_file_and_any_name_give_an_answer(tmp_path: Path, text: str, name: str) -> None:
    files: dict[str, str | bytes] = {"app.py": text.encode("utf-8", "replace"), "logic.py": LOGIC}
    found = production_path(tree_of(tmp_path, files), "app.py", name)
    assert found.verdict in ("context", "no context", "unknown")
