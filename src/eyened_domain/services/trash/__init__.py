"""What is put away, restored, and deleted with everything that hangs on it."""

from eyened_domain.services.trash.events import Deleted as Deleted
from eyened_domain.services.trash.events import PutAway as PutAway
from eyened_domain.services.trash.events import Restored as Restored
from eyened_domain.services.trash.plan import DeletionPlan as DeletionPlan
from eyened_domain.services.trash.service import Trash as Trash
from eyened_domain.services.trash.told import TrashResult as TrashResult
