"""What the name of a field means, seen from the entity that is searched.

A name is a path of links and a column at its end, as in ``series.study.study_date``, with short
forms: what an object belongs to is named by itself (``study.study_date``), and so is what hangs
on it (``segmentation.creator``, ``tag``). A path may go through lists: then it means one that is
in the list.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import cache

from attrs import frozen

from eyened_domain.errors import BadInput, UnknownName
from eyened_domain.model.annotation import Annotation
from eyened_domain.model.attribute import AttributeValue
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.fields import LinkInfo
from eyened_domain.model.form import FormAnnotation
from eyened_domain.model.image import ImageInstance
from eyened_domain.model.names import nearest
from eyened_domain.model.patient import Patient
from eyened_domain.model.segmentation import ModelSegmentation, Segmentation
from eyened_domain.model.study import Series, Study
from eyened_domain.model.tag import (
    AnnotationTagLink,
    FormAnnotationTagLink,
    ImageInstanceTagLink,
    SegmentationTagLink,
    StudyTagLink,
)
from eyened_domain.model.task import SubTask, SubTaskImageLink

SHORT: Mapping[type[Entity], Mapping[str, str]] = {
    ImageInstance: {
        "device": "device_instance.device_model",
        "tag": "image_instance_tag_links",
        "segmentation": "segmentations",
        "model_segmentation": "model_segmentations",
        "annotation": "annotations",
        "form": "form_annotations",
        "attribute": "attribute_values",
        "task": "sub_task_image_links",
        "study_tag": "series.study.study_tag_links",
        "study_form": "series.study.form_annotations",
        "study_attribute": "series.study.attribute_values",
        "patient_form": "series.study.patient.form_annotations",
        "patient_attribute": "series.study.patient.attribute_values",
    },
    Series: {"image": "image_instances"},
    Study: {
        "tag": "study_tag_links",
        "image": "series.image_instances",
        "form": "form_annotations",
        "attribute": "attribute_values",
        "patient_attribute": "patient.attribute_values",
    },
    Patient: {
        "study": "studies",
        "image": "studies.series.image_instances",
        "form": "form_annotations",
        "attribute": "attribute_values",
    },
    Segmentation: {
        "image": "image_instance",
        "tag": "segmentation_tag_links",
        "attribute": "attribute_values",
    },
    ModelSegmentation: {"image": "image_instance", "attribute": "attribute_values"},
    FormAnnotation: {
        "image": "image_instance",
        "schema": "form_schema",
        "tag": "form_annotation_tag_links",
    },
    Annotation: {"image": "image_instance", "tag": "annotation_tag_links"},
    AttributeValue: {"model": "producing_model"},
    SubTaskImageLink: {"state": "sub_task.task_state", "grader": "sub_task.creator"},
    SubTask: {"image": "sub_task_image_links.image_instance"},
}
"""Short forms of paths, by the entity that they begin at."""
MEANT: Mapping[type[Entity], str] = {
    ImageInstanceTagLink: "tag",
    StudyTagLink: "tag",
    SegmentationTagLink: "tag",
    AnnotationTagLink: "tag",
    FormAnnotationTagLink: "tag",
    Segmentation: "feature",
    FormAnnotation: "form_schema",
    SubTaskImageLink: "sub_task.task",
}
"""What is compared where a name ends at a list of these: the tag, the feature, the schema."""
OWN_NAMES: Mapping[type[Entity], str] = {
    ImageInstance: "image",
    FormAnnotation: "form",
    SubTask: "sub_task",
}
"""What an entity is called in names, where that is not its class in small letters."""
ANSWER = "answer"
"""A field of forms: an answer, given by its path."""


@frozen
class Hop:
    """A list on the way of a path."""

    before: tuple[str, ...]
    """Links to one that lead to the object with the list."""
    link: LinkInfo
    target: type[Entity]


@frozen
class Place:
    """Where a name leads."""

    hops: tuple[Hop, ...]
    """The lists that are gone through."""
    path: tuple[str, ...]
    """Links to one after the last list; and the column, where the name ends at one."""
    owner: type[Entity]
    """Whose column it is; or what is linked or listed."""
    column: str | None
    """None where the name ends at a link; `ANSWER` for the answers of a form."""
    via: tuple[str, ...] = ()
    """Where the name ends at a link to one: the path of the column with the id."""


def place_of(entity: type[Entity], name: str) -> Place:
    """Return where a name leads.

    Raises:
        UnknownName: there is no such field; the message tells what comes near.
        BadInput: it goes through a column, or through a table between.
    """
    names = deque(_from_the_entity(entity, name.split(".")))
    hops: list[Hop] = []
    path: list[str] = []
    via: list[str] = []
    current, column = entity, None
    while names:
        word = names.popleft()
        names.extendleft(reversed(_spelled_out(current, word)))
        word = names.popleft()
        if word == ANSWER and current is FormAnnotation and not names:
            return Place(tuple(hops), tuple(path), current, ANSWER)
        field = _field(current, word, name)
        link = current.__entity__.links.get(field)
        if link is None:
            if names:
                raise BadInput(
                    f"{name}: {current.__name__}.{field} is a column, and nothing follows it",
                    entity=current.__name__,
                    field=field,
                )
            column = field
            path.append(field)
        elif link.many:
            hops.append(_hop(tuple(path), link, current))
            path, via, current = [], [], hops[-1].target
        else:
            via = [*path, str(link.via)]
            path.append(field)
            current = entity_class(link.target)
    return Place(tuple(hops), tuple(path), current, column, () if column else tuple(via))


def own_name(entity: type[Entity]) -> str:
    """Return what an entity is called in the names of fields: ``image``, ``study``."""
    return OWN_NAMES.get(entity, entity.__name__.lower())


@cache
def ways_up(entity: type[Entity]) -> Mapping[str, tuple[str, ...]]:
    """Return what an object belongs to, by name, and the links to one that lead there."""
    found: dict[str, tuple[str, ...]] = {}
    left: deque[tuple[type[Entity], tuple[str, ...]]] = deque([(entity, ())])
    while left:
        current, path = left.popleft()
        for link in current.__entity__.to_one:
            target = entity_class(link.target)
            if link.name not in found and target is not entity:
                found[link.name] = (*path, link.name)
                left.append((target, found[link.name]))
    return found


@cache
def _ways_by_both_names(entity: type[Entity]) -> Mapping[str, tuple[str, ...]]:
    """Return the ways up by the names of their last links, in either style."""
    found: dict[str, tuple[str, ...]] = {}
    for name, path in ways_up(entity).items():
        owner = entity
        for step in path[:-1]:
            owner = entity_class(owner.__entity__.links[step].target)
        found[owner.__entity__.links[name].database_name] = path
    return {**found, **ways_up(entity)}


def _from_the_entity(entity: type[Entity], words: list[str]) -> list[str]:
    """Return the words of a path without the entity's own name, and the way up spelled out."""
    info, first = entity.__entity__, words[0]
    if first in info.names or first in SHORT.get(entity, {}):
        return words
    if first in (own_name(entity), entity.__name__) and len(words) > 1:
        return words[1:]
    return [*_ways_by_both_names(entity).get(first, (first,)), *words[1:]]


def _spelled_out(entity: type[Entity], word: str) -> list[str]:
    short = SHORT.get(entity, {}).get(word)
    return [word] if short is None or word in entity.__entity__.names else short.split(".")


def _field(entity: type[Entity], word: str, name: str) -> str:
    info = entity.__entity__
    field = info.names.get(word)
    if field is not None and not (field in info.columns and info.columns[field].private):
        return field
    private = {one.name for one in info.columns.values() if one.private}
    known = [one for one, field in info.names.items() if field not in private]
    known += [*SHORT.get(entity, {}), *ways_up(entity)]
    raise UnknownName(
        f"{name}: {entity.__name__} has no field {word!r}{nearest(word, known)}",
        entity=entity.__name__,
        field=name,
    )


def _hop(before: tuple[str, ...], link: LinkInfo, entity: type[Entity]) -> Hop:
    if link.through:
        raise BadInput(
            f"{entity.__name__}.{link.name} cannot be searched: it is a list of many to many",
            entity=entity.__name__,
            field=link.name,
        )
    return Hop(before, link, entity_class(link.target))
