"""Print every image of a project: python examples/walk_a_project.py "Demo Study" [file.env]."""

import sys

from eyened_domain import Database, Project

name, *settings = sys.argv[1:]
database = Database(*settings)
with database.get_session() as session:
    for patient in Project.by_name(session, name).patients:
        for study in patient.studies:
            for series in study.series:
                for image in series.images:
                    print(
                        patient.patient_identifier,
                        study.study_date,
                        image.laterality.name,
                        image.path,
                    )
