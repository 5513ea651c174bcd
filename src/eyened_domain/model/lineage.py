"""Patient > study > series > image: whatever points at several of them must mean one line."""

from __future__ import annotations

from eyened_domain.errors import RuleBroken
from eyened_domain.model.entity import Entity
from eyened_domain.model.known_links import loaded, target_of

_UPWARDS = {"image_instance": "series", "series": "study", "study": "patient"}


def check_lineage(one: Entity) -> None:
    """Raise unless the patient, study, series and image of an object belong together.

    Looks only at what is in view; see `Entity.rules_read`.

    Raises:
        RuleBroken: one of them belongs to another than the object says.
    """
    for start in _UPWARDS:
        link, owner = start, one
        while link in _UPWARDS and link in owner.__entity__.links:
            found = loaded(owner, link)
            if found is None:
                break
            owner, link = found, _UPWARDS[link]
            _check_step(one, start, owner, link)


def _check_step(one: Entity, start: str, owner: Entity, link: str) -> None:
    if link not in one.__entity__.links:
        return
    said, found = target_of(one, link), target_of(owner, link)
    if said.differs_from(found):
        name = one.__entity__.name
        raise RuleBroken(
            f"{name}: its {start} belongs to {link} {found}, not to {link} {said}; "
            f"give the {link} of the {start}",
            entity=name,
            field=link,
            value=said.identity,
        )
