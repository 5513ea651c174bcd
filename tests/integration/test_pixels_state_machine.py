"""Any sequence of steps at masks, crashes among them, against a dict (reliability R18), small."""

import secrets

import numpy as np
import pytest

from campaigns.pixels import state_machine as campaign
from eyened_domain.adapters.pixels.session_pixels import ZarrPixels
from eyened_domain.testing.servers import server_names

SIZE = campaign.Size(steps=60, each=30)
FIXED = 20261128


@pytest.fixture(params=["sqlite", *server_names()])
def where(request):
    """The kind of database, and the server."""
    if request.param == "sqlite":
        return "sqlite", ""
    server = request.getfixturevalue("servers").server(request.param)
    return "mariadb", server.url("").rstrip("/")


def test_any_sequence_of_steps_leaves_what_a_dict_holds(where):
    kind, server = where
    seed = secrets.randbelow(2**31)
    figures = campaign.run(kind, SIZE, seed, server)
    assert figures.sound, (seed, figures)


def test_a_mask_that_is_not_what_was_written_is_a_divergence(monkeypatch):
    whole = ZarrPixels.read

    def turned(self, grid, plane):
        return np.flip(whole(self, grid, plane))

    monkeypatch.setattr(ZarrPixels, "read", turned)
    figures = campaign.run("sqlite", SIZE, FIXED)
    assert figures.missed[-1] == "divergences"
