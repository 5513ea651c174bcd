"""Every schema, and every answer that was ever given to it, checked once more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.form import FormAnnotation, FormSchema
from eyened_domain.services.form_rows import pages
from eyened_domain.services.forms.answers import AnswerCheck, AnswerFault, PatternTooSlow
from eyened_domain.services.progress import Progress
from eyened_domain.services.rows import Rows

_SLOW_ONES = 10
"""After so many answers on which a regular expression of it takes too long, a schema is left."""
_COLUMNS = {"form_annotation_id": "form_annotation_id", "form_schema_id": "form_schema_id"}


@frozen
class InvalidForm:
    """A form whose answers do not meet its schema."""

    form_annotation_id: int
    schema_name: str
    faults: tuple[AnswerFault, ...]
    """What is wrong with them; a thousand at most."""


@define
class CheckedSchema:
    """A schema, and how many of its answers meet it."""

    form_schema_id: int
    schema_name: str
    fault: str | None = None
    """Why it is no schema, or cannot be used; None if nothing is wrong with it."""
    valid: int = 0
    invalid: int = 0
    unchecked: int = 0
    """How many answers could not be looked at, because of the schema's fault."""

    @property
    def answers(self) -> int:
        """How many forms of it were filled in."""
        return self.valid + self.invalid + self.unchecked


@define
class FormsReport:
    """What was found.

    Attributes:
        schemas: all schemas, in the order of their ids.
        invalid: the first forms whose answers do not meet their schema.
    """

    schemas: list[CheckedSchema] = field(factory=list)
    invalid: list[InvalidForm] = field(factory=list)

    @property
    def is_valid(self) -> bool:
        """Whether nothing is wrong with any schema and any answer."""
        return not any(one.fault is not None or one.invalid for one in self.schemas)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "valid": self.is_valid,
            "schemas": [
                {
                    "form_schema_id": one.form_schema_id,
                    "schema_name": one.schema_name,
                    "answers": one.answers,
                    "valid": one.valid,
                    "invalid": one.invalid,
                    "unchecked": one.unchecked,
                    "fault": one.fault,
                }
                for one in self.schemas
            ],
            "invalid": [
                {
                    "form_annotation_id": one.form_annotation_id,
                    "schema_name": one.schema_name,
                    "faults": [
                        {"path": list(fault.path), "message": fault.message} for fault in one.faults
                    ],
                }
                for one in self.invalid
            ],
        }


class Validation:
    """Checks schemas and answers, page by page; see `Forms.validate`."""

    def __init__(self, rows: Rows, most: int | None, on_invalid: Callable[[InvalidForm], None]):
        self._rows = rows
        self._most = most
        self._on_invalid = on_invalid
        self._report = FormsReport()
        self._checks: dict[int, AnswerCheck | None] = {}
        self._slow: dict[int, int] = {}

    def run(self, progress: Progress) -> FormsReport:
        """Look at everything; nothing is written."""
        named = self._read_schemas()
        total, done = self._rows.count(FormAnnotation, any_of=[{}]), 0
        for page in pages(self._rows, {}, columns=_COLUMNS):
            for form_id, schema_id, answers in page:
                self._check(form_id, named[schema_id], answers)
            done += len(page)
            progress(done, max(done, total))
        return self._report

    def _read_schemas(self) -> dict[int, CheckedSchema]:
        columns = ("form_schema_id", "schema_name", "schema")
        found = self._rows.page(FormSchema, columns, any_of=[{}])
        for schema_id, name, schema in found:
            checked = CheckedSchema(schema_id, name)
            self._checks[schema_id] = None
            try:
                self._checks[schema_id] = AnswerCheck(schema)
            except BadInput as error:
                checked.fault = str(error)
            self._report.schemas.append(checked)
        return {one.form_schema_id: one for one in self._report.schemas}

    def _check(self, form_id: int, schema: CheckedSchema, answers: Any) -> None:
        check = self._checks[schema.form_schema_id]
        if check is None:
            schema.unchecked += 1
            return
        try:
            faults = check.faults(answers)
        except PatternTooSlow as error:
            self._leave_if_slow(schema, error)
            faults = [AnswerFault((), str(error))]
        except BadInput as error:
            faults = [AnswerFault((), str(error))]
        if not faults:
            schema.valid += 1
            return
        schema.invalid += 1
        invalid = InvalidForm(form_id, schema.schema_name, tuple(faults))
        self._on_invalid(invalid)
        if self._most is None or len(self._report.invalid) < self._most:
            self._report.invalid.append(invalid)

    def _leave_if_slow(self, schema: CheckedSchema, error: PatternTooSlow) -> None:
        """Check no more answers of a schema on which too much time was spent."""
        slow = self._slow[schema.form_schema_id] = self._slow.get(schema.form_schema_id, 0) + 1
        if slow >= _SLOW_ONES:
            schema.fault = f"{error}; after {slow} such answers no more of it were checked"
            self._checks[schema.form_schema_id] = None
