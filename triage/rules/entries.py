"""What starts a function from outside, and whether Flask gives it a context."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from triage.rules.syntax import Function, dotted, keyword, owner, string, terminal

_HTTP = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_HOOKS = re.compile(
    r"(?:before|after|teardown)_(?:app_)?request|teardown_appcontext|before_(?:app_)?first_request"
    r"|(?:app_)?(?:errorhandler|context_processor|url_value_preprocessor|url_defaults)"
    r"|(?:app_)?template_(?:filter|global|test)|shell_context_processor|(?:user|request)_loader"
    r"|register_error_handler"
)
_JOBS = frozenset({"task", "shared_task", "periodic_task", "scheduled_job", "job", "actor"})
_VIEWS = frozenset({"View", "MethodView", "Resource", "MethodResource"})
_THREAD = ", run in a thread or process of its own,"
_AT_EXIT = ", run at the end of the process,"
CONTEXTS = frozenset({"app_context", "test_request_context", "request_context"})


@dataclass(frozen=True, slots=True)
class Start:
    """`kind` and `remark` are words for people, before and after the function's name."""

    has_context: bool
    kind: str
    remark: str = ""


_VIEW, _JOB = Start(True, "view"), Start(False, "job")


def start_of(function: Function, around: ast.ClassDef | None, *, tasks_have_context: bool) -> Start | None:
    """What its decorators or its class say."""
    has_app = any(terminal(each) == "with_appcontext" for each in function.decorator_list)
    if has_app:
        return Start(True, "command")
    for decorator in function.decorator_list:
        found = _by_decorator(decorator)
        if found is not None:
            return Start(True, "job") if found is _JOB and tasks_have_context else found
    if around is not None and function.name in (*_HTTP, "dispatch_request"):
        return _VIEW if _VIEWS & {terminal(base) for base in around.bases} else None
    return None


def _by_decorator(decorator: ast.expr) -> Start | None:
    name = terminal(decorator)
    whole = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
    if isinstance(decorator, ast.Call) and (name == "route" or (name in _HTTP and _has_path(decorator))):
        return _VIEW
    if _HOOKS.fullmatch(name):
        return Start(True, f"function for `{name}`")
    if name == "command":
        has_context = ".cli." in f".{whole}"
        return Start(has_context, "command", "" if has_context else ", run as a program,")
    if name in _JOBS:
        return _JOB
    return Start(False, "function", _AT_EXIT) if whole == "atexit.register" else None


def handed_on(call: ast.Call) -> Iterator[tuple[ast.expr, Start]]:
    """Functions among the arguments of a call that has them called by something outside."""
    name, first = terminal(call), _argument(call, 0)
    found: tuple[ast.expr | None, Start] | None = None
    if name == "add_url_rule":
        found = keyword(call, "view_func") or _argument(call, 2), _VIEW
    elif _HOOKS.fullmatch(name):
        found = _argument(call, -1), Start(True, f"function for `{name}`")
    elif name in ("Thread", "Process", "Timer"):
        found = keyword(call, "target", "function") or _argument(call, 1), Start(False, "function", _THREAD)
    elif name in ("submit", "start_new_thread") or (name == "map" and _is_pool(owner(call))):
        found = first, Start(False, "function", _THREAD)
    elif name == "run_in_executor":
        found = _argument(call, 1), Start(False, "function", _THREAD)
    elif name == "add_job":
        found = keyword(call, "func") or first, _JOB
    elif dotted(call.func) == "atexit.register":
        found = first, Start(False, "function", _AT_EXIT)
    if found is not None and found[0] is not None:
        yield found[0], found[1]


def handed_name(function: ast.expr) -> str:
    """The name of a function that is handed on, also through `partial(f, ...)` and `lambda: f()`."""
    if isinstance(function, ast.Lambda):
        function = function.body
    if isinstance(function, ast.Call) and terminal(function) == "partial" and function.args:
        function = function.args[0]
    if isinstance(function, ast.Call) and terminal(function).startswith(("copy_current_", "as_view")):
        return ""
    return terminal(function)


def _argument(call: ast.Call, place: int) -> ast.expr | None:
    """The positional argument at a place, if the call has that many."""
    return call.args[place] if -len(call.args) <= place < len(call.args) else None


def _is_pool(receiver: ast.expr | None) -> bool:
    name = (dotted(receiver) or terminal(receiver)).lower()
    return "pool" in name or "executor" in name


def _has_path(call: ast.Call) -> bool:
    """`@app.get("/x")` and not any other decorator of that name."""
    path = string(call.args[0]) if call.args else string(keyword(call, "rule"))
    return path is not None and (not path or path.startswith("/"))
