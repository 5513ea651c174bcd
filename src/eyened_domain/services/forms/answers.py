"""JSON Schema: schemas that are checked, and answers that are held to them.

jsonschema decides, and nothing else, whatever is installed: engines do not agree on valid schemas
(`shared/findings`). Two things are ours: regular expressions run for a bounded time, and nothing
is fetched from elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from itertools import islice
from time import perf_counter
from typing import Any

from attrs import frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.flat_answers import written
from eyened_domain.model.values import JSON_DEEPEST, shown

DRAFTS = (
    "http://json-schema.org/draft-04/schema",
    "http://json-schema.org/draft-06/schema",
    "http://json-schema.org/draft-07/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
)
"""What ``$schema`` may say; without it, the last one is meant."""
LONGEST_BYTES = 4_000_000
"""How long answers, or a schema, may be as JSON text."""
PATTERN_S = 0.1
"""How many seconds one regular expression may take on one text."""
PATTERNS_S = 2.0
"""How many seconds all of them together may take on one set of answers."""
_MOST_FAULTS = 1000
_SCHEMAS = (
    *("additionalItems", "additionalProperties", "contains", "else", "if", "items", "not"),
    *("propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"),
)
_LISTS = ("allOf", "anyOf", "items", "oneOf", "prefixItems")
_MAPS = ("$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties")


@frozen
class AnswerFault:
    """What is wrong with one answer."""

    path: tuple[str | int, ...]
    """Where it is: names of answers, and positions in lists."""
    message: str

    def __str__(self) -> str:
        return f"{written(self.path)}: {self.message}"


class PatternTooSlow(BadInput):
    """A regular expression of a schema takes longer on answers than it may."""


class AnswersRefused(BadInput):
    """Answers do not meet their schema."""

    faults: tuple[AnswerFault, ...] = ()
    """All that is wrong with them."""


class AnswerCheck:
    """What holds answers to a schema.

    Args:
        schema: a JSON Schema; None allows everything.

    Raises:
        BadInput: it is no valid schema, is of an unknown draft, too large, refers to something
            elsewhere or that is not there, or holds a regular expression that is none.
    """

    def __init__(self, schema: Any) -> None:
        self._validator: Any = None
        if schema is not None:
            self._validator = _validator(json_text(schema, "FormSchema", "schema"))

    def faults(self, answers: Any) -> list[AnswerFault]:
        """Return what is wrong with answers, in the order of where it is; a thousand at most.

        Raises:
            BadInput: they are too long or too deep to be looked at.
            PatternTooSlow: a regular expression of the schema takes too long on them.
        """
        json_text(answers, "FormAnnotation", "form_data")
        if self._validator is None:
            return []
        _left_s.set(PATTERNS_S)
        try:
            errors = list(islice(self._validator.iter_errors(answers), _MOST_FAULTS))
        except RecursionError:
            raise _refused("it refers to itself without an end on these answers") from None
        found = [AnswerFault(tuple(error.absolute_path), _message(error)) for error in errors]
        return sorted(found, key=lambda fault: [str(part) for part in fault.path])

    def check(self, answers: Any, name: str) -> None:
        """Raise `AnswersRefused` unless answers meet the schema.

        Args:
            answers: what was filled in.
            name: of the schema, for the message.
        """
        faults = self.faults(answers)
        if faults:
            told = "; ".join(map(str, faults[:5])) + ("; …" if len(faults) > 5 else "")
            refused = AnswersRefused(
                f"FormAnnotation.form_data does not meet the schema {shown(name)}: {told}",
                entity="FormAnnotation",
                field="form_data",
            )
            refused.faults = tuple(faults)
            raise refused


def json_text(value: Any, entity: str, field: str) -> str:
    """Return a value as JSON text.

    Args:
        value: what JSON can hold.
        entity: whose value it is, for the message.
        field: which one.

    Raises:
        BadInput: it is nested too deep, or too long, to be looked at, or no JSON.
    """
    within, deep = [value], 0
    while within := [one for one in within if isinstance(one, dict | list | tuple)]:
        deep += 1
        if deep > JSON_DEEPEST:
            raise _unread(entity, field, f"nested more than {JSON_DEEPEST} deep")
        within = [
            item for one in within for item in (one.values() if isinstance(one, dict) else one)
        ]
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise _unread(entity, field, f"JSON cannot hold it: {error}") from None
    if len(text) > LONGEST_BYTES:
        reason = f"{len(text):,} bytes, and {LONGEST_BYTES:,} is the most"
        raise _unread(entity, field, reason)
    return text


def _unread(entity: str, field: str, reason: str) -> BadInput:
    return BadInput(f"{entity}.{field}: {reason}", entity=entity, field=field)


@lru_cache(maxsize=256)
def _validator(schema_text: str) -> Any:
    """Return what validates by a schema, which has been checked."""
    from jsonschema import FormatChecker, SchemaError  # noqa: PLC0415 - loaded when a form is
    from referencing.jsonschema import EMPTY_REGISTRY  # noqa: PLC0415 - which fetches nothing

    schema = json.loads(schema_text)
    kind = _kind_of(schema)
    for part in _parts(schema):
        _check_patterns(part)
    try:  # without formats: of them, it would hold regular expressions to those of Python
        kind.check_schema(schema, format_checker=FormatChecker(()))
    except SchemaError as error:
        raise _refused(f"{written(tuple(error.absolute_path))}: {error.message}") from None
    for part in _parts(schema):
        _check_reference(part, schema)
    return kind(schema, registry=EMPTY_REGISTRY)


def _kind_of(schema: Any) -> Any:
    """Return the validator class of a schema's draft, with bounded regular expressions."""
    from jsonschema import validators  # noqa: PLC0415

    if not isinstance(schema, dict | bool):
        raise _refused(f"{shown(schema)} is no object")
    named = schema.get("$schema", DRAFTS[-1]) if isinstance(schema, dict) else DRAFTS[-1]
    if not isinstance(named, str) or named.rstrip("#") not in DRAFTS:
        raise _refused(f"$schema is {shown(named)}, which is none of {', '.join(DRAFTS)}")
    kind = validators.validator_for({"$schema": named})
    extended: Any = validators.extend  # which has no types
    return extended(
        kind,
        {
            "pattern": _pattern,
            "patternProperties": _pattern_properties,
            "additionalProperties": _additional_properties,
        },
    )


def _parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and all schemas within it."""
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, dict):
            continue
        yield one
        waiting += [one[name] for name in _SCHEMAS if isinstance(one.get(name), dict)]
        waiting += [
            item for name in _LISTS if isinstance(one.get(name), list) for item in one[name]
        ]
        for name in (*_MAPS, "properties"):
            if isinstance(one.get(name), dict):
                waiting += one[name].values()


def _check_patterns(part: Mapping[str, Any]) -> None:
    named = part.get("patternProperties", {})
    for pattern in [part.get("pattern"), *(named if isinstance(named, dict) else ())]:
        if isinstance(pattern, str):
            _compiled(pattern)


def _check_reference(part: Mapping[str, Any], schema: Any) -> None:
    """Raise `BadInput` where a ``$ref`` leads elsewhere, or nowhere within the schema."""
    from referencing.exceptions import Unresolvable  # noqa: PLC0415
    from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY  # noqa: PLC0415

    reference = part.get("$ref")
    if not isinstance(reference, str):
        return
    try:  # the empty registry fetches nothing
        EMPTY_REGISTRY.resolver_with_root(DRAFT202012.create_resource(schema)).lookup(reference)
    except Unresolvable:
        where = "elsewhere, from where nothing is fetched" if "://" in reference else "nowhere"
        raise _refused(f"$ref leads {where}: {shown(reference)}") from None


_left_s: ContextVar[float] = ContextVar("left_s")
"""How many seconds are left for regular expressions on the answers that are looked at."""


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> Any:
    import regex  # noqa: PLC0415

    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise _refused(f"{shown(pattern)} is no regular expression: {error}") from None


def _matches(pattern: str, text: str) -> bool:
    left_s = _left_s.get()
    begun = perf_counter()
    try:
        found = _compiled(pattern).search(text, timeout=min(PATTERN_S, left_s)) is not None
    except TimeoutError:
        raise _too_slow(
            pattern, f"more than {min(PATTERN_S, left_s):.3g} s on {shown(text)}"
        ) from None
    left_s -= perf_counter() - begun
    if left_s <= 0:
        raise _too_slow(pattern, f"with the others more than {PATTERNS_S:.3g} s on these answers")
    _left_s.set(left_s)
    return found


def _too_slow(pattern: str, time: str) -> PatternTooSlow:
    return PatternTooSlow(
        f"the regular expression {shown(pattern)} of the schema takes {time}; write it so that "
        "it does not try so many ways",
        entity="FormSchema",
        field="schema",
    )


def _pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415

    if validator.is_type(instance, "string") and not _matches(pattern, instance):
        yield ValidationError(f"{shown(instance)} does not match {shown(pattern)}")


def _pattern_properties(
    validator: Any, named: Mapping[str, Any], instance: Any, _schema: Any
) -> Iterator[Any]:
    if validator.is_type(instance, "object"):
        for pattern, part in named.items():
            for name, value in instance.items():
                if _matches(pattern, name):
                    yield from validator.descend(value, part, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415

    if not validator.is_type(instance, "object"):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    more = [
        name
        for name in instance
        if name not in known and not any(_matches(pattern, name) for pattern in patterns)
    ]
    if isinstance(allowed, dict):
        for name in more:
            yield from validator.descend(instance[name], allowed, path=name)
    elif not allowed and more:
        yield ValidationError(f"there is no answer {', '.join(map(shown, more))} in this form")


def _message(error: Any) -> str:
    """Return what an error says; long answers are cut short in it."""
    text: str = error.message
    return text if len(text) <= 300 else f"{text[:200]} … {text[-80:]}"


def _refused(reason: str) -> BadInput:
    return BadInput(f"FormSchema.schema: {reason}", entity="FormSchema", field="schema")
