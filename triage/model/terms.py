"""The closed sets of words that the product uses, one enum each."""

from enum import StrEnum


class Outcome(StrEnum):
    """What one test did; `error` (outside the test's body) is never merged with `failed`."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    XPASSED = "xpassed"

    @property
    def is_failing(self) -> bool:
        return self in (Outcome.FAILED, Outcome.ERROR)


class RunStatus(StrEnum):
    """Whether the machinery worked, whatever the tests did."""

    COMPLETED = "completed"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    INTERRUPTED = "interrupted"
    NO_TESTS = "no_tests"
    NOT_STARTED = "not_started"


class Phase(StrEnum):
    """Where in a test's life it failed; `session` is outside of any test."""

    COLLECT = "collect"
    SETUP = "setup"
    CALL = "call"
    TEARDOWN = "teardown"
    SESSION = "session"


class Category(StrEnum):
    PRODUCT = "product"
    TEST = "test"
    ENVIRONMENT = "environment"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the most severe."""
        return list(Severity).index(self)


class Level(StrEnum):
    """How specific a playbook is; the more specific wins."""

    SPECIFIC = "specific"
    GENERAL = "general"
    FALLBACK = "fallback"

    @property
    def rank(self) -> int:
        """0 for the most specific."""
        return list(Level).index(self)


class Proof(StrEnum):
    """How well a cause is supported, strongest first."""

    FLIPPED = "flipped"
    CHANGED = "changed"
    OBSERVED = "observed"
    STATIC = "static"
    NONE = "none"

    @property
    def rank(self) -> int:
        """0 for the strongest."""
        return list(Proof).index(self)


class Applicability(StrEnum):
    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY_ONLY = "display-only"


class Risk(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
