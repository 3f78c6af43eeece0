"""What of a process concerns all its tests: folder, locale, logging, contexts, threads; for `_state`."""

from __future__ import annotations

import locale
import logging
import os
import sys
import threading
import time
import warnings

import triage_observe

token = triage_observe._load("triage_observers", "_tokens").token

CONTEXTS = (
    ("flask.app_context", "_cv_app", "_app_ctx_stack"),
    ("flask.request_context", "_cv_request", "_request_ctx_stack"),
)
_getcwd, _setlocale = os.getcwd, locale.setlocale  # tests replace them


def shown(sentence, identity=None):
    return ("shown", sentence, identity)


def surroundings():
    """Of the process, by (kind, name)."""
    found = {
        ("cwd", "cwd"): shown(_cwd()),
        ("environment", "sys.path"): token(sys.path),
        ("environment", "locale"): shown(_locale()),
        ("environment", "timezone"): token(time.tzname),
        ("environment", "warnings.filters"): _filters(),
        ("logging", "root.level"): shown(logging.getLevelName(logging.root.level)),
        ("logging", "root.handlers"): _handlers(),
        ("logging", "disable"): token(logging.root.manager.disable),
    }
    found.update({("context", name): one for name, one in contexts().items()})
    for thread in threading.enumerate():
        daemon = " (daemon)" if thread.daemon else ""
        found["threads", thread.name] = shown("running" + daemon, thread.ident)
    return found


def _cwd():
    try:
        return _getcwd()
    except OSError:
        return "a folder that is gone"


def _locale():
    try:
        return str(_setlocale(locale.LC_ALL))
    except (locale.Error, ValueError):
        return "?"


def _filters():
    first = (
        "; the first: %s %s" % (warnings.filters[0][0], warnings.filters[0][2].__name__)
        if warnings.filters
        else ""
    )
    told = "%d filter%s%s" % (len(warnings.filters), "" if len(warnings.filters) == 1 else "s", first)
    return shown(told, tuple(map(str, warnings.filters)))


def _handlers():
    handlers = logging.root.handlers
    return shown(", ".join(type(one).__name__ for one in handlers[:5]) or "none", tuple(map(id, handlers)))


def contexts():
    """The Flask contexts that are pushed: context variables since 2.2, stacks before."""
    module = sys.modules.get("flask.globals")
    found = {}
    for name, variable, stack in CONTEXTS if module is not None else ():
        if hasattr(module, variable):
            top = getattr(module, variable).get(None)
        else:
            top = getattr(getattr(module, stack, None), "top", None)
        if top is not None:
            app = getattr(getattr(top, "app", None), "name", "?")
            depth = len(getattr(top, "_cv_tokens", ()) or ())
            found[name] = shown("pushed for %r" % str(app), (id(top), depth))
    return found


def loggers(packages):
    """What of the loggers of these packages is not as it was made."""
    found = {}
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if type(logger) is logging.Logger and name.partition(".")[0] in packages:
            found.update(_of_logger(name, logger))
    return found


def _of_logger(name, logger):
    level, disabled, propagate, handlers = logger.level, logger.disabled, logger.propagate, logger.handlers
    found = {}
    if level != logging.NOTSET:
        found["logging", name + ".level"] = shown(logging.getLevelName(level))
    if disabled:
        found["logging", name + ".disabled"] = token(True)
    if not propagate:
        found["logging", name + ".propagate"] = token(False)
    if handlers:
        listed = ", ".join(type(one).__name__ for one in handlers[:5])
        found["logging", name + ".handlers"] = shown(listed, tuple(map(id, handlers)))
    return found
