"""The five kinds of things that have attribute values."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from eyened_domain.errors import BadInput
from eyened_domain.model.attribute import OWNERS, AttributeValue
from eyened_domain.model.entity import Entity, entity_class
from eyened_domain.model.values import kind_of


@frozen
class OwnerKind:
    """One kind of owner: images, segmentations of either kind, patients or studies."""

    entity: type[Entity]
    link: str
    """The link of an attribute value to it: ``image_instance``."""

    @property
    def key(self) -> str:
        """The column with its id, there and in `AttributeValue`: ``image_instance_id``."""
        return f"{self.link}_id"

    @property
    def name(self) -> str:
        """The name of the entity."""
        return self.entity.__name__


def _kinds() -> tuple[OwnerKind, ...]:
    links = AttributeValue.__entity__.links
    return tuple(OwnerKind(entity_class(links[name].target), name) for name in OWNERS)


OWNER_KINDS: tuple[OwnerKind, ...] = _kinds()


def owner_kind(entity: Any) -> OwnerKind:
    """Return the kind of owner that an entity class is; raise `BadInput` when it is none."""
    for kind in OWNER_KINDS:
        if entity is kind.entity:
            return kind
    known = ", ".join(kind.name for kind in OWNER_KINDS)
    raise BadInput(f"attributes are of {known}, not of {kind_of(entity)}", entity="AttributeValue")
