"""Putting tags on studies, images, segmentations, annotations and forms."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eyened_domain.errors import Duplicate, NotFound
from eyened_domain.model.creator import Creator
from eyened_domain.model.entity import Entity
from eyened_domain.model.tag import CreatorTagLink, Tag
from eyened_domain.model.values import shown
from eyened_domain.services.inactive import includes_inactive
from eyened_domain.services.tagging import by_ids
from eyened_domain.services.tagging.by_objects import Asked, link_of, put_on
from eyened_domain.services.tagging.events import ManyTagged, Untagged
from eyened_domain.services.tagging.kinds import Kind, kind_named, kind_of, kinds_of
from eyened_domain.services.tagging.listing import TagUse, frame_of, uses
from eyened_domain.services.tagging.wanted import (
    Names,
    add_missing,
    creator_of,
    tags_there,
    wanted_names,
)
from eyened_domain.services.unit_of_work import UnitOfWork


class Tagging:
    """Makes tags, puts them on things and takes them off, and tells who did.

    Whoever does it is given as `by`: a creator, or the name of one. Nobody is made: a name that
    is not there is `NotFound`, and a creator that is not stored `RuleBroken`.
    """

    # --- the tags themselves --------------------------------------------------------------------

    def create(
        self, uow: UnitOfWork, name: str, kind: Kind, *, by: Creator | str, description: str = ""
    ) -> Tag:
        """Return the tag of that name for things of a kind, made where it is not there.

        Args:
            uow: an open unit of work; the caller commits.
            name: of the tag; case and accents make no difference.
            kind: which things it is for: ``ImageInstance``, ``TagType.Study``, ``"Study"``.
            by: who makes it.
            description: what it means.

        Raises:
            BadInput: it is no name, or things of that kind take no tags.
            Duplicate: it is there, with another description; `describe` changes that.
            NotFound, RuleBroken: nobody is meant by `by`.
        """
        taggable = kind_named(kind)
        wanted = wanted_names([name], [taggable])
        maker = creator_of(uow, by)
        for tag in tags_there(uow, taggable, wanted).values():
            if description not in ("", tag.tag_description):
                raise Duplicate(
                    f"there is a Tag {shown(tag.tag_name)} already, described as "
                    f"{shown(tag.tag_description)}; change that with describe",
                    entity="Tag",
                    field="tag_description",
                    value=description,
                )
            return tag
        new = Tag(
            tag_name=name, tag_type=taggable.tag_type, creator=maker, tag_description=description
        )
        return uow.tags.add(new)

    def describe(self, uow: UnitOfWork, tag: Tag, description: str) -> None:
        """Say what a tag means.

        Raises:
            BadInput: it is no text, or too long.
        """
        uow.tags.add(tag)
        tag.tag_description = description

    def star(self, uow: UnitOfWork, tag: Tag, *, by: Creator | str) -> CreatorTagLink:
        """Mark a tag as one of somebody's favourites; a second time changes nothing.

        Raises:
            NotFound, RuleBroken: nobody is meant by `by`.
        """
        who = creator_of(uow, by)
        there = uow.starred_tags.where(tag=uow.tags.add(tag), creator=who)
        return there[0] if there else uow.starred_tags.add(CreatorTagLink(tag=tag, creator=who))

    def unstar(self, uow: UnitOfWork, tag: Tag, *, by: Creator | str) -> bool:
        """Take a tag off somebody's favourites.

        Returns:
            whether it was one.
        """
        there = uow.starred_tags.where(tag=tag, creator=creator_of(uow, by))
        for link in there:
            uow.starred_tags.delete(link)
        return bool(there)

    def starred(self, uow: UnitOfWork, *, by: Creator | str) -> list[Tag]:
        """Return somebody's favourite tags, in the order of their ids."""
        who = creator_of(uow, by)
        return uow.tags.by_ids(link.tag_id for link in uow.starred_tags.where(creator=who))

    def list_tags(
        self, uow: UnitOfWork, kind: Kind | None = None, *, include_inactive: bool | None = None
    ) -> list[TagUse]:
        """Return the tags with how often they are used, in one statement, in order of the ids.

        Args:
            uow: an open unit of work.
            kind: only those for things of this kind; all by default.
            include_inactive: count things that are inactive, too; as the unit of work says, by
                default.
        """
        uow.flush()
        taggable = None if kind is None else kind_named(kind)
        with_all = includes_inactive(uow, include_inactive)
        return uses(uow, taggable, include_inactive=with_all)

    def frame(
        self,
        uow: UnitOfWork,
        kind: Kind,
        names: Names | None = None,
        *,
        include_inactive: bool | None = None,
        backend: str = "pandas",
    ) -> Any:
        """Return who put which tag on which things, and when, as a DataFrame.

        Args:
            uow: an open unit of work.
            kind: on which things.
            names: of the tags; all by default.
            include_inactive: also those on things that are inactive; as the unit of work says,
                by default.
            backend: ``pandas`` or ``polars``.

        Returns:
            one row for each tag on a thing, the earliest first, with the columns ``tag_name``,
            the id of the thing (``image_instance_id``), ``creator_name``, ``date_inserted`` and
            ``comment``. One statement, or two where names are given.

        Raises:
            NotFound: there is no tag of one of the names.
            BadInput: things of that kind take no tags, or there is no such backend.
            ConfigurationError: the backend is not installed.
        """
        uow.flush()
        taggable = kind_named(kind)
        wanted = None if names is None else wanted_names(names, [taggable])
        with_all = includes_inactive(uow, include_inactive)
        return frame_of(uow, taggable, wanted, include_inactive=with_all, backend=backend)

    # --- what they are put on -------------------------------------------------------------------

    def tag(
        self,
        uow: UnitOfWork,
        target: Entity,
        name: str | Tag,
        *,
        by: Creator | str,
        comment: str | None = None,
    ) -> Any:
        """Put a tag on something; the tag is made when there is none of that name and type.

        Putting the same tag on again changes nothing.

        Args:
            uow: an open unit of work; the caller commits.
            target: a study, image, segmentation, annotation or form.
            name: the name of the tag, or the tag.
            by: who puts it there.
            comment: a remark, where the target's tags have one.

        Returns:
            the link between the tag and the target.

        Raises:
            RuleBroken: things of that kind take no tags, or no remarks, or the tag is for others.
            NotFound, RuleBroken: nobody is meant by `by`.
        """
        (link,) = self.tag_all(uow, [target], [name], by=by, comment=comment)
        return link

    def tag_all(
        self,
        uow: UnitOfWork,
        targets: Iterable[Entity],
        names: Names,
        *,
        by: Creator | str,
        comment: str | None = None,
    ) -> list[Any]:
        """Put one tag or several on each of many things; see `tag`.

        All tags are looked up together, and so are the links that are there already: two
        statements for things of one kind, and one more for every ten thousand of them.

        Args:
            uow: an open unit of work; the caller commits.
            targets: studies, images, segmentations, annotations or forms.
            names: the name of a tag, or several names; tags do as well.
            by: who puts them there.
            comment: a remark on each new link, where the targets' tags have one.

        Returns:
            the links, those of the first thing first.

        Raises:
            RuleBroken: things of one of the kinds take no tags, or no remarks, or a tag is for
                others; nothing was tagged then.
            NotFound, RuleBroken: nobody is meant by `by`.
        """
        kinds = kinds_of(targets)
        each = tuple(dict.fromkeys(kinds.values()))
        wanted = wanted_names(names, each)
        for kind in each:
            kind.checked_comment(comment)
        asked = Asked(wanted, creator_of(uow, by), comment)
        links: dict[tuple[Entity, str], Any] = {}
        for kind in each if wanted else ():
            some = [target for target, its_kind in kinds.items() if its_kind is kind]
            links |= put_on(uow, kind, some, asked)
        return [links[target, folded] for target in kinds for folded in wanted]

    def tag_ids(
        self,
        uow: UnitOfWork,
        kind: Kind,
        ids: Iterable[int],
        names: Names,
        *,
        by: Creator | str,
        comment: str | None = None,
    ) -> int:
        """Put one tag or several on things that are told by their ids, without their objects.

        Things that have the tag keep its link as it is. Statements: three, three more for each
        tag (its links go in within a savepoint), and as many again for every ten thousand ids.

        Args:
            uow: an open unit of work; the caller commits.
            kind: what they are: ``ImageInstance``, ``TagType.Study``, ``"Study"``.
            ids: of the things.
            names: as for `tag_all`.
            by: who puts them there.
            comment: a remark on each new link, where the things' tags have one.

        Returns:
            how many links are new.

        Raises:
            NotFound: there are no things with some of the ids; the message names them, and
                nothing was tagged. Or nobody is meant by `by`.
            BadInput: something is no id or no name, or things of that kind take no tags.
            RuleBroken: they take no remarks, a tag is for others, or `by` is not stored.
        """
        taggable = kind_named(kind)
        wanted = wanted_names(names, [taggable])
        remark = taggable.checked_comment(comment)
        meant = by_ids.ids_in(taggable, ids)
        who = creator_of(uow, by)
        uow.flush()
        if not (meant and wanted):
            return 0
        by_ids.check_there(uow, taggable, meant)
        there = tags_there(uow, taggable, wanted)
        has = set(by_ids.linked(uow, taggable, there.values(), meant))
        tags = add_missing(uow, taggable, wanted, there, who)
        uow.flush()
        beside = taggable.beside(who, remark)
        count = 0
        for tag in tags.values():
            new = [one for one in meant if (tag.tag_id, one) not in has]
            if new:
                by_ids.link_ids(uow, taggable, tag, new, beside)
                uow.record(ManyTagged(taggable.entity, tuple(new), tag.tag_name, who))
            count += len(new)
        return count

    def comment(
        self, uow: UnitOfWork, target: Entity, name: str | Tag, comment: str | None
    ) -> None:
        """Change the remark on a tag that something has; None takes it away.

        Raises:
            NotFound: it has no such tag.
            RuleBroken: tags on things of that kind take no remarks.
            BadInput: it is no text, or too long.
        """
        kind = kind_of(target)
        kind.checked_comment(comment or "")
        wanted = wanted_names([name], [kind])
        link = link_of(uow, kind, target, wanted)
        if link is None:
            (said,) = wanted.values()
            raise NotFound(
                f"the {kind.entity.__name__} has no tag {shown(said)}",
                entity="Tag",
                field="tag_name",
                value=said,
            )
        link.comment = comment

    def untag(self, uow: UnitOfWork, target: Entity, name: str | Tag) -> bool:
        """Take a tag off something.

        Returns:
            whether it was there.
        """
        kind = kind_of(target)
        found = link_of(uow, kind, target, wanted_names([name], [kind]))
        if found is None:
            return False
        uow.repository(kind.link).delete(found)
        uow.record(Untagged(target, name if isinstance(name, str) else name.tag_name))
        return True

    def untag_all(self, uow: UnitOfWork, targets: Iterable[Entity], names: Names) -> int:
        """Take one tag or several off each of many things.

        Statements: two for things of one kind, and one for each tag; and as many again for
        every ten thousand things.

        Returns:
            how many tags were there, each counted on each thing.

        Raises:
            RuleBroken: things of one of the kinds take no tags, or a tag is for others.
        """
        kinds = kinds_of(targets)
        each = tuple(dict.fromkeys(kinds.values()))
        wanted = wanted_names(names, each)
        uow.flush()
        count = 0
        for kind in each if wanted else ():
            some = {getattr(target, kind.key): target for target in kinds if kinds[target] is kind}
            some.pop(None, None)
            tags = {tag.tag_id: tag for tag in tags_there(uow, kind, wanted).values()}
            gone = by_ids.unlink_ids(uow, kind, tags.values(), list(some))
            for tag_id, identity in gone:
                uow.record(Untagged(some[identity], tags[tag_id].tag_name))
            count += len(gone)
        return count

    def untag_ids(self, uow: UnitOfWork, kind: Kind, ids: Iterable[int], names: Names) -> int:
        """Take one tag or several off things that are told by their ids; see `untag_all`."""
        taggable = kind_named(kind)
        wanted = wanted_names(names, [taggable])
        meant = by_ids.ids_in(taggable, ids)
        uow.flush()
        tags = list(tags_there(uow, taggable, wanted).values()) if meant else []
        gone = by_ids.unlink_ids(uow, taggable, tags, meant)
        by_ids.note_untagged(uow, taggable, tags, gone)
        return len(gone)
