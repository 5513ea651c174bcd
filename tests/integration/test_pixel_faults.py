"""Pixels and rows agree whatever fails: the reliability campaigns, small (R4, R5, R11, S1)."""

import random

import pytest

from campaigns.kit.loop_disk import LoopMissing
from campaigns.pixels import damage as campaign_damage
from campaigns.pixels import disk_errors as campaign_disk_errors
from campaigns.pixels import power_cuts as campaign_power_cuts
from campaigns.pixels import store_paths as campaign_store_paths
from eyened_domain.testing.mariadb import ServerMissing

FIXED = 20261125
SEEDS = pytest.mark.parametrize(
    "seed", [lambda: FIXED, lambda: random.SystemRandom().randrange(2**31)], ids=["fixed", "drawn"]
)
KINDS = pytest.mark.parametrize("kind", ["sqlite", "mariadb"])


@KINDS
@SEEDS
def test_whatever_call_to_the_disk_fails_pixels_are_the_old_or_the_new_ones(
    kind, seed, mariadb_url
):
    url = f"{mariadb_url}_disk_errors"
    figures, wrong = campaign_disk_errors.run(kind, seed=seed(), step=29, url=url)
    assert not wrong, figures
    assert figures["failed calls"] > 15
    assert figures["old"] > 0
    assert figures["new"] > 0


@KINDS
def test_a_disk_that_is_full_keeps_the_old_pixels_and_no_lock(kind, mariadb_url):
    found = campaign_disk_errors.full_disk(kind, seed=FIXED, url=f"{mariadb_url}_full_disk")
    if isinstance(found, campaign_disk_errors.NotHere):
        pytest.skip(found.reason)
    figures, wrong = found
    assert not wrong
    assert figures["refused"] > 0
    assert figures["fitted"] > 0


@SEEDS
def test_masks_that_were_acknowledged_survive_a_power_cut(seed):
    size = campaign_power_cuts.Size(cuts=1, seconds=0.5)
    try:
        figures = campaign_power_cuts.run("sqlite", size, seed())
    except (LoopMissing, ServerMissing) as error:
        pytest.skip(str(error))
    assert campaign_power_cuts.lost(figures) == 0, figures
    assert figures["acknowledged"] > 0


def test_the_power_cut_would_show_a_mask_that_was_not_on_the_disk():
    size = campaign_power_cuts.Size(cuts=1, seconds=0.2)
    try:
        figures = campaign_power_cuts.run("sqlite", size, FIXED, durable=False)
    except LoopMissing as error:
        pytest.skip(str(error))
    assert figures["lost"] > 0


@SEEDS
def test_damaged_files_are_never_read_as_pixels(seed, mariadb_url):
    figures = campaign_damage.run("sqlite", count=80, seed=seed())
    assert campaign_damage.sound(figures), figures


@SEEDS
def test_no_name_and_no_link_leads_out_of_the_store(seed):
    figures = campaign_store_paths.run(count=60, swaps=40, seed=seed())
    outside = figures["names"]["OUTSIDE"] + figures["race"]["OUTSIDE"]
    assert outside == 0, figures
    assert figures["names"]["names refused"] > 0
    assert figures["race"]["swaps"] >= 40
    assert figures["race"]["written inside"] + figures["race"]["writing refused"] > 0
