"""The doctor's use case, with examinations made up for the purpose; and circles in graphs."""

from hypothesis import given
from hypothesis import strategies as st

from eyened_domain.adapters.sql.doctor.graphs import in_circles
from eyened_domain.errors import StorageError
from eyened_domain.services.doctor import Checkup, Finding, Kind, Repair, Watch


def finding(number, kind=Kind.PIXELS_LOST, fix=None):
    return Finding(kind, f"number {number}", entity="Segmentation", identity=number, fix=fix)


class Looking:
    """An examination that finds what it is told to."""

    def __init__(self, first, again=None, *, level=1, title="Looking", error=None):
        self.first, self.again = first, first if again is None else again
        self.level, self.title, self.error = level, title, error
        self.looked_at = 3
        self.asked_to_fix = None

    def look(self, watch):
        for number, one in enumerate(self.first):
            watch.tick(number)
            yield one
        if self.error:
            raise self.error

    def look_again(self, found):
        return self.again

    def fix(self, found):
        self.asked_to_fix = list(found)
        for one in found:
            yield Repair(one, "done")


def test_what_is_gone_on_the_second_look_is_not_reported():
    report = Checkup([Looking([finding(1), finding(2)], [finding(2), finding(3)])]).run()
    assert report.findings == [finding(2)]
    assert report.exit_code == 1


def test_nothing_found_is_0_and_notes_are_nothing():
    assert Checkup([Looking([])]).run().exit_code == 0
    report = Checkup([Looking([finding(1, Kind.GARBAGE)])]).run()
    assert report.exit_code == 0
    assert len(report.findings) == 1


def test_what_cannot_be_looked_at_is_2_and_the_rest_goes_on():
    failing = Looking([finding(1)], error=StorageError("the disk is gone"), title="Disk")
    report = Checkup([failing, Looking([finding(2)])]).run()
    assert report.exit_code == 2
    assert report.unchecked == {"Disk": "the disk is gone"}
    assert report.findings == [finding(1), finding(2)]


def test_deeper_levels_are_left_out_and_come_last():
    deep, flat = Looking([finding(1)], level=3, title="deep"), Looking([finding(2)])
    assert Checkup([deep, flat]).run(2).looked_at == {"Looking": 3}
    assert Checkup([deep, flat]).run(3).findings == [finding(2), finding(1)]


def test_only_what_can_be_mended_is_given_to_mend_and_then_counts_no_more():
    looking = Looking([finding(1, fix="mend it"), finding(2)])
    assert Checkup([looking]).run().repairs == []
    assert looking.asked_to_fix is None
    report = Checkup([looking]).run(fix=True)
    assert looking.asked_to_fix == [finding(1, fix="mend it")]
    assert report.open_defects == [finding(2)]
    assert report.exit_code == 1


def test_one_thing_is_told_once():
    report = Checkup([Looking([finding(1)]), Looking([finding(1)], level=2)]).run()
    assert report.findings == [finding(1)]


def test_when_the_time_is_over_what_was_found_is_told():
    report = Checkup([Looking([finding(1)])], Watch(0)).run()
    assert report.exit_code == 2
    assert list(report.unchecked.values()) == ["the time limit was reached"]


def test_a_report_is_plain_data():
    import json

    report = Checkup([Looking([finding(1, fix="mend it")])]).run(fix=True)
    told = json.loads(json.dumps(report.as_dict()))
    assert told["counts"] == {"pixels_lost": 1}
    assert told["repairs"][0]["done"] == "done"
    assert told["findings"][0]["severity"] == "defect"


@given(st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=4)))
def test_what_reaches_itself_is_in_a_circle_and_nothing_else(links):
    def reached(start):
        seen, waiting = set(), list(links.get(start, ()))
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += links.get(one, ())
        return seen

    assert in_circles(links) == {one for one in links if one in reached(one)}
