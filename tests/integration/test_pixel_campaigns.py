"""Crowds, kills and collectors at the pixels of segmentations (reliability R1 to R14), small."""

from __future__ import annotations

import logging
import secrets

import pytest

from campaigns.pixels import collector as campaign_collector
from campaigns.pixels import crash_points as campaign_crash_points
from campaigns.pixels import killed_connections as campaign_killed_connections
from campaigns.pixels import killed_writers as campaign_killed_writers
from campaigns.pixels import new_masks as campaign_new_masks
from campaigns.pixels import old_writer as campaign_old_writer
from campaigns.pixels import rollbacks as campaign_rollbacks
from campaigns.pixels import slices as campaign_slices
from eyened_domain.testing.servers import server_names

FIXED = 20261125


@pytest.fixture(params=["fixed", "drawn"])
def seed(request):
    return FIXED if request.param == "fixed" else secrets.randbelow(2**31)


@pytest.fixture(params=[*server_names(), "sqlite"])
def where(request, servers):
    """The kind of database, the seed (fixed on MariaDB, drawn on SQLite), and the server."""
    if request.param == "sqlite":
        return "sqlite", secrets.randbelow(2**31), ""
    server = servers.server(request.param).url("").rstrip("/")
    return "mariadb", FIXED, server


@pytest.fixture
def server(mariadb_server):
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    yield mariadb_server.url("").rstrip("/")
    logging.getLogger("sqlalchemy.pool").setLevel(logging.NOTSET)


def judged(campaign, size, kind, seed, server):
    figures = campaign.run(kind, size, seed, server)
    assert figures.sound, figures
    return figures.told


def test_new_masks_of_one_shape_by_a_crowd_are_all_there(where):
    kind, seed, server = where
    size = campaign_new_masks.Size(workers=3, each=12)
    found = judged(campaign_new_masks, size, kind, seed, server)
    assert found["masks by processes"] == found["masks by threads"] == 36


def test_writers_that_are_killed_lose_and_tear_nothing(where):
    kind, seed, server = where
    size = campaign_killed_writers.Size(workers=3, each=20, kills=5, reads=200)
    found = judged(campaign_killed_writers, size, kind, seed, server)
    assert found["committed"] + found["rolled back"] >= 55


def test_death_at_any_point_leaves_the_old_pixels_or_the_new(where):
    kind, seed, server = where
    found = judged(campaign_crash_points, campaign_crash_points.Size(points=1), kind, seed, server)
    assert found["kills"] >= 10
    assert found["kinds of points"] > 30


def test_a_collector_without_patience_takes_nothing_that_is_needed(where):
    kind, seed, server = where
    size = campaign_collector.Size(workers=2, each=12)
    found = judged(campaign_collector, size, kind, seed, server)
    assert found["collector"]["positions"] > 0


def test_slices_that_a_crowd_draws_in_one_volume_are_all_there(where):
    kind, seed, server = where
    size = campaign_slices.Size(workers=3, each=4, volumes=1)
    assert judged(campaign_slices, size, kind, seed, server)["slices committed"] == 12


def test_overwrites_that_are_rolled_back_leave_the_old_mask(where):
    kind, seed, server = where
    found = judged(campaign_rollbacks, campaign_rollbacks.Size(units=18), kind, seed, server)
    assert found["old mask by interrupt"] == 6


def test_beside_an_old_program_that_edits_in_place_nothing_of_either_is_lost(where):
    kind, seed, server = where
    size = campaign_old_writer.Size(workers=2, each=15, theirs=15, edits=30, shared=(4, 2), kills=4)
    found = judged(campaign_old_writer, size, kind, seed, server)
    assert found["steps of the old program"] == 45
    assert found["kills of the old program"] > 0


def test_masks_whose_connections_are_killed_are_saved_once(server, seed):
    size = campaign_killed_connections.Size(units=20, kills=10)
    found = judged(campaign_killed_connections, size, "mariadb", seed, server)
    assert sum(found["kills"].values()) > 0
