"""Who reads which image set, in which order, and what is read twice."""

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pytest

from eyened_domain.services.task_making import ReadingPlan
from eyened_domain.services.task_making.allocation import Reading, allocate

NAMES = ("ann", "bob", "eve", "zoe")


def lanes(readings: list[Reading]) -> dict[object, list[Reading]]:
    """Return what each grader reads, or who comes for each reading where nobody is named."""
    found: defaultdict[object, list[Reading]] = defaultdict(list)
    for one in readings:
        found[one.grader or one.reading].append(one)
    return found


def test_sets_stay_in_their_order_and_readings_of_a_set_follow_each_other() -> None:
    made = allocate(3, ReadingPlan(readings=2))
    assert made == [Reading(s, r, None) for s in (1, 2, 3) for r in (1, 2)]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("graders", [(), NAMES], ids=["anybody", "by name"])
@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_repeats_follow_their_first_reading_but_not_at_once(
    seed: int, graders: tuple[str, ...], share: float
) -> None:
    plan = ReadingPlan(readings=2, repeats=share, seed=seed, graders=graders)
    made = allocate(20, plan)
    for lane in lanes(made).values():
        firsts = [one.set_number for one in lane if not one.is_repeat]
        repeated = [one.set_number for one in lane if one.is_repeat]
        assert len(repeated) == round(share * len(firsts))
        assert len({*repeated}) == len(repeated)
        for place, one in enumerate(lane):
            earlier = [other.set_number for other in lane[:place]]
            assert (one.set_number in earlier) == one.is_repeat
        together = [a.set_number for a, b in pairwise(lane) if a.set_number == b.set_number]
        assert {*together} <= {firsts[-1]}  # nothing follows the last one
        assert together == [] or share == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_named_graders_read_as_much_as_each_other_and_all_pairs_meet(seed: int) -> None:
    made = allocate(60, ReadingPlan(readings=2, seed=seed, graders=NAMES))
    assert {len(lane) for lane in lanes(made).values()} == {30}
    by_set: defaultdict[int, set[str | None]] = defaultdict(set)
    for one in made:
        by_set[one.set_number].add(one.grader)
    assert {len(who) for who in by_set.values()} == {2}
    pairs = Counter(frozenset(who) for who in by_set.values())
    assert len(pairs) == 6


def test_the_same_seed_draws_the_same_and_another_one_does_not() -> None:
    def drawn(seed: int) -> list[Reading]:
        return allocate(50, ReadingPlan(readings=2, repeats=0.2, seed=seed, graders=NAMES))

    assert drawn(1) == drawn(1) != drawn(2)


def test_a_plan_is_kept_as_json_and_read_again() -> None:
    groups = {"all": ("ann", "bob")}
    plan = ReadingPlan(readings=2, repeats=0.2, seed=3, groups=groups)
    assert ReadingPlan.of_json(plan.to_json() | {"written by": "another program"}) == plan
    assert ReadingPlan.of_json(None) == ReadingPlan()
    several: list[Any] = [[], {"due": "soon"}, {"lease_s": "long"}, {"readings": 0}]
    for wrong in several:
        with pytest.raises(ValueError, match="ReadingPlan"):
            ReadingPlan.of_json(wrong)
