"""Code reads the other side of a relationship that only one side defines.

`posts = db.relationship("Post")` on `User` gives no `Post.author`. Code that reads `post.author`
or builds `Post(author=user)` raises AttributeError or TypeError. Name the other side with
`back_populates` (both sides written out) or `backref`.

A `back_populates` whose name the other model does not define is wrong by itself: no mapper can be
configured. A relationship in one direction is fine by itself. It is reported only with a use of the
missing side as evidence: an attribute or keyword that the model does not define, on an object that is
known to be of that model, where the value is known to be (or is named like) the other one.

Known limits: the use must stand in a function that shows what its variable is: made by the
constructor or by a function that returns it, queried, or an argument named like the model.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from triage.model.finding import Finding
from triage.rules.example import Invalid, Valid
from triage.rules.makers import makers
from triage.rules.missing_foreign_key import keys_to, target_of
from triage.rules.model_index import model_index
from triage.rules.models import Model, ModelIndex, Relationship, snake_case
from triage.rules.source import Module, SourceTree
from triage.rules.syntax import Function, dotted, terminal
from triage.rules.variables import instances

ID = "missing-relationship"
_DYNAMIC = frozenset({"__getattr__", "__getattribute__"})


@dataclass(frozen=True, slots=True)
class _OneWay:
    """`owner.relationship` leads to `target`, and nothing leads back; `names` are likely ones for that."""

    owner: Model
    relationship: Relationship
    target: Model
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Use:
    attribute: str
    file: str
    line: int


def find(tree: SourceTree) -> Iterable[Finding]:
    index = model_index(tree)
    yield from _dangling(tree, index)
    for each in _one_way(tree, index):
        use = next(_uses(each, tree, index), None)
        if use is not None:
            yield _finding(each, use)


def _dangling(tree: SourceTree, index: ModelIndex) -> Iterator[Finding]:
    """A `back_populates` that names nothing; one that several classes inherit, once."""
    seen: set[tuple[str, int]] = set()
    for model in index.models:
        for each in model.relationships:
            target = target_of(each, model, index, tree) if each.back_populates not in ("", "?") else None
            place = (each.file, each.line)
            if target is None or each.viewonly or place in seen:
                continue
            if _lacks(target, each.back_populates, tree, index):
                seen.add(place)
                yield _dangling_finding(model, each, target)


def _lacks(target: Model, attribute: str, tree: SourceTree, index: ModelIndex) -> bool:
    known = target.members | _backrefs(target, index) | {column.attribute for column in target.columns}
    if not target.complete or attribute in known or "?" in known or not _DYNAMIC.isdisjoint(known):
        return False
    return not any(
        node.attr == attribute and isinstance(node.ctx, ast.Store) and terminal(node.value) == target.name
        for module in tree.modules(target.name.encode() + b"." + attribute.encode())
        for node in module.all(ast.Attribute)
    )


def _dangling_finding(model: Model, relationship: Relationship, target: Model) -> Finding:
    name = f"{model.name}.{relationship.attribute}"
    attribute = relationship.back_populates
    return Finding(
        ID,
        relationship.file,
        relationship.line,
        f"{name} has back_populates='{attribute}', but {target.name} has no such attribute",
        symbol=model.name,
        subject={
            "model": target.name,
            "attribute": attribute,
            "relationship": name,
            "target": model.name,
        },
        related=(("other side", target.file, target.line),),
    )


def _finding(each: _OneWay, use: _Use) -> Finding:
    owner, relationship, target = each.owner.name, each.relationship, each.target.name
    return Finding(
        ID,
        relationship.file,
        relationship.line,
        f"{owner}.{relationship.attribute} has no other side, but {target}.{use.attribute} is used",
        symbol=owner,
        subject={
            "model": target,
            "attribute": use.attribute,
            "relationship": f"{owner}.{relationship.attribute}",
            "target": owner,
        },
        related=(("use", use.file, use.line),),
    )


def _one_way(tree: SourceTree, index: ModelIndex) -> Iterator[_OneWay]:
    """At most one for each pair of models: which of two relationships was meant cannot be told."""
    seen: set[tuple[str, str, str]] = set()
    for model in index.models:
        for relationship in model.relationships:
            target = target_of(relationship, model, index, tree)
            key = (model.file, model.name, relationship.target)
            if target is None or key in seen or not _is_one_way(model, relationship, target):
                continue
            seen.add(key)
            yield _OneWay(model, relationship, target, _likely_names(model, target, index))


def _is_one_way(model: Model, relationship: Relationship, target: Model) -> bool:
    if relationship.backref or relationship.back_populates or relationship.viewonly or not target.complete:
        return False
    if not _DYNAMIC.isdisjoint(target.members):
        return False
    back = {each.target for each in target.relationships if relationship.joins or not each.secondary}
    ahead = [each for each in model.relationships if each.target == target.name]
    return model.name not in back and "" not in back and not any(each.backref for each in ahead)


def _likely_names(model: Model, target: Model, index: ModelIndex) -> frozenset[str]:
    keys = keys_to(target, model, index) or ()
    return frozenset({snake_case(model.name)} | {each.attribute.removesuffix("_id") for each in keys})


def _backrefs(target: Model, index: ModelIndex) -> frozenset[str]:
    """Names that relationships of other models put on this one."""
    return frozenset(
        each.backref for model in index.models for each in model.relationships if each.target == target.name
    )


def _uses(each: _OneWay, tree: SourceTree, index: ModelIndex) -> Iterator[_Use]:
    known = each.target.members | _backrefs(each.target, index)
    if "?" in known:
        return
    hints = (each.target.name.encode(), snake_case(each.target.name).encode())
    for module in tree.modules(*hints):
        stored = {node.attr for node in module.all(ast.Attribute) if isinstance(node.ctx, ast.Store)}
        yield from _read_uses(each, module, known | stored, tree, index)
        yield from _keyword_uses(each, module, known, tree, index)


def _read_uses(
    each: _OneWay, module: Module, known: frozenset[str], tree: SourceTree, index: ModelIndex
) -> Iterator[_Use]:
    for node in module.all(ast.Attribute):
        if node.attr in known or not isinstance(node.value, ast.Name):
            continue
        if node.attr not in each.names and not _may_lead_back(node, module, each):
            continue
        models = _variables(node, module, tree, index)
        if models.get(node.value.id) is not each.target:
            continue
        parent = module.parents.get(node)
        sides = (parent.left, *parent.comparators) if isinstance(parent, ast.Compare) else ()
        is_compared = any(_is_of(side, each.owner, models) for side in sides)
        if node.attr in each.names or not sides or is_compared:
            yield _Use(node.attr, module.path, node.lineno)


def _keyword_uses(
    each: _OneWay, module: Module, known: frozenset[str], tree: SourceTree, index: ModelIndex
) -> Iterator[_Use]:
    for call in module.all(ast.Call) if not each.target.has_init else ():
        if terminal(call) != each.target.name or index.find(dotted(call.func), module) is not each.target:
            continue
        for keyword in call.keywords:
            if keyword.arg is None or keyword.arg in known:
                continue
            models = _variables(call, module, tree, index)
            if keyword.arg in each.names or _is_of(keyword.value, each.owner, models):
                yield _Use(keyword.arg, module.path, keyword.value.lineno)


def _variables(node: ast.AST, module: Module, tree: SourceTree, index: ModelIndex) -> dict[str, Model]:
    """What the innermost function around a node shows of its variables."""
    around = (
        each for each in module.ancestors(node) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    function = next(around, None)
    if function is None:
        return {}
    known = tree.memo(_variables_by_function)
    if function not in known:
        known[function] = instances(function, module, index, makers(tree))
    return known[function]


def _variables_by_function(_: SourceTree) -> dict[Function, dict[str, Model]]:
    return {}


def _may_lead_back(node: ast.Attribute, module: Module, each: _OneWay) -> bool:
    """Something of the owner is read of the value, or the value is compared."""
    parent = module.parents.get(node)
    if isinstance(parent, ast.Attribute):
        return parent.attr in each.owner.members and parent.attr not in each.target.members
    return isinstance(parent, ast.Compare)


def _is_of(node: ast.expr, model: Model, models: dict[str, Model]) -> bool:
    return isinstance(node, ast.Name) and models.get(node.id) is model


_MODELS = """\
from app import db
class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))
    posts = db.relationship('Post')
class Post(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey('user.id'))
"""
_TEST = "from m import Post, User\ndef test_it(session):\n    user = User(name='a')\n    post = Post()\n"

_NAMED = _MODELS.replace("'Post')", "'Post', back_populates='author')")

VALID: tuple[Valid, ...] = (
    Valid({"m.py": _NAMED + "    author = db.relationship(User, back_populates='posts')\n"}),
    Valid({"m.py": _NAMED.replace("Post(db.Model)", "Post(db.Model, lib.Mixin)")}, "of the library, perhaps"),
    Valid({"m.py": _NAMED.replace("'author')", "'author', viewonly=True)")}),
    Valid({"m.py": _NAMED + "Post.author = db.relationship(User, back_populates='posts')\n"}),
    Valid(
        {"m.py": _NAMED.replace("posts =", "other = db.relationship('Post', backref='author')\n    posts =")}
    ),
    Valid(
        {
            "m.py": _NAMED.replace("class Post(db.Model)", "class Post(Owned, db.Model)").replace(
                "class User",
                "class Owned:\n    @declared_attr\n    def author(cls):\n"
                "        return db.relationship('User')\nclass User",
            )
        },
        "the other side comes with a mixin",
    ),
    Valid({"m.py": _MODELS}, "a relationship in one direction is fine"),
    Valid({"m.py": _MODELS, "test_m.py": _TEST + "    assert post.user_id == user.id\n"}),
    Valid(
        {
            "m.py": _MODELS.replace("'Post')", "'Post', backref='author')"),
            "test_m.py": _TEST + "    assert post.author == user\n",
        }
    ),
    Valid(
        {
            "m.py": _MODELS + "    author = db.relationship(User)\n",
            "test_m.py": _TEST + "    assert post.author == user\n",
        }
    ),
    Valid({"m.py": _MODELS, "test_m.py": _TEST + "    post.author = user\n    assert post.author == user\n"}),
    Valid({"m.py": _MODELS, "test_m.py": _TEST + "    assert not hasattr(post, 'author')\n"}),
)
INVALID: tuple[Invalid, ...] = (
    Invalid(
        {"m.py": _NAMED},
        (("m.py", 5),),
        {"model": "Post", "attribute": "author", "relationship": "User.posts", "target": "User"},
    ),
    Invalid(
        {"m.py": _MODELS, "test_m.py": _TEST + "    assert post.author == user\n"},
        (("m.py", 5),),
        {"model": "Post", "attribute": "author", "relationship": "User.posts", "target": "User"},
    ),
    Invalid({"m.py": _MODELS, "test_m.py": _TEST + "    assert post.author.name == 'a'\n"}, (("m.py", 5),)),
    Invalid({"m.py": _MODELS, "test_m.py": _TEST + "    Post(author=user)\n"}, (("m.py", 5),)),
    Invalid(
        {
            "m.py": _MODELS,
            "test_m.py": "from m import Post, User\n"
            "def make_user(session):\n    user = User(name='a')\n    session.add(user)\n    return user\n"
            "def test_it(session):\n    assert Post(author=make_user(session)).user_id\n"
            "def test_that(session):\n    u = make_user(session)\n    assert Post(writer=u).user_id\n",
        },
        (("m.py", 5),),
        {"model": "Post", "attribute": "writer", "relationship": "User.posts", "target": "User"},
    ),
    Invalid(
        {
            "m.py": _MODELS + "    likers = db.relationship(User, secondary=likes)\n",
            "v.py": "def view(post):\n    return post.user.name\n",
        },
        (("m.py", 5),),
    ),
    Invalid({"m.py": _MODELS, "v.py": "def view(post):\n    return post.user.name\n"}, (("m.py", 5),)),
)
