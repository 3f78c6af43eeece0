from triage.process.environ import INSTALLER_VARIABLES, child_environment

BASE = {
    "HOME": "/home/ann",
    "LC_TIME": "C",
    "PYTHONPATH": "/x",
    "PYTHONHOME": "/y",
    "VIRTUAL_ENV": "/venv",
    "PYTEST_ADDOPTS": "-x",
    "DATABASE_URL": "postgres://production",
    "PIP_INDEX_URL": "https://index",
    "https_proxy": "http://proxy",
}


def test_only_what_programs_rely_on_is_passed() -> None:
    assert child_environment(BASE, {}) == {
        "HOME": "/home/ann",
        "LC_TIME": "C",
        "https_proxy": "http://proxy",
    }


def test_the_projects_own_variables_win() -> None:
    assert child_environment(BASE, {"HOME": "/tmp", "PYTHONPATH": "lib"})["HOME"] == "/tmp"
    assert child_environment(BASE, {"PYTHONPATH": "lib"})["PYTHONPATH"] == "lib"


def test_further_names_and_globs_can_be_passed() -> None:
    passed = child_environment(BASE, {}, pass_env=("DATABASE_*", *INSTALLER_VARIABLES))
    assert passed["DATABASE_URL"] == "postgres://production"
    assert passed["PIP_INDEX_URL"] == "https://index"
