"""An image says its modality twice, as a word and as a link; both must say the same.

The table `Modality` repeats the words as tags. Where it has tags that are none of our
words, such as ``"unknown"``, the link says nothing of the word.
"""

from __future__ import annotations

from eyened_domain.errors import RuleBroken
from eyened_domain.model.enums import Modality
from eyened_domain.model.image import ImageInstance

UNKNOWN = "unknown"
"""The tag that images without a modality are linked to."""

_BY_TAG = {name.casefold(): member for name, member in Modality.__members__.items()}


def modality_of(tag: str | None) -> Modality | None:
    """Return the modality that a tag names; None where it names none."""
    return None if tag is None else _BY_TAG.get(tag.casefold())


def let_agree(
    image: ImageInstance, tag: str | None, *, is_said: bool, is_linked: bool
) -> str | None:
    """Let the modality of an image follow its entry, or say which entry must follow it.

    Args:
        image: the image; its modality is set where the entry counts.
        tag: of the entry that it is linked to; None where there is none.
        is_said: whether its modality was set.
        is_linked: whether its entry was set.

    Returns:
        the tag that its entry must have; None where the entry is as it must be.

    Raises:
        RuleBroken: both were set, and contradict each other.
    """
    said: Modality | None = image.__dict__.get("modality")
    linked = modality_of(tag)
    if is_linked:
        if said is linked or (said is not None and linked is None and is_said):
            return None
        if is_said and said is not None:
            raise RuleBroken(
                f"ImageInstance.modality is {said.name}, its modality_entry is {tag}; set one of "
                "them, the other follows",
                entity="ImageInstance",
                field="modality",
                value=said,
            )
        image.modality = linked
        return None
    if not is_said or said is linked:
        return None
    return UNKNOWN if said is None else said.name
