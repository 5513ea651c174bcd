"""Tasks: images that graders look at, each subtask by one of them."""

from eyened_domain.services.task_making.image_sets import ImageSet as ImageSet
from eyened_domain.services.task_making.plan import LEASE as LEASE
from eyened_domain.services.task_making.plan import ReadingPlan as ReadingPlan
from eyened_domain.services.tasks.claim import Claim as Claim
from eyened_domain.services.tasks.service import Tasks as Tasks
from eyened_domain.services.tasks.telling import Progress as Progress
from eyened_domain.services.tasks.telling import TaskReading as TaskReading
