"""The use case: look, look again, repair what can be repaired, and report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

import attrs

from eyened_domain.errors import EyenedError
from eyened_domain.services.doctor.examination import Examination, OutOfTime, Watch
from eyened_domain.services.doctor.findings import Finding, Repair

Announce = Callable[[str], Any]


@attrs.define
class Report:
    """What a check-up found and did.

    Attributes:
        level: how deep it looked.
        findings: in the order of the examinations.
        repairs: what was done, and what could not be.
        looked_at: how many things each examination has looked at.
        unchecked: what could not be looked at, and why.
    """

    level: int
    findings: list[Finding] = attrs.field(factory=list)
    repairs: list[Repair] = attrs.field(factory=list)
    looked_at: dict[str, int] = attrs.field(factory=dict)
    unchecked: dict[str, str] = attrs.field(factory=dict)

    @property
    def defects(self) -> list[Finding]:
        """The findings that are no mere notes."""
        return [one for one in self.findings if not one.is_note]

    @property
    def open_defects(self) -> list[Finding]:
        """The defects that were not repaired."""
        repaired = {one.finding.subject for one in self.repairs if one.done is not None}
        return [one for one in self.defects if one.subject not in repaired]

    @property
    def exit_code(self) -> int:
        """0: nothing is wrong (any more); 1: something is; 2: not everything was looked at."""
        if self.unchecked:
            return 2
        return 1 if self.open_defects else 0

    def as_dict(self) -> dict[str, Any]:
        """Return the report for other programs."""
        return {
            "level": self.level,
            "exit_code": self.exit_code,
            "counts": dict(Counter(one.kind.name.lower() for one in self.findings)),
            "findings": [one.as_dict() for one in self.findings],
            "repairs": [
                {**one.finding.as_dict(), "done": one.done, "error": one.error}
                for one in self.repairs
            ],
            "looked_at": self.looked_at,
            "unchecked": self.unchecked,
        }


class Checkup:
    """Runs examinations, from the cheapest to the dearest.

    Args:
        examinations: what there is to look at.
        watch: of the whole check-up, with its time limit.
    """

    def __init__(self, examinations: Iterable[Examination], watch: Watch | None = None) -> None:
        self._examinations = sorted(examinations, key=lambda one: one.level)
        self._watch = watch or Watch()

    def run(self, level: int = 2, *, fix: bool = False, announce: Announce | None = None) -> Report:
        """Look at everything up to a level.

        What seems wrong is looked at a second time before it is reported: others may be
        writing, and what is half done is no defect.

        Args:
            level: 1, 2 or 3; see `Examination.level`.
            fix: repair what can be repaired without losing anything.
            announce: called with the title of each examination before it.
        """
        report = Report(level)
        for one in self._examinations:
            if one.level <= level:
                if announce is not None:
                    announce(one.title)
                self._examine(one, report, fix=fix)
        return report

    def _examine(self, one: Examination, report: Report, *, fix: bool) -> None:
        suspicions: list[Finding] = []
        with self._noted(one, report):
            for found in one.look(self._watch):
                suspicions.append(found)  # noqa: PERF402 - kept when the time is over
        with self._noted(one, report):
            told = {found.subject for found in report.findings}
            findings = [f for f in _still_there(one, suspicions) if f.subject not in told]
            report.findings += findings
            if fix:
                report.repairs += one.fix([found for found in findings if found.fix])
        report.looked_at[one.title] = one.looked_at

    @contextmanager
    def _noted(self, one: Examination, report: Report) -> Any:
        try:
            yield
        except OutOfTime:
            report.unchecked.setdefault(one.title, "the time limit was reached")
        except EyenedError as error:
            report.unchecked.setdefault(one.title, str(error))


def _still_there(one: Examination, suspicions: Sequence[Finding]) -> list[Finding]:
    if not suspicions:
        return []
    subjects = {found.subject for found in suspicions}
    return [found for found in one.look_again(suspicions) if found.subject in subjects]
