"""Changes an object so that its row violates a constraint no more; for `supply_value`. PYTEST_DONT_REWRITE"""

from __future__ import annotations


class Repair(object):
    def __init__(self, sqlalchemy, values, checks, parents, required):
        self._sql, self._values, self._checks = sqlalchemy, values, checks
        self._parents, self._required = parents, required

    def needs(self, mapper, key):
        """Whether an attribute, or a column that a relationship fills, must not be None."""
        prop = mapper.get_property(key)
        if getattr(getattr(prop, "direction", None), "name", "MANYTOONE") != "MANYTOONE":
            return False
        columns = getattr(prop, "local_columns", None) or getattr(prop, "columns", ())
        return any(not getattr(column, "nullable", True) for column in columns)

    def repair(self, session, context, state, order, birth):
        """What was changed, as words; empty where the row is right."""
        one = _Row(self._sql, session, state, context)
        named = one.named(order.names)
        violation = order.names.get("violation", "not-null")
        if violation == "unique":
            done = self._unique(one, named, birth, bool(order.names.get("default")))
        elif violation == "check":
            done = self._check(one, named, order.names.get("constraint"))
        elif violation == "foreign-key":
            done = self._foreign_keys(one, birth)
        else:
            done = self._not_null(one, named, birth)
        return done

    # not null

    def _not_null(self, one, named, birth):
        done, missing = [], [column for column in one.columns if self._is_missing(one, column, named)]
        for column in missing:
            if one.value(column) is None and not column.foreign_keys:
                done.append(one.put(column, self._values.usual(column, one.dialect)))
        for column in missing:
            if one.value(column) is None and column.foreign_keys and not one.is_filled_by_relation(column):
                done += self._follow(one, column, birth, fresh=column.unique or column.primary_key)
        return done + self._fit(one, missing)

    def _is_missing(self, one, column, named):
        if one.value(column) is not None or one.is_kept(column):
            return False
        if column in named:
            return True
        if not one.is_new:
            return one.is_given(column) and not column.nullable and not column.primary_key
        return self._required(column) and column is not one.state.mapper.version_id_col

    def _fit(self, one, filled):
        """A value of ours must not break a CHECK constraint."""
        done = []
        for table in one.state.mapper.tables:
            changes = self._checks.solve(table, one.all(table), one.dialect, filled)
            if changes and all(column in filled for column in changes):
                done += [one.put(column, value) for column, value in changes.items()]
        return done

    # foreign keys

    def _foreign_keys(self, one, birth):
        """Every key of the row that dangles: a database tells at most the first."""
        done = []
        for constraint in one.constraints("foreign_key_constraints"):
            pairs = [(each.parent, each.column) for each in constraint.elements]
            known = {referred: one.value(local) for local, referred in pairs}
            if _is_whole(known) and not self._is_there(one, pairs, known):
                done += self._follow(one, pairs[0][0], birth, constraint=constraint)
        return done

    def _is_there(self, one, pairs, known):
        if self._parents.existing(one.connection(), pairs, known) is not None:
            return True
        return any(_Row(self._sql, one.session, self._sql.inspect(obj)).has(known) for obj in one.session.new)

    def _follow(self, one, column, birth, fresh=False, constraint=None):
        """Lets a foreign key refer to a row that is there."""
        if constraint is None:
            constraint = next(
                each for each in one.constraints("foreign_key_constraints") if column in list(each.columns)
            )
            locals_ = [each.parent for each in constraint.elements]
            known = {local: one.value(local) for local in locals_ if one.value(local) is not None}
        else:
            known = {}
        if fresh:
            known.pop(column, None)
        relation = one.relation(column)
        if relation is not None and not fresh:
            for obj in birth.near():
                if isinstance(obj, relation.mapper.class_) and one.takes(obj):
                    setattr(one.state.obj(), relation.key, obj)
                    return ["%s = the %s at hand" % (relation.key, type(obj).__name__)]
        found = self._parents.key(one, constraint, birth.near(), known, fresh)
        if not found:
            return []
        one.forget_relation(column)
        return [one.put(local, value) for local, value in found.items()]

    # unique

    def _unique(self, one, named, birth, is_by_default):
        done, declared = [], [columns for table in one.state.mapper.tables for columns in _unique_sets(table)]
        chosen = [columns for columns in declared if not named or set(columns) & set(named)]
        for columns in chosen:
            if self._is_taken(one, columns):
                done += self._renew(one, columns, named, birth)
        done += [
            one.put(column, self._values.fresh(column, one.dialect))
            for column in named
            if is_by_default and one.value(column) is None
        ]
        covered = {column for columns in chosen for column in columns}
        for column in named:  # an index over an expression tells nothing about what it forbids
            if column not in covered and column not in birth.renewed:
                birth.renewed.add(column)
                done.append(one.put(column, self._values.fresh(column, one.dialect)))
        return done

    def _renew(self, one, columns, named, birth):
        """One column of a set is enough: a named one rather than another, data rather than a key."""
        ranked = sorted(
            columns, key=lambda each: (bool(each.foreign_keys), each not in named, each.primary_key)
        )
        if ranked[0].foreign_keys:
            return self._follow(one, ranked[0], birth, fresh=True)
        text = ""
        for column in ranked:
            for _ in range(8):
                if not column.foreign_keys and self._is_taken(one, columns):
                    text = one.put(column, self._values.fresh(column, one.dialect))
        return [text]

    def _is_taken(self, one, columns):
        known = {column: one.value(column, related=True) for column in columns}
        if not _is_whole(known):
            return False
        for obj in one.session.new:
            other = _Row(self._sql, one.session, self._sql.inspect(obj))
            if other.state is not one.state and other.order <= one.order and other.has(known):
                return True
        query = self._sql.select(*columns).where(*[column == value for column, value in known.items()])
        if one.state.identity:
            pairs = zip(one.state.mapper.primary_key, one.state.identity)
            query = query.where(self._sql.not_(self._sql.and_(*[key == value for key, value in pairs])))
        return one.connection().execute(query.limit(1)).first() is not None

    # check

    def _check(self, one, named, constraint):
        done = []
        for table in one.state.mapper.tables:
            changes = self._checks.solve(table, one.all(table), one.dialect, named, constraint)
            done += [one.put(column, value) for column, value in changes.items()]
        return done


class _Row(object):
    """An object seen as the columns that it fills."""

    def __init__(self, sqlalchemy, session, state, context=None):
        self._sql, self.session, self.state = sqlalchemy, session, state
        self._context, self._keys = context, {}
        for prop in state.mapper.column_attrs:
            for column in prop.columns:
                if hasattr(column, "nullable"):
                    self._keys[column] = prop.key
        self.columns = [
            prop.columns[0] for prop in state.mapper.column_attrs if prop.columns[0] in self._keys
        ]
        self.is_new = state.identity is None
        self.order = getattr(state, "insert_order", None) or 0

    @property
    def dialect(self):
        return self.connection().dialect

    def connection(self):
        return self.session.connection(bind_arguments={"mapper": self.state.mapper})

    def named(self, names):
        """The columns that an order names, by attribute or column, with or without a table before."""
        text = names.get("columns") or names.get("column") or ""
        wanted = [each.strip().rpartition(".")[2] for each in text.split(",") if each.strip()]
        return [column for column, key in self._keys.items() if key in wanted or column.name in wanted]

    def constraints(self, kind):
        for table in self.state.mapper.tables:
            for each in sorted(getattr(table, kind), key=lambda one: str(one.name or "")):
                if all(column in self._keys for column in each.columns):
                    yield each

    def value(self, column, related=False):
        """What is held for a column; `related` looks through a relationship that will fill it."""
        found = self.state.dict.get(self._keys.get(column), self._of_identity(column))
        relation = self.relation(column) if found is None and related else None
        parent = self.state.dict.get(relation.key) if relation is not None else None
        if parent is None:
            return found
        here, there = next(pair for pair in relation.local_remote_pairs if pair[0] is column)
        return _Row(self._sql, self.session, self._sql.inspect(parent)).value(there)

    def _of_identity(self, column):
        """A key that is known though the object's attributes have expired; None where it is not."""
        keys = [self._keys.get(key) for key in self.state.mapper.primary_key]
        known = dict(zip(keys, self.state.identity or ()))
        return known.get(self._keys[column]) if column in self._keys else None

    def all(self, table):
        return {column: self.value(column, related=True) for column in table.columns if column in self._keys}

    def has(self, known):
        return all(
            column in self._keys and self.value(column, related=True) == value
            for column, value in known.items()
        )

    def is_given(self, column):
        return self._keys[column] in self.state.dict

    def is_kept(self, column):
        """JSON's own null is a value, where None was given on purpose."""
        return self.is_given(column) and getattr(column.type, "should_evaluate_none", False)

    def put(self, column, value):
        """Past a validator that refuses it: the value serves the row."""
        key = self._keys[column]
        try:
            setattr(self.state.obj(), key, value)
        except Exception:
            self.state.dict[key] = value
            if not self.is_new:
                self._sql.orm.attributes.flag_modified(self.state.obj(), key)
        return "%s = %.60r" % (key, value)

    # relationships

    def comes_after(self, other):
        """Without a relationship the unit of work knows no order between two mappers."""
        from sqlalchemy.orm import unitofwork

        save = getattr(unitofwork, "_SaveUpdateAll", None) or unitofwork.SaveUpdateAll  # 2.1 made it private
        mine, theirs = self.state.mapper.base_mapper, other.mapper.base_mapper
        if mine is not theirs and self._context is not None:
            pair = save(self._context, theirs), save(self._context, mine)
            self._context.dependencies.add(pair)

    def relation(self, column):
        for each in self.state.mapper.relationships:
            if each.direction.name == "MANYTOONE" and not each.viewonly and column in each.local_columns:
                return each
        return None

    def is_filled_by_relation(self, column):
        """Whether a related object, from this side or the other, gives the column its value within the flush."""
        relation = self.relation(column)
        if relation is not None and self.state.dict.get(relation.key) is not None:
            return True
        mapper = self.state.mapper
        for other in mapper.registry.mappers:
            for each in other.relationships:
                if each.direction.name == "ONETOMANY" and not each.viewonly and mapper.isa(each.mapper):
                    impl = getattr(other.class_, each.key).impl
                    if column in each.remote_side and impl.hasparent(self.state):
                        return True
        return False

    def forget_relation(self, column):
        """A relationship that was set to None would clear the column again."""
        relation = self.relation(column)
        if relation is not None:
            self.state.dict.pop(relation.key, None)
            self.state.committed_state.pop(relation.key, None)

    def takes(self, obj):
        """Whether an object belongs to this session, or to none yet."""
        other = self._sql.inspect(obj)
        if other.identity is not None:
            return False
        if other.session is None:
            self.session.add(obj)
        return other.session in (None, self.session)


def _is_whole(known):
    return all(value is not None for value in known.values())


def _unique_sets(table):
    """Columns that may not repeat together; those of a foreign primary key count, too."""
    found = [list(table.primary_key.columns)]
    for each in sorted(table.constraints, key=lambda one: str(one.name or "")):
        if type(each).__name__ == "UniqueConstraint":
            found.append(list(each.columns))
    for each in sorted(table.indexes, key=lambda one: str(one.name or "")):
        if each.unique and len(each.expressions) == len(list(each.columns)):
            if all(hasattr(one, "nullable") for one in each.expressions):
                found.append(list(each.columns))
    return found
