"""The history: who changed what, when, from what to what; and how a change is taken back."""

from eyened_domain.services.changes.entries import Change as Change
from eyened_domain.services.changes.entries import ChangeKind as ChangeKind
from eyened_domain.services.changes.values import Digest as Digest
from eyened_domain.services.history.service import History as History
