"""In which phase a test broke: every runner tells it by wording or by the name of a stand-in only."""

from triage.junit.report import FAILURES, RawResult
from triage.model.terms import Outcome, Phase

# as pytest words the `message` attribute
_WORDING = (
    ("failed on setup with", Phase.SETUP),
    ("test setup failure", Phase.SETUP),
    ("failed on teardown with", Phase.TEARDOWN),
    ("test teardown failure", Phase.TEARDOWN),
    ("collection failure", Phase.COLLECT),
    ("internal error", Phase.SESSION),
)
# what unittest reports in a test's place: "setUpClass (package.module.Class)"
_STAND_INS = (
    ("setUpClass (", Phase.SETUP),
    ("setUpModule (", Phase.SETUP),
    ("tearDownClass (", Phase.TEARDOWN),
    ("tearDownModule (", Phase.TEARDOWN),
)
_NOT_LOADED = ("_FailedTest", "ModuleImportFailure", "LoadTestsFailure")
_CRASH_WITHIN = 200


def phase_of(result: RawResult, classname: str = "", name: str = "") -> tuple[Phase, Outcome]:
    """The phase and how pytest would count it; the names are those of the case, where there are any."""
    stand_in = _stand_in(classname, name)
    if stand_in is not None:
        return stand_in, Outcome.ERROR
    if result.kind in FAILURES:
        return Phase.CALL, Outcome.FAILED
    message = result.message
    if " crashed while running " in message[:_CRASH_WITHIN] and 'with "worker ' in message[:60]:
        return Phase.CALL, Outcome.FAILED  # as pytest counts it; it is no set-up error
    for start, phase in _WORDING:
        if message.startswith(start):
            return phase, Outcome.ERROR
    return Phase.CALL, Outcome.ERROR


def _stand_in(classname: str, name: str) -> Phase | None:
    """Cases that unittest makes for what is no test; nose2 cuts their names at the last dot."""
    if "(" in name or "(" in classname:
        for start, phase in _STAND_INS:
            if name.startswith(start) or classname.startswith(start):
                return phase
    for one in _NOT_LOADED:
        if one in classname and one in classname.split("."):
            return Phase.COLLECT
    return None
