"""Any sequence of writes, slices, rollbacks, deletions, collections, restarts, against a dict."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import select

from eyened_domain import Database, Segmentation
from eyened_domain.adapters.pixels.collect import Collector
from eyened_domain.adapters.sql.schema.pixels import zarr_slot
from eyened_domain.testing import Builder
from eyened_domain.testing.databases import settings_on

SHAPES = {"volume": (3, 130, 130), "small volume": (3, 5, 6), "flat": (1, 9, 7)}


class PixelMachine(RuleBasedStateMachine):
    """One database, its store, and what they must hold."""

    drawn = Bundle("drawn")

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp(prefix="test_machine_"))
        self.database = Database(settings_on(f"sqlite:///{self.folder}/test.db", self.folder))
        self.database.init()
        self.expected = {}
        self.count = 0
        builder = Builder()
        with self.database.unit_of_work() as uow:
            self.images = {}
            for name, (depth, height, width) in SHAPES.items():
                image = builder.an_image(nr_of_frames=depth, rows_y=height, columns_x=width)
                self.images[name] = uow.images.add(image)
            self.creator = uow.creators.add(builder.a_creator())
            self.feature = uow.features.add(builder.a_feature())
            uow.commit()
            self.ids = {n: one.image_instance_id for n, one in self.images.items()}
            self.creator_id, self.feature_id = self.creator.creator_id, self.feature.feature_id

    def pixels(self, shape):
        self.count += 1
        found = np.random.default_rng(self.count).integers(0, 2, shape, dtype=np.uint8)
        return found if self.count % 5 else np.zeros(shape, np.uint8)

    @rule(target=drawn, kind=st.sampled_from(sorted(SHAPES)), early=st.booleans())
    def draw(self, kind, early):
        depth, height, width = SHAPES[kind]
        with self.database.unit_of_work() as uow:
            one = uow.segmentations.add(
                Segmentation(
                    image_instance_id=self.ids[kind],
                    creator_id=self.creator_id,
                    feature_id=self.feature_id,
                    data_representation="Binary",
                    data_type="R8UI",
                    depth=depth,
                    height=height,
                    width=width,
                )
            )
            if early:
                uow.flush()
            whole = self.pixels(SHAPES[kind])
            one.write_data(whole)
            uow.commit()
            self.expected[one.segmentation_id] = whole
            return one.segmentation_id

    @rule(identity=drawn, commits=st.booleans(), dirty=st.booleans())
    def write(self, identity, commits, dirty):
        with self.database.unit_of_work() as uow:
            one = uow.segmentations.get(identity)
            if dirty:
                one.inactive = not one.inactive
                uow.flush()
            whole = self.pixels(one.shape)
            one.write_data(whole)
            assert (one.read_data() == whole).all()
            if commits:
                uow.commit()
                self.expected[identity] = whole

    @rule(identity=drawn, commits=st.booleans(), data=st.data())
    def write_slice(self, identity, commits, data):
        with self.database.get_session() as session:
            one = Segmentation.by_id(session, identity)
            axis = data.draw(st.integers(0, 2))
            number = data.draw(st.integers(0, one.shape[axis] - 1))
            part = self.pixels(one.shape[:axis] + one.shape[axis + 1 :])
            one.write_data(part, axis=axis, slice_index=number)
            if commits:
                session.commit()
                whole = self.expected[identity].copy()
                whole[(slice(None),) * axis + (number,)] = part
                self.expected[identity] = whole
            else:
                session.rollback()

    @rule(identity=drawn, keeps=st.booleans())
    def write_in_a_savepoint(self, identity, keeps):
        with self.database.get_session() as session:
            one = Segmentation.by_id(session, identity)
            whole = self.pixels(one.shape)
            with session.begin_nested() as savepoint:
                one.write_data(whole)
                if not keeps:
                    savepoint.rollback()
            session.commit()
            self.expected[identity] = whole if keeps else self.expected[identity]

    @rule(identity=consumes(drawn))
    def delete(self, identity):
        with self.database.unit_of_work() as uow:
            uow.segmentations.delete(uow.segmentations.get(identity))
            uow.commit()
        del self.expected[identity]

    @precondition(lambda self: self.count > 0)  # nobody's store is collected from
    @rule()
    def collect(self):
        self.reopen()  # without patience, it takes the positions in hand as well
        Collector(self.database.engine, self.database.pixel_shelf.files, grace_s=0).collect(
            dry_run=False
        )
        files, states = self.files_and_states()
        assert len(files) == len(states) == len(self.expected)
        assert set(states) <= {"live"}

    @rule()
    def reopen(self):
        self.database.close()
        self.database = Database(self.database.settings)

    @invariant()
    def all_pixels_are_what_they_must_be(self):
        if not hasattr(self, "database"):
            return
        with self.database.get_session() as session:
            found = {one.segmentation_id: one for one in Segmentation.fetch_all(session)}
            assert found.keys() == self.expected.keys()
            for identity, one in found.items():
                assert (one.read_data() == self.expected[identity]).all()
        self.every_file_is_known()

    def every_file_is_known(self):
        files, states = self.files_and_states()
        assert states.count("live") == len(self.expected)
        assert len(files) <= len(states)

    def files_and_states(self):
        root = Path(self.database.settings.segmentations_zarr_store)
        files = [file for file in root.rglob("c/*/0/0/0") if file.is_file()]
        with self.database.engine.connect() as connection:
            return files, list(connection.execute(select(zarr_slot.c.state)).scalars())

    def teardown(self):
        if hasattr(self, "database"):
            self.database.close()
            shutil.rmtree(self.folder)


PixelMachine.TestCase.settings = settings(
    max_examples=8,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestPixels = PixelMachine.TestCase
