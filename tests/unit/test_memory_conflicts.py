"""Several units of work on one store in memory: nobody's work is lost in silence."""

import threading
from datetime import date

import pytest

from eyened_domain.adapters.memory import MemoryStore, MemoryUnitOfWork
from eyened_domain.errors import Conflict, Duplicate
from eyened_domain.model import Patient, Project, Series, Study
from eyened_domain.services.forms import Forms
from eyened_domain.services.tasks import Tasks
from eyened_domain.testing import Builder


@pytest.fixture
def store(builder: Builder) -> MemoryStore:
    """A store with three patients of one project, each with a study."""
    made = MemoryStore()
    with MemoryUnitOfWork(made) as uow:
        project = Project(project_name="Cohort")
        for name in "abc":
            patient = builder.a_patient(project=project, patient_identifier=name)
            uow.studies.add(builder.a_study(patient=patient))
        uow.commit()
    return made


def patient_of(uow: MemoryUnitOfWork, name: str) -> Patient:
    return uow.patients.one(patient_identifier=name)


def test_of_two_who_change_the_same_row_the_last_is_refused(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as late:
        patient_of(late, "a").sex = "F"
        with MemoryUnitOfWork(store) as early:
            patient_of(early, "a").birth_date = "1950-01-01"
            early.commit()
        with pytest.raises(Conflict, match=r"Patient.*somebody else.*run it again"):
            late.commit()
    with MemoryUnitOfWork(store) as uow:
        found = patient_of(uow, "a")
        assert (found.sex, found.birth_date) == (None, date(1950, 1, 1))
        found.sex = "F"
        uow.commit()


def test_two_who_change_different_rows_both_succeed(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as one, MemoryUnitOfWork(store) as other:
        patient_of(one, "a").sex = "F"
        patient_of(other, "b").sex = "M"
        Patient(patient_identifier="d", project=patient_of(one, "a").project)
        one.commit()
        other.commit()
    with MemoryUnitOfWork(store) as uow:
        found = {x.patient_identifier: x.sex and x.sex.name for x in uow.patients.where()}
        assert found == {"a": "F", "b": "M", "c": None, "d": None}


def test_of_two_who_add_the_same_natural_key_the_last_is_refused(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as one, MemoryUnitOfWork(store) as other:
        one.projects.add(Project(project_name="New"))
        other.projects.add(Project(project_name="NEW"))
        one.flush()
        other.flush()
        one.commit()
        with pytest.raises(Duplicate, match="project_name"):
            other.commit()
    with MemoryUnitOfWork(store) as uow:
        assert uow.projects.count() == 2


def test_a_child_of_what_somebody_else_deletes_is_refused(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as one, MemoryUnitOfWork(store) as other:
        Study(patient=patient_of(one, "a"), study_date="2024-05-05")
        one.flush()
        other.patients.delete(patient_of(other, "a"))
        other.commit()
        with pytest.raises(Conflict, match="hangs on"):
            one.commit()


def test_deleting_what_somebody_else_hangs_something_on_is_refused(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as one, MemoryUnitOfWork(store) as other:
        one.patients.delete(patient_of(one, "a"))
        one.flush()
        Study(patient=patient_of(other, "a"), study_date="2024-05-05")
        other.commit()
        with pytest.raises(Conflict):
            one.commit()
    with MemoryUnitOfWork(store) as uow:
        assert len(patient_of(uow, "a").studies) == 2


def test_a_row_that_somebody_else_deleted_cannot_be_changed(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as one:
        patient = patient_of(one, "a")
        one.commit()
        with MemoryUnitOfWork(store) as other:
            other.patients.delete(patient_of(other, "a"))
            other.commit()
        patient.sex = "F"
        with pytest.raises(Conflict, match="changed or deleted"):
            one.commit()


def test_a_unit_sees_one_state_whatever_others_commit(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as uow:
        assert uow.patients.count() == 3
        with MemoryUnitOfWork(store) as other:
            other.projects.delete(other.projects.by_name("Cohort"))
            other.commit()
        assert uow.patients.count() == 3
        assert len(uow.projects.by_name("Cohort").patients) == 3
        uow.commit()
        assert uow.patients.count() == 0


def test_of_two_who_note_imports_at_once_neither_is_lost(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as one, MemoryUnitOfWork(store) as other:
        numbers = {one.imports.begin("a.csv", {}), other.imports.begin("b.csv", {})}
        one.commit()
        other.commit()
    with MemoryUnitOfWork(store) as uow:
        assert {run.import_id: run.source for run in uow.imports.runs()} == dict(
            zip(sorted(numbers), ["a.csv", "b.csv"], strict=True)
        )


def test_of_two_who_convert_the_same_annotation_the_last_is_refused(store: MemoryStore) -> None:
    with MemoryUnitOfWork(store) as one, MemoryUnitOfWork(store) as other:
        one.conversions.note(1, 1)
        other.conversions.note(1, 2)
        one.commit()
        with pytest.raises(Conflict, match="run it again"):
            other.commit()


def test_what_is_noted_is_taken_back_with_the_savepoint_and_the_rollback(
    store: MemoryStore,
) -> None:
    with MemoryUnitOfWork(store) as uow:
        kept = uow.imports.begin("kept", {})

        def note_and_fail() -> None:
            with uow.savepoint():
                uow.imports.begin("lost", {})
                uow.imports.finish(kept)
                uow.conversions.note(1, 1)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            note_and_fail()
        assert [(run.source, run.finished_at) for run in uow.imports.runs()] == [("kept", None)]
        uow.conversions.note(1, 1)
        uow.rollback()
        assert uow.imports.runs() == []
        assert uow.conversions.converted([1]) == {}


def test_threads_that_try_again_lose_nothing(store: MemoryStore) -> None:
    def count_up() -> None:
        for _ in range(10):
            while True:
                with MemoryUnitOfWork(store) as uow:
                    try:
                        study = uow.studies.where()[0]
                        study.study_round = (study.study_round or 0) + 1
                        uow.commit()
                    except Conflict:
                        continue
                    break

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with MemoryUnitOfWork(store) as uow:
        assert uow.studies.where()[0].study_round == 40


def test_of_two_who_revise_the_same_form_the_last_is_refused(
    store: MemoryStore, builder: Builder
) -> None:
    forms = Forms()
    with MemoryUnitOfWork(store) as uow:
        schema = forms.define(uow, "AMD Grading", {})
        by = uow.creators.add(builder.a_creator())
        form = forms.submit(uow, schema, {}, about=patient_of(uow, "a"), by=by)
        uow.commit()
    with MemoryUnitOfWork(store) as late, MemoryUnitOfWork(store) as early:
        for uow in (late, early):
            one = uow.forms.get(form.form_annotation_id)
            forms.revise(uow, one, {"grade": 1}, by=uow.creators.get(by.creator_id))
        early.commit()
        with pytest.raises(Conflict, match=r"added a FormAnnotation.*run it again"):
            late.commit()
    with MemoryUnitOfWork(store) as uow:
        assert uow.forms.count() == 2


def test_whoever_keeps_others_out_and_writes_nothing_is_not_in_their_way(
    store: MemoryStore, builder: Builder
) -> None:
    with MemoryUnitOfWork(store) as late, MemoryUnitOfWork(store) as early:
        (study,) = patient_of(late, "a").studies
        run = [(study.study_id, study.study_id)]
        assert late.rows.ids_in(Series, "study_id", run, most=1) == []
        for of in (study.study_id, study.study_id + 1):
            early.series.add(Series(study_id=of))
        early.commit()
        late.commit()
        assert late.series.count(study_id=study.study_id) == 1
        assert len(late.rows.ids_in(Series, "study_id", run, most=1)) == 1
        with MemoryUnitOfWork(store) as elsewhere:
            elsewhere.series.add(Series(study_id=study.study_id + 1))
            elsewhere.commit()
        late.series.add(Series(study_id=study.study_id))
        late.commit()


def test_of_two_who_claim_the_same_subtask_the_second_is_refused(builder: Builder) -> None:
    tasks, made = Tasks(), MemoryStore()
    with MemoryUnitOfWork(made) as uow:
        image = uow.images.add(builder.an_image())
        uow.creators.add_all([builder.a_creator(creator_name=name) for name in ("ann", "bob")])
        uow.flush()
        task = tasks.create(uow, "t", "grading", [[image]], make_definition=True)
        task.start()
        uow.commit()
    with MemoryUnitOfWork(made) as late, MemoryUnitOfWork(made) as early:
        for uow, name in ((late, "ann"), (early, "bob")):
            assert tasks.claim_next(uow, task.task_id, name) is not None
        early.commit()
        with pytest.raises(Conflict):
            late.commit()
        late.rollback()
        assert tasks.claim_next(late, task.task_id, "ann") is None
