"""Work that takes long: many items, any executor, in portions that can be stopped and resumed."""

from eyened_domain.services.batches.engine import IN_FLIGHT, Restartable, SerialExecutor, work_on
from eyened_domain.services.batches.jobs import Due, Job, RunOptions, Saved, run_job
from eyened_domain.services.batches.outcomes import BatchReport, Failure, ItemFailure, Outcome

__all__ = [
    "IN_FLIGHT",
    "BatchReport",
    "Due",
    "Failure",
    "ItemFailure",
    "Job",
    "Outcome",
    "Restartable",
    "RunOptions",
    "Saved",
    "SerialExecutor",
    "run_job",
    "work_on",
]
