"""Finding what is stale in a whole project, against Core reading the same rows.

    python -m benchmarks.provenance [--database sqlite|mariadb] [--images 5000]

Each image has eight values; the last was computed from the seven others, all of it recorded. Core
reads the values, the inputs and the record, without joins, and decides nothing.
"""

from __future__ import annotations

import argparse

from sqlalchemy import select

from benchmarks.dataset import fill
from benchmarks.timing import Figure, counted, ratio
from campaigns.kit.databases import MARIADB_URL, fresh_database
from eyened_domain import AttributeDefinition, AttributesModel, AttributeValue, AttributeValueInput
from eyened_domain.adapters.database import Database
from eyened_domain.adapters.sql.schema import table_of
from eyened_domain.adapters.sql.schema.bookkeeping import attribute_computation
from eyened_domain.services.provenance import Provenance

ATTRIBUTES = 8
PROJECT = "Benchmark"


def prepare(database: Database, images: int) -> None:
    """Store the values, and what they were computed from."""
    fill(database.engine, images)
    with database.unit_of_work() as uow:
        model = uow.models.add(AttributesModel(model_name="net", version="1.0"))
        names = [f"attribute {n}" for n in range(ATTRIBUTES)]
        definitions = uow.attributes.add_all(
            AttributeDefinition(attribute_name=name, attribute_data_type="Float") for name in names
        )
        uow.flush()
        keys = [
            uow.rows.insert(
                AttributeValue,
                [
                    {
                        "image_instance_id": n,
                        "attribute_id": one.attribute_id,
                        "model_id": model.model_id,
                        "value_float": n / 7,
                    }
                    for n in range(1, images + 1)
                ],
                key=["image_instance_id"],
            )
            for one in definitions
        ]
        *inputs, outputs = keys
        sources = {output: some for output, *some in zip(outputs, *inputs, strict=True)}
        Provenance().computed_from(uow, sources)
        uow.commit()


def stale(database: Database) -> None:
    """Find what is stale: nothing."""
    with database.unit_of_work() as uow:
        if Provenance().stale(uow, PROJECT):
            raise AssertionError("nothing has happened")


def core(database: Database) -> None:
    """Read the rows."""
    with database.engine.connect() as connection:
        for table in (
            table_of(AttributeValue),
            table_of(AttributeValueInput),
            attribute_computation,
        ):
            connection.execute(select(table)).all()


def figures(database: Database, images: int, runs: int) -> list[Figure]:
    """Measure on one database."""
    prepare(database, images)
    with counted(database.engine) as sent:
        stale(database)
    statements = [one for one in sent if not one.startswith("BEGIN")]
    name = f"stale among {ATTRIBUTES * images:,} values"
    return [
        Figure(name=name, value=len(statements), unit="statements"),
        ratio(
            name,
            lambda: stale(database),
            lambda: core(database),
            limit_name="Core, reading values, inputs and the record",
            goal=None,
            runs=runs,
        ),
    ]


def main() -> None:
    """Run on the databases that are asked for; print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=("sqlite", "mariadb"), action="append")
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    url = MARIADB_URL.replace("benchmarks", "benchmark_provenance")
    for kind in options.database or ("sqlite", "mariadb"):
        with fresh_database(kind, url) as database:
            for one in figures(database, options.images, options.runs):
                times = f", {one.ours:.3f} s / {one.limit:.3f} s" if one.ours and one.limit else ""
                print(f"{kind:>8}  {one.name}: {one.value:.3g} {one.unit}{times}", flush=True)


if __name__ == "__main__":
    main()
