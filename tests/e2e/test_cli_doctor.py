"""`eorm doctor`, `zarr-tree` and `defragment-zarr` as people and their scripts run them."""

import json
import shutil
from pathlib import Path

import pytest

from eyened_domain import Database, Segmentation
from eyened_domain.testing import Builder
from tests.e2e.test_cli_database import Shell
from tests.integration.test_pixels import drawn, pixels, slot_files


class ShellOfADatabase(Shell):
    database: Database


@pytest.fixture
def shell(tmp_path: Path) -> ShellOfADatabase:
    """A shell in a folder with a database of three masks, one of which was drawn twice."""
    shell = ShellOfADatabase(tmp_path)
    database = Database({"EYENED_HOME": str(tmp_path / "eyened-data")})
    builder = Builder()
    with database.unit_of_work() as uow:
        ones = uow.segmentations.add_all([drawn(builder) for _ in range(3)])
        for n, one in enumerate(ones):
            one.write_data(pixels(n))
            file = Path(database.settings.images_basepath, one.image_instance.dataset_identifier)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"an image")
        uow.commit()
        ones[0].write_data(pixels(0))
        uow.commit()
    shell.database = database
    return shell


def answer(shell: Shell, *arguments: str, code: int = 0):
    done = shell.eorm(*arguments, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_sound_database_is_said_to_be_sound(shell):
    done = shell.eorm("doctor", "--level", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing is wrong." in done.stdout
    assert answer(shell, "doctor")["findings"] == []


def test_a_damaged_mask_is_found_at_level_3_and_put_aside_by_fix(shell):
    file = slot_files(shell.database)[-1]
    content = bytearray(file.read_bytes())
    content[300] ^= 1
    file.write_bytes(content)
    assert shell.eorm("doctor").returncode == 0
    found = answer(shell, "doctor", "--level", "3", code=1)
    assert found["counts"] == {"pixels_damaged": 1}
    assert found["findings"][0]["entity"] == "Segmentation"
    assert file.exists()  # it was a dry run
    told = answer(shell, "doctor", "--level", "3", "--fix")
    assert ".quarantine" in told["repairs"][0]["done"]
    assert not file.exists()
    after = shell.eorm("doctor", "--level", "3")
    assert after.returncode == 1
    assert "in quarantine" in after.stdout


def test_garbage_is_told_and_collected_when_its_grace_is_over(shell):
    assert len(slot_files(shell.database)) == 4
    shell.eorm("doctor", "--fix")
    assert len(slot_files(shell.database)) == 4
    done = shell.eorm("doctor", "--grace", "0")
    assert "can be collected" in done.stdout.replace("are old enough to be", "can be")
    assert len(slot_files(shell.database)) == 4
    told = answer(shell, "doctor", "--grace", "0", "--fix")
    assert told["repairs"][0]["done"].startswith("collected")
    assert len(slot_files(shell.database)) == 3


def test_a_copy_of_the_database_repairs_nothing_in_the_store_of_the_first(shell, tmp_path):
    store = shell.database.settings.segmentations_zarr_store
    copy = tmp_path / "copy"
    copy.mkdir()
    shell.database.close()
    shutil.copy(shell.database.settings.database_file, copy / "eyened.db")
    shell.environment |= {
        "DATABASE_URL": f"sqlite:///{copy / 'eyened.db'}",
        "SEGMENTATIONS_ZARR_STORE": str(store),
        "IMAGES_BASEPATH": str(shell.database.settings.images_basepath),
        "THUMBNAILS_PATH": str(tmp_path / "thumbnails"),
        "SECRET_KEY": "x",
    }
    done = shell.eorm("doctor", "--fix", "--grace", "0")
    assert done.returncode == 1
    assert "may be a copy" in done.stderr
    assert "--claim-store" in done.stderr
    assert len(slot_files(shell.database)) == 4
    found = answer(shell, "doctor", code=1)
    assert found["counts"] == {"foreign_store": 1}
    answer(shell, "doctor", "--claim-store", "--fix", "--grace", "0")
    assert len(slot_files(shell.database)) == 3


def test_the_time_limit_is_kept(shell):
    told = answer(shell, "doctor", "--time-limit", "0", code=2)
    assert "the time limit was reached" in told["unchecked"].values()


def test_the_tree_tells_positions_and_bytes(shell):
    (array,) = answer(shell, "zarr-tree")["arrays"]
    assert array["array"] == "uint8_3_96_200.zarr"
    assert (array["used"], array["garbage"], array["files"]) == (3, 1, 4)
    assert array["chunks"] == [1, 1, 96, 200]
    assert array["bytes"] == sum(file.stat().st_size for file in slot_files(shell.database))
    shown = shell.eorm("zarr-tree").stdout
    assert "DataRepresentation.Binary" in shown
    assert "3 positions in use" in shown


def test_a_defragmented_store_is_used_when_it_is_set(shell, tmp_path):
    new = tmp_path / "new.zarr"
    told = answer(shell, "defragment-zarr", "--new-store-path", str(new))
    assert told["masks"] == 3
    again = shell.eorm("defragment-zarr", "--new-store-path", str(new))
    assert again.returncode == 1
    assert "set SEGMENTATIONS_ZARR_STORE to that" in again.stderr
    assert shell.eorm("doctor").returncode == 1  # with the old setting
    shell.environment["SEGMENTATIONS_ZARR_STORE"] = str(new)
    assert shell.eorm("doctor", "--level", "3").returncode == 0
    (array,) = answer(shell, "zarr-tree")["arrays"]
    assert (array["used"], array["free"], array["shape"][0]) == (3, 0, 3)
    settings = {"EYENED_HOME": str(tmp_path / "eyened-data"), "SEGMENTATIONS_ZARR_STORE": str(new)}
    database = Database(settings)
    with database.get_session() as session:
        for n, one in enumerate(Segmentation.fetch_all(session)):
            assert (one.read_data() == pixels(n)).all()
    database.close()


def test_what_somebody_did_to_the_history_is_found_by_audit(shell, tmp_path):
    seal = tmp_path / "history.seal"
    done = shell.eorm("doctor", "--level", "1", "--audit")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "entries of the history" in done.stdout
    assert not answer(shell, "doctor", "--level", "1", "--seal", str(seal))["findings"]
    assert seal.exists()
    with shell.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE History SET ActorID = 7 WHERE Number = 2")
    assert answer(shell, "doctor", "--level", "1")["findings"] == []
    found = answer(shell, "doctor", "--level", "1", "--audit", code=1)
    assert found["counts"] == {"history_altered": 1}
    assert found["findings"][0]["position"] == 2
