"""Random programs mean the same in memory, on SQLite and on every server; faults are found."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.differential.allowed import ALLOWED
from campaigns.differential.comparing import compare
from campaigns.differential.mutants import MUTANTS
from campaigns.differential.programs import ACTIONS, drawn
from campaigns.differential.storages import Memory, server, sqlite
from eyened_domain.adapters.sql import new_rows
from eyened_domain.testing.servers import new_name, server_names

ASKED = os.environ.get("EYENED_DIFFERENTIAL_SEED", "4")
SEED = random.SystemRandom().randrange(2**31) if ASKED == "random" else int(ASKED)
"""Of the programs: the same in each run, unless the environment gives another, or ``random``."""
AGAIN = f"EYENED_DIFFERENTIAL_SEED={SEED}"
"""What draws the same programs again; shown when one fails."""


@pytest.fixture(scope="module")
def memory_and_sqlite():
    with sqlite() as storage:
        yield [Memory(), storage]


def test_programs_mean_the_same_in_memory_and_on_sqlite(memory_and_sqlite):
    rng = random.Random(SEED)
    for _ in range(120):
        found = compare(drawn(rng), memory_and_sqlite)
        assert found is None, f"{AGAIN}\n{found}"


def test_programs_mean_the_same_where_any_new_objects_are_inserted_together(
    memory_and_sqlite, monkeypatch
):
    monkeypatch.setattr(new_rows, "FEWEST", 1)  # otherwise programs have too few
    rng = random.Random(SEED + 1)
    for _ in range(120):
        found = compare(drawn(rng), memory_and_sqlite)
        assert found is None, f"{AGAIN}\n{found}"


small = st.integers(0, 255)


@given(st.lists(st.tuples(st.integers(0, len(ACTIONS) - 1), small, small, small), max_size=8))
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_programs_of_small_numbers_mean_the_same(memory_and_sqlite, program):
    found = compare(program, memory_and_sqlite)
    assert found is None, str(found)


@pytest.mark.parametrize("name", server_names())
def test_programs_mean_the_same_in_memory_and_on_a_server(name, servers):
    url = servers.server(name).url(f"{new_name()}_machine")
    rng = random.Random(SEED)
    with server(name, url) as storage:
        for _ in range(15):
            found = compare(drawn(rng), [Memory(), storage])
            assert found is None, f"{AGAIN}\n{found}"


@pytest.mark.parametrize(
    "mutant",
    [
        "memory forgets a column",
        "memory forgets deletions",
        "memory checks no keys",
        "memory follows no delete rule",
        "SQL deletes nothing along",
        "SQL compares nothing with its rows",
        "memory's lists hold what is inactive",
        "SQL's lists hold what is inactive",
    ],
)
def test_a_fault_in_an_adapter_is_found(memory_and_sqlite, mutant, monkeypatch):
    MUTANTS[mutant](monkeypatch.setattr)
    rng = random.Random(4)
    assert any(compare(drawn(rng), memory_and_sqlite) for _ in range(1_000))


def test_each_difference_that_is_allowed_says_why():
    assert all(len(one.why) > 60 for one in ALLOWED)
    assert len({one.name for one in ALLOWED}) == len(ALLOWED)


def test_the_documentation_tells_each_difference_that_is_allowed():
    told = " ".join(Path("docs/transactions.md").read_text().split())
    section = told.partition("## What may differ")[2]
    assert [f"**{one.name}**: {one.why}" in section for one in ALLOWED] == [True] * len(ALLOWED)
    assert section.count("- **") == len(ALLOWED)
