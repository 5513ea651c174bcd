"""Two units of work in orders of their steps (reliability R17), small; and that it finds faults."""

import secrets
from math import comb

import pytest

from campaigns.kit.interleaving import Interleaving, NobodyWaits, orders
from campaigns.units import interleavings as campaign
from campaigns.units.pairs import PAIRS, Pair
from eyened_domain import NotFound, Project
from eyened_domain.testing.servers import server_names

FIXED = 20261128


def _named(name):
    return next(one for one in PAIRS if one.name == name)


@pytest.fixture(params=["memory", "sqlite", *server_names()])
def opened(request):
    """The kind of storage, and the server."""
    if request.param in ("memory", "sqlite"):
        return request.param, ""
    server = request.getfixturevalue("servers").server(request.param)
    return "mariadb", server.url("").rstrip("/")


@pytest.mark.parametrize("seed", [FIXED, secrets.randbelow(2**31)], ids=["fixed", "drawn"])
def test_two_units_in_any_order_of_their_steps_end_as_one_after_the_other(opened, seed):
    kind, server = opened
    figures = campaign.run(kind, campaign.Size(orders=1), seed, server)
    assert figures.sound, (seed, figures)
    assert figures.told["orders"] >= 2 * (len(PAIRS) - 1)


def _counts(uow, world, pause):
    """Count up, and write over what others have counted."""
    ((count,),) = uow.rows.find(Project, "project_id", [world["one"]], ["description"])
    pause()
    uow.rows.update(Project, [{"project_id": world["one"], "description": f"{int(count) + 1}"}])
    pause()


def _counter(uow, build):
    project = uow.projects.add(build.a_project(description="0"))
    uow.flush()
    return {"one": project.project_id}


def _count(uow, world):
    return uow.projects.get(world["one"]).description


LOSING = Pair("count/count", _counter, (_counts, _counts), _count)


def test_an_update_that_is_lost_is_found(opened, monkeypatch):
    kind, server = opened
    monkeypatch.setattr(campaign, "PAIRS", [LOSING])
    figures = campaign.run(kind, campaign.FULL, FIXED, server)
    if kind == "sqlite":  # where nobody writes who has read what was so before
        assert figures.sound
    else:
        assert figures.missed == ["of no serial order"]
        assert "('committed', 'committed'), and left '1'" in figures.told["error 1 of 36"]


def test_what_a_refused_unit_leaves_behind_is_found(monkeypatch):
    def leaves_something(uow, world, pause):
        pause()
        other = uow.projects.get(world["one"])
        other.description = "left behind"
        pause()
        uow.commit()
        raise NotFound("refused, and yet it has written")

    def changes(uow, world, pause):
        pause()
        uow.projects.get(world["one"]).description = "ours"
        pause()

    with campaign._opened("memory", "") as (storage, watcher):
        good = campaign.Meeting(Pair("", _counter, (changes, changes), _count), storage, watcher)
        serial = campaign.Serial.of(good)
        bad = Pair("", _counter, (changes, leaves_something), _count)
        result = campaign.Meeting(bad, storage, watcher).run([0, 1], [0, 0, 0, 0, 1, 1, 1])
    assert "left behind" in (serial.fault(result) or "")


def test_an_error_of_the_program_is_no_refusal():
    def fails(_uow, _world, _pause):
        raise ZeroDivisionError

    pair = _named("rename/rename")
    with campaign._opened("memory", "") as (storage, watcher):
        serial = campaign.Serial.of(campaign.Meeting(pair, storage, watcher))
        broken = Pair("", pair.make, (fails, pair.works[1]), pair.tell)
        result = campaign.Meeting(broken, storage, watcher).run([0, 1], [0, 1])
    assert serial.fault(result) == "ZeroDivisionError()"


def test_a_step_that_waits_for_the_other_unit_is_noticed(opened):
    kind, server = opened
    with campaign._opened(kind, server) as (storage, watcher):
        meeting = campaign.Meeting(_named("claim/claim"), storage, watcher)
        # the second one writes while the first has written, and has not committed
        outcome = meeting.run([0, 1], [0] * 4 + [1] * 5 + [0]).outcome
    assert outcome.waits == (0 if kind == "memory" else 1)
    assert outcome.names.count("committed") == 1


def test_all_orders_of_steps_are_run_each_once():
    every = list(orders(5, 4))
    assert len(set(every)) == len(every) == comb(9, 4)
    assert all(one.count(0) == 5 for one in every)
    taken = []

    def unit(number):
        def run(pause):
            for step in range(3):
                taken.append((number, step))
                pause()

        return run

    for order in orders(3, 3):
        taken.clear()
        Interleaving(NobodyWaits()).run([unit(0), unit(1)], order)
        assert [number for number, _ in taken] == list(order)
