"""Evidence for a missing application or request context: who needed it, and who could have given it."""

from __future__ import annotations

import collections
import functools
import re
import threading

_APPLICATION = re.compile(
    r"Working outside of application context|No application found\. |"
    r"application not registered on db instance|without the application context being pushed"
)
_REQUEST = re.compile(
    r"Working outside of request context|Unable to build URLs outside an active request|"
    r"not able to create a URL adapter for request independent"
)
_SHOWN = 5
_KEPT = 200


def start(tools):
    return Probe(tools)


class _Context(object):
    """One context of the project: where it was pushed and, once it was, popped."""

    def __init__(self, word, app, place, fixture):
        self.word, self.app, self.place, self.fixture = word, app, place, fixture
        self.popped = None

    def text(self):
        text = "%s context of `%s` pushed" % (self.word, self.app)
        if self.fixture:
            text += " in fixture `%s`" % self.fixture
        if self.popped is None:
            return text + ", not popped yet"
        if (self.popped["file"], self.popped["line"]) == (self.place["file"], self.place["line"]):
            return text + " and popped here"
        return text + ", popped at %s:%d" % (self.popped["file"], self.popped["line"])


class Probe(object):
    def __init__(self, tools):
        self._tools, self._apps = tools, tools.use("flask-apps")
        self._contexts = collections.deque(maxlen=_KEPT)
        self._nesting = threading.local()
        self._jobs = collections.OrderedDict()
        tools.when_imported("flask.ctx", self._watch_contexts)
        self._watch_threads()
        tools.when_imported("concurrent.futures.thread", self._watch_executors)

    # contexts

    def _watch_contexts(self, module):
        inside = vars(module)  # the name of a class that was merged into the other one may only warn
        for name, word in (("RequestContext", "request"), ("AppContext", "application")):
            cls = inside.get(name)
            if isinstance(cls, type) and "push" in vars(cls):
                cls.push = self._pushing(cls.push, word)
                cls.pop = self._popping(cls.pop)

    def _pushing(self, original, word):
        probe = self

        @functools.wraps(original)
        def push(self, *arguments, **keywords):
            outer = getattr(probe._nesting, "is_inside", False)
            probe._nesting.is_inside = True  # the application context of a request is no news
            try:
                given = original(self, *arguments, **keywords)
            finally:
                probe._nesting.is_inside = outer
            if not outer:
                probe._tools.guarded(probe._pushed, self, word)
            return given

        return push

    def _pushed(self, context, word):
        stack = self._tools.own_stack(1)
        if stack:
            word = "request" if _has_request(context) else word
            name = str(getattr(getattr(context, "app", None), "import_name", "?"))
            found = _Context(word, name, stack[0], self._tools.now()["fixture"])
            self._contexts.append((id(context), found))

    def _popping(self, original):
        probe = self

        @functools.wraps(original)
        def pop(self, *arguments, **keywords):
            probe._tools.guarded(probe._popped, self)
            return original(self, *arguments, **keywords)

        return pop

    def _popped(self, context):
        for identity, found in reversed(self._contexts):
            if identity == id(context) and found.popped is None:
                stack = self._tools.own_stack(1)
                found.popped = stack[0] if stack else found.place
                return

    # threads

    def _watch_threads(self):
        original, probe = threading.Thread.start, self

        @functools.wraps(original)
        def start(self, *arguments, **keywords):
            probe._tools.guarded(probe._thread, self)
            return original(self, *arguments, **keywords)

        threading.Thread.start = start

    def _thread(self, thread):
        self._job(getattr(thread, "_target", None))
        self._job(type(thread).run)

    def _watch_executors(self, module):
        original, probe = module.ThreadPoolExecutor.submit, self

        @functools.wraps(original)
        def submit(*arguments, **keywords):
            probe._tools.guarded(probe._job, arguments[1] if len(arguments) > 1 else keywords.get("fn"))
            return original(*arguments, **keywords)

        module.ThreadPoolExecutor.submit = submit

    def _job(self, function):
        function = getattr(function, "func", function)  # functools.partial
        code = getattr(getattr(function, "__func__", function), "__code__", None)
        stack = self._tools.own_stack(1) if code is not None else []
        if stack and self._tools.describe(code.co_filename)[1] in ("project", "test"):
            self._jobs[id(code)] = (code, stack[0])
            while len(self._jobs) > _KEPT:
                self._jobs.popitem(last=False)

    # a failure

    def failed(self, failure):
        for exc, _ in failure.chain:
            word = _wanted(exc)
            if word is not None:
                return self._seen(failure.item, word, failure.steps(exc))
        return None

    def _seen(self, item, word, steps):
        steps, started = self._of_thread(steps)
        places = self._tools.steps_own(steps)
        if not places:
            return None
        tests = [place for place in reversed(places) if place["kind"] == "test"]
        tests.sort(key=_is_inside)
        cause = tests[0] if tests else places[0]
        others = ([started] if started else []) + tests[1:]
        givers = self._tools.guarded(self._apps.givers, item) or []
        alive = self._apps.alive(item)
        found = {
            "cause": _site(cause),
            "others": _distinct([_site(place) for place in others], _site(cause)),
            "evidence": self._evidence(places[-1], alive, givers, started),
            "names": self._names(places, alive, givers),
            "facts": self._facts(word, places, alive, started),
        }
        if not alive and not givers and self._apps.choose(item, False) is None:
            found["impossible"] = (
                "no Flask application is alive and no fixture that the test could ask for makes one"
            )
        return found

    def _of_thread(self, steps):
        """The part of a traceback that ran in another thread, and where that job was started.

        The thread that waits for the job, or raises its error again, stands above it in the traceback.
        """
        root = _root(steps[-1][0]) if steps else None
        if root is None or not root.f_code.co_filename.endswith("threading.py"):
            return steps, None
        cut = next(number for number, step in enumerate(steps) if _root(step[0]) is root)
        frames = [frame for frame, _, _ in steps[cut:]]
        known = [self._jobs[id(frame.f_code)][1] for frame in frames if id(frame.f_code) in self._jobs]
        return steps[cut:], known[0] if known else None

    def _evidence(self, needed, alive, givers, started):
        found = [_piece("needed", needed, needed["src"])]
        if started:
            found.append(_piece("thread", started, started["src"]))
        for made in alive[::-1][:_SHOWN]:
            if made.place is not None:
                found.append(_piece("application", made.place, made.place["src"]))
        found.extend(self._recent())
        found.extend(_fixture_piece(giver) for giver in givers[:_SHOWN])
        return found

    def _recent(self):
        """The newest first; one that is repeated at the same lines is told once."""
        told = collections.OrderedDict()
        for _, context in reversed(self._contexts):
            piece = _piece("context", context.place, context.text())
            told.setdefault((piece["file"], piece["line"], piece["text"]), piece)
        return list(told.values())[:_SHOWN]

    @staticmethod
    def _names(places, alive, givers):
        product = _product(places)
        found = {"function": product["func"]} if product is not None else {}
        if givers:
            found.update(fixture=givers[0].name, asked="yes" if givers[0].asked else "no")
        if alive:
            found["app"] = alive[-1].name
        return found

    @staticmethod
    def _facts(word, places, alive, started):
        product = _product(places)
        found = {"context": word, "applications": len(alive), "in_thread": started is not None}
        if product is not None:
            found["product"] = _site(product)
        return found

    def test_started(self, item):
        """Contexts of tests that are over tell nothing about this one."""
        kept = [one for one in self._contexts if one[1].popped is None]
        self._contexts.clear()
        self._contexts.extend(kept)
        self._jobs.clear()


def _wanted(exc):
    if not isinstance(exc, RuntimeError):
        return None
    message = str(exc)
    if _APPLICATION.search(message):
        return "application"
    return "request" if _REQUEST.search(message) else None


def _root(frame):
    while frame.f_back is not None:
        frame = frame.f_back
    return frame


def _has_request(context):
    inside = vars(context)  # where the contexts are one, its property raises
    return inside.get("_request", inside.get("request")) is not None


def _product(places):
    """The deepest function of the product; of a comprehension the function around it."""
    own = [place for place in reversed(places) if place["kind"] == "project"]
    return next((place for place in own if not place["func"].startswith("<")), None)


def _is_inside(place):
    """A method that Python calls by itself: who mends the test looks at what used the object."""
    name = place["func"]
    return name == "<lambda>" or (name.startswith("__") and name.endswith("__"))


def _site(place):
    return {"file": place["file"], "line": place["line"], "symbol": place["func"]}


def _distinct(sites, known):
    found = []
    for site in sites:
        if site != known and site not in found:
            found.append(site)
    return found


def _piece(kind, place, text):
    return {"kind": kind, "file": place["file"], "line": place["line"], "text": text}


def _fixture_piece(giver):
    is_asked = "in the test's closure" if giver.asked else "not asked for by this test"
    gives = {0: "is the application", 1: "makes an application", 2: "has the application"}[giver.rank]
    return _piece("fixture", giver.place, "fixture `%s` %s: %s" % (giver.name, gives, is_asked))
