"""No search reads all images where an index serves; pages come in the order of an index."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from sqlalchemy.sql.schema import ColumnCollectionConstraint

from eyened_domain import Database, ImageInstance, Search
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.services.conditions import Condition, field, some
from eyened_domain.services.search import Page
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.databases import settings_on
from tests.integration.search_plans import RARE, Step, asked, plan, reads_all_images, stock

IMAGES = 3000
WAYS: dict[str, Callable[[UnitOfWork, Condition], Any]] = {
    "page": Search().page,
    "ids": Search().ids,
    "count": Search().count,
    "capped count": lambda uow, condition: Search().count(uow, condition, most=10_000),
    "where": lambda uow, condition: uow.images.where(condition, limit=1),
}


@frozen
class Stocked:
    """A database with many images, and what the fields hold of the one that is told of."""

    database: Database
    values: dict[str, Any]

    def steps(self, way: str, condition: Condition) -> list[Step]:
        """Return the plan of a search."""
        with self.database.unit_of_work() as uow:
            return plan(self.database, lambda: WAYS[way](uow, condition))


@pytest.fixture
def stocked(mariadb_url: str, tmp_path: Path) -> Iterator[Stocked]:
    database = Database(settings_on(mariadb_url, tmp_path))
    try:
        yield Stocked(database, stock(database, IMAGES))
    finally:
        database.close()


def without_index() -> set[str]:
    """Return the fields of images themselves that no index begins with."""
    table = table_of(ImageInstance)
    begins = {next(iter(index.columns)).key for index in table.indexes}
    keys = [c for c in table.constraints if isinstance(c, ColumnCollectionConstraint)]
    begins |= {key.columns[0].key for key in keys if len(key.columns)}
    return {f"image.{column.key}" for column in table.columns if column.key not in begins}


def test_no_field_makes_all_images_be_read_where_an_index_serves(stocked: Stocked) -> None:
    for way in WAYS:
        scanned = {
            one.name
            for one in Search().fields()
            if reads_all_images(
                stocked.steps(way, next(iter(asked(one, stocked.values[one.name]).values())))
            )
        }
        assert scanned == without_index(), way


def test_no_operator_makes_all_images_be_read_where_an_index_serves(stocked: Stocked) -> None:
    scanned = {
        (one.name, operator)
        for one in Search().fields()
        for operator, condition in asked(one, stocked.values[one.name]).items()
        if one.name not in without_index() and reads_all_images(stocked.steps("ids", condition))
    }
    assert scanned == set()


def test_what_is_asked_together_is_found_by_the_index_of_one_of_them(stocked: Stocked) -> None:
    rare = field("tag") == stocked.values["tag"]
    together = [
        rare & (field("modality") == "OCT"),
        rare & ~(field("segmentation") == "vessels"),
        rare & ((field("laterality") == "L") | (field("form").is_not_null())),
        some("attribute", field("attribute_definition.attribute_name") == RARE),
    ]
    for condition in together:
        for way in WAYS:
            assert not reads_all_images(stocked.steps(way, condition)), (way, condition)


def test_pages_in_the_order_of_an_index_are_read_from_it_without_sorting(stocked: Stocked) -> None:
    search, database = Search(), stocked.database
    orders = {
        (): "PRIMARY",
        ("-image_instance_id",): "PRIMARY",
        ("series_id",): "fk_ImageInstance_Series1_idx",
        ("dataset_identifier", "source_info_id"): "SourceInfoIDDatasetIdentifier_UNIQUE",
    }
    for order, key in orders.items():
        with database.unit_of_work() as uow:
            page: Page[ImageInstance] = search.page(uow, order_by=order, size=IMAGES // 2)
            places: list[dict[str, Any]] = [{}, {"after": page.after}, {"before": page.after}]
            steps = [
                plan(database, partial(search.page, uow, order_by=order, size=5, **place))
                for place in places
            ]
        assert [[one.key for one in each] for each in steps] == 3 * [[key]]
        assert not [one for each in steps for one in each if "filesort" in one.extra]
