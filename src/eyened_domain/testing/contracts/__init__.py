"""What every storage of entities is held to: ours, and a stranger's.

Inherit from a class in a test module, and give the fixture `make_unit_of_work`: a function
that returns a fresh unit of work on the same storage each time, and takes what a `UnitOfWork`
takes:

    class TestMyStorage(StorageContract):
        @pytest.fixture
        def make_unit_of_work(self):
            store = MyStore()
            return lambda *given, **named: MyUnitOfWork(store, *given, **named)

`StorageContract` is all of them together.
"""

from eyened_domain.testing.contracts.account_access import (
    AccountAccessContract as AccountAccessContract,
)
from eyened_domain.testing.contracts.accounts import AccountContract as AccountContract
from eyened_domain.testing.contracts.adjudication import (
    AdjudicationContract as AdjudicationContract,
)
from eyened_domain.testing.contracts.after_failures import (
    AfterFailureContract as AfterFailureContract,
)
from eyened_domain.testing.contracts.agreement import AgreementContract as AgreementContract
from eyened_domain.testing.contracts.attribute_frames import (
    AttributeFrameContract as AttributeFrameContract,
)
from eyened_domain.testing.contracts.attribute_frames_refused import (
    AttributeFrameRefusalContract as AttributeFrameRefusalContract,
)
from eyened_domain.testing.contracts.attribute_tables import (
    AttributeTableContract as AttributeTableContract,
)
from eyened_domain.testing.contracts.attributes import AttributeContract as AttributeContract
from eyened_domain.testing.contracts.bulk import BulkContract as BulkContract
from eyened_domain.testing.contracts.client_pixels import (
    ClientPixelContract as ClientPixelContract,
)
from eyened_domain.testing.contracts.cohorts import CohortContract as CohortContract
from eyened_domain.testing.contracts.concurrency import (
    ConcurrencyContract as ConcurrencyContract,
)
from eyened_domain.testing.contracts.conditions import ConditionContract as ConditionContract
from eyened_domain.testing.contracts.copies import CopyContract as CopyContract
from eyened_domain.testing.contracts.deletions import DeletionContract as DeletionContract
from eyened_domain.testing.contracts.errors import ErrorContract as ErrorContract
from eyened_domain.testing.contracts.features import FeatureContract as FeatureContract
from eyened_domain.testing.contracts.form_frames import FormFrameContract as FormFrameContract
from eyened_domain.testing.contracts.form_imports import FormImportContract as FormImportContract
from eyened_domain.testing.contracts.form_validation import BadFormContract as BadFormContract
from eyened_domain.testing.contracts.form_validation import (
    FormValidationContract as FormValidationContract,
)
from eyened_domain.testing.contracts.forms import FormContract as FormContract
from eyened_domain.testing.contracts.history import HistoryContract as HistoryContract
from eyened_domain.testing.contracts.history_found import (
    HistoryFoundContract as HistoryFoundContract,
)
from eyened_domain.testing.contracts.history_reverted import (
    HistoryRevertedContract as HistoryRevertedContract,
)
from eyened_domain.testing.contracts.importing import ImportContract as ImportContract
from eyened_domain.testing.contracts.inactive import InactiveContract as InactiveContract
from eyened_domain.testing.contracts.json_values import JsonContract as JsonContract
from eyened_domain.testing.contracts.key_changes import KeyChangeContract as KeyChangeContract
from eyened_domain.testing.contracts.keys import KeyContract as KeyContract
from eyened_domain.testing.contracts.known_by_id import KnownByIdContract as KnownByIdContract
from eyened_domain.testing.contracts.linked_rows import (
    LinkedRowsContract as LinkedRowsContract,
)
from eyened_domain.testing.contracts.links import LinkContract as LinkContract
from eyened_domain.testing.contracts.many_new import ManyNewContract as ManyNewContract
from eyened_domain.testing.contracts.many_rows import (
    ManyNewRowsContract as ManyNewRowsContract,
)
from eyened_domain.testing.contracts.many_rows_in_hand import (
    ManyRowsInHandContract as ManyRowsInHandContract,
)
from eyened_domain.testing.contracts.many_rows_refused import (
    ManyRefusedRowsContract as ManyRefusedRowsContract,
)
from eyened_domain.testing.contracts.many_rows_there import (
    ManyStoredRowsContract as ManyStoredRowsContract,
)
from eyened_domain.testing.contracts.mask_agreement import (
    MaskAgreementContract as MaskAgreementContract,
)
from eyened_domain.testing.contracts.misuse import MisuseContract as MisuseContract
from eyened_domain.testing.contracts.misuse_of_units import (
    UnitMisuseContract as UnitMisuseContract,
)
from eyened_domain.testing.contracts.modalities import ModalityContract as ModalityContract
from eyened_domain.testing.contracts.moments import MomentContract as MomentContract
from eyened_domain.testing.contracts.new_again import NewAgainContract as NewAgainContract
from eyened_domain.testing.contracts.pixels import PixelContract as PixelContract
from eyened_domain.testing.contracts.provenance import ProvenanceContract as ProvenanceContract
from eyened_domain.testing.contracts.refused_whole import (
    RefusedWholeContract as RefusedWholeContract,
)
from eyened_domain.testing.contracts.removal import RemovalContract as RemovalContract
from eyened_domain.testing.contracts.removal_reach import (
    RemovalReachContract as RemovalReachContract,
)
from eyened_domain.testing.contracts.repository import RepositoryContract as RepositoryContract
from eyened_domain.testing.contracts.round_trip import RoundTripContract as RoundTripContract
from eyened_domain.testing.contracts.search_pages import SearchPageContract as SearchPageContract
from eyened_domain.testing.contracts.searching import SearchContract as SearchContract
from eyened_domain.testing.contracts.segmenting import SegmentingContract as SegmentingContract
from eyened_domain.testing.contracts.tagging import TaggingContract as TaggingContract
from eyened_domain.testing.contracts.tags import TagContract as TagContract
from eyened_domain.testing.contracts.task_claims import (
    TaskClaimContract as TaskClaimContract,
)
from eyened_domain.testing.contracts.task_making import (
    TaskMakingContract as TaskMakingContract,
)
from eyened_domain.testing.contracts.task_readings import (
    TaskReadingContract as TaskReadingContract,
)
from eyened_domain.testing.contracts.trash import TrashContract as TrashContract
from eyened_domain.testing.contracts.unit_of_work import UnitOfWorkContract as UnitOfWorkContract
from eyened_domain.testing.contracts.values import ValueContract as ValueContract


class StorageContract(
    UnitOfWorkContract,
    ConcurrencyContract,
    ErrorContract,
    NewAgainContract,
    AfterFailureContract,
    RefusedWholeContract,
    RepositoryContract,
    LinkContract,
    KnownByIdContract,
    ManyNewContract,
    KeyContract,
    KeyChangeContract,
    RemovalContract,
    MisuseContract,
    UnitMisuseContract,
    RemovalReachContract,
    JsonContract,
    CopyContract,
    ModalityContract,
    MomentContract,
    RoundTripContract,
    TaggingContract,
    TagContract,
    TaskMakingContract,
    TaskClaimContract,
    TaskReadingContract,
    ProvenanceContract,
    CohortContract,
    FeatureContract,
    InactiveContract,
    DeletionContract,
    TrashContract,
    FormContract,
    FormFrameContract,
    FormValidationContract,
    FormImportContract,
    BadFormContract,
    HistoryContract,
    HistoryFoundContract,
    HistoryRevertedContract,
    AccountContract,
    AccountAccessContract,
    AttributeContract,
    AttributeFrameContract,
    AttributeFrameRefusalContract,
    AttributeTableContract,
    AgreementContract,
    MaskAgreementContract,
    AdjudicationContract,
    ImportContract,
    BulkContract,
    LinkedRowsContract,
    ManyNewRowsContract,
    ManyRefusedRowsContract,
    ManyStoredRowsContract,
    ManyRowsInHandContract,
    PixelContract,
    ClientPixelContract,
    SegmentingContract,
    SearchContract,
    SearchPageContract,
    ConditionContract,
    ValueContract,
):
    """Everything that a storage of entities is held to."""
