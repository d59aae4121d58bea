"""The query stack machine of ``print`` (documented operators, including ``.`` and indices)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .errors import Trap
from .schema.base import Menu, Prop
from .table import Row
from .values import parse_bool, parse_bytes, parse_duration

Values = Mapping[str, str]
Predicate = Callable[[Values], bool]
IndexLookup = Callable[[str, str], frozenset[str] | None]

_MOST_WORDS = 10_000
"""More conditions than that are refused (invented): they are asked of every row."""
_INDEXED = frozenset({".id", "name", "comment", "list", "user"})


@dataclass(frozen=True, slots=True)
class Test:
    """One pushed operand: property, operator (``has``, ``hasnot``, ``=``, ``<``, ``>``) and value."""

    __test__ = False

    name: str
    operator: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Operators:
    """One ``?#`` word: the operations from left to right."""

    text: str


def parse_query_word(word: str) -> Test | Operators:
    """One word starting with ``?``."""
    body = word[1:]
    if body.startswith("#"):
        return Operators(body[1:])
    first = body[:1]
    if first == "-":
        return Test(body[1:], "hasnot")
    if first in ("<", ">", "="):
        name, separator, value = body[1:].partition("=")
        if not separator and first == "=":
            return Test(name, "has")
        return Test(name, first, value)
    name, separator, value = body.partition("=")
    return Test(name, "=", value) if separator else Test(name, "has")


class Query:
    """A compiled query. ``matches`` decides one row; ``candidates`` narrows a table through its indexes."""

    def __init__(self, words: list[str], menu: Menu) -> None:
        if len(words) > _MOST_WORDS or sum(len(word) for word in words if word.startswith("?#")) > _MOST_WORDS:
            raise Trap("query too long", 5)
        self._steps = [parse_query_word(word) for word in words]
        self._menu = menu
        self._tests: list[Predicate | None] = [
            self._compile(step) if isinstance(step, Test) else None for step in self._steps
        ]
        self._plain = all(test is not None for test in self._tests)
        self._uses_id = any(isinstance(step, Test) and step.name == ".id" for step in self._steps)

    def accepts(self, row: Row) -> bool:
        """Whether one row of a table passes."""
        return self.matches({".id": row.id, **row.values} if self._uses_id else row.values)

    def matches(self, values: Values) -> bool:
        """Whether no FALSE is left on the stack."""
        if self._plain:
            return all(test(values) for test in self._tests if test is not None)
        stack: list[bool] = []
        for step, test in zip(self._steps, self._tests, strict=True):
            if test is not None:
                stack.append(test(values))
            elif isinstance(step, Operators):
                stack = _run(step.text, stack)
        return all(stack)

    def candidates(self, lookup: IndexLookup) -> tuple[frozenset[str] | None, bool]:
        """Row ids that can match (None: all of them) and whether that set is already the exact answer."""
        stack: list[frozenset[str] | None] = []
        is_exact = True
        for step in self._steps:
            if isinstance(step, Test):
                found = lookup(step.name, step.value) if step.operator == "=" and step.name in _INDEXED else None
                is_exact = is_exact and found is not None
                stack.append(found)
            elif set(step.text) <= {"|", "&"}:
                for operator in step.text:
                    _combine(stack, operator)
            else:
                return None, False
        narrowed = [found for found in stack if found is not None]
        if not narrowed:
            return None, False
        return frozenset.intersection(*narrowed), is_exact

    def _compile(self, test: Test) -> Predicate:
        name, value = test.name, test.value
        if test.operator == "has":
            return lambda values: name in values
        if test.operator == "hasnot":
            return lambda values: name not in values
        prop = self._menu.by_name.get(name)
        if test.operator == "=":
            return _equality(name, value, prop)
        wanted = _sort_key(value, prop)
        is_less = test.operator == "<"

        def compare(values: Values) -> bool:
            actual = values.get(name)
            if actual is None:
                return False
            return _is_below(_sort_key(actual, prop), wanted) if is_less else _is_below(wanted, _sort_key(actual, prop))

        return compare


def _equality(name: str, value: str, prop: Prop | None) -> Predicate:
    kind = prop.kind if prop else "string"
    if kind in ("bool", "enum"):
        flag = parse_bool(value) if value else None
        if flag is not None:
            return lambda values: name in values and parse_bool(values[name] or "-") is flag
    if kind in ("int", "bytes", "duration"):
        wanted = _sort_key(value, prop)
        return lambda values: name in values and _sort_key(values[name], prop) == wanted
    if kind in ("mac",):
        return lambda values: values.get(name, "").upper() == value.upper() and name in values
    return lambda values: values.get(name) == value


def _sort_key(value: str, prop: Prop | None) -> float | str | tuple[int, ...]:
    kind = prop.kind if prop else "string"
    number: float | None = None
    if kind in ("int", "bytes"):
        number = parse_bytes(value)
    elif kind == "duration":
        number = parse_duration(value)
    elif kind == "ip":
        parts = value.partition("/")[0].split(".")
        if len(parts) == 4 and all(part.isdigit() for part in parts):
            return tuple(int(part) for part in parts)
    return value if number is None else number


def _is_below(left: float | str | tuple[int, ...], right: float | str | tuple[int, ...]) -> bool:
    if isinstance(left, float | int) and isinstance(right, float | int):
        return left < right
    if isinstance(left, tuple) and isinstance(right, tuple):
        return left < right
    return str(left) < str(right) if not isinstance(left, tuple) and not isinstance(right, tuple) else False


def _combine(stack: list[frozenset[str] | None], operator: str) -> None:
    if len(stack) < 2:
        # The stack below is infinite TRUE: OR gives everything, AND keeps the operand.
        if operator == "|" and stack:
            stack[-1] = None
        return
    right, left = stack.pop(), stack.pop()
    if operator == "|":
        stack.append(left | right if left is not None and right is not None else None)
    elif left is None or right is None:
        stack.append(left if right is None else right)
    else:
        stack.append(left & right)


def _run(operators: str, stack: list[bool]) -> list[bool]:
    """Apply one operator word to a copy of the stack (an empty stack gives TRUE)."""
    stack = list(stack)
    digits = ""
    for symbol in operators:
        if symbol.isdigit() and symbol.isascii():
            digits += symbol
            continue
        if digits:
            stack.append(_peek(stack, _index(digits)))
            digits = ""
            if symbol == ".":
                continue
        _operate(stack, symbol)
    if digits:
        stack = [_peek(stack, _index(digits))]
    return stack


def _operate(stack: list[bool], symbol: str) -> None:
    if symbol == "!":
        stack.append(not _pop(stack))
    elif symbol == "&":
        right, left = _pop(stack), _pop(stack)
        stack.append(left and right)
    elif symbol == "|":
        right, left = _pop(stack), _pop(stack)
        stack.append(left or right)
    elif symbol == ".":
        stack.append(_peek(stack, 0))
    else:
        raise Trap("unknown query operator", 5)


def _pop(stack: list[bool]) -> bool:
    return stack.pop() if stack else True


def _index(digits: str) -> int:
    """A place in the stack; one beyond all places is the infinite TRUE below."""
    return int(digits) if len(digits) <= 9 else 10**9


def _peek(stack: list[bool], index: int) -> bool:
    return stack[-1 - index] if index < len(stack) else True
