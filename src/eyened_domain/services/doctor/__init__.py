"""The doctor: does the database say of itself, of the files and of the pixels what is true?

Three levels: 1 asks the database only, 2 looks whether every file is there, 3 opens every
file and compares its checksum. `findings` is what may be wrong, `examination` what the
adapters provide, `checkup` the use case.
"""

from eyened_domain.services.doctor.checkup import Checkup, Report
from eyened_domain.services.doctor.examination import Examination, OutOfTime, Watch
from eyened_domain.services.doctor.findings import Finding, Kind, Repair

__all__ = [
    "Checkup",
    "Examination",
    "Finding",
    "Kind",
    "OutOfTime",
    "Repair",
    "Report",
    "Watch",
]
