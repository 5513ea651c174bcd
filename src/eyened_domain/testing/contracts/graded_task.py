"""A task with graders, for the contracts on their agreement."""

# ruff: noqa: D102 - the names of the tests say it all

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eyened_domain.model import (
    Creator,
    FormAnnotation,
    ImageInstance,
    Segmentation,
    SubTask,
    SubTaskImageLink,
    Task,
)
from eyened_domain.services.agreement import Agreement, Intervals
from eyened_domain.services.forms import Forms
from eyened_domain.services.segmenting import Segmenting
from eyened_domain.services.unit_of_work import UnitOfWork
from eyened_domain.testing.builders import Builder

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "grade": {"type": ["integer", "null"], "minimum": 0, "maximum": 4},
        "drusen": {"enum": ["none", "soft", "hard", None]},
        "left": {"$ref": "#/$defs/eye"},
        "notes": {"type": "string"},
    },
    "$defs": {"eye": {"properties": {"size": {"type": "number"}, "sure": {"type": "boolean"}}}},
}
PICTURE = {"rows_y": 12, "columns_x": 16, "modality": "ColorFundus", "dicom_modality": "OP"}
VOLUME = {
    "rows_y": 12,
    "columns_x": 16,
    "nr_of_frames": 5,
    "resolution_vertical": 2.0,
    "resolution_axial": 0.5,
    "resolution_horizontal": 0.25,
}
FoundRows = dict[tuple[str, str, str], tuple[Any, int, int]]
"""Estimate, cases, and cases left out, by question, measure with its unit, and graders."""
NO_INTERVALS = Intervals(resamples=0)
ANN = [(0, "none"), (1, "soft"), (2, "hard"), (4, "soft"), (3, "none"), (0, "none")]
BEN = [(0, "none"), (2, "soft"), (2, "soft"), (4, "soft"), (1, "none"), (0, "hard")]
CAS = [(0, "none"), (1, "soft"), (3, "hard"), (4, "soft"), (3, "none"), (1, "none")]


class GradedTask:
    """A task with graders, a form, and images."""

    def __init__(self, uow: UnitOfWork, build: Builder, images: int, **columns: Any) -> None:
        self.uow = uow
        self.task: Task = build.add(uow, Task, task_name="AMD round 1")
        self.schema = Forms().define(uow, "AMD Grading", SCHEMA)
        self.graders: dict[str, Creator] = {
            name: uow.creators.add(build.a_creator(creator_name=name))
            for name in ("ann", "ben", "cas")
        }
        self.images: list[ImageInstance] = [
            uow.images.add(build.an_image(laterality="L", **columns)) for _ in range(images)
        ]
        self.feature = uow.features.add(build.a_feature(feature_name="drusen area"))
        uow.commit()

    def sub_task(self, name: str, image: ImageInstance) -> SubTask:
        made = SubTask(task=self.task, creator=self.graders[name])
        self.uow.sub_tasks.add(made)
        self.uow.sub_task_images.add(SubTaskImageLink(sub_task=made, image_instance=image))
        return made

    def read(self, name: str, place: int, answers: Any, **more: Any) -> FormAnnotation:
        image = self.images[place]
        return Forms().submit(
            self.uow,
            self.schema,
            answers,
            about=more.get("about", image),
            by=self.graders[name],
            sub_task=self.sub_task(name, image),
        )

    def read_all(self, **by_name: Sequence[tuple[int, str]]) -> None:
        for name, answers in by_name.items():
            for place, (grade, drusen) in enumerate(answers):
                said = {"grade": grade, "drusen": drusen, "left": {"size": grade * 1.5}}
                self.read(name, place, {**said, "notes": f"{name} {place}"})
        self.uow.commit()

    def draw(self, name: str, place: int, pixels: Any, **more: Any) -> Segmentation:
        image = self.images[place]
        return Segmenting().create(
            self.uow,
            image,
            pixels,
            feature=self.feature,
            creator=self.graders[name],
            sub_task=self.sub_task(name, image),
            **more,
        )

    def rows(self, **options: Any) -> FoundRows:
        options = {"intervals": NO_INTERVALS, **options}
        frame = Agreement().answers(self.uow, self.task, "AMD Grading", **options)
        return rows_of(frame)

    def mask_rows(self, **options: Any) -> FoundRows:
        frame = Agreement().masks(self.uow, self.task, intervals=NO_INTERVALS, **options)
        return rows_of(frame)


def rows_of(frame: Any) -> FoundRows:
    """Return the rows of a frame of pandas."""
    return {
        (
            row["question"],
            " ".join(filter(None, (row["measure"], _text(row["unit"])))),
            row["graders"],
        ): (
            row["estimate"],
            row["n_cases"],
            row["n_left_out"],
        )
        for row in frame.to_dict("records")
    }


def _text(unit: Any) -> str:
    return unit if isinstance(unit, str) else ""


def square(size: int, at: int = 0) -> Any:
    """Return a picture with a square, so far to the right."""
    import numpy as np  # noqa: PLC0415 - only these contracts need it

    pixels = np.zeros((12, 16), np.uint8)
    pixels[2 : 2 + size, 2 + at : 2 + at + size] = 1
    return pixels
