"""Forms, legacy annotations and tags point at things that belong together."""

import pytest

from eyened_domain.errors import RuleBroken
from eyened_domain.model import (
    Annotation,
    AnnotationTagLink,
    Creator,
    CreatorTagLink,
    FormAnnotation,
    FormAnnotationTagLink,
    FormSchema,
    ImageInstance,
    ImageInstanceTagLink,
    Patient,
    SegmentationTagLink,
    Series,
    Study,
    StudyTagLink,
    Tag,
    TagType,
)


def a_line(number=1, *, stored=False):
    """A patient with a study with a series with an image."""

    def known(name):
        return {name: number} if stored else {}

    patient = Patient(patient_identifier=f"P{number}", **known("patient_id"))
    study = Study(study_date="2020-01-01", patient=patient, **known("study_id"))
    series = Series(study=study, **known("series_id"))
    image = ImageInstance(
        dataset_identifier=f"{number}.png",
        laterality="R",
        series=series,
        **known("image_instance_id"),
    )
    return patient, study, series, image


@pytest.fixture(params=[False, True], ids=["new", "stored"])
def stored(request):
    return request.param


def test_what_belongs_together_is_accepted(stored):
    patient, study, series, image = a_line(stored=stored)
    FormAnnotation(patient=patient, study=study, image_instance=image).check_rules()
    FormAnnotation(patient=patient, image_instance=image).check_rules()
    Annotation(patient=patient, study=study, series=series, image_instance=image).check_rules()


def test_a_study_or_image_of_another_patient_is_refused(stored):
    patient, study, _, _ = a_line(1, stored=stored)
    _, other_study, other_series, other_image = a_line(2, stored=stored)
    for given in (
        {"patient": patient, "study": other_study},
        {"patient": patient, "image_instance": other_image},
        {"patient": patient, "study": study, "image_instance": other_image},
        {"study": study, "image_instance": other_image},
    ):
        for kind in (FormAnnotation, Annotation):
            with pytest.raises(RuleBroken, match="belongs to"):
                kind(**given).check_rules()
    with pytest.raises(RuleBroken, match="its series belongs to"):
        Annotation(patient=patient, study=study, series=other_series).check_rules()


def test_links_given_as_ids_are_compared_with_those_given_as_objects():
    patient, study, _, image = a_line(1, stored=True)
    FormAnnotation(patient_id=1, study=study, image_instance=image).check_rules()
    with pytest.raises(RuleBroken, match="its study belongs to patient 1, not to patient 9"):
        FormAnnotation(patient_id=9, study=study).check_rules()
    image.series.study.patient_id = 1
    with pytest.raises(RuleBroken, match="its image_instance belongs to study 1, not to study 9"):
        FormAnnotation(patient=patient, study_id=9, image_instance=image).check_rules()


def test_what_is_not_loaded_is_not_judged():
    FormAnnotation(patient_id=1, study_id=2, image_instance_id=3).check_rules()
    FormAnnotation(patient_id=1, study=Study(study_date="2020-01-01", study_id=2)).check_rules()


def test_a_link_whose_object_and_id_contradict_is_left_to_the_storage():
    _, study, _, _ = a_line(1, stored=True)
    other, _, _, _ = a_line(2, stored=True)
    form = FormAnnotation(patient=other, study=study, patient_id=2)
    with pytest.raises(RuleBroken, match="belongs to patient 1, not to patient 2"):
        form.check_rules()
    form.patient_id = 1  # put right by id: the object is not told
    form.check_rules()


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        ("Patient", ("patient",)),
        ("Study", ("study",)),
        ("Eye", ("patient", "laterality")),
        ("StudyEye", ("study", "laterality")),
        ("ImageInstance", ("image_instance",)),
    ],
)
def test_a_new_form_has_what_its_schema_is_about(kind, needed):
    patient, study, _, image = a_line()
    schema = FormSchema(schema_name="form", entity_type=kind)
    whole = {"patient": patient, "study": study, "image_instance": image, "laterality": "R"}
    FormAnnotation(form_schema=schema, **whole).check_rules()
    for name in needed:
        lacking = {key: value for key, value in whole.items() if key != name}
        with pytest.raises(RuleBroken, match=f"about {kind}, which needs {name}"):
            FormAnnotation(form_schema=schema, **lacking).check_rules()
        old = FormAnnotation(form_schema=schema, form_annotation_id=1, **lacking)
        old.check_rules()  # rows of other programs are not judged


def test_what_a_form_is_about_follows_from_its_schema():
    patient, study, _, image = a_line()
    given = {"patient": patient, "study": study, "image_instance": image, "laterality": "R"}
    about = {"Patient": patient, "Eye": patient, "Study": study, "StudyEye": study}
    about["ImageInstance"] = image
    for kind, wanted in about.items():
        schema = FormSchema(schema_name="form", entity_type=kind)
        assert FormAnnotation(form_schema=schema, **given).about is wanted


def test_without_a_schema_a_form_is_about_the_narrowest_that_is_given():
    patient, study, _, image = a_line()
    assert FormAnnotation(patient=patient, study=study, image_instance=image).about is image
    assert FormAnnotation(patient=patient, study=study).about is study
    assert FormAnnotation(patient=patient).about is patient
    assert FormAnnotation().about is None


def test_a_form_about_the_other_eye_than_its_image_is_refused():
    patient, _, _, image = a_line()
    FormAnnotation(patient=patient, image_instance=image, laterality="R").check_rules()
    with pytest.raises(RuleBroken, match="eye L, the image shows R"):
        FormAnnotation(patient=patient, image_instance=image, laterality="L").check_rules()


def test_a_form_that_refers_to_itself_is_refused():
    with pytest.raises(RuleBroken, match="itself"):
        FormAnnotation(form_annotation_id=1, form_annotation_reference_id=1).check_rules()


@pytest.mark.parametrize("schema", [[], "text", 5, True])
def test_a_schema_is_a_json_object(schema):
    form = FormSchema(schema_name="form")
    form.__dict__["schema"] = schema  # as read from a row that another program wrote
    with pytest.raises(RuleBroken, match="object"):
        form.check_rules()


def test_a_schema_may_be_missing():
    FormSchema(schema_name="form").check_rules()
    FormSchema(schema_name="form", schema={"type": "object"}).check_rules()


LINKS = {
    "Study": StudyTagLink,
    "ImageInstance": ImageInstanceTagLink,
    "Annotation": AnnotationTagLink,
    "Segmentation": SegmentationTagLink,
    "FormAnnotation": FormAnnotationTagLink,
}


def test_there_is_a_link_for_every_type_of_tag():
    assert LINKS.keys() == set(TagType.__members__)


@pytest.mark.parametrize("tag_type", LINKS)
@pytest.mark.parametrize("target", LINKS)
def test_a_tag_is_put_on_things_of_its_type_only(tag_type, target):
    link = LINKS[target](tag=Tag(tag_name="nice", tag_type=tag_type))
    if tag_type == target:
        link.check_rules()
    else:
        with pytest.raises(RuleBroken, match=f"is for {tag_type}, it cannot be put on {target}"):
            link.check_rules()


def test_a_tag_that_is_not_loaded_is_not_judged():
    StudyTagLink(tag_id=1, study_id=2).check_rules()


def test_a_creator_may_star_a_tag_of_any_type():
    creator = Creator(creator_name="a")
    for kind in TagType:
        link = CreatorTagLink(tag=Tag(tag_name="nice", tag_type=kind), creator=creator)
        link.check_rules()
    assert len(creator.starred_tags) == len(TagType)


def test_a_tag_tells_what_it_may_be_put_on():
    _, study, _, image = a_line()
    tag = Tag(tag_name="nice", tag_type="Study")
    assert tag.may_be_put_on(study)
    assert not tag.may_be_put_on(image)
