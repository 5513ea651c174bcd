"""Tags on studies, images, segmentations, annotations and forms."""

from eyened_domain.services.tagging.events import ManyTagged as ManyTagged
from eyened_domain.services.tagging.events import ManyUntagged as ManyUntagged
from eyened_domain.services.tagging.events import Tagged as Tagged
from eyened_domain.services.tagging.events import Untagged as Untagged
from eyened_domain.services.tagging.listing import TagUse as TagUse
from eyened_domain.services.tagging.service import Tagging as Tagging
