"""What attrs and SQLAlchemy would lose in silence: held over all mappers."""

from typing import Any

import pytest
from sqlalchemy import event, inspect, select
from sqlalchemy.orm import aliased, configure_mappers, selectinload

import eyened_domain.adapters.sql.mapping  # noqa: F401 - maps the classes
from eyened_domain import Database, model
from eyened_domain.adapters.sql.schema import TABLES
from eyened_domain.errors import BadInput
from eyened_domain.model import Patient
from eyened_domain.model.entity import Entity, entity_class, entity_classes
from tests.integration.samples import store_two_of_each

configure_mappers()

NOT_STORED: dict[type[Entity], set[str]] = {}
"""Fields of attrs that no column and no relationship stands behind, on purpose: none."""

each_entity = pytest.mark.parametrize("entity", list(TABLES), ids=lambda e: e.__name__)


def _is_inherited(entity: type[Entity], link: str) -> bool:
    parent = entity.__entity__.parent
    return parent is not None and link in entity_class(parent).__entity__.links


def names_of(entity: type[Entity]) -> dict[str, str]:
    """Every other name of each field of an entity, with the field's own."""
    return dict(entity.__entity__.aliases)


def test_every_entity_has_a_mapper_and_a_table_of_its_own() -> None:
    assert set(entity_classes()) == set(TABLES)
    assert len(set(TABLES.values())) == len(TABLES) == 40 + 6  # the contract's, and six of ours


@each_entity
def test_every_field_is_mapped(entity: type[Entity]) -> None:
    mapped = set(entity.__mapper__.attrs.keys())
    fields = set(entity.__entity__.fields)
    assert fields - mapped == NOT_STORED.get(entity, set())


@each_entity
def test_nothing_is_mapped_that_is_not_a_field(entity: type[Entity]) -> None:
    fields = set(entity.__entity__.fields)
    assert set(entity.__mapper__.attrs.keys()) <= fields


@each_entity
def test_every_column_is_behind_a_field(entity: type[Entity]) -> None:
    mapper = entity.__mapper__
    stored = {column for prop in mapper.column_attrs for column in prop.columns}
    assert set(TABLES[entity].columns) <= stored


@each_entity
def test_nullability_of_model_and_table_agree(entity: type[Entity]) -> None:
    for name, column in entity.__entity__.columns.items():
        if name in TABLES[entity].c:
            assert column.nullable == TABLES[entity].c[name].nullable, name


@each_entity
def test_natural_keys_of_model_and_table_agree(entity: type[Entity]) -> None:
    table = TABLES[entity]
    if entity.__entity__.parent:
        return  # its keys are its parent's
    keys: list[Any] = [*table.constraints, *(i for i in table.indexes if i.unique)]
    in_table = {
        frozenset(c.key for c in key.columns)
        for key in keys
        if getattr(key, "unique", True) and type(key).__name__ in {"UniqueConstraint", "Index"}
    }
    assert {frozenset(key) for key in entity.__entity__.unique} == in_table


@each_entity
def test_no_class_has_slots(entity: type[Entity]) -> None:
    for cls in entity.__mro__[:-1]:
        assert not cls.__dict__.get("__slots__"), cls
    assert hasattr(object.__new__(entity), "__dict__")


@each_entity
def test_objects_are_compared_by_identity(entity: type[Entity]) -> None:
    assert entity.__eq__ is object.__eq__
    assert entity.__hash__ is object.__hash__


@each_entity
def test_no_discriminator_or_key_is_hidden_by_a_property(entity: type[Entity]) -> None:
    for name in entity.__mapper__.attrs.keys():  # noqa: SIM118 - no mapping
        assert not isinstance(inspect(entity).class_.__dict__.get(name), property), name


@each_entity
def test_no_relationship_is_eager(entity: type[Entity]) -> None:
    for relationship in entity.__mapper__.relationships:
        assert relationship.lazy == "select", relationship


@each_entity
def test_both_names_are_the_same_attribute_in_a_query(entity: type[Entity]) -> None:
    other = aliased(entity)
    for alias, name in names_of(entity).items():
        assert getattr(entity, alias) is getattr(entity, name), alias
        in_alias, by_name = getattr(other, alias), getattr(other, name)
        assert in_alias.key == by_name.key == name
        assert str(in_alias) == str(by_name)
        if name in entity.__entity__.columns:
            assert "_1" in str(select(in_alias)), alias  # of the alias, not of the class


@each_entity
def test_queries_by_either_name_are_the_same_sql(entity: type[Entity]) -> None:
    for alias, name in names_of(entity).items():
        one, two = getattr(entity, alias), getattr(entity, name)
        if name in entity.__entity__.columns:
            assert str(select(one)) == str(select(two))
            assert str(select(entity).where(one.is_(None)).order_by(one)) == str(
                select(entity).where(two.is_(None)).order_by(two)
            )
            assert str(select(entity).filter_by(**{alias: None})) == str(
                select(entity).filter_by(**{name: None})
            )
        else:
            other = aliased(entity_class(entity.__entity__.links[name].target))
            assert str(select(entity).join(one.of_type(other))) == str(
                select(entity).join(two.of_type(other))
            )


@each_entity
def test_every_relationship_can_be_loaded_with_selectinload_under_both_names(
    entity: type[Entity], filled: Database
) -> None:
    links = entity.__entity__.links
    for alias, name in names_of(entity).items():
        if name not in links:
            continue
        for said in (alias, name):
            with filled.get_session() as session:
                statement = select(entity).options(selectinload(getattr(entity, said)))
                found = session.scalars(statement).all()
                assert found
            assert all(name in one.__dict__ for one in found), f"{entity.__name__}.{said}"


@each_entity
def test_both_names_read_and_write_the_same_on_an_object(
    entity: type[Entity], filled: Database
) -> None:
    with filled.get_session() as session:
        one = session.scalars(select(entity)).first()
        for alias, name in names_of(entity).items():
            value = getattr(one, name)
            assert getattr(one, alias) is value
            if name in entity.__entity__.columns and value is not None:
                setattr(one, alias, value)
                assert getattr(one, name) == value


@pytest.fixture(scope="module")
def filled(sqlite_at_head: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A database with objects of every entity."""
    import shutil

    file = tmp_path_factory.mktemp("mapping") / "test_mapping.db"
    shutil.copyfile(sqlite_at_head, file)
    database = Database(f"sqlite:///{file}")
    with database.get_session() as session:
        store_two_of_each(session)
        session.commit()
    yield database
    database.close()


def test_every_link_to_one_is_stored_when_the_object_is_given(filled: Database) -> None:
    with filled.get_session() as session:
        for entity in TABLES:
            for name, link in entity.__entity__.links.items():
                if link.many:
                    continue
                via = str(link.via)
                one = session.scalars(
                    select(entity).where(getattr(entity, via).is_not(None))
                ).first()
                assert one is not None, f"{entity.__name__}.{name}"
                found = getattr(one, name)
                key = found.__entity__.primary_key[0]
                assert getattr(found, key) == getattr(one, via), f"{entity.__name__}.{name}"


def test_every_link_to_many_leads_to_objects_that_lead_back(filled: Database) -> None:
    with filled.get_session(include_inactive=True) as session:
        for entity in TABLES:
            for name, link in entity.__entity__.links.items():
                if not link.many or _is_inherited(entity, name):
                    continue
                found = [x for one in session.scalars(select(entity)) for x in getattr(one, name)]
                assert found, f"{entity.__name__}.{name} leads nowhere"
                assert all(isinstance(x, entity_class(link.target)) for x in found)
                if link.back and not link.through:
                    one = getattr(found[0], link.back)
                    assert any(x is found[0] for x in getattr(one, name))


def test_a_model_is_read_as_the_kind_that_it_is(filled: Database) -> None:
    with filled.get_session() as session:
        kinds = {type(one) for one in session.scalars(select(model.Model))}
    assert kinds == {model.SegmentationModel, model.AttributesModel}


def test_the_init_event_tells_what_a_constructor_was_given():
    heard = []

    def hear(_patient, _arguments, given):
        heard.append(given)

    event.listen(Patient, "init", hear)
    try:
        Patient(patient_identifier="1", Sex="F")  # type: ignore[call-arg]
        with pytest.raises(BadInput):
            Patient(patient_identifier="x" * 1000)
    finally:
        event.remove(Patient, "init", hear)
    assert heard[0] == {"patient_identifier": "1", "Sex": "F"}
    assert len(heard) == 2
