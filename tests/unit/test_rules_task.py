"""How tasks and subtasks go from one state to the next."""

import pytest

from eyened_domain.errors import RuleBroken
from eyened_domain.model import Creator, SubTask, SubTaskState, Task, TaskState

STEPS = {
    "start": ({"NotStarted"}, "Busy"),
    "finish": ({"Busy"}, "Finished"),
    "abort": ({"NotStarted", "Busy"}, "Aborted"),
    "archive": ({"Finished", "Aborted"}, "Archived"),
    "reopen": ({"Finished", "Aborted", "Archived"}, "Busy"),
}
SUB_STEPS = {
    "start": ({"NotStarted"}, "Busy"),
    "finish": ({"Busy"}, "Ready"),
    "release": ({"Busy"}, "NotStarted"),
    "reopen": ({"Ready"}, "Busy"),
}


def a_creator(name="anna", **more) -> Creator:
    return Creator(creator_name=name, **more)


@pytest.mark.parametrize("state", [one.name for one in TaskState])
@pytest.mark.parametrize("step", STEPS)
def test_a_task_takes_the_legal_steps_and_refuses_the_others(step, state):
    task = Task(task_name="grading", task_state=state)
    legal, after = STEPS[step]
    if state in legal:
        getattr(task, step)()
        assert task.task_state is TaskState[after]
        return
    with pytest.raises(RuleBroken, match=rf"is {state}: {step} \(to {after}\)") as caught:
        getattr(task, step)()
    allowed = [one for one, (states, _) in STEPS.items() if state in states]
    assert str(caught.value).endswith(f"{' or '.join(allowed)} is")
    assert task.task_state is TaskState[state]


@pytest.mark.parametrize("state", [one.name for one in SubTaskState])
@pytest.mark.parametrize("step", SUB_STEPS)
def test_a_subtask_takes_the_legal_steps_and_refuses_the_others(step, state):
    anna = a_creator()
    sub_task = SubTask(task_state=state, creator=anna)
    legal, after = SUB_STEPS[step]
    if state in legal:
        getattr(sub_task, step)(by=anna)
        assert sub_task.task_state is SubTaskState[after]
        return
    with pytest.raises(RuleBroken, match=rf"is {state}: {step} \(to {after}\)"):
        getattr(sub_task, step)(by=anna)
    assert sub_task.task_state is SubTaskState[state]


def test_a_task_is_not_finished_while_subtasks_are_not_ready():
    task = Task(task_name="grading", task_state="Busy")
    task.sub_tasks = [SubTask(task_state="Ready"), SubTask(), SubTask(task_state="Busy")]
    with pytest.raises(RuleBroken, match="2 of 3 subtasks are not ready"):
        task.finish()
    for sub_task in task.sub_tasks:
        sub_task.task_state = "Ready"
    task.finish()
    assert task.task_state is TaskState.Finished


def test_progress_counts_the_subtasks_in_every_state():
    task = Task(task_name="grading", sub_tasks=[SubTask(), SubTask(), SubTask(task_state="Ready")])
    assert task.progress == {
        SubTaskState.NotStarted: 2,
        SubTaskState.Busy: 0,
        SubTaskState.Ready: 1,
    }


def test_any_state_can_be_assigned_directly():
    task = Task(task_name="grading", task_state="Archived")
    task.TaskState = "NotStarted"
    assert task.task_state is TaskState.NotStarted


def test_a_started_subtask_belongs_to_who_started_it():
    anna, sub_task = a_creator(), SubTask()
    sub_task.start(by=anna)
    assert sub_task.creator is anna
    assert sub_task in anna.sub_tasks


def test_a_subtask_that_was_meant_for_somebody_is_started_by_nobody_else():
    anna, ben = a_creator(), a_creator("ben")
    sub_task = SubTask(creator=anna)
    with pytest.raises(RuleBroken, match="belongs to creator 'anna', not to 'ben'"):
        sub_task.start(by=ben)
    assert sub_task.task_state is SubTaskState.NotStarted
    sub_task.start(by=anna)


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("step", ["finish", "release"])
def test_a_busy_subtask_is_not_ended_by_another_creator(step, stored):
    anna = a_creator(creator_id=1 if stored else None)
    ben = a_creator("ben", creator_id=2 if stored else None)
    sub_task = SubTask()
    sub_task.start(by=anna)
    with pytest.raises(RuleBroken, match="not to 'ben'"):
        getattr(sub_task, step)(by=ben)
    assert (sub_task.task_state, sub_task.creator) == (SubTaskState.Busy, anna)
    getattr(sub_task, step)(by=anna)


def test_a_creator_is_known_by_the_id_when_that_is_all_there_is():
    sub_task = SubTask(task_state="Busy", creator_id=1)
    with pytest.raises(RuleBroken, match="belongs to creator 1"):
        sub_task.finish(by=a_creator("ben", creator_id=2))
    sub_task.finish(by=a_creator(creator_id=1))


def test_a_comment_is_kept_when_none_is_given():
    sub_task = SubTask(task_state="Busy", comments="hazy")
    sub_task.finish()
    assert sub_task.comments == "hazy"
    sub_task.reopen()
    sub_task.finish("clear now")
    assert sub_task.comments == "clear now"


def test_a_released_subtask_belongs_to_nobody_and_can_be_taken_by_anybody():
    anna = a_creator(creator_id=1)
    sub_task = SubTask(task_state="Busy", creator=anna, creator_id=1)
    sub_task.release(by=anna)
    assert (sub_task.creator, sub_task.creator_id) == (None, None)
    assert sub_task not in anna.sub_tasks
    sub_task.start(by=a_creator("ben", creator_id=2))


@pytest.mark.parametrize("state", ["Finished", "Aborted", "Archived"])
def test_nobody_starts_a_subtask_of_a_closed_task(state):
    task = Task(task_name="grading", task_state=state)
    with pytest.raises(RuleBroken, match=f"its task is {state}"):
        SubTask(task=task).start(by=a_creator())
    with pytest.raises(RuleBroken, match=f"its task is {state}"):
        SubTask(task=task, task_state="Ready").reopen()
