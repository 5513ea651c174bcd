"""Cohorts: searches that are kept, frozen, checked, and split for training; see `Cohorts`."""

from eyened_domain.services.cohorts.leaks import Leaks
from eyened_domain.services.cohorts.members import CohortDrift
from eyened_domain.services.cohorts.service import Cohorts

__all__ = ["CohortDrift", "Cohorts", "Leaks"]
