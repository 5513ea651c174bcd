"""Objects that are pickled for another process, where nothing was imported or opened before."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from eyened_domain import Creator, Database, FormAnnotation, Patient, Study
from eyened_domain.testing import Builder, MemoryUnitOfWork

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"


def in_a_fresh_process(program: str, sent: Any, *arguments: str) -> Any:
    """Run a program that finds what was sent as `found`, and return what it leaves as `said`."""
    whole = (
        "import pickle, sys\n"
        "found = pickle.loads(sys.stdin.buffer.read())\n"
        f"{program}\n"
        "sys.stdout.buffer.write(pickle.dumps(said))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", whole, *arguments],
        input=pickle.dumps(sent),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return pickle.loads(done.stdout)


@pytest.fixture
def study(sqlite_database: Database, builder: Builder) -> Study:
    """A stored study with its patient, a series and a form, as a closed session leaves them."""
    with sqlite_database.unit_of_work() as uow:
        series = uow.series.add(builder.a_series())
        patient = series.study.patient
        form_data = {"grades": [1, {"deep": [2]}]}
        builder.add(uow, FormAnnotation, patient=patient, study=series.study, form_data=form_data)
        uow.commit()
    with sqlite_database.get_session() as session:
        (found,) = Study.fetch_all(session)
        assert found.patient.project.patients == [found.patient]
        assert len(found.series) == 1
        found.form_annotations[0].form_data["grades"].append(3)
        session.commit()
        return found


def test_a_stored_object_is_read_in_a_fresh_process(study: Study) -> None:
    program = (
        "said = (str(found.study_date), found.patient.patient_identifier, len(found.series),\n"
        "        found.patient.project.patients[0] is found.patient,\n"
        "        found.form_annotations[0].form_data)"
    )
    expected = (
        str(study.study_date),
        study.patient.patient_identifier,
        1,
        True,
        {"grades": [1, {"deep": [2]}, 3]},
    )
    assert in_a_fresh_process(program, study) == expected
    assert in_a_fresh_process(program.replace("found", "found[0]"), [study]) == expected


def test_what_was_not_loaded_says_so_in_a_fresh_process(study: Study) -> None:
    program = (
        "from eyened_domain.errors import NotLoaded\n"
        "try:\n"
        "    said = found.study_tag_links\n"
        "except NotLoaded as error:\n"
        "    said = str(error)"
    )
    assert "Study.study_tag_links" in in_a_fresh_process(program, study)


def test_a_list_of_linked_objects_is_read_in_a_fresh_process(study: Study) -> None:
    program = "said = [type(one).__name__ for one in found]"
    assert in_a_fresh_process(program, study.series) == ["Series"]
    data = study.form_annotations[0].form_data
    assert in_a_fresh_process("said = found", data) == data


def test_a_stored_object_is_changed_in_a_fresh_process(
    sqlite_database: Database, study: Study
) -> None:
    program = (
        "from eyened_domain import Database\n"
        "database = Database({'EYENED_HOME': sys.argv[1]})\n"
        "with database.unit_of_work() as uow:\n"
        "    uow.studies.add(found)\n"
        "    found.study_round = 7\n"
        "    found.form_annotations[0].form_data['grades'].append(4)\n"
        "    uow.commit()\n"
        "    said = len(found.study_tag_links), uow.studies.count(), found.study_round\n"
    )
    home = str(Path(str(sqlite_database.engine.url.database)).parent)
    assert in_a_fresh_process(program, study, home) == (0, 1, 7)
    with sqlite_database.get_session() as session:
        (found,) = Study.fetch_all(session)
        assert found.study_round == 7
        assert found.form_annotations[0].form_data["grades"] == [1, {"deep": [2]}, 3, 4]


def test_a_new_object_is_stored_in_a_fresh_process(
    sqlite_database: Database, builder: Builder
) -> None:
    program = (
        "from eyened_domain import Database\n"
        "database = Database({'EYENED_HOME': sys.argv[1]})\n"
        "with database.unit_of_work() as uow:\n"
        "    uow.studies.add(found)\n"
        "    uow.commit()\n"
        "    said = found\n"
    )
    home = str(Path(str(sqlite_database.engine.url.database)).parent)
    back = in_a_fresh_process(program, builder.a_study(study_date="2031-01-01"), home)
    assert back.study_id == 1
    with sqlite_database.get_session() as session:
        assert [str(one.study_date) for one in Study.fetch_all(session)] == ["2031-01-01"]
        assert Patient.by_id(session, back.patient_id).studies == Study.fetch_all(session)


def test_an_object_of_a_unit_in_memory_is_read_in_a_fresh_process(builder: Builder) -> None:
    with MemoryUnitOfWork() as uow:
        study = uow.studies.add(builder.a_study(study_date="2031-01-01"))
        uow.commit()
        for sent in (study, attrs.evolve(study)):  # type: ignore[misc]
            program = "said = str(found.study_date), found.patient_id"
            assert in_a_fresh_process(program, sent) == ("2031-01-01", study.patient_id)


def test_nothing_private_goes_to_another_process(
    sqlite_database: Database, builder: Builder
) -> None:
    with sqlite_database.unit_of_work() as uow:
        uow.creators.add(builder.a_creator(creator_name="ann", password_hash=HASH))
        uow.commit()
    with sqlite_database.get_session() as session:
        creator = Creator.by_name(session, "ann")
        assert creator.password_hash == HASH
    assert HASH.encode() not in pickle.dumps(creator)
    assert in_a_fresh_process("said = found.creator_name", creator) == "ann"
    back = in_a_fresh_process("found.description = 'changed'; said = found", creator)
    with sqlite_database.get_session() as session:
        session.add(back)
        session.commit()
    with sqlite_database.get_session() as session:
        found = Creator.by_name(session, "ann")
        assert (found.description, found.password_hash) == ("changed", HASH)
