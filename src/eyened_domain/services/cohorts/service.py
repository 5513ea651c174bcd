"""Cohorts of images: kept, frozen, checked, split and exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from eyened_domain.errors import BadInput, Duplicate, NotFound, RuleBroken
from eyened_domain.model.cohort import Cohort
from eyened_domain.model.creator import Creator
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.values import shown
from eyened_domain.services.cohorts.leaks import Leaks, leaks_of
from eyened_domain.services.cohorts.members import (
    PORTION,
    CohortDrift,
    Member,
    digests_of,
    members_of,
    whole_digest,
    write_members,
)
from eyened_domain.services.cohorts.splitting import PARTS, Picture, checked_parts, split
from eyened_domain.services.column_paths import path_of
from eyened_domain.services.conditions import (
    Condition,
    Resolver,
    from_data,
    to_data,
)
from eyened_domain.services.conditions.ordering import order_of, path_of_field
from eyened_domain.services.data_frames import backend_of, make_frame
from eyened_domain.services.search import Search
from eyened_domain.services.unit_of_work import UnitOfWork

_OF_PICTURES = ("image_instance_id", "series.study.patient_id", "data_hash")


class Cohorts:
    """Searches for images that are kept by name; methods take a unit of work, and never commit."""

    def save(
        self,
        uow: UnitOfWork,
        name: str,
        condition: Condition,
        *,
        by: Creator | str,
        description: str | None = None,
        order_by: str | Sequence[str] = (),
        include_inactive: bool = False,
    ) -> Cohort:
        """Keep a search by name; what it finds is found anew each time, until it is frozen.

        Args:
            uow: a unit of work.
            name: no other cohort has it.
            condition: made with `field` and `some`; checked now.
            by: who keeps it, or the name of who does.
            description: for people.
            order_by: as in `Search.page`.
            include_inactive: find inactive images as well.

        Raises:
            Duplicate: there is a cohort of that name.
            NotFound: there is no such creator.
            UnknownName: the condition names a field that there is not.
            BadInput: a field cannot hold a value.
        """
        Resolver(include_inactive).meaning(ImageInstance, condition)
        order_of(ImageInstance, order_by)
        creator = uow.creators.by_name(by) if isinstance(by, str) else by
        if uow.cohorts.one(cohort_name=name, default=None) is not None:
            raise Duplicate(
                f"there is a cohort {shown(name)}; give this one another name, or delete that",
                entity="Cohort",
                field="cohort_name",
                value=name,
            )
        return uow.cohorts.add(
            Cohort(
                cohort_name=name,
                description=description,
                creator=creator,
                condition=to_data(condition),
                order_by=[order_by] if isinstance(order_by, str) else list(order_by),
                include_inactive=include_inactive,
            )
        )

    def ids(self, uow: UnitOfWork, cohort: Cohort | str, *, part: str | None = None) -> list[int]:
        """Return the ids of its images, in order: those it was frozen with, or finds now.

        Args:
            uow: a unit of work.
            cohort: a cohort, or the name of one.
            part: of its split, to return the images of that alone.

        Raises:
            NotFound: there is no such cohort, or no such part.
            RuleBroken: a part is asked of a cohort that is not frozen.
        """
        found = self._cohort(uow, cohort)
        if found.is_frozen or part is not None:
            return [one.image_instance_id for one in self._members(uow, found, part)]
        return self._search(uow, found)

    def freeze(self, uow: UnitOfWork, cohort: Cohort | str) -> Cohort:
        """Let it stand for the images that it finds now, with digests of what they hold.

        A cohort that is frozen stays as it is. Two statements more for each ten thousand images.

        Raises:
            NotFound: there is no such cohort.
        """
        found = self._cohort(uow, cohort)
        if found.is_frozen:
            return found
        ids = self._search(uow, found)
        digests = digests_of(uow, ids)
        ordered = {identity: digests[identity] for identity in ids if identity in digests}
        uow.flush()
        write_members(uow, found, ordered, {})
        found.digest = whole_digest(ordered.values())
        found.date_frozen = datetime.now().replace(microsecond=0)
        return found

    def check(self, uow: UnitOfWork, cohort: Cohort | str) -> CohortDrift:
        """Return how the images of a frozen cohort differ from what they were then.

        Raises:
            NotFound: there is no such cohort.
            RuleBroken: it is not frozen.
        """
        found = self._cohort(uow, cohort)
        before = {one.image_instance_id: one.digest for one in self._members(uow, found)}
        now, today = digests_of(uow, [*before]), dict.fromkeys(self._search(uow, found))
        return CohortDrift(
            missing=tuple(one for one in before if one not in now),
            changed=tuple(one for one in before if one in now and now[one] != before[one]),
            new=tuple(one for one in today if one not in before),
            no_longer=tuple(one for one in before if one not in today),
        )

    def split(
        self,
        uow: UnitOfWork,
        cohort: Cohort | str,
        parts: Mapping[str, float] = PARTS,
        *,
        stratify_by: str | Sequence[str] = (),
        seed: int = 0,
    ) -> dict[str, int]:
        """Deal the images of a frozen cohort out to parts, by patient; an earlier split goes.

        No patient is in two parts, and no picture: patients with images of the same pixels
        (DataHash) stay together. The same images, parts and seed give the same split.

        Args:
            uow: a unit of work.
            cohort: a cohort, or the name of one.
            parts: names and shares, which are 1 together; or whole numbers as weights.
            stratify_by: names of fields, of which each image has one, that are to be spread
                alike over the parts.
            seed: decides between what is level.

        Returns:
            how many images each part has.

        Raises:
            NotFound: there is no such cohort.
            RuleBroken: it is not frozen, or images of it are gone.
            UnknownName: there is no such field.
            BadInput: a field may be many, or the parts are none.
        """
        shares = checked_parts(parts)
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise BadInput(f"seed: a whole number is needed, not {shown(seed)}")
        found = self._cohort(uow, cohort)
        members = self._members(uow, found)
        pictures = self._pictures(uow, members, stratify_by)
        if len(pictures) < len(members):
            gone = {one.image_instance_id for one in members} - {one.identity for one in pictures}
            raise RuleBroken(
                f"Cohort {found.cohort_name!r}: {len(gone)} of its images are gone, among them "
                f"{shown(sorted(gone)[:5])}; freeze a new one",
                entity="Cohort",
                field="members",
            )
        dealt = split(pictures, shares, seed)
        digests = {one.image_instance_id: one.digest for one in members}
        write_members(uow, found, digests, dealt)
        counts = dict.fromkeys(shares, 0)
        for part in dealt.values():
            counts[part] += 1
        return counts

    def leaks(self, uow: UnitOfWork, cohort: Cohort | str) -> Leaks:
        """Return which patients, and which pictures, are in two parts of its split today.

        Raises:
            NotFound: there is no such cohort.
            RuleBroken: it is not frozen.
        """
        found = self._cohort(uow, cohort)
        members = self._members(uow, found)
        parts = {one.image_instance_id: one.part for one in members}
        return leaks_of(self._pictures(uow, members, ()), parts)

    def frame(
        self,
        uow: UnitOfWork,
        cohort: Cohort | str,
        columns: Sequence[str] = (),
        *,
        backend: str = "pandas",
    ) -> Any:
        """Return its images as a DataFrame: id, part of the split, and chosen fields.

        Args:
            uow: a unit of work.
            cohort: a cohort, or the name of one.
            columns: names of fields, of which each image has one; they name the columns.
            backend: ``pandas`` or ``polars``; `to_csv` of the one, `write_csv` of the other
                writes a file.

        Raises:
            NotFound: there is no such cohort.
            UnknownName: there is no such field.
            BadInput: a field may be many of an image, or is named twice.
            ConfigurationError: the backend is not installed.
        """
        backend_of(backend)
        paths = {"image_instance_id": "image_instance_id"}
        for name in [columns] if isinstance(columns, str) else columns:
            if name in paths or name == "part":
                raise BadInput(f"columns: {shown(name)} stands there twice")
            paths[name] = path_of_field(ImageInstance, name, ordered=False)
        found = self._cohort(uow, cohort)
        if found.is_frozen:
            parts = {one.image_instance_id: one.part for one in self._members(uow, found)}
        else:
            parts = dict.fromkeys(self._search(uow, found))
        held = {row[0]: row for row in self._rows(uow, [*parts], [*paths.values()])}
        rows = [(one, parts[one], *held[one][1:]) for one in parts if one in held]
        told = [*map(list, zip(*rows, strict=True))] or [[] for _ in range(len(paths) + 1)]
        kinds = {}
        for name, path in paths.items():
            end = path_of(ImageInstance, path)
            kinds[name] = end.owner.__entity__.columns[end.column].kind
        labels = ["image_instance_id", "part", *[*paths][1:]]
        return make_frame(dict(zip(labels, told, strict=True)), kinds, backend=backend)

    # --- what these have in common -----------------------------------------------------------

    def _cohort(self, uow: UnitOfWork, cohort: Cohort | str) -> Cohort:
        return uow.cohorts.by_name(cohort) if isinstance(cohort, str) else cohort

    def _search(self, uow: UnitOfWork, cohort: Cohort) -> list[int]:
        return Search().ids(
            uow,
            from_data(cohort.condition),
            order_by=cohort.order_by or (),
            include_inactive=cohort.include_inactive,
        )

    def _members(self, uow: UnitOfWork, cohort: Cohort, part: str | None = None) -> list[Member]:
        if not cohort.is_frozen:
            raise RuleBroken(
                f"Cohort {cohort.cohort_name!r} is not frozen: it has no members of its own",
                entity="Cohort",
                field="date_frozen",
            )
        found = members_of(uow, cohort)
        if part is None:
            return found
        of_part = [one for one in found if one.part == part]
        if not of_part:
            there = sorted({one.part for one in found if one.part is not None})
            raise NotFound(
                f"Cohort {cohort.cohort_name!r} has no part {shown(part)}, but "
                f"{', '.join(there) or 'no split'}",
                entity="CohortMember",
                field="part",
                value=part,
            )
        return of_part

    def _pictures(
        self, uow: UnitOfWork, members: Sequence[Member], stratify_by: str | Sequence[str]
    ) -> list[Picture]:
        names = [stratify_by] if isinstance(stratify_by, str) else list(stratify_by)
        strata = [path_of_field(ImageInstance, name) for name in names]
        ids = [one.image_instance_id for one in members]
        rows = self._rows(uow, ids, [*_OF_PICTURES, *strata])
        return [Picture(row[0], row[1], row[2], row[3:]) for row in rows]

    def _rows(
        self, uow: UnitOfWork, ids: Sequence[int], columns: Sequence[str]
    ) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(ids), PORTION):
            portion = ids[start : start + PORTION]
            found += uow.rows.find(ImageInstance, "image_instance_id", portion, columns)
        return found
