"""Makes tasks: which images are looked at together, by whom, how often, in which order."""

from eyened_domain.services.task_making.image_sets import GivenSets as GivenSets
from eyened_domain.services.task_making.image_sets import ImageSet as ImageSet
from eyened_domain.services.task_making.making import NewTask as NewTask
from eyened_domain.services.task_making.making import make_task as make_task
from eyened_domain.services.task_making.plan import LEASE as LEASE
from eyened_domain.services.task_making.plan import ReadingPlan as ReadingPlan
