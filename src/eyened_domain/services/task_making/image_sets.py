"""The images that are looked at together: as they are given, grouped, or in a DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from eyened_domain.errors import BadInput, Duplicate, NotFound, RuleBroken
from eyened_domain.model.entity import EntityInfo
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.names import folded
from eyened_domain.model.task_work import NORMAL_PRIORITY, SubTaskWork
from eyened_domain.model.values import kind_of, shown
from eyened_domain.services.data_frames import Columns, read_frame
from eyened_domain.services.row_shapes import none_with_ids
from eyened_domain.services.rows import Rows
from eyened_domain.services.sought_values import converted

_INFO: EntityInfo = ImageInstance.__entity__
_GROUPS = {
    "series": "series_id",
    "study": "series.study_id",
    "patient": "series.study.patient_id",
}
"""What images are grouped by, and where an image has its id."""
_KEYS = ("image_instance_id", "sop_instance_uid", "dataset_identifier")
"""What an image is known by in a DataFrame."""
_MOST_NAMED = 10


@frozen
class ImageSet:
    """Images that are looked at together."""

    image_ids: tuple[int, ...]
    priority: int = NORMAL_PRIORITY
    """From 1, the most urgent, to 9."""


GivenSets = Iterable[ImageSet | Iterable[int | ImageInstance]]


def given_sets(many: GivenSets) -> list[ImageSet]:
    """Return what was given as image sets: lists of ids, or of stored images.

    Raises:
        BadInput: there are none, one is empty or no list, has an image twice, or one of them
            cannot be the id of an image.
    """
    if isinstance(many, str | bytes | Mapping) or not isinstance(many, Iterable):
        raise BadInput(f"a list of image sets is needed, not {kind_of(many)}", entity="Task")
    found = [one if isinstance(one, ImageSet) else ImageSet(_ids(one)) for one in many]
    if not found:
        raise BadInput("a task needs image sets; there are none", entity="Task")
    for number, one in enumerate(found, 1):
        _check(number, one)
    return found


def _ids(images: Any) -> tuple[int, ...]:
    if isinstance(images, str | bytes | Mapping) or not isinstance(images, Iterable):
        raise BadInput(
            f"an image set is a list of images or their ids, not {kind_of(images)}; a single one "
            "is put in []",
            entity="SubTask",
        )
    return tuple(_id(one) for one in images)


def _id(image: Any) -> int:
    if isinstance(image, ImageInstance):
        if image.image_instance_id is None:
            raise RuleBroken(
                "an image of the task is not stored yet; add it and flush first",
                entity="ImageInstance",
            )
        image = image.image_instance_id
    if image is None:
        raise BadInput("an image set holds None", entity="SubTask", field="image_instance_id")
    identity: int = converted(_INFO, "image_instance_id", image)
    return identity


def _check(number: int, one: ImageSet) -> None:
    if not one.image_ids:
        raise BadInput(f"image set {number} is empty", entity="SubTask")
    if len(set(one.image_ids)) < len(one.image_ids):
        raise BadInput(
            f"image set {number} has the same image twice: {shown(list(one.image_ids))}",
            entity="SubTask",
            value=one.image_ids,
        )
    check_priority(one.priority)


def check_priority(priority: Any) -> int:
    """Return a priority; raise `BadInput` unless it is 1 to 9."""
    if type(priority) is not int or not 1 <= priority <= 9:
        raise BadInput(
            f"a priority is 1 (the most urgent) to 9, not {shown(priority)}",
            entity=SubTaskWork.__name__,
            field="priority",
            value=shown(priority),
        )
    return priority


def check_images(rows: Rows, sets: Sequence[ImageSet], *, include_inactive: bool) -> None:
    """Raise an error unless all images of the sets are there, and may be used.

    Raises:
        NotFound: some are not there; the message names the first of them.
        RuleBroken: some are inactive, and may not be used.
    """
    ids = list({image: None for one in sets for image in one.image_ids})
    columns = ("image_instance_id", "inactive")
    found = dict(rows.find(ImageInstance, "image_instance_id", ids, columns))
    missing = [one for one in ids if one not in found]
    if missing:
        raise none_with_ids(
            ImageInstance, "image_instance_id", missing, len(ids), "; no task was made"
        )
    inactive = [one for one in ids if found[one]]
    if inactive and not include_inactive:
        more = ", …" if len(inactive) > _MOST_NAMED else ""
        raise RuleBroken(
            f"ImageInstance {', '.join(map(str, inactive[:_MOST_NAMED]))}{more} "
            f"({len(inactive)} of {len(ids)}) is inactive; leave it out, restore it, or say "
            "include_inactive=True; no task was made",
            entity="ImageInstance",
            field="inactive",
            value=inactive,
        )


def grouped_sets(rows: Rows, images: Iterable[int | ImageInstance], by: str) -> list[ImageSet]:
    """Return images in sets, in the order in which the first of each was given.

    Args:
        rows: of an open unit of work.
        images: their ids, or stored images.
        by: ``image`` (each one is a set), ``series``, ``study`` or ``patient``.

    Raises:
        BadInput: images are not grouped by that.
        NotFound: an image is not there.
    """
    ids = list(dict.fromkeys(_ids(images)))
    if by == "image":
        return [ImageSet((one,)) for one in ids]
    if by not in _GROUPS:
        raise BadInput(f"images are grouped by image, {', '.join(_GROUPS)}; not by {shown(by)}")
    columns = ("image_instance_id", _GROUPS[by])
    where = dict(rows.find(ImageInstance, "image_instance_id", ids, columns))
    missing = [one for one in ids if one not in where]
    if missing:
        raise none_with_ids(ImageInstance, "image_instance_id", missing, len(ids))
    sets: dict[Any, list[int]] = {}
    for one in ids:
        sets.setdefault(where[one], []).append(one)
    return [ImageSet(tuple(some)) for some in sets.values()]


def framed_sets(rows: Rows, frame: Any) -> list[ImageSet]:
    """Return the image sets of a DataFrame, in the order of its rows.

    Args:
        rows: of an open unit of work.
        frame: a DataFrame, columns or rows (`services.data_frames`). The column ``image_set``
            says which rows belong together (any value; without it, each row is a set), and
            ``priority`` how urgent a set is. Images are known by ``image_instance_id``,
            ``sop_instance_uid``, or ``dataset_identifier`` with or without ``source_name``.

    Raises:
        BadInput: a column is none of these, or a row does not tell its image or its set.
        NotFound: an image is not there.
        Duplicate: a dataset identifier is that of several images.
    """
    columns = _named(read_frame(frame).columns)
    keys = [name for name in _KEYS if name in columns]
    if len(keys) != 1:
        raise BadInput(
            f"a DataFrame of images says which by one of {', '.join(_KEYS)}; this one has "
            f"{', '.join(columns) or 'no columns'}",
            entity="Task",
        )
    (key,) = keys
    ids = _known_by(rows, key, columns)
    sets: dict[Any, list[int]] = {}
    priorities: dict[Any, set[int]] = {}
    names = columns.get("image_set", list(range(len(ids))))
    given = columns.get("priority", [None] * len(ids))
    for place, (name, image, priority) in enumerate(zip(names, ids, given, strict=True)):
        if name is None:
            raise BadInput(f"row {place}: image_set is missing", field="image_set")
        sets.setdefault(name, []).append(image)
        urgency = NORMAL_PRIORITY if priority is None else check_priority(priority)
        priorities.setdefault(name, set()).add(urgency)
    for name, several in priorities.items():
        if len(several) > 1:
            raise BadInput(
                f"image_set {shown(name)} has the priorities {sorted(several)}; one is needed",
                field="priority",
            )
    return [ImageSet(tuple(some), *priorities[name]) for name, some in sets.items()]


def _named(columns: Columns) -> Columns:
    """Return the columns by their names in Python."""
    known = {_INFO.columns[name].database_name: name for name in _KEYS}
    known |= {name: name for name in (*_KEYS, "source_name", "image_set", "priority")}
    for name in columns:
        if name not in known:
            raise BadInput(
                f"{shown(name)} is no column of image sets; they have image_set, priority, "
                f"{', '.join(_KEYS)} and source_name",
                field=name,
            )
    return {known[name]: values for name, values in columns.items()}


def _known_by(rows: Rows, key: str, columns: Columns) -> list[int]:
    """Return the ids of the images of each row."""
    for place, value in enumerate(columns[key]):
        if value is None:
            raise BadInput(f"row {place}: {key} is missing", field=key)
    wanted = [converted(_INFO, key, value) for value in columns[key]]
    if key == "image_instance_id":
        return wanted
    sources = columns.get("source_name", [None] * len(wanted))
    told = (key, "source_info.source_name", "image_instance_id")
    by_name: dict[tuple[Any, Any], set[int]] = {}
    for name, source, identity in rows.find(ImageInstance, key, dict.fromkeys(wanted), told):
        for one in (None, folded(source)):
            by_name.setdefault((folded(name), one), set()).add(identity)
    found: list[int] = []
    for name, source in zip(wanted, sources, strict=True):
        several = by_name.get((folded(name), folded(source)), set())
        if len(several) != 1:
            raise _not_one(key, name, source, sorted(several))
        found += several
    return found


def _not_one(key: str, name: Any, source: Any, several: list[int]) -> NotFound | Duplicate:
    written = f"{key} {shown(name)}" + (f" of source {shown(source)}" if source else "")
    if not several:
        return NotFound(
            f"there is no ImageInstance with {written}; no task was made",
            entity="ImageInstance",
            field=key,
            value=name,
        )
    return Duplicate(
        f"ImageInstance {', '.join(map(str, several))} have {written}; give source_name, or ids",
        entity="ImageInstance",
        field=key,
        value=name,
    )
