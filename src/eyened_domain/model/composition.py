"""What features are made of, as a whole: what is stored, with what is about to be stored.

`FeatureFeatureLink.check_rules` and `Feature.check_labels` look at what is in memory. Here
the same rules are checked with what the storage holds, which others may have changed since it
was read, and which also counts what is known by id only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable

from eyened_domain.errors import RuleBroken
from eyened_domain.model.entity import Entity
from eyened_domain.model.feature import FeatureFeatureLink, check_indices, is_labelled
from eyened_domain.model.known_links import loaded, target_of
from eyened_domain.model.segmentation import Segmentation
from eyened_domain.model.values import shown

Part = tuple[Hashable, Hashable, int]
"""A composite feature, a part of it, and the part's index."""


def depends_on_parts(one: Entity) -> bool:
    """Whether rules of an object that is about to be stored read what features are made of."""
    if isinstance(one, FeatureFeatureLink):
        return True
    if not isinstance(one, Segmentation) or one.__dict__.get("segmentation_id") is not None:
        return False
    return is_labelled(one.data_representation, one.data_type) and (
        loaded(loaded(one, "feature"), "feature_associations") is None
    )


def check_parts(stored: Collection[Part], changed: Iterable[Entity]) -> None:
    """Raise where what is about to be stored does not go with what is stored.

    Args:
        stored: the parts of all features, without those that are about to be changed or
            deleted.
        changed: the links, and the segmentations with labels, that are about to be stored.

    Raises:
        RuleBroken: a feature would be within itself, an index would be taken twice, or a
            label has no room in the number type of a segmentation.
    """
    objects = list(changed)
    links = [one for one in objects if isinstance(one, FeatureFeatureLink)]
    parts = [*stored, *map(_part, links)]
    for link in links:
        _check_link(link, parts)
    for one in objects:
        if isinstance(one, Segmentation):
            _check_labels(one, parts)


def _part(link: FeatureFeatureLink) -> Part:
    return _node(link, "feature"), _node(link, "child"), link.feature_index


def _node(one: Entity, link: str) -> Hashable:
    """Return the id of a feature; of one that has none, something that stands for it."""
    target = target_of(one, link)
    return target.identity if target.identity is not None else ("new", id(target.target))


def _check_link(link: FeatureFeatureLink, parts: list[Part]) -> None:
    parent, child, index = own = _part(link)
    if index is not None and index < 0:
        raise _broken(link, f"the index {index} is negative")
    if _is_within(parent, child, parts):
        raise _broken(link, "a feature cannot be within itself")
    if any((other[0], other[2]) == (parent, index) and other != own for other in parts):
        raise _broken(link, f"the index {index} is taken")


def _is_within(sought: Hashable, composite: Hashable, parts: list[Part]) -> bool:
    below = defaultdict(list)
    for parent, child, _ in parts:
        below[parent].append(child)
    waiting, seen = [composite], {composite}
    while waiting:
        one = waiting.pop()
        if one == sought:
            return True
        new = [child for child in below[one] if child not in seen]
        seen.update(new)
        waiting += new
    return False


def _check_labels(one: Segmentation, parts: list[Part]) -> None:
    node = _node(one, "feature")
    name = shown(loaded(loaded(one, "feature"), "feature_name") or node)
    indices = [index for parent, _, index in parts if parent == node]
    check_indices(name, indices, one.data_representation, one.data_type)


def _broken(link: FeatureFeatureLink, reason: str) -> RuleBroken:
    return RuleBroken(
        f"FeatureFeatureLink: {reason}",
        entity="FeatureFeatureLink",
        field="feature_index",
        value=link.feature_index,
    )
