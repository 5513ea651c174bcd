"""Conditions that people ask with: comparisons of fields, combined by and, or, not.

    (field("modality") == "ColorFundus") & (field("patient.birth_date") < "1950-01-01")

They are values: nothing is looked up until something is asked with them, and what a name means
depends on what is searched (`services.conditions.naming`). A comparison is true or false, never
unknown: with a field that holds nothing it is false, and ``!=``, ``not in`` and ``not like``
are true where ``==``, ``in`` and ``like`` are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from attrs import field as attribute
from attrs import frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.names import nearest
from eyened_domain.model.values import kind_of, members, plain, shown

OPPOSITES: Mapping[str, str] = {
    "==": "!=",
    "in": "not in",
    "like": "not like",
    "is not null": "is null",
}
"""Operators, and those that say the contrary."""
OPERATORS: tuple[str, ...] = (*OPPOSITES, *OPPOSITES.values(), "<", "<=", ">", ">=", "between")
"""All operators."""
WITHOUT_VALUE = frozenset(("is null", "is not null"))
"""The operators that are given no value."""


class Condition:
    """What is to hold; combined by ``&``, ``|`` and ``~``."""

    def __and__(self, other: Condition) -> Condition:
        """Both are to hold."""
        return All(_parts(All, self, other))

    def __or__(self, other: Condition) -> Condition:
        """One of them is to hold, or both."""
        return AnyOf(_parts(AnyOf, self, other))

    def __invert__(self) -> Condition:
        """It is not to hold."""
        return Not(self)

    def __bool__(self) -> NoReturn:
        """Refuse ``and``, ``or`` and ``not``, which would drop half of what is asked.

        Raises:
            BadInput: always.
        """
        raise BadInput("conditions are combined by & | ~, in parentheses; not by and, or, not")


def _checked(conditions: Iterable[Any]) -> tuple[Condition, ...]:
    several = tuple(conditions)
    for one in several:
        if not isinstance(one, Condition):
            hint = "; compare the field first" if isinstance(one, Field) else ""
            raise BadInput(f"a condition is needed, not {kind_of(one)}{hint}")
    return several


def _one(condition: Any) -> Condition:
    return _checked([condition])[0]


def _kept(value: Any) -> Any:
    """Return what is compared with as a value: several as a tuple, a set in one order."""
    several = members(value)
    if several is None:
        is_one = isinstance(value, str | bytes | bytearray | Mapping) or plain(value) is not value
        return tuple(value) if isinstance(value, Iterable) and not is_one else value
    return tuple(sorted(several, key=repr) if isinstance(value, set | frozenset) else several)


@frozen
class Comparison(Condition):
    """A field, an operator, and what it is compared with."""

    name: str
    operator: str = attribute()
    value: Any = attribute(default=None, converter=_kept)
    given: Mapping[str, Any] = attribute(factory=dict)
    """What else says which field is meant: name and model of an attribute, path of an answer."""

    @operator.validator
    def _check_operator(self, _attribute: Any, value: Any) -> None:
        if value not in OPERATORS:
            raise BadInput(
                f"{self.name}: {shown(value)} is no operator{nearest(value, OPERATORS)}; there "
                f"are {', '.join(OPERATORS)}",
                field=self.name,
                value=shown(value),
            )


@frozen
class All(Condition):
    """All of these are to hold; nothing is asked where there are none."""

    conditions: tuple[Condition, ...] = attribute(converter=_checked)


@frozen
class AnyOf(Condition):
    """One of these is to hold; none does where there are none."""

    conditions: tuple[Condition, ...] = attribute(converter=_checked)


@frozen
class Not(Condition):
    """This is not to hold."""

    condition: Condition = attribute(converter=_one)


@frozen
class Some(Condition):
    """There is one in a list of which the condition holds: a segmentation, a form, a tag."""

    name: str
    """Of the list: ``segmentation``, or a path of links."""
    condition: Condition = attribute(converter=_one)


@frozen(eq=False)
class Field:
    """A field that is not compared yet; see `field`."""

    name: str
    given: Mapping[str, Any] = attribute(factory=dict)

    __hash__ = None  # type: ignore[assignment]

    def _refuse_to_combine(self, _other: object) -> NoReturn:
        """Refuse ``field("a") == 1 & field("b") == 2``, which Python reads as ``1 & field("b")``.

        Raises:
            BadInput: always.
        """
        raise BadInput(
            f"{self.name} is not compared yet: put each comparison in parentheses, "
            f'(field("…") == …) & (field("{self.name}") == …)',
            field=self.name,
        )

    if not TYPE_CHECKING:  # type checkers refuse it by themselves
        __and__ = __rand__ = __or__ = __ror__ = _refuse_to_combine

    def __eq__(self, value: object) -> Comparison:  # type: ignore[override]
        """It holds that value; None for nothing."""
        return self._compared("==", value)

    def __ne__(self, value: object) -> Comparison:  # type: ignore[override]
        """It does not hold that value; of what is many: none does."""
        return self._compared("!=", value)

    def __lt__(self, value: Any) -> Comparison:
        """It holds less."""
        return self._compared("<", value)

    def __le__(self, value: Any) -> Comparison:
        """It holds that or less."""
        return self._compared("<=", value)

    def __gt__(self, value: Any) -> Comparison:
        """It holds more."""
        return self._compared(">", value)

    def __ge__(self, value: Any) -> Comparison:
        """It holds that or more."""
        return self._compared(">=", value)

    def in_(self, values: Iterable[Any]) -> Comparison:
        """It holds one of these values."""
        return self._compared("in", values)

    def not_in(self, values: Iterable[Any]) -> Comparison:
        """It holds none of these values."""
        return self._compared("not in", values)

    def like(self, pattern: str) -> Comparison:
        r"""It matches: ``%`` for any letters, ``_`` for one, a backslash before either itself."""
        return self._compared("like", pattern)

    def not_like(self, pattern: str) -> Comparison:
        """It does not match; see `like`."""
        return self._compared("not like", pattern)

    def between(self, first: Any, last: Any) -> Comparison:
        """It holds one from the first to the last, both among them."""
        return self._compared("between", (first, last))

    def is_null(self) -> Comparison:
        """It holds nothing."""
        return Comparison(self.name, "is null", None, self.given)

    def is_not_null(self) -> Comparison:
        """It holds something."""
        return Comparison(self.name, "is not null", None, self.given)

    def _compared(self, operator: str, value: Any) -> Comparison:
        return Comparison(self.name, operator, value, self.given)


def field(name: str, /, **given: Any) -> Field:
    """Return a field of what is searched, to be compared.

    Args:
        name: as `Search.fields` lists them: ``"laterality"``, ``"patient.birth_date"``,
            ``"tag"``; or a path of links and a column, in either style.
        given: what else says which one is meant. For ``attribute``: ``name``, and ``model``,
            ``version``, ``laterality`` where these matter. For ``form.answer``: ``path``
            (``"grade"``, ``"lesions.0.size"``), and ``schema``, ``creator``.

    Raises:
        BadInput: the name is no text.
    """
    if not isinstance(name, str):
        raise BadInput(f"a field is known by its name, a text, not by {kind_of(name)}")
    return Field(name, given)


def some(name: str, /, *conditions: Condition) -> Some:
    """Return the condition that there is one in a list of which all of these hold at once.

    Args:
        name: of the list: ``"segmentation"``, ``"form"``, ``"tag"``, or a path of links.
        conditions: fields in them are those of what is in the list.
    """
    return Some(name, All(conditions))


def _parts(kind: type[All | AnyOf], *conditions: Condition) -> list[Condition]:
    """Return conditions side by side, without one of the same kind within another."""
    found: list[Condition] = []
    for one in _checked(conditions):
        found.extend(one.conditions if isinstance(one, kind) else [one])
    return found
