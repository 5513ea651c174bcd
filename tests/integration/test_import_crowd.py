"""Importers that run at once and are killed (reliability R16, small); bad records (S7, small)."""

from __future__ import annotations

import secrets

import pytest

from campaigns.hostile import records as campaign_input
from campaigns.units import imports as campaign_imports
from eyened_domain.testing.servers import Servers, server_names

SMALL = campaign_imports.Size(importers=3, each=160, kills=4)


@pytest.mark.parametrize("kind", ["sqlite", *server_names()])
def test_a_crowd_of_killed_importers_loses_and_doubles_nothing(kind: str, servers: Servers) -> None:
    server = "" if kind == "sqlite" else servers.server(kind).url("").rstrip("/")
    kind = "sqlite" if kind == "sqlite" else "mariadb"
    seed = secrets.randbelow(2**32)
    result = campaign_imports.campaign(kind, SMALL, seed, server)
    assert not +result, f"seed {seed}"
    assert set(result) >= {"missing", "duplicates", "rows written by the re-run"}


def test_bad_records_are_refused_in_one_family_of_errors() -> None:
    seed = secrets.randbelow(2**32)
    assert campaign_input.campaign(100, seed) == 0, f"seed {seed}"
