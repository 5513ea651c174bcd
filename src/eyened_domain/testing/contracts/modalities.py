"""The modality of an image and its entry in the table `Modality` say the same."""

# ruff: noqa: D102, S101 - the names of the tests say it all

from __future__ import annotations

from typing import Any

import pytest

from eyened_domain.errors import RuleBroken
from eyened_domain.model import DeviceInstance, ImageInstance, Modality, ModalityTable, SourceInfo
from eyened_domain.testing.builders import Builder
from eyened_domain.testing.contracts.base import Contract, MakeUnitOfWork


def _said(image: ImageInstance) -> tuple[str | None, str]:
    return image.modality and image.modality.name, image.modality_entry.modality_tag


class ModalityContract(Contract):
    """That setting one sets the other."""

    def _image(self, build: Builder, **values: Any) -> ImageInstance:
        return ImageInstance(
            series=build.a_series(),
            source_info=build.build(SourceInfo),
            device_instance=build.build(DeviceInstance),
            dataset_identifier="a.png",
            laterality="L",
            **values,
        )

    def test_a_new_image_gets_the_entry_of_its_modality(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            first = uow.images.add(self._image(build, modality="OCT"))
            second = uow.images.add(self._image(build, modality="OCT"))
            uow.flush()
            third = uow.images.add(self._image(build, modality="OCT"))
            uow.commit()
            assert first.modality_id == second.modality_id == third.modality_id
        with make_unit_of_work() as uow:
            assert [_said(one) for one in uow.images.where()] == [("OCT", "OCT")] * 3
            assert uow.modalities.count() == 1

    @pytest.mark.parametrize("by_id", [False, True], ids=["object", "id"])
    def test_a_new_image_gets_the_modality_of_its_entry(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, by_id: bool
    ) -> None:
        with make_unit_of_work() as uow:
            entry = uow.modalities.add(ModalityTable(modality_tag="OCTA"))
            uow.commit()
        with make_unit_of_work() as uow:
            entry = uow.modalities.by_name("OCTA")
            given = {"modality_id": entry.modality_id} if by_id else {"modality_entry": entry}
            image = uow.images.add(self._image(build, **given))
            uow.commit()
            assert image.modality is Modality.OCTA
        with make_unit_of_work() as uow:
            assert _said(uow.images.where()[0]) == ("OCTA", "OCTA")

    def test_the_entry_follows_the_modality(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            uow.images.add(self._image(build, modality="OCT"))
            uow.commit()
        for word, tag in (("ColorFundus", "ColorFundus"), ("OCT", "OCT"), (None, "unknown")):
            with make_unit_of_work() as uow:
                image = uow.images.where()[0]
                image.modality = word
                uow.commit()
                assert image.modality_entry.modality_tag == tag
                assert image.modality_id == image.modality_entry.modality_id
            with make_unit_of_work() as uow:
                assert _said(uow.images.where()[0]) == (word, tag)
        with make_unit_of_work() as uow:
            assert uow.modalities.count() == 3

    @pytest.mark.parametrize("by_id", [False, True], ids=["object", "id"])
    @pytest.mark.parametrize(("tag", "word"), [("OCTA", "OCTA"), ("CFP", None)])
    def test_the_modality_follows_the_entry(
        self,
        make_unit_of_work: MakeUnitOfWork,
        build: Builder,
        by_id: bool,
        tag: str,
        word: str | None,
    ) -> None:
        with make_unit_of_work() as uow:
            uow.modalities.add(ModalityTable(modality_tag=tag))
            uow.images.add(self._image(build, modality="OCT"))
            uow.commit()
        with make_unit_of_work() as uow:
            image, entry = uow.images.where()[0], uow.modalities.by_name(tag)
            assert image.modality_entry.modality_tag == "OCT"
            if by_id:
                image.modality_id = entry.modality_id
            else:
                image.modality_entry = entry
            uow.commit()
            assert _said(image) == (word, tag)
        with make_unit_of_work() as uow:
            assert _said(uow.images.where()[0]) == (word, tag)

    @pytest.mark.parametrize("by_id", [False, True], ids=["object", "id"])
    @pytest.mark.parametrize("is_new", [True, False], ids=["new", "stored"])
    def test_two_that_contradict_each_other_are_refused(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder, is_new: bool, by_id: bool
    ) -> None:
        with make_unit_of_work() as uow:
            uow.modalities.add(ModalityTable(modality_tag="ColorFundus"))
            uow.images.add(self._image(build, modality="OCT"))
            uow.commit()
        with make_unit_of_work() as uow:
            entry = uow.modalities.by_name("ColorFundus")
            given = {"modality_id": entry.modality_id} if by_id else {"modality_entry": entry}
            if is_new:
                uow.images.add(self._image(build, modality="OCTA", **given))
            else:
                image = uow.images.where()[0]
                image.modality = "OCTA"
                for name, value in given.items():
                    setattr(image, name, value)
            with pytest.raises(RuleBroken, match=r"OCTA.*ColorFundus"):
                uow.flush()

    def test_two_that_agree_are_stored(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            entry = ModalityTable(modality_tag="OCT")
            uow.images.add(self._image(build, modality="OCT", modality_entry=entry))
            foreign = ModalityTable(modality_tag="SLO")
            uow.images.add(self._image(build, modality="OCTA", modality_entry=foreign))
            uow.commit()
        with make_unit_of_work() as uow:
            found = [_said(one) for one in uow.images.where()]
            assert found == [("OCT", "OCT"), ("OCTA", "SLO")]

    def test_an_image_that_changes_otherwise_keeps_both(
        self, make_unit_of_work: MakeUnitOfWork, build: Builder
    ) -> None:
        with make_unit_of_work() as uow:
            foreign = ModalityTable(modality_tag="SLO")
            uow.images.add(self._image(build, modality="OCTA", modality_entry=foreign))
            uow.commit()
        with make_unit_of_work() as uow:
            uow.images.where()[0].thumbnail_path = ""
            uow.commit()
            assert _said(uow.images.where()[0]) == ("OCTA", "SLO")
