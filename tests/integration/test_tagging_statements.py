"""How many statements go to the database when many things are tagged, and told."""

import pytest

from eyened_domain import ImageInstance, Tagging
from eyened_domain.testing.queries import assert_queries

KIND = ImageInstance


def store_images(database, builder, count):
    """Store images, and somebody who tags them; return the ids."""
    with database.unit_of_work() as uow:
        image = uow.images.add(builder.an_image())
        uow.creators.add(builder.a_creator(creator_name="dr_smith"))
        uow.flush()
        names = ("series_id", "source_info_id", "device_instance_id", "modality_id")
        place = {name: getattr(image, name) for name in names}
        rows = [
            {"dataset_identifier": f"{n}.png", "laterality": "R", "inactive": False, **place}
            for n in range(count)
        ]
        ids = uow.rows.insert(ImageInstance, rows, key=["dataset_identifier"])
        uow.commit()
    return ids


@pytest.mark.parametrize("count", [3, 3000])
def test_things_are_tagged_and_untagged_by_ids_in_as_many_statements_however_many(
    database, builder, count
):
    ids = store_images(database, builder, count)
    with database.unit_of_work() as uow:
        with assert_queries(
            database, at_most=7
        ):  # who, which are there, the tag, new: tag, links within a savepoint
            assert Tagging().tag_ids(uow, KIND, ids, "sharp", by="dr_smith") == count
        with assert_queries(database, at_most=4):
            assert Tagging().tag_ids(uow, KIND, ids, "sharp", by="dr_smith") == 0
        with assert_queries(database, at_most=10):  # two sets of links
            assert Tagging().tag_ids(uow, KIND, ids, ["a", "b"], by="dr_smith") == 2 * count
        with assert_queries(database, at_most=4):  # one reads what is deleted, for the history
            assert Tagging().untag_ids(uow, KIND, ids, "sharp") == count
        images = uow.images.by_ids(ids)
        with assert_queries(database, at_most=6):
            assert Tagging().untag_all(uow, images, ["a", "b"]) == 2 * count
        uow.commit()


@pytest.mark.parametrize("count", [3, 300])
def test_tags_are_listed_with_their_counts_in_one_statement(database, builder, count):
    ids = store_images(database, builder, count)
    with database.unit_of_work() as uow:
        names = [f"tag {n}" for n in range(20)]
        Tagging().tag_ids(uow, KIND, ids, names, by="dr_smith")
        uow.commit()
        with assert_queries(database, at_most=1):
            assert {use.count for use in Tagging().list_tags(uow)} == {count}
        with assert_queries(database, at_most=1):
            assert len(Tagging().frame(uow, KIND)) == 20 * count
        with assert_queries(database, at_most=2):
            assert len(Tagging().frame(uow, KIND, names[:2])) == 2 * count
