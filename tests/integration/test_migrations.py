"""From empty to the newest revision and back, on SQLite and on MariaDB."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, String, event, inspect, text

from eyened_domain import ConfigurationError
from eyened_domain.adapters.sql.migrations.contract import contract
from eyened_domain.adapters.sql.migrations.revisions import (
    HEAD,
    REVISIONS,
    VERSION_TABLE,
    is_ours,
)
from eyened_domain.adapters.sql.migrations.running import alembic_config, migrating
from eyened_domain.adapters.sql.migrations.state import State, find_state
from eyened_domain.adapters.sql.migrations.upgrade import initialise, upgrade, upgrade_sql
from eyened_domain.adapters.sql.schema import metadata
from eyened_domain.testing.engines import engine_on


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    """A database without tables."""
    made = engine_on(empty_database_url)
    yield made
    made.dispose()


def execute(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def tables_in(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def state_in(engine: Engine) -> State:
    with engine.connect() as connection:
        return find_state(connection).state


def shape_of(engine: Engine) -> dict[str, Any]:
    """Everything that reflection tells of the tables."""
    inspector = inspect(engine)
    return {
        name: (
            [{**c, "type": repr(c["type"])} for c in inspector.get_columns(name)],
            inspector.get_pk_constraint(name),
            sorted(map(repr, inspector.get_indexes(name))),
            sorted(map(repr, inspector.get_unique_constraints(name))),
            sorted(map(repr, inspector.get_foreign_keys(name))),
            sorted(map(repr, inspector.get_check_constraints(name))),
        )
        for name in tables_in(engine)
        if name != VERSION_TABLE
    }


def differences(engine: Engine) -> list[Any]:
    """What Alembic's autogenerate would write, with the options of our `env.py`."""
    options = {"version_table": VERSION_TABLE, "include_object": is_ours, "compare_type": True}
    with engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def go_to(engine: Engine, move: Callable[..., None], revision: str) -> None:
    with migrating(engine) as connection:
        move(alembic_config(connection=connection), revision)


def test_the_known_revisions_are_the_scripts_that_there_are() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    found = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS
    assert scripts.get_current_head() == HEAD


def test_initialise_makes_all_tables_and_no_more(engine: Engine) -> None:
    done = initialise(engine)
    assert (done.before, done.after) == (None, HEAD)
    assert tables_in(engine) == {*metadata.tables, VERSION_TABLE}


def test_autogenerate_finds_nothing_after_initialise(engine: Engine) -> None:
    initialise(engine)
    assert differences(engine) == []
    with migrating(engine) as connection:
        command.check(alembic_config(connection=connection))


def test_autogenerate_finds_nothing_beside_the_tables_of_others(engine: Engine) -> None:
    execute(
        engine,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
        "CREATE TABLE foreign_thing (id INTEGER PRIMARY KEY, name VARCHAR(20))",
        "CREATE INDEX foreign_index ON foreign_thing (name)",
    )
    initialise(engine)
    assert differences(engine) == []


def test_autogenerate_would_find_a_change(engine: Engine) -> None:
    initialise(engine)
    execute(engine, "ALTER TABLE Project ADD COLUMN unheard_of INTEGER")
    assert [d[0] for d in differences(engine)] == ["remove_column"]


def test_every_revision_walks_down_and_up_again(engine: Engine) -> None:
    seen: dict[str, Any] = {}
    for revision in REVISIONS:
        go_to(engine, command.upgrade, revision)
        seen[revision] = shape_of(engine)
    assert all(seen[a] != seen[b] for a, b in pairwise(REVISIONS))
    for revision in reversed(REVISIONS[:-1]):
        go_to(engine, command.downgrade, revision)
        assert shape_of(engine) == seen[revision]
        go_to(engine, command.upgrade, "+1")
        go_to(engine, command.downgrade, revision)
    go_to(engine, command.downgrade, "base")
    assert tables_in(engine) == {VERSION_TABLE}
    assert state_in(engine) is State.EMPTY
    go_to(engine, command.upgrade, "head")
    assert shape_of(engine) == seen[HEAD]


def test_texts_of_sqlite_compare_without_regard_to_case_after_a_migration(
    empty_sqlite_url: str,
) -> None:
    engine = engine_on(empty_sqlite_url)
    initialise(engine)
    execute(engine, "INSERT INTO Feature (FeatureName) VALUES ('Drusen')")
    with engine.connect() as connection:
        found = connection.scalar(text("SELECT 1 FROM Feature WHERE FeatureName = 'dRUSEN'"))
    engine.dispose()
    assert found == 1


def test_doing_it_twice_changes_nothing(engine: Engine) -> None:
    initialise(engine)
    before = shape_of(engine)
    again, up = initialise(engine), upgrade(engine)
    assert (again.before, again.after, up.before, up.after) == (HEAD, HEAD, HEAD, HEAD)
    assert shape_of(engine) == before


def test_initialise_refuses_a_database_that_has_the_tables(engine: Engine) -> None:
    contract.create_all(engine)
    with pytest.raises(ConfigurationError, match="eorm adopt"):
        initialise(engine)
    assert VERSION_TABLE not in tables_in(engine)


def test_initialise_leaves_the_tables_of_others_alone(engine: Engine) -> None:
    execute(
        engine,
        "CREATE TABLE theirs (id INTEGER PRIMARY KEY)",
        "INSERT INTO theirs VALUES (7)",
    )
    assert state_in(engine) is State.FOREIGN
    initialise(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT id FROM theirs")) == 7


def test_upgrade_goes_to_the_revision_that_is_asked_for_and_then_on(engine: Engine) -> None:
    go_to(engine, command.upgrade, "0001")
    done = upgrade(engine)
    assert (done.before, done.after) == ("0001", HEAD)
    with pytest.raises(
        ConfigurationError,
        match=r"no revision '9999'.*0001, 0002, 0003, 0004, 0005, 0006, 0007, 0008, 0009, 0010",
    ):
        upgrade(engine, "9999")


def test_upgrade_of_an_empty_database_says_eorm_init(engine: Engine) -> None:
    with pytest.raises(ConfigurationError, match="eorm init"):
        upgrade(engine)


def test_an_upgrade_that_fails_half_way_leaves_sqlite_as_it_was(
    empty_sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_on(empty_sqlite_url)
    with pytest.raises(RuntimeError, match="killed"), killed_at(engine, "SubTask"):
        initialise(engine)
    assert tables_in(engine) == set()
    engine.dispose()


def test_an_initialise_that_was_killed_on_mariadb_is_finished_by_the_next(
    empty_mariadb_url: str,
) -> None:
    engine = engine_on(empty_mariadb_url)
    for table in ("SubTask", "ImportItem"):
        with pytest.raises(RuntimeError, match="killed"), killed_at(engine, table):
            (initialise if table == "SubTask" else upgrade)(engine)
        if table == "SubTask":
            assert state_in(engine) is State.INTERRUPTED
            go_to(engine, command.upgrade, "0001")
    upgrade(engine)
    whole = shape_of(engine)
    go_to(engine, command.downgrade, "base")
    initialise(engine)
    assert shape_of(engine) == whole
    assert differences(engine) == []
    engine.dispose()


def killed_at(engine: Engine, table: str) -> Any:
    """A block in which making this table fails."""
    from contextlib import contextmanager

    def fail(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if re.search(rf"CREATE TABLE .{table}. ", statement):
            raise RuntimeError("killed")

    @contextmanager
    def block() -> Iterator[None]:
        event.listen(engine, "before_cursor_execute", fail)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", fail)

    return block()


def test_foreign_keys_are_on_again_after_a_migration_of_sqlite(empty_sqlite_url: str) -> None:
    engine = engine_on(empty_sqlite_url)
    initialise(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    engine.dispose()


def test_a_migration_that_copies_a_table_of_sqlite_keeps_what_refers_to_it(
    sqlite_url: str,
) -> None:
    from alembic.operations import Operations

    engine = engine_on(sqlite_url)
    execute(
        engine,
        "INSERT INTO Project (ProjectID, ProjectName, External) VALUES (1, 'P', 'N')",
        "INSERT INTO Patient (PatientIdentifier, ProjectID) VALUES ('a', 1)",
    )
    with migrating(engine) as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("Project", recreate="always") as table:
            table.alter_column("DOI", type_=String(300))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT PatientIdentifier FROM Patient")) == "a"
    engine.dispose()


def test_the_sql_for_a_dba_makes_the_same_database(empty_database_url: str) -> None:
    engine = engine_on(empty_database_url)
    sql = upgrade_sql(empty_database_url)
    assert sql == upgrade_sql(engine)
    assert tables_in(engine) == set()  # nothing was done
    run_script(engine, sql)
    assert state_in(engine) is State.AT_HEAD
    assert differences(engine) == []
    engine.dispose()


def test_the_sql_for_a_dba_starts_at_the_revision_of_the_database(engine: Engine) -> None:
    go_to(engine, command.upgrade, "0001")
    sql = upgrade_sql(engine)
    assert "ImportBatch" in sql
    assert not re.search("CREATE TABLE .Patient.", sql)
    run_script(engine, sql)
    assert state_in(engine) is State.AT_HEAD
    assert upgrade_sql(engine) == ""


def run_script(engine: Engine, sql: str) -> None:
    raw: Any = engine.raw_connection()
    for statement in re.sub(r"^--.*$", "", sql, flags=re.MULTILINE).split(";"):
        if statement.strip():
            raw.cursor().execute(statement)
    raw.commit()
    raw.close()


def test_a_url_on_paper_needs_no_server() -> None:
    sql = upgrade_sql("mysql+pymysql://nobody:secret@nowhere.invalid/none")
    assert "CREATE TABLE `Patient`" in sql
    assert "secret" not in sql
